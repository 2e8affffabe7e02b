# SPDX-License-Identifier: ISC
# F0: buffers, cursors, addresses, names, time, secrets, descriptors. Add each .c here as it comes.
noinst_LTLIBRARIES += lib/base/libbase.la
lib_base_libbase_la_SOURCES = \
	lib/base/addr.h \
	lib/base/attr.h \
	lib/base/buffer.h \
	lib/base/clock.h \
	lib/base/cursor.h \
	lib/base/fd.h \
	lib/base/name.h \
	lib/base/secret.h
