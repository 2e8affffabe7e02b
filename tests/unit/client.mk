# SPDX-License-Identifier: ISC
# Unit tests of src/client; the form is in tests/unit/base.mk, the libraries are $(UNIT_CLIENT).
check_PROGRAMS += tests/unit/test_client_options
tests_unit_test_client_options_SOURCES = tests/unit/test_client_options.c tests/unit/unit.h
tests_unit_test_client_options_LDADD = $(UNIT_CLIENT)

check_PROGRAMS += tests/unit/test_client_output
tests_unit_test_client_output_SOURCES = tests/unit/test_client_output.c tests/unit/unit.h
tests_unit_test_client_output_LDADD = $(UNIT_CLIENT)

check_PROGRAMS += tests/unit/test_client_dial
tests_unit_test_client_dial_SOURCES = tests/unit/test_client_dial.c tests/unit/unit.h
tests_unit_test_client_dial_LDADD = $(UNIT_CLIENT)
