# SPDX-License-Identifier: ISC
# Unit tests of session; the form is in tests/unit/base.mk, the libraries are $(UNIT_SESSION).
check_PROGRAMS += tests/unit/test_relay
tests_unit_test_relay_SOURCES = tests/unit/test_relay.c tests/unit/unit.h
tests_unit_test_relay_LDADD = $(UNIT_SESSION)

check_PROGRAMS += tests/unit/test_session_reply
tests_unit_test_session_reply_SOURCES = tests/unit/test_session_reply.c tests/unit/unit.h
tests_unit_test_session_reply_LDADD = $(UNIT_SESSION)

SESSION_RIG = tests/unit/session_rig.c tests/unit/session_rig.h $(CONFIG_RIG)
SESSION_RIG_LIBS = src/session/libsession.la src/policy/libpolicy.la src/authlink/libauthlink.la \
	src/net/libnet.la $(UNIT_CONFIG) $(CARES_LIBS)

check_PROGRAMS += tests/unit/test_session
tests_unit_test_session_SOURCES = tests/unit/test_session.c $(SESSION_RIG)
tests_unit_test_session_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_session_login
tests_unit_test_session_login_SOURCES = tests/unit/test_session_login.c $(SESSION_RIG)
tests_unit_test_session_login_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_pipes
tests_unit_test_pipes_SOURCES = tests/unit/test_pipes.c tests/unit/unit.h
tests_unit_test_pipes_LDADD = $(UNIT_SESSION)
