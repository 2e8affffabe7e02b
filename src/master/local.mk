# SPDX-License-Identifier: ISC
# F6: what sallyportd is.
# Add headers and .c files to _SOURCES as they come; an empty library is fine meanwhile.
noinst_LTLIBRARIES += src/master/libmaster.la
src_master_libmaster_la_SOURCES =
