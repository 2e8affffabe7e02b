# SPDX-License-Identifier: ISC
# Unit tests of auth/gssapi's framing and message protection, and libgssapi with a real KDC as the
# oracle. They stand on the client's library, so they run however the method is built.
GSSAPI_RIG = tests/unit/gssapi_rig.c tests/unit/gssapi_rig.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_gssapi_frame
tests_unit_test_gssapi_frame_SOURCES = tests/unit/test_gssapi_frame.c tests/unit/unit.h
tests_unit_test_gssapi_frame_LDADD = $(UNIT_GSSAPI)

check_PROGRAMS += tests/unit/test_gssapi_protect
tests_unit_test_gssapi_protect_SOURCES = tests/unit/test_gssapi_protect.c $(GSSAPI_RIG)
tests_unit_test_gssapi_protect_LDADD = $(UNIT_GSSAPI)

check_PROGRAMS += tests/unit/test_gssapi_protect_agree
tests_unit_test_gssapi_protect_agree_SOURCES = tests/unit/test_gssapi_protect_agree.c $(GSSAPI_RIG)
tests_unit_test_gssapi_protect_agree_LDADD = $(UNIT_GSSAPI)

check_PROGRAMS += tests/unit/test_gssapi_protect_message
tests_unit_test_gssapi_protect_message_SOURCES = tests/unit/test_gssapi_protect_message.c $(GSSAPI_RIG)
tests_unit_test_gssapi_protect_message_LDADD = $(UNIT_GSSAPI)

check_PROGRAMS += tests/unit/test_gssapi_protect_client
tests_unit_test_gssapi_protect_client_SOURCES = tests/unit/test_gssapi_protect_client.c $(GSSAPI_RIG)
tests_unit_test_gssapi_protect_client_LDADD = $(UNIT_GSSAPI)

if HAVE_KRB5_TEST
check_PROGRAMS += tests/unit/test_gssapi_protect_oracle
tests_unit_test_gssapi_protect_oracle_SOURCES = tests/unit/test_gssapi_protect_oracle.c \
	tests/unit/krb5_realm.c tests/unit/krb5_realm.h $(GSSAPI_RIG)
tests_unit_test_gssapi_protect_oracle_CPPFLAGS = $(AM_CPPFLAGS) $(KRB5_TEST_CFLAGS)
tests_unit_test_gssapi_protect_oracle_LDADD = $(UNIT_GSSAPI) $(KRB5_TEST_LIBS)
endif

# As a shared module its wire face is loaded (test_builtin), not linked.
if AUTH_GSSAPI_BUILTIN
check_PROGRAMS += tests/unit/test_gssapi_wire
tests_unit_test_gssapi_wire_SOURCES = tests/unit/test_gssapi_wire.c tests/unit/unit.h
tests_unit_test_gssapi_wire_LDADD = auth/libauth-wire.la $(UNIT_SOCKS)
endif
