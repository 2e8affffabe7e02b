# SPDX-License-Identifier: ISC
# Unit tests of authd; the form is in tests/unit/base.mk. The program itself is tested, between a master
# and workers that the test plays; it needs userpass and the configuration's compiler.
if AUTH_USERPASS_BUILTIN
check_PROGRAMS += tests/unit/test_authd
tests_unit_test_authd_SOURCES = tests/unit/test_authd.c tests/unit/authd_rig.c \
	tests/unit/authd_rig.h tests/unit/userpass_samples.h tests/unit/unit.h
tests_unit_test_authd_LDADD = src/authlink/libauthlink.la $(UNIT_CONFIG)
endif

check_PROGRAMS += tests/unit/test_authd_penalty
tests_unit_test_authd_penalty_SOURCES = tests/unit/test_authd_penalty.c tests/unit/unit.h
tests_unit_test_authd_penalty_LDADD = $(UNIT_AUTHD)
