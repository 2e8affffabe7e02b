# SPDX-License-Identifier: ISC
# F4: rules.
noinst_LTLIBRARIES += src/policy/libpolicy.la
src_policy_libpolicy_la_SOURCES = \
	src/policy/policy.c \
	src/policy/policy.h \
	src/policy/policy_early.c \
	src/policy/policy_explain.c \
	src/policy/policy_explain.h \
	src/policy/policy_groups.c \
	src/policy/policy_match.c \
	src/policy/policy_match.h \
	src/policy/policy_own.c \
	src/policy/policy_own.h \
	src/policy/policy_time.c \
	src/policy/policy_time.h
