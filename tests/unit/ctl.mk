# SPDX-License-Identifier: ISC
# Unit tests of src/ctl; the form is in tests/unit/base.mk, the libraries are $(UNIT_CTL).
check_PROGRAMS += tests/unit/test_ctl_text
tests_unit_test_ctl_text_SOURCES = tests/unit/test_ctl_text.c tests/unit/unit.h
tests_unit_test_ctl_text_LDADD = $(UNIT_CTL)

check_PROGRAMS += tests/unit/test_ctl_table
tests_unit_test_ctl_table_SOURCES = tests/unit/test_ctl_table.c tests/unit/unit.h
tests_unit_test_ctl_table_LDADD = $(UNIT_CTL)
