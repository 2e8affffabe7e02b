# SPDX-License-Identifier: ISC
# Unit tests of net; the form is in tests/unit/base.mk, the libraries are $(UNIT_NET).
check_PROGRAMS += tests/unit/test_hosts
tests_unit_test_hosts_SOURCES = tests/unit/test_hosts.c
tests_unit_test_hosts_LDADD = $(UNIT_NET)

check_PROGRAMS += tests/unit/test_resolvconf
tests_unit_test_resolvconf_SOURCES = tests/unit/test_resolvconf.c
tests_unit_test_resolvconf_LDADD = $(UNIT_NET)

check_PROGRAMS += tests/unit/test_resolver
tests_unit_test_resolver_SOURCES = tests/unit/test_resolver.c tests/unit/dns_child.c \
	tests/unit/dns_child.h
tests_unit_test_resolver_LDADD = $(UNIT_NET)
