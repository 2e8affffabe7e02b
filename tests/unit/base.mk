# SPDX-License-Identifier: ISC
# Unit tests of lib/base. Every other area has the same form with its own UNIT_* libraries
# (tests/unit/local.mk). A header shared by tests goes into the _SOURCES of each.

check_PROGRAMS += tests/unit/test_addr
tests_unit_test_addr_SOURCES = tests/unit/test_addr.c tests/unit/unit.h
tests_unit_test_addr_LDADD = $(UNIT_BASE)

check_PROGRAMS += tests/unit/test_addr_prefix
tests_unit_test_addr_prefix_SOURCES = tests/unit/test_addr_prefix.c tests/unit/unit.h
tests_unit_test_addr_prefix_LDADD = $(UNIT_BASE)

check_PROGRAMS += tests/unit/test_addr_special
tests_unit_test_addr_special_SOURCES = tests/unit/test_addr_special.c tests/unit/unit.h
tests_unit_test_addr_special_LDADD = $(UNIT_BASE)

check_PROGRAMS += tests/unit/test_buffer
tests_unit_test_buffer_SOURCES = tests/unit/test_buffer.c tests/unit/unit.h
tests_unit_test_buffer_LDADD = $(UNIT_BASE)

check_PROGRAMS += tests/unit/test_clock
tests_unit_test_clock_SOURCES = tests/unit/test_clock.c tests/unit/unit.h
tests_unit_test_clock_LDADD = $(UNIT_BASE)

check_PROGRAMS += tests/unit/test_cursor
tests_unit_test_cursor_SOURCES = tests/unit/test_cursor.c tests/unit/unit.h
tests_unit_test_cursor_LDADD = $(UNIT_BASE)

check_PROGRAMS += tests/unit/test_fd
tests_unit_test_fd_SOURCES = tests/unit/test_fd.c tests/unit/unit.h
tests_unit_test_fd_LDADD = $(UNIT_BASE)

check_PROGRAMS += tests/unit/test_idmap
tests_unit_test_idmap_SOURCES = tests/unit/test_idmap.c tests/unit/unit.h
tests_unit_test_idmap_LDADD = $(UNIT_BASE)

check_PROGRAMS += tests/unit/test_memfd
tests_unit_test_memfd_SOURCES = tests/unit/test_memfd.c tests/unit/unit.h
tests_unit_test_memfd_LDADD = $(UNIT_BASE)

check_PROGRAMS += tests/unit/test_name
tests_unit_test_name_SOURCES = tests/unit/test_name.c tests/unit/unit.h
tests_unit_test_name_LDADD = $(UNIT_BASE)

check_PROGRAMS += tests/unit/test_secret
tests_unit_test_secret_SOURCES = tests/unit/test_secret.c tests/unit/unit.h
tests_unit_test_secret_LDADD = $(UNIT_BASE)

check_PROGRAMS += tests/unit/test_utf8
tests_unit_test_utf8_SOURCES = tests/unit/test_utf8.c tests/unit/unit.h
tests_unit_test_utf8_LDADD = $(UNIT_BASE)
