# SPDX-License-Identifier: ISC
# F3: libconfig compiles the configuration (libconfuse), libimage reads the compiled image (no libconfuse).
# Add headers and .c files to _SOURCES as they come; an empty library is fine meanwhile.
noinst_LTLIBRARIES += src/config/libconfig.la
src_config_libconfig_la_SOURCES = \
	src/config/config.h
src_config_libconfig_la_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)
noinst_LTLIBRARIES += src/config/libimage.la
src_config_libimage_la_SOURCES = \
	src/config/image.h
