# SPDX-License-Identifier: ISC
# Unit tests of lib/base. The form, here for lib/base/addr.c; every other area copies it with its own
# UNIT_* libraries (tests/unit/local.mk). A header shared by tests goes into the _SOURCES of each.
#
#   check_PROGRAMS += tests/unit/test_addr
#   tests_unit_test_addr_SOURCES = tests/unit/test_addr.c
#   tests_unit_test_addr_LDADD = $(UNIT_BASE)
