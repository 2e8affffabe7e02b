# SPDX-License-Identifier: ISC
# F6: what sallyport-worker is.
# Add headers and .c files to _SOURCES as they come; an empty library is fine meanwhile.
noinst_LTLIBRARIES += src/worker/libworker.la
src_worker_libworker_la_SOURCES =
