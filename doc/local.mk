# SPDX-License-Identifier: ISC
# Manual pages (mdoc) and what else a release carries of the documents.
dist_man_MANS += doc/sallyport.1 doc/sallyportd.8 doc/sallyportctl.8 doc/sallyport.conf.5
EXTRA_DIST += doc/ARCHITECTURE.md doc/LIMITS.md doc/PERFORMANCE.md
EXTRA_DIST += packaging/sallyport.service packaging/sysusers

# The page of events comes from the tables; the program that writes it is also the test of it.
check_PROGRAMS += doc/events
doc_events_SOURCES = doc/events.c doc/page.c doc/page.h
doc_events_LDADD = src/core/libcore.la lib/base/libbase.la
dist_man_MANS += doc/sallyport-events.7

# The same with the page of metrics.
check_PROGRAMS += doc/metrics
doc_metrics_SOURCES = doc/metrics.c doc/page.c doc/page.h
doc_metrics_LDADD = src/core/libcore.la lib/base/libbase.la
dist_man_MANS += doc/sallyport-metrics.7
