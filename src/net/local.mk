# SPDX-License-Identifier: ISC
# F4: channels, resolver, dialing.
noinst_LTLIBRARIES += src/net/libnet.la
src_net_libnet_la_SOURCES = \
	src/net/channel.c \
	src/net/channel.h \
	src/net/channel_sealed.c \
	src/net/channel_sealed.h \
	src/net/channel_sealed_read.c \
	src/net/dial.c \
	src/net/dial.h \
	src/net/dial_attempt.c \
	src/net/dial_private.h \
	src/net/hosts.c \
	src/net/hosts.h \
	src/net/ident.c \
	src/net/ident.h \
	src/net/ident_answer.c \
	src/net/listen.c \
	src/net/listen.h \
	src/net/resolvconf.c \
	src/net/resolvconf.h \
	src/net/resolver.c \
	src/net/resolver.h \
	src/net/resolver_dns.c \
	src/net/resolver_dns.h \
	src/net/resolver_dns_channel.c \
	src/net/resolver_private.h \
	src/net/shares.c \
	src/net/shares.h
src_net_libnet_la_CFLAGS = $(AM_CFLAGS) $(CARES_CFLAGS)
