# SPDX-License-Identifier: ISC
# F6: what sallyport-auth is.
noinst_LTLIBRARIES += src/authd/libauthd.la
src_authd_libauthd_la_SOURCES = \
	src/authd/authd.h \
	src/authd/authd_conversation.c \
	src/authd/authd_files.c \
	src/authd/authd_image.c \
	src/authd/authd_main.c \
	src/authd/authd_penalty.c \
	src/authd/authd_queue.c \
	src/authd/authd_reload.c \
	src/authd/authd_report.c \
	src/authd/authd_step.c
