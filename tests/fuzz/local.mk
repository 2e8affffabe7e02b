# SPDX-License-Identifier: ISC
# Fuzz targets, one per decoder: tests/fuzz/fuzz_TARGET.c. `make check` replays the files of
# tests/fuzz/corpus/TARGET with whatever compiler there is; `make fuzz` builds the same with clang's
# libFuzzer and searches for FUZZ_SECONDS each. What it finds is in tests/fuzz/found/TARGET of the build
# tree; a file that shows something new goes into the corpus.
FUZZ_TARGETS = name socks4 socks5 ident udp udp_fragments userpass conversation users krb5msg gssapi_frame gssapi_protect \
	gssapi_token keytab config_scan config_value control_line list image
FUZZ_SECONDS = 60
FUZZ_CC = clang

check_PROGRAMS += tests/fuzz/replay_name
tests_fuzz_replay_name_SOURCES = tests/fuzz/fuzz_name.c tests/fuzz/fuzz.h tests/fuzz/replay_main.c
tests_fuzz_replay_name_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"name"'
tests_fuzz_replay_name_LDADD = lib/base/libbase.la

check_PROGRAMS += tests/fuzz/replay_socks4
tests_fuzz_replay_socks4_SOURCES = tests/fuzz/fuzz_socks4.c tests/fuzz/fuzz.h tests/fuzz/replay_main.c
tests_fuzz_replay_socks4_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"socks4"'
tests_fuzz_replay_socks4_LDADD = lib/socks/libsocks.la lib/base/libbase.la

check_PROGRAMS += tests/fuzz/replay_ident
tests_fuzz_replay_ident_SOURCES = tests/fuzz/fuzz_ident.c src/net/ident_answer.c tests/fuzz/fuzz.h \
	tests/fuzz/replay_main.c
tests_fuzz_replay_ident_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"ident"'
tests_fuzz_replay_ident_LDADD = lib/base/libbase.la

check_PROGRAMS += tests/fuzz/replay_socks5
tests_fuzz_replay_socks5_SOURCES = tests/fuzz/fuzz_socks5.c tests/fuzz/fuzz.h tests/fuzz/replay_main.c
tests_fuzz_replay_socks5_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"socks5"'
tests_fuzz_replay_socks5_LDADD = lib/socks/libsocks.la lib/base/libbase.la

check_PROGRAMS += tests/fuzz/replay_udp
tests_fuzz_replay_udp_SOURCES = tests/fuzz/fuzz_udp.c tests/fuzz/fuzz.h tests/fuzz/replay_main.c
tests_fuzz_replay_udp_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"udp"'
tests_fuzz_replay_udp_LDADD = lib/socks/libsocks.la lib/base/libbase.la

check_PROGRAMS += tests/fuzz/replay_udp_fragments
tests_fuzz_replay_udp_fragments_SOURCES = tests/fuzz/fuzz_udp_fragments.c \
	src/session/udp_fragments.c tests/fuzz/fuzz.h tests/fuzz/replay_main.c
tests_fuzz_replay_udp_fragments_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"udp_fragments"'
tests_fuzz_replay_udp_fragments_LDADD = lib/socks/libsocks.la lib/base/libbase.la

check_PROGRAMS += tests/fuzz/replay_userpass
tests_fuzz_replay_userpass_SOURCES = tests/fuzz/fuzz_userpass.c tests/fuzz/fuzz.h tests/fuzz/replay_main.c
tests_fuzz_replay_userpass_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"userpass"'
tests_fuzz_replay_userpass_LDADD = lib/socks/libsocks.la lib/base/libbase.la

check_PROGRAMS += tests/fuzz/replay_conversation
tests_fuzz_replay_conversation_SOURCES = tests/fuzz/fuzz_conversation.c tests/fuzz/fuzz.h \
	tests/fuzz/replay_main.c
tests_fuzz_replay_conversation_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"conversation"'
tests_fuzz_replay_conversation_LDADD = src/authlink/libauthlink.la lib/base/libbase.la

check_PROGRAMS += tests/fuzz/replay_users
tests_fuzz_replay_users_SOURCES = tests/fuzz/fuzz_users.c $(AUTH_USERPASS_BOTH) tests/fuzz/fuzz.h \
	tests/fuzz/replay_main.c
tests_fuzz_replay_users_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"users"'
tests_fuzz_replay_users_LDADD = lib/base/libbase.la

check_PROGRAMS += tests/fuzz/replay_config_scan
tests_fuzz_replay_config_scan_SOURCES = tests/fuzz/fuzz_config_scan.c tests/fuzz/fuzz.h \
	tests/fuzz/replay_main.c
tests_fuzz_replay_config_scan_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"config_scan"'
tests_fuzz_replay_config_scan_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/fuzz/replay_config_value
tests_fuzz_replay_config_value_SOURCES = tests/fuzz/fuzz_config_value.c tests/fuzz/fuzz.h \
	tests/fuzz/replay_main.c
tests_fuzz_replay_config_value_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"config_value"'
tests_fuzz_replay_config_value_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/fuzz/replay_list
tests_fuzz_replay_list_SOURCES = tests/fuzz/fuzz_list.c tests/fuzz/fuzz.h tests/fuzz/replay_main.c
tests_fuzz_replay_list_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"list"'
tests_fuzz_replay_list_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/fuzz/replay_image
tests_fuzz_replay_image_SOURCES = tests/fuzz/fuzz_image.c tests/fuzz/fuzz.h tests/fuzz/replay_main.c
tests_fuzz_replay_image_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"image"'
tests_fuzz_replay_image_LDADD = $(UNIT_IMAGE)

