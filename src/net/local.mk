# SPDX-License-Identifier: ISC
# F4: channels, resolver, dialing.
# Add headers and .c files to _SOURCES as they come; an empty library is fine meanwhile.
noinst_LTLIBRARIES += src/net/libnet.la
src_net_libnet_la_SOURCES = \
	src/net/channel.c \
	src/net/channel.h
src_net_libnet_la_CFLAGS = $(AM_CFLAGS) $(CARES_CFLAGS)
