# SPDX-License-Identifier: ISC
# F4: conversations with the auth pools: the codec (also the pool's), and the worker's side.
noinst_LTLIBRARIES += src/authlink/libauthlink.la
src_authlink_libauthlink_la_SOURCES = \
	src/authlink/authlink.c \
	src/authlink/authlink.h \
	src/authlink/authlink_pair.c \
	src/authlink/authlink_pair.h \
	src/authlink/conversation.c \
	src/authlink/conversation.h \
	src/authlink/conversation_io.c
