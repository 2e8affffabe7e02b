# SPDX-License-Identifier: ISC
# F6: what sallyport-logger is.
# Add headers and .c files to _SOURCES as they come; an empty library is fine meanwhile.
noinst_LTLIBRARIES += src/logger/liblogger.la
src_logger_liblogger_la_SOURCES =
