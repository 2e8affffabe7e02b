# SPDX-License-Identifier: ISC
# Unit tests of session; the form is in tests/unit/base.mk, the libraries are $(UNIT_SESSION).
check_PROGRAMS += tests/unit/test_relay
tests_unit_test_relay_SOURCES = tests/unit/test_relay.c tests/unit/unit.h
tests_unit_test_relay_LDADD = $(UNIT_SESSION)

check_PROGRAMS += tests/unit/test_session_reply
tests_unit_test_session_reply_SOURCES = tests/unit/test_session_reply.c tests/unit/unit.h
tests_unit_test_session_reply_LDADD = $(UNIT_SESSION)
