# SPDX-License-Identifier: ISC
# F4: conversations with the auth pools.
# Add headers and .c files to _SOURCES as they come; an empty library is fine meanwhile.
noinst_LTLIBRARIES += src/authlink/libauthlink.la
src_authlink_libauthlink_la_SOURCES = \
	src/authlink/authlink.h \
	src/authlink/conversation.h
