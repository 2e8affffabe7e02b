# SPDX-License-Identifier: ISC
# F6: what sallyportctl is.
noinst_LTLIBRARIES += src/ctl/libctl.la
src_ctl_libctl_la_SOURCES = \
	src/ctl/ctl.h \
	src/ctl/ctl_ask.c \
	src/ctl/ctl_explain.c \
	src/ctl/ctl_json.c \
	src/ctl/ctl_main.c \
	src/ctl/ctl_options.c \
	src/ctl/ctl_policy.c \
	src/ctl/ctl_policy.h \
	src/ctl/ctl_private.h \
	src/ctl/ctl_query.c \
	src/ctl/ctl_sessions.c \
	src/ctl/ctl_simple.c \
	src/ctl/ctl_socket.c \
	src/ctl/ctl_status.c \
	src/ctl/ctl_table.c \
	src/ctl/ctl_test.c \
	src/ctl/ctl_test_file.c \
	src/ctl/ctl_text.c \
	src/ctl/ctl_top.c \
	src/ctl/ctl_top.h \
	src/ctl/ctl_top_data.c \
	src/ctl/ctl_top_screen.c
src_ctl_libctl_la_CFLAGS = $(AM_CFLAGS) $(NCURSES_CFLAGS)