check_PROGRAMS += tests/fuzz/replay_krb5msg
tests_fuzz_replay_krb5msg_SOURCES = tests/fuzz/fuzz_krb5msg.c tests/fuzz/fuzz.h tests/fuzz/replay_main.c
tests_fuzz_replay_krb5msg_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) -DREPLAY_TARGET='"krb5msg"'
tests_fuzz_replay_krb5msg_LDADD = lib/krb5msg/libkrb5msg.la lib/base/libbase.la $(CRYPTO_LIBS)

check_PROGRAMS += tests/fuzz/replay_gssapi_frame
tests_fuzz_replay_gssapi_frame_SOURCES = tests/fuzz/fuzz_gssapi_frame.c tests/fuzz/fuzz.h \
	tests/fuzz/replay_main.c
tests_fuzz_replay_gssapi_frame_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"gssapi_frame"'
tests_fuzz_replay_gssapi_frame_LDADD = auth/libgssapi-protect.la lib/base/libbase.la

check_PROGRAMS += tests/fuzz/replay_gssapi_protect
tests_fuzz_replay_gssapi_protect_SOURCES = tests/fuzz/fuzz_gssapi_protect.c tests/fuzz/fuzz.h \
	tests/fuzz/replay_main.c
tests_fuzz_replay_gssapi_protect_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"gssapi_protect"'
tests_fuzz_replay_gssapi_protect_LDADD = auth/libgssapi-protect.la lib/krb5msg/libkrb5msg.la \
	lib/base/libbase.la $(CRYPTO_LIBS)

check_PROGRAMS += tests/fuzz/replay_keytab
tests_fuzz_replay_keytab_SOURCES = tests/fuzz/fuzz_keytab.c auth/gssapi/gssapi_keytab_usable.c \
	$(AUTH_GSSAPI_BOTH) tests/fuzz/fuzz.h tests/fuzz/replay_main.c
tests_fuzz_replay_keytab_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"keytab"'
tests_fuzz_replay_keytab_LDADD = lib/base/libbase.la

check_PROGRAMS += tests/fuzz/replay_gssapi_token
tests_fuzz_replay_gssapi_token_SOURCES = tests/fuzz/fuzz_gssapi_token.c auth/gssapi/gssapi_token.c \
	tests/fuzz/fuzz.h tests/fuzz/replay_main.c
tests_fuzz_replay_gssapi_token_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"gssapi_token"'
tests_fuzz_replay_gssapi_token_LDADD = lib/base/libbase.la

check_PROGRAMS += tests/fuzz/replay_control_line
tests_fuzz_replay_control_line_SOURCES = tests/fuzz/fuzz_control_line.c tests/fuzz/fuzz.h \
	tests/fuzz/replay_main.c
tests_fuzz_replay_control_line_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_TARGET='"control_line"'
tests_fuzz_replay_control_line_LDADD = src/core/libcore.la lib/base/libbase.la

EXTRA_DIST += tests/fuzz/corpus

# The decoders stand on little else than lib/, so it is compiled anew with libFuzzer's instrumentation.
FUZZ_LIB = $(filter %.c,$(lib_base_libbase_la_SOURCES) $(lib_socks_libsocks_la_SOURCES) \
	$(lib_krb5msg_libkrb5msg_la_SOURCES) \
	$(AUTH_USERPASS_BOTH) $(AUTH_GSSAPI_PROTECT)) src/authlink/conversation.c \
	src/net/ident_answer.c src/core/control_line.c \
	auth/gssapi/gssapi_keytab_usable.c auth/gssapi/gssapi_token.c \
	src/session/udp_fragments.c $(FUZZ_CONFIG)
FUZZ_CONFIG = \
	src/config/config_address.c \
	src/config/config_builder.c \
	src/config/config_flat.c \
	src/config/config_lex.c \
	src/config/config_message.c \
	src/config/config_model.c \
	src/config/config_options.c \
	src/config/config_parse.c \
	src/config/config_scan.c \
	src/config/config_scan_file.c \
	src/config/config_seen.c \
	src/config/config_set_line.c \
	src/config/config_set_names.c \
	src/config/config_set_read.c \
	src/config/config_set_trie.c \
	src/config/config_time.c \
	src/config/config_value.c \
	src/config/image.c \
	src/config/image_check.c \
	src/config/image_set.c \
	src/config/image_set_check.c

.PHONY: fuzz
fuzz:
	@for target in $(FUZZ_TARGETS); do \
		$(MKDIR_P) tests/fuzz/found/$$target && \
		$(FUZZ_CC) -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE= \
			-I$(top_srcdir) $(top_srcdir)/tests/fuzz/fuzz_$$target.c \
			$(FUZZ_LIB:%=$(top_srcdir)/%) $(CONFUSE_LIBS) $(CRYPTO_LIBS) -o tests/fuzz/fuzz_$$target && \
		tests/fuzz/fuzz_$$target -max_total_time=$(FUZZ_SECONDS) -max_len=1024 \
			-artifact_prefix=tests/fuzz/found/$$target/ tests/fuzz/found/$$target \
			$(top_srcdir)/tests/fuzz/corpus/$$target || exit 1; \
	done

CLEANFILES += $(FUZZ_TARGETS:%=tests/fuzz/fuzz_%)
