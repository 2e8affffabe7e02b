# SPDX-License-Identifier: ISC
# Unit tests of logger; the form is in tests/unit/base.mk, the libraries are $(UNIT_LOGGER).

check_PROGRAMS += tests/unit/test_line
tests_unit_test_line_SOURCES = tests/unit/test_line.c tests/unit/unit.h
tests_unit_test_line_LDADD = $(UNIT_LOGGER)

check_PROGRAMS += tests/unit/test_render
tests_unit_test_render_SOURCES = tests/unit/test_render.c tests/unit/logger_view.h tests/unit/unit.h
tests_unit_test_render_LDADD = $(UNIT_LOGGER)

check_PROGRAMS += tests/unit/test_render_keyvalue
tests_unit_test_render_keyvalue_SOURCES = tests/unit/test_render_keyvalue.c \
	tests/unit/logger_view.h tests/unit/unit.h
tests_unit_test_render_keyvalue_LDADD = $(UNIT_LOGGER)

check_PROGRAMS += tests/unit/test_render_json
tests_unit_test_render_json_SOURCES = tests/unit/test_render_json.c tests/unit/logger_view.h \
	tests/unit/unit.h
tests_unit_test_render_json_LDADD = $(UNIT_LOGGER)
