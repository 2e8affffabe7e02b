# SPDX-License-Identifier: ISC
# Unit tests of src/metrics; the form is in tests/unit/base.mk, the libraries are $(UNIT_METRICS).
check_PROGRAMS += tests/unit/test_metrics_text
tests_unit_test_metrics_text_SOURCES = tests/unit/test_metrics_text.c tests/unit/unit.h
tests_unit_test_metrics_text_CFLAGS = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS)
tests_unit_test_metrics_text_LDADD = $(UNIT_METRICS)
