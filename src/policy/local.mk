# SPDX-License-Identifier: ISC
# F4: rules.
# Add headers and .c files to _SOURCES as they come; an empty library is fine meanwhile.
noinst_LTLIBRARIES += src/policy/libpolicy.la
src_policy_libpolicy_la_SOURCES = \
	src/policy/policy.h
