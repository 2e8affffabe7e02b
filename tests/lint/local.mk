# SPDX-License-Identifier: ISC
# What a compiler does not look at; each prints file:line, what is allowed, and how much it looked at.
LINTS = \
	tests/lint/floors.py \
	tests/lint/functions.py \
	tests/lint/banned.py \
	tests/lint/words.py \
	tests/lint/listed.py \
	tests/lint/links.sh \
	tests/lint/hardening.sh \
	tests/lint/manual.sh

TESTS += $(LINTS)
EXTRA_DIST += $(LINTS) tests/lint/tree.py

AM_TESTS_ENVIRONMENT += \
	PROGRAMS='$(bin_PROGRAMS) $(sbin_PROGRAMS) $(pkglibexec_PROGRAMS)'; export PROGRAMS; \
	MODULES='$(authmod_LTLIBRARIES:auth/%.la=modules/%.so)'; export MODULES; \
	PAGES='$(dist_man_MANS)'; export PAGES;
