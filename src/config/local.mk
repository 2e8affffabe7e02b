# SPDX-License-Identifier: ISC
# F3: libconfig compiles the configuration (libconfuse), libimage reads the compiled image (no libconfuse).
noinst_LTLIBRARIES += src/config/libconfig.la
src_config_libconfig_la_SOURCES = \
	src/config/config.h \
	src/config/config_address.c \
	src/config/config_builder.c \
	src/config/config_builder.h \
	src/config/config_cover.c \
	src/config/config_cover.h \
	src/config/config_cover_rule.c \
	src/config/config_diff.c \
	src/config/config_diff.h \
	src/config/config_check.c \
	src/config/config_compile.c \
	src/config/config_compiler.h \
	src/config/config_flat.c \
	src/config/config_flat.h \
	src/config/config_groups.c \
	src/config/config_lex.c \
	src/config/config_lex.h \
	src/config/config_listen.c \
	src/config/config_socks.c \
	src/config/config_message.c \
	src/config/config_message.h \
	src/config/config_model.c \
	src/config/config_model.h \
	src/config/config_modules.c \
	src/config/config_modules_check.c \
	src/config/config_modules_write.c \
	src/config/config_options.c \
	src/config/config_options.h \
	src/config/config_operate.c \
	src/config/config_parse.c \
	src/config/config_parse.h \
	src/config/config_peek.c \
	src/config/config_peek.h \
	src/config/config_print.c \
	src/config/config_print.h \
	src/config/config_print_rules.c \
	src/config/config_rules.c \
	src/config/config_scan.c \
	src/config/config_scan.h \
	src/config/config_scan_file.c \
	src/config/config_scan_priv.h \
	src/config/config_seen.c \
	src/config/config_seen.h \
	src/config/config_set.c \
	src/config/config_set.h \
	src/config/config_set_line.c \
	src/config/config_set_names.c \
	src/config/config_set_read.c \
	src/config/config_set_trie.c \
	src/config/config_settings.c \
	src/config/config_time.c \
	src/config/config_value.c \
	src/config/config_value.h \
	src/config/config_zone.c
src_config_libconfig_la_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
noinst_LTLIBRARIES += src/config/libimage.la
src_config_libimage_la_SOURCES = \
	src/config/image.c \
	src/config/image.h \
	src/config/image_check.c \
	src/config/image_priv.h \
	src/config/image_set.c \
	src/config/image_set.h \
	src/config/image_set_check.c
