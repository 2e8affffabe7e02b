# SPDX-License-Identifier: ISC
# F6: what sallyport-auth is.
# Add headers and .c files to _SOURCES as they come; an empty library is fine meanwhile.
noinst_LTLIBRARIES += src/authd/libauthd.la
src_authd_libauthd_la_SOURCES =
