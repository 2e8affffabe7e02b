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

check_PROGRAMS += tests/unit/test_logger_rings
tests_unit_test_logger_rings_SOURCES = tests/unit/test_logger_rings.c tests/unit/logger_rig.c \
	tests/unit/logger_rig.h tests/unit/unit.h
tests_unit_test_logger_rings_LDADD = $(UNIT_LOGGER)

check_PROGRAMS += tests/unit/test_logger_batch
tests_unit_test_logger_batch_SOURCES = tests/unit/test_logger_batch.c tests/unit/logger_rig.c \
	tests/unit/logger_rig.h tests/unit/unit.h
tests_unit_test_logger_batch_LDADD = $(UNIT_LOGGER)

check_PROGRAMS += tests/unit/test_logger_target_file
tests_unit_test_logger_target_file_SOURCES = tests/unit/test_logger_target_file.c tests/unit/logger_rig.c \
	tests/unit/logger_rig.h tests/unit/unit.h
tests_unit_test_logger_target_file_LDADD = $(UNIT_LOGGER)

check_PROGRAMS += tests/unit/test_logger_target_stderr
tests_unit_test_logger_target_stderr_SOURCES = tests/unit/test_logger_target_stderr.c tests/unit/logger_rig.c \
	tests/unit/logger_rig.h tests/unit/unit.h
tests_unit_test_logger_target_stderr_LDADD = $(UNIT_LOGGER)

check_PROGRAMS += tests/unit/test_logger_target_syslog
tests_unit_test_logger_target_syslog_SOURCES = tests/unit/test_logger_target_syslog.c tests/unit/logger_rig.c \
	tests/unit/logger_rig.h tests/unit/unit.h
tests_unit_test_logger_target_syslog_LDADD = $(UNIT_LOGGER)

check_PROGRAMS += tests/unit/test_logger_process
tests_unit_test_logger_process_SOURCES = tests/unit/test_logger_process.c tests/unit/logger_rig.c \
	tests/unit/logger_rig.h tests/unit/unit.h
tests_unit_test_logger_process_LDADD = $(UNIT_LOGGER)
