# SPDX-License-Identifier: ISC
# System tests (pytest against the real programs), run by `./bootstrap check`, not by `make check`.
# The folder is carried whole. Objects only they need (a module of a private method) are built here:
#   check_LTLIBRARIES += tests/system/private-wire.la
#   tests_system_private_wire_la_SOURCES = tests/system/private_wire.c
#   tests_system_private_wire_la_LDFLAGS = $(SP_MODULE_FLAGS) -rpath /nowhere
#EXTRA_DIST += tests/system
