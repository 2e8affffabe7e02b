# SPDX-License-Identifier: ISC
# Unit tests of core; the form is in tests/unit/base.mk, the libraries are $(UNIT_CORE).

check_PROGRAMS += tests/unit/test_log
tests_unit_test_log_SOURCES = tests/unit/test_log.c tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_log_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_log_event
tests_unit_test_log_event_SOURCES = tests/unit/test_log_event.c \
	tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_log_event_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_loop
tests_unit_test_loop_SOURCES = tests/unit/test_loop.c tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_loop_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_loop_timer
tests_unit_test_loop_timer_SOURCES = tests/unit/test_loop_timer.c \
	tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_loop_timer_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_loop_signal
tests_unit_test_loop_signal_SOURCES = tests/unit/test_loop_signal.c \
	tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_loop_signal_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_ring
tests_unit_test_ring_SOURCES = tests/unit/test_ring.c tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_ring_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_ring_reader
tests_unit_test_ring_reader_SOURCES = tests/unit/test_ring_reader.c \
	tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_ring_reader_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_event
tests_unit_test_event_SOURCES = tests/unit/test_event.c tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_event_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_event_decode
tests_unit_test_event_decode_SOURCES = tests/unit/test_event_decode.c \
	tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_event_decode_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_ipc
tests_unit_test_ipc_SOURCES = tests/unit/test_ipc.c tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_ipc_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_ipc_body
tests_unit_test_ipc_body_SOURCES = tests/unit/test_ipc_body.c \
	tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_ipc_body_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_ipc_reload
tests_unit_test_ipc_reload_SOURCES = tests/unit/test_ipc_reload.c \
	tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_ipc_reload_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_table
tests_unit_test_table_SOURCES = tests/unit/test_table.c tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_table_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_title
tests_unit_test_title_SOURCES = tests/unit/test_title.c tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_title_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_notify
tests_unit_test_notify_SOURCES = tests/unit/test_notify.c tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_notify_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_sandbox
tests_unit_test_sandbox_SOURCES = tests/unit/test_sandbox.c tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_sandbox_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_child
tests_unit_test_child_SOURCES = tests/unit/test_child.c \
	tests/unit/core_child.h tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_child_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_child_channel
tests_unit_test_child_channel_SOURCES = tests/unit/test_child_channel.c \
	tests/unit/core_child.h tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_child_channel_LDADD = $(UNIT_CORE)

if SANDBOX
check_PROGRAMS += tests/unit/test_sandbox_seccomp
tests_unit_test_sandbox_seccomp_SOURCES = tests/unit/test_sandbox_seccomp.c \
	tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_sandbox_seccomp_LDADD = $(UNIT_CORE)
else
check_PROGRAMS += tests/unit/test_sandbox_none
tests_unit_test_sandbox_none_SOURCES = tests/unit/test_sandbox_none.c \
	tests/unit/core_unit.h tests/unit/unit.h
tests_unit_test_sandbox_none_LDADD = $(UNIT_CORE)
endif

check_PROGRAMS += tests/unit/test_control_line
tests_unit_test_control_line_SOURCES = tests/unit/test_control_line.c tests/unit/unit.h
tests_unit_test_control_line_LDADD = $(UNIT_CORE)

check_PROGRAMS += tests/unit/test_stats
tests_unit_test_stats_SOURCES = tests/unit/test_stats.c tests/unit/unit.h
tests_unit_test_stats_LDADD = $(UNIT_CORE)
