# SPDX-License-Identifier: ISC
# System tests (pytest against the real programs), run by `./bootstrap check`, not by `make check`.
# SALLYPORT_BUILD names the build folder whose programs are tested (absolute; absent: build/ at the
# top). Cases marked pytest.mark.sanitizers run once more against the build with sanitizers. The npm
# client is in build/npm/node_modules/socks when npm could get it.
#
# The folder is carried whole. Objects only these tests need (a module of a private method):
#   check_LTLIBRARIES += tests/system/private-wire.la
#   tests_system_private_wire_la_SOURCES = tests/system/private_wire.c
#   tests_system_private_wire_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
#   tests_system_private_wire_la_LDFLAGS = $(SP_MODULE_FLAGS) -rpath /nowhere
EXTRA_DIST += tests/system

# Plays the master for test_logger_rsyslog.py.
EXTRA_PROGRAMS += tests/system/logger-driver
check_DATA += tests/system/logger-driver
CLEANFILES += tests/system/logger-driver
tests_system_logger_driver_SOURCES = tests/system/logger_driver.c tests/unit/logger_rig.c \
	tests/unit/logger_rig.h
tests_system_logger_driver_LDADD = src/core/libcore.la lib/base/libbase.la
