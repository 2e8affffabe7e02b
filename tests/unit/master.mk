# SPDX-License-Identifier: ISC
# Unit tests of master; the form is in tests/unit/base.mk, the libraries are $(UNIT_MASTER).

check_PROGRAMS += tests/unit/test_master_sessions
tests_unit_test_master_sessions_SOURCES = tests/unit/test_master_sessions.c tests/unit/unit.h
tests_unit_test_master_sessions_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_backoff
tests_unit_test_master_backoff_SOURCES = tests/unit/test_master_backoff.c tests/unit/unit.h
tests_unit_test_master_backoff_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_capacity
tests_unit_test_master_capacity_SOURCES = tests/unit/test_master_capacity.c tests/unit/unit.h
tests_unit_test_master_capacity_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_listen
tests_unit_test_master_listen_SOURCES = tests/unit/test_master_listen.c tests/unit/unit.h
tests_unit_test_master_listen_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_files
tests_unit_test_master_files_SOURCES = tests/unit/test_master_files.c tests/unit/unit.h
tests_unit_test_master_files_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_reap
tests_unit_test_master_reap_SOURCES = tests/unit/test_master_reap.c tests/unit/unit.h
tests_unit_test_master_reap_LDADD = $(UNIT_MASTER)
