# SPDX-License-Identifier: ISC
# Unit tests of auth/gssapi's options, keytab check, acceptor and initiator; most with a real KDC. What
# stands on the client's libraries runs however the method is built; the acceptor is not linked when it
# is a shared module.
GSSAPI_GATE = tests/unit/gssapi_gate.c tests/unit/gssapi_gate.h tests/unit/krb5_realm.c \
	tests/unit/krb5_realm.h tests/unit/unit.h
UNIT_GSSAPI_SECRET = $(UNIT_AUTH) lib/krb5msg/libkrb5msg.la $(UNIT_BASE) $(KRB5_LIBS) $(CRYPTO_LIBS)

check_PROGRAMS += tests/unit/test_gssapi_options
tests_unit_test_gssapi_options_SOURCES = tests/unit/test_gssapi_options.c tests/unit/unit.h
tests_unit_test_gssapi_options_LDADD = $(UNIT_GSSAPI)

check_PROGRAMS += tests/unit/test_gssapi_keytab
tests_unit_test_gssapi_keytab_SOURCES = tests/unit/test_gssapi_keytab.c tests/unit/unit.h
tests_unit_test_gssapi_keytab_LDADD = $(UNIT_GSSAPI)

check_PROGRAMS += tests/unit/test_gssapi_blob
tests_unit_test_gssapi_blob_SOURCES = tests/unit/test_gssapi_blob.c tests/unit/unit.h
tests_unit_test_gssapi_blob_LDADD = $(UNIT_GSSAPI)

check_PROGRAMS += tests/unit/test_gssapi_status
tests_unit_test_gssapi_status_SOURCES = tests/unit/test_gssapi_status.c tests/unit/unit.h
tests_unit_test_gssapi_status_CPPFLAGS = $(AM_CPPFLAGS) $(KRB5_CFLAGS)
tests_unit_test_gssapi_status_LDADD = auth/libauth-gssapi-initiator.la $(UNIT_BASE) $(KRB5_LIBS)

if AUTH_GSSAPI_BUILTIN
check_PROGRAMS += tests/unit/test_gssapi_identity
tests_unit_test_gssapi_identity_SOURCES = tests/unit/test_gssapi_identity.c tests/unit/unit.h
tests_unit_test_gssapi_identity_CPPFLAGS = $(AM_CPPFLAGS) $(KRB5_CFLAGS)
tests_unit_test_gssapi_identity_LDADD = $(UNIT_GSSAPI_SECRET)

check_PROGRAMS += tests/unit/test_gssapi_secret
tests_unit_test_gssapi_secret_SOURCES = tests/unit/test_gssapi_secret.c $(GSSAPI_GATE)
tests_unit_test_gssapi_secret_CPPFLAGS = $(AM_CPPFLAGS) $(KRB5_CFLAGS)
tests_unit_test_gssapi_secret_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=gss_accept_sec_context
tests_unit_test_gssapi_secret_LDADD = $(UNIT_GSSAPI_SECRET)

check_PROGRAMS += tests/unit/test_gssapi_secret_bad
tests_unit_test_gssapi_secret_bad_SOURCES = tests/unit/test_gssapi_secret_bad.c $(GSSAPI_GATE)
tests_unit_test_gssapi_secret_bad_CPPFLAGS = $(AM_CPPFLAGS) $(KRB5_CFLAGS)
tests_unit_test_gssapi_secret_bad_LDADD = $(UNIT_GSSAPI_SECRET)

check_PROGRAMS += tests/unit/test_gssapi_secret_tickets
tests_unit_test_gssapi_secret_tickets_SOURCES = tests/unit/test_gssapi_secret_tickets.c $(GSSAPI_GATE)
tests_unit_test_gssapi_secret_tickets_CPPFLAGS = $(AM_CPPFLAGS) $(KRB5_CFLAGS)
tests_unit_test_gssapi_secret_tickets_LDADD = $(UNIT_GSSAPI_SECRET)

check_PROGRAMS += tests/unit/test_gssapi_initiator
tests_unit_test_gssapi_initiator_SOURCES = tests/unit/test_gssapi_initiator.c $(GSSAPI_GATE)
tests_unit_test_gssapi_initiator_CPPFLAGS = $(AM_CPPFLAGS) $(KRB5_CFLAGS)
tests_unit_test_gssapi_initiator_LDADD = auth/libauth-gssapi-initiator.la $(UNIT_GSSAPI_SECRET)
endif
