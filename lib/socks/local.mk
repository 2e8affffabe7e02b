# SPDX-License-Identifier: ISC
# F1: the SOCKS codecs. Add each .c here as it comes.
noinst_LTLIBRARIES += lib/socks/libsocks.la
lib_socks_libsocks_la_SOURCES = \
	lib/socks/socks.h \
	lib/socks/socks4.c \
	lib/socks/socks4.h \
	lib/socks/socks5.c \
	lib/socks/socks5.h \
	lib/socks/socks5_client.c \
	lib/socks/udp.c \
	lib/socks/udp.h \
	lib/socks/userpass.c \
	lib/socks/userpass.h
