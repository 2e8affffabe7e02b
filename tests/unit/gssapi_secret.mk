# SPDX-License-Identifier: ISC
# Unit tests of auth/gssapi's options, keytab check, acceptor and initiator; most with a real KDC.
# As a shared module the acceptor is not linked, so it is tested when it is built in.
GSSAPI_GATE = tests/unit/gssapi_gate.c tests/unit/gssapi_gate.h tests/unit/krb5_realm.c \
	tests/unit/krb5_realm.h tests/unit/unit.h
UNIT_GSSAPI_SECRET = $(UNIT_AUTH) lib/krb5msg/libkrb5msg.la $(UNIT_BASE) $(KRB5_LIBS) $(CRYPTO_LIBS)

if AUTH_GSSAPI_BUILTIN
check_PROGRAMS += tests/unit/test_gssapi_secret
tests_unit_test_gssapi_secret_SOURCES = tests/unit/test_gssapi_secret.c $(GSSAPI_GATE)
tests_unit_test_gssapi_secret_CPPFLAGS = $(AM_CPPFLAGS) $(KRB5_CFLAGS)
tests_unit_test_gssapi_secret_LDADD = $(UNIT_GSSAPI_SECRET)

check_PROGRAMS += tests/unit/test_gssapi_secret_bad
tests_unit_test_gssapi_secret_bad_SOURCES = tests/unit/test_gssapi_secret_bad.c $(GSSAPI_GATE)
tests_unit_test_gssapi_secret_bad_CPPFLAGS = $(AM_CPPFLAGS) $(KRB5_CFLAGS)
tests_unit_test_gssapi_secret_bad_LDADD = $(UNIT_GSSAPI_SECRET)
endif
