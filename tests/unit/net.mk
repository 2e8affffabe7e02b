# SPDX-License-Identifier: ISC
# Unit tests of net; the form is in tests/unit/base.mk, the libraries are $(UNIT_NET).
UNIT_DIAL_TOOLS = tests/unit/dial_tools.c tests/unit/dial_tools.h tests/unit/unit.h
UNIT_RESOLVER_TOOLS = tests/unit/resolver_tools.c tests/unit/resolver_tools.h \
	tests/unit/dns_child.c tests/unit/dns_child.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_channel
tests_unit_test_channel_SOURCES = tests/unit/test_channel.c tests/unit/unit.h
tests_unit_test_channel_LDADD = $(UNIT_NET)

UNIT_SEALED_RIG = tests/unit/sealed_rig.c tests/unit/sealed_rig.h tests/unit/protect_face.c \
	tests/unit/protect_face.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_channel_sealed
tests_unit_test_channel_sealed_SOURCES = tests/unit/test_channel_sealed.c $(UNIT_SEALED_RIG)
tests_unit_test_channel_sealed_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_test_channel_sealed_LDADD = $(UNIT_NET) $(UNIT_GSSAPI)

check_PROGRAMS += tests/unit/test_dial
tests_unit_test_dial_SOURCES = tests/unit/test_dial.c $(UNIT_DIAL_TOOLS)
tests_unit_test_dial_LDADD = $(UNIT_NET)

check_PROGRAMS += tests/unit/test_dial_attempt
tests_unit_test_dial_attempt_SOURCES = tests/unit/test_dial_attempt.c $(UNIT_DIAL_TOOLS)
tests_unit_test_dial_attempt_LDADD = $(UNIT_NET)

check_PROGRAMS += tests/unit/test_hosts
tests_unit_test_hosts_SOURCES = tests/unit/test_hosts.c tests/unit/unit.h
tests_unit_test_hosts_LDADD = $(UNIT_NET)

check_PROGRAMS += tests/unit/test_ident
tests_unit_test_ident_SOURCES = tests/unit/test_ident.c tests/unit/unit.h
tests_unit_test_ident_LDADD = $(UNIT_NET)

check_PROGRAMS += tests/unit/test_ident_answer
tests_unit_test_ident_answer_SOURCES = tests/unit/test_ident_answer.c tests/unit/unit.h
tests_unit_test_ident_answer_LDADD = $(UNIT_NET)

check_PROGRAMS += tests/unit/test_listen
tests_unit_test_listen_SOURCES = tests/unit/test_listen.c tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_listen_LDADD = $(UNIT_NET)

check_PROGRAMS += tests/unit/test_resolvconf
tests_unit_test_resolvconf_SOURCES = tests/unit/test_resolvconf.c tests/unit/unit.h
tests_unit_test_resolvconf_LDADD = $(UNIT_NET)

check_PROGRAMS += tests/unit/test_resolver
tests_unit_test_resolver_SOURCES = tests/unit/test_resolver.c $(UNIT_RESOLVER_TOOLS)
tests_unit_test_resolver_LDADD = $(UNIT_NET)

check_PROGRAMS += tests/unit/test_resolver_dns
tests_unit_test_resolver_dns_SOURCES = tests/unit/test_resolver_dns.c $(UNIT_RESOLVER_TOOLS)
tests_unit_test_resolver_dns_LDADD = $(UNIT_NET)

check_PROGRAMS += tests/unit/test_shares
tests_unit_test_shares_SOURCES = tests/unit/test_shares.c tests/unit/unit.h
tests_unit_test_shares_LDADD = $(UNIT_NET)
