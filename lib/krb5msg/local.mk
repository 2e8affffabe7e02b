# SPDX-License-Identifier: ISC
# F1: Kerberos per-message tokens. Who links it links CRYPTO_LIBS too.
noinst_LTLIBRARIES += lib/krb5msg/libkrb5msg.la
lib_krb5msg_libkrb5msg_la_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
lib_krb5msg_libkrb5msg_la_SOURCES = \
	lib/krb5msg/krb5msg.c \
	lib/krb5msg/krb5msg.h \
	lib/krb5msg/krb5msg_crypt.c \
	lib/krb5msg/krb5msg_cts.c \
	lib/krb5msg/krb5msg_derive.c \
	lib/krb5msg/krb5msg_header.c \
	lib/krb5msg/krb5msg_library.c \
	lib/krb5msg/krb5msg_local.h \
	lib/krb5msg/krb5msg_mac.c \
	lib/krb5msg/krb5msg_many.c \
	lib/krb5msg/krb5msg_order.c \
	lib/krb5msg/krb5msg_random.c \
	lib/krb5msg/krb5msg_token.h \
	lib/krb5msg/krb5msg_unwrap.c \
	lib/krb5msg/krb5msg_wrap.c
