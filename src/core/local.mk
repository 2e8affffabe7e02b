# SPDX-License-Identifier: ISC
# F2: loop, messages between processes, events, log, statistics, sandbox.
# Add headers and .c files to _SOURCES as they come; an empty library is fine meanwhile.
noinst_LTLIBRARIES += src/core/libcore.la
src_core_libcore_la_SOURCES =
src_core_libcore_la_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS) $(CAPNG_CFLAGS) $(BSD_CFLAGS)
