# SPDX-License-Identifier: ISC
# Unit tests of policy; the form is in tests/unit/base.mk, the libraries are $(UNIT_POLICY). The rules
# come from text, so the compiler is linked too.
POLICY_RIG = tests/unit/policy_rig.c tests/unit/policy_rig.h $(CONFIG_RIG)

check_PROGRAMS += tests/unit/test_policy
tests_unit_test_policy_SOURCES = tests/unit/test_policy.c $(POLICY_RIG)
tests_unit_test_policy_LDADD = src/policy/libpolicy.la $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_policy_socks
tests_unit_test_policy_socks_SOURCES = tests/unit/test_policy_socks.c $(POLICY_RIG)
tests_unit_test_policy_socks_LDADD = src/policy/libpolicy.la $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_policy_early
tests_unit_test_policy_early_SOURCES = tests/unit/test_policy_early.c $(CONFIG_RIG)
tests_unit_test_policy_early_LDADD = src/policy/libpolicy.la $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_policy_explain
tests_unit_test_policy_explain_SOURCES = tests/unit/test_policy_explain.c tests/unit/policy_model.c \
	tests/unit/policy_model.h $(CONFIG_RIG)
tests_unit_test_policy_explain_LDADD = src/policy/libpolicy.la $(UNIT_CONFIG)

check_PROGRAMS += tests/unit/test_policy_time
tests_unit_test_policy_time_SOURCES = tests/unit/test_policy_time.c $(CONFIG_RIG)
tests_unit_test_policy_time_LDADD = src/policy/libpolicy.la $(UNIT_CONFIG)
