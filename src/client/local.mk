# SPDX-License-Identifier: ISC
# F6: what sallyport, the client, is.
noinst_LTLIBRARIES += src/client/libclient.la
src_client_libclient_la_SOURCES = \
	src/client/client.h \
	src/client/client_bind.c \
	src/client/client_datagram.c \
	src/client/client_dial.c \
	src/client/client_gssapi.c \
	src/client/client_join.c \
	src/client/client_main.c \
	src/client/client_negotiate.c \
	src/client/client_options.c \
	src/client/client_options_value.c \
	src/client/client_output.c \
	src/client/client_output.h \
	src/client/client_password.c \
	src/client/client_private.h \
	src/client/client_request.c \
	src/client/client_text.c \
	src/client/client_udp.c \
	src/client/client_userpass.c \
	src/client/client_wire.c
