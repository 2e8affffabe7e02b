# SPDX-License-Identifier: ISC
# Unit tests of lib/krb5msg, and libgssapi with a real KDC as the oracle.
UNIT_KRB5MSG = lib/krb5msg/libkrb5msg.la $(UNIT_BASE) $(CRYPTO_LIBS)

check_PROGRAMS += tests/unit/test_krb5msg
tests_unit_test_krb5msg_SOURCES = tests/unit/test_krb5msg.c tests/unit/unit.h
tests_unit_test_krb5msg_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_test_krb5msg_LDADD = $(UNIT_KRB5MSG)

check_PROGRAMS += tests/unit/test_krb5msg_memory
tests_unit_test_krb5msg_memory_SOURCES = tests/unit/test_krb5msg_memory.c tests/unit/unit.h
tests_unit_test_krb5msg_memory_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_test_krb5msg_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
tests_unit_test_krb5msg_memory_LDADD = $(UNIT_KRB5MSG)

check_PROGRAMS += tests/unit/test_krb5msg_order
tests_unit_test_krb5msg_order_SOURCES = tests/unit/test_krb5msg_order.c tests/unit/unit.h
tests_unit_test_krb5msg_order_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_test_krb5msg_order_LDADD = $(UNIT_KRB5MSG)

check_PROGRAMS += tests/unit/test_krb5msg_vectors
tests_unit_test_krb5msg_vectors_SOURCES = tests/unit/test_krb5msg_vectors.c tests/unit/unit.h
tests_unit_test_krb5msg_vectors_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_test_krb5msg_vectors_LDADD = $(UNIT_KRB5MSG)

if HAVE_KRB5_TEST
check_PROGRAMS += tests/unit/test_krb5msg_oracle
tests_unit_test_krb5msg_oracle_SOURCES = tests/unit/test_krb5msg_oracle.c tests/unit/krb5_realm.c \
	tests/unit/krb5_realm.h tests/unit/unit.h
tests_unit_test_krb5msg_oracle_CPPFLAGS = $(AM_CPPFLAGS) $(KRB5_TEST_CFLAGS)
tests_unit_test_krb5msg_oracle_LDADD = $(UNIT_KRB5MSG) $(KRB5_TEST_LIBS)
else
check-local: no-krb5-test
no-krb5-test:
	@echo 'the tests against libgssapi cannot be built: install libkrb5-dev, configure again' >&2
	@false
endif
