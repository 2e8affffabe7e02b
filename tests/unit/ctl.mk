# SPDX-License-Identifier: ISC
# Unit tests of src/ctl; the form is in tests/unit/base.mk, the libraries are $(UNIT_CTL).
check_PROGRAMS += tests/unit/test_ctl_text
tests_unit_test_ctl_text_SOURCES = tests/unit/test_ctl_text.c tests/unit/unit.h
tests_unit_test_ctl_text_LDADD = $(UNIT_CTL)

check_PROGRAMS += tests/unit/test_ctl_table
tests_unit_test_ctl_table_SOURCES = tests/unit/test_ctl_table.c tests/unit/unit.h
tests_unit_test_ctl_table_LDADD = $(UNIT_CTL)

check_PROGRAMS += tests/unit/test_ctl_top_data
tests_unit_test_ctl_top_data_SOURCES = tests/unit/test_ctl_top_data.c tests/unit/unit.h
tests_unit_test_ctl_top_data_LDADD = $(UNIT_CTL)

check_PROGRAMS += tests/unit/test_ctl_query
tests_unit_test_ctl_query_SOURCES = tests/unit/test_ctl_query.c tests/unit/config_rig.c \
	tests/unit/config_rig.h tests/unit/unit.h
tests_unit_test_ctl_query_LDADD = $(UNIT_CTL)

check_PROGRAMS += tests/unit/test_ctl_options
tests_unit_test_ctl_options_SOURCES = tests/unit/test_ctl_options.c tests/unit/unit.h
tests_unit_test_ctl_options_LDADD = $(UNIT_CTL)
