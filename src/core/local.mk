# SPDX-License-Identifier: ISC
# F2: loop, messages between processes, events, log, session table, sandbox.
noinst_LTLIBRARIES += src/core/libcore.la
src_core_libcore_la_SOURCES = \
	src/core/child.c \
	src/core/child.h \
	src/core/child_channel.c \
	src/core/control_line.c \
	src/core/control_line.h \
	src/core/control_path.c \
	src/core/control_path.h \
	src/core/event.c \
	src/core/event.def \
	src/core/event.h \
	src/core/event_decode.c \
	src/core/event_table.c \
	src/core/ipc.c \
	src/core/ipc.def \
	src/core/ipc.h \
	src/core/ipc_audit.c \
	src/core/ipc_audit.h \
	src/core/ipc_body.c \
	src/core/ipc_budget.c \
	src/core/ipc_budget.h \
	src/core/ipc_field.c \
	src/core/ipc_limits.c \
	src/core/ipc_limits.h \
	src/core/ipc_metrics.c \
	src/core/ipc_metrics.h \
	src/core/ipc_private.h \
	src/core/ipc_reload.c \
	src/core/ipc_reload.h \
	src/core/log.c \
	src/core/log.h \
	src/core/log_event.c \
	src/core/log_event.h \
	src/core/loop.c \
	src/core/loop.h \
	src/core/loop_private.h \
	src/core/loop_signal.c \
	src/core/loop_timer.c \
	src/core/notify.c \
	src/core/notify.h \
	src/core/ring.c \
	src/core/ring.h \
	src/core/ring_private.h \
	src/core/ring_reader.c \
	src/core/sandbox.c \
	src/core/sandbox.h \
	src/core/stats.c \
	src/core/stats.def \
	src/core/stats.h \
	src/core/stats_merge.c \
	src/core/stats_private.h \
	src/core/stats_table.c \
	src/core/table.c \
	src/core/table.h \
	src/core/title.c \
	src/core/title.h
if SANDBOX
src_core_libcore_la_SOURCES += src/core/sandbox_seccomp.c
else
src_core_libcore_la_SOURCES += src/core/sandbox_none.c
endif
src_core_libcore_la_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS) $(CAPNG_CFLAGS) $(BSD_CFLAGS)
