# SPDX-License-Identifier: ISC
# Unit tests of lib/socks.

check_PROGRAMS += tests/unit/test_socks4
tests_unit_test_socks4_SOURCES = tests/unit/test_socks4.c tests/unit/unit.h
tests_unit_test_socks4_LDADD = $(UNIT_SOCKS)

check_PROGRAMS += tests/unit/test_socks5
tests_unit_test_socks5_SOURCES = tests/unit/test_socks5.c tests/unit/unit.h
tests_unit_test_socks5_LDADD = $(UNIT_SOCKS)

check_PROGRAMS += tests/unit/test_socks5_client
tests_unit_test_socks5_client_SOURCES = tests/unit/test_socks5_client.c tests/unit/unit.h
tests_unit_test_socks5_client_LDADD = $(UNIT_SOCKS)

check_PROGRAMS += tests/unit/test_userpass
tests_unit_test_userpass_SOURCES = tests/unit/test_userpass.c tests/unit/unit.h
tests_unit_test_userpass_LDADD = $(UNIT_SOCKS)

check_PROGRAMS += tests/unit/test_udp
tests_unit_test_udp_SOURCES = tests/unit/test_udp.c tests/unit/unit.h
tests_unit_test_udp_LDADD = $(UNIT_SOCKS)
