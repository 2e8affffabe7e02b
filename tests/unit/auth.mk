# SPDX-License-Identifier: ISC
# Unit tests of auth and src/authlink; the form is in tests/unit/base.mk, the libraries are $(UNIT_AUTH)
# and $(UNIT_AUTHLINK).

check_PROGRAMS += tests/unit/test_conversation
tests_unit_test_conversation_SOURCES = tests/unit/test_conversation.c tests/unit/unit.h
tests_unit_test_conversation_LDADD = $(UNIT_AUTHLINK)

check_PROGRAMS += tests/unit/test_authlink
tests_unit_test_authlink_SOURCES = tests/unit/test_authlink.c tests/unit/unit.h
tests_unit_test_authlink_LDADD = $(UNIT_AUTHLINK)
