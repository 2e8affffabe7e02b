# SPDX-License-Identifier: ISC
# Unit tests of config; the form is in tests/unit/base.mk, the libraries are $(UNIT_CONFIG).
CONFIG_RIG = tests/unit/config_rig.c tests/unit/config_rig.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_config_lex
tests_unit_test_config_lex_SOURCES = tests/unit/test_config_lex.c tests/unit/unit.h
tests_unit_test_config_lex_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_parts
tests_unit_test_config_parts_SOURCES = tests/unit/test_config_parts.c tests/unit/unit.h
tests_unit_test_config_parts_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_bad
tests_unit_test_config_bad_SOURCES = tests/unit/test_config_bad.c tests/unit/config_bad.h $(CONFIG_RIG)
tests_unit_test_config_bad_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_compile
tests_unit_test_config_compile_SOURCES = tests/unit/test_config_compile.c $(CONFIG_RIG)
tests_unit_test_config_compile_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_bounds
tests_unit_test_config_bounds_SOURCES = tests/unit/test_config_bounds.c $(CONFIG_RIG)
tests_unit_test_config_bounds_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_listen
tests_unit_test_config_listen_SOURCES = tests/unit/test_config_listen.c $(CONFIG_RIG)
tests_unit_test_config_listen_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_socks
tests_unit_test_config_socks_SOURCES = tests/unit/test_config_socks.c $(CONFIG_RIG)
tests_unit_test_config_socks_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_operate
tests_unit_test_config_operate_SOURCES = tests/unit/test_config_operate.c $(CONFIG_RIG)
tests_unit_test_config_operate_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_time
tests_unit_test_config_time_SOURCES = tests/unit/test_config_time.c $(CONFIG_RIG)
tests_unit_test_config_time_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_image
tests_unit_test_image_SOURCES = tests/unit/test_image.c $(CONFIG_RIG)
tests_unit_test_image_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_print
tests_unit_test_config_print_SOURCES = tests/unit/test_config_print.c $(CONFIG_RIG)
tests_unit_test_config_print_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_options
tests_unit_test_config_options_SOURCES = tests/unit/test_config_options.c tests/unit/unit.h
tests_unit_test_config_options_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_diff
tests_unit_test_config_diff_SOURCES = tests/unit/test_config_diff.c $(CONFIG_RIG)
tests_unit_test_config_diff_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_bad_keys
tests_unit_test_config_bad_keys_SOURCES = tests/unit/test_config_bad_keys.c $(CONFIG_RIG)
tests_unit_test_config_bad_keys_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_cover
tests_unit_test_config_cover_SOURCES = tests/unit/test_config_cover.c $(CONFIG_RIG)
tests_unit_test_config_cover_LDADD = src/policy/libpolicy.la $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_image_set
tests_unit_test_image_set_SOURCES = tests/unit/test_image_set.c $(CONFIG_RIG)
tests_unit_test_image_set_LDADD = $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_config_peek
tests_unit_test_config_peek_SOURCES = tests/unit/test_config_peek.c tests/unit/config_rig.c \
	tests/unit/config_rig.h tests/unit/unit.h
tests_unit_test_config_peek_LDADD = $(UNIT_CONFIG)
