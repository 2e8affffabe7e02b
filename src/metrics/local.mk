# SPDX-License-Identifier: ISC
# F6: what sallyport-metrics is.
noinst_LTLIBRARIES += src/metrics/libmetrics.la
src_metrics_libmetrics_la_SOURCES = \
	src/metrics/metrics.h \
	src/metrics/metrics_http.c \
	src/metrics/metrics_main.c \
	src/metrics/metrics_private.h \
	src/metrics/metrics_text.c
src_metrics_libmetrics_la_CFLAGS = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS)
