# SPDX-License-Identifier: ISC
# F5: one file per phase, relay engines, accounting.
# Add headers and .c files to _SOURCES as they come; an empty library is fine meanwhile.
noinst_LTLIBRARIES += src/session/libsession.la
src_session_libsession_la_SOURCES =
