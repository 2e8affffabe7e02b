# SPDX-License-Identifier: ISC
# F0: buffers, cursors, addresses, names, time, secrets, descriptors.
noinst_LTLIBRARIES += lib/base/libbase.la
lib_base_libbase_la_SOURCES = \
	lib/base/addr.c \
	lib/base/addr.h \
	lib/base/addr_prefix.c \
	lib/base/addr_special.c \
	lib/base/attr.h \
	lib/base/buffer.c \
	lib/base/buffer.h \
	lib/base/clock.c \
	lib/base/clock.h \
	lib/base/cursor.c \
	lib/base/cursor.h \
	lib/base/fd.c \
	lib/base/fd.h \
	lib/base/idmap.c \
	lib/base/idmap.h \
	lib/base/memfd.c \
	lib/base/name.c \
	lib/base/name.h \
	lib/base/secret.c \
	lib/base/secret.h \
	lib/base/utf8.c \
	lib/base/utf8.h
