# SPDX-License-Identifier: ISC
# Measurements, beside peers in the same run. Nothing here is built or run by default:
#   make bench [BENCH_FLAGS="--runs 3"]
EXTRA_PROGRAMS += tests/bench/bench_load
tests_bench_bench_load_SOURCES = tests/bench/bench_load.c
EXTRA_PROGRAMS += tests/bench/bench_udp
tests_bench_bench_udp_SOURCES = tests/bench/bench_udp.c
tests_bench_bench_udp_LDADD = lib/socks/libsocks.la lib/base/libbase.la
EXTRA_DIST += tests/bench/bench.py

.PHONY: bench
bench: all tests/bench/bench_load$(EXEEXT) tests/bench/bench_udp$(EXEEXT)
	$(PYTHON3) $(srcdir)/tests/bench/bench.py --build . $(BENCH_FLAGS)

# make bench-kerberos [BENCH_FLAGS="--runs 3 --apart"]: sessions with Kerberos, sealed bulk, by process.
EXTRA_PROGRAMS += tests/bench/bench_gss
tests_bench_bench_gss_SOURCES = tests/bench/bench_gss.c
tests_bench_bench_gss_LDADD = auth/libgssapi-protect.la auth/libauth-gssapi-initiator.la \
	lib/krb5msg/libkrb5msg.la lib/base/libbase.la $(CRYPTO_LIBS) $(KRB5_LIBS)
EXTRA_DIST += tests/bench/bench_kerberos.py

.PHONY: bench-kerberos bench-krb5msg bench-sealed
bench-kerberos: all tests/bench/bench_load$(EXEEXT) tests/bench/bench_udp$(EXEEXT) \
		tests/bench/bench_gss$(EXEEXT)
	$(PYTHON3) $(srcdir)/tests/bench/bench_kerberos.py --build . $(BENCH_FLAGS)

# make bench-krb5msg [BENCH_FLAGS="BYTES ROUNDS"]: sealing and opening beside libgssapi.
if HAVE_KRB5_TEST
EXTRA_PROGRAMS += tests/bench/bench_krb5msg
tests_bench_bench_krb5msg_SOURCES = tests/bench/bench_krb5msg.c tests/unit/krb5_realm.c \
	tests/unit/krb5_realm.h
tests_bench_bench_krb5msg_CPPFLAGS = $(AM_CPPFLAGS) $(KRB5_TEST_CFLAGS)
tests_bench_bench_krb5msg_LDADD = lib/krb5msg/libkrb5msg.la lib/base/libbase.la $(CRYPTO_LIBS) \
	$(KRB5_TEST_LIBS)

bench-krb5msg: tests/bench/bench_krb5msg$(EXEEXT)
	tests/bench/bench_krb5msg$(EXEEXT) $(BENCH_FLAGS)

# make bench-sealed [BENCH_FLAGS="MEGABYTES BYTES"]: the relay of a sealed channel, system calls included.
EXTRA_PROGRAMS += tests/bench/bench_sealed
tests_bench_bench_sealed_SOURCES = tests/bench/bench_sealed.c tests/unit/krb5_realm.c \
	tests/unit/krb5_realm.h
tests_bench_bench_sealed_CPPFLAGS = $(AM_CPPFLAGS) $(KRB5_TEST_CFLAGS)
tests_bench_bench_sealed_LDADD = src/session/libsession.la src/net/libnet.la \
	auth/libgssapi-protect.la lib/krb5msg/libkrb5msg.la src/core/libcore.la lib/base/libbase.la \
	$(CRYPTO_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS) $(BSD_LIBS) $(KRB5_TEST_LIBS)

bench-sealed: tests/bench/bench_sealed$(EXEEXT)
	tests/bench/bench_sealed$(EXEEXT) $(BENCH_FLAGS)
endif

# make bench-rejudge [BENCH_FLAGS="SESSIONS RULES"]: live sessions judged again after a reload.
EXTRA_PROGRAMS += tests/bench/bench_rejudge
tests_bench_bench_rejudge_SOURCES = tests/bench/bench_rejudge.c $(SESSION_CROWD)
tests_bench_bench_rejudge_LDADD = $(SESSION_RIG_LIBS)

.PHONY: bench-rejudge
bench-rejudge: tests/bench/bench_rejudge$(EXEEXT)
	tests/bench/bench_rejudge$(EXEEXT) $(BENCH_FLAGS)

# make bench-policy [BENCH_FLAGS="RULES ENTRIES"]: verdicts with many rules, look-ups in long lists.
EXTRA_PROGRAMS += tests/bench/bench_policy
tests_bench_bench_policy_SOURCES = tests/bench/bench_policy.c
tests_bench_bench_policy_LDADD = src/policy/libpolicy.la src/config/libconfig.la \
	auth/libauth-wire.la lib/socks/libsocks.la src/config/libimage.la src/core/libcore.la \
	lib/base/libbase.la $(SECCOMP_LIBS) $(CAPNG_LIBS) $(BSD_LIBS) $(CONFUSE_LIBS)

.PHONY: bench-policy
bench-policy: tests/bench/bench_policy$(EXEEXT)
	tests/bench/bench_policy$(EXEEXT) $(BENCH_FLAGS)
