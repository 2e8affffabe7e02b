# SPDX-License-Identifier: ISC
# F6: what sallyport-worker is.
noinst_LTLIBRARIES += src/worker/libworker.la
src_worker_libworker_la_SOURCES = \
	src/worker/worker.h \
	src/worker/worker_budget.c \
	src/worker/worker_ended.c \
	src/worker/worker_hours.c \
	src/worker/worker_ipc.c \
	src/worker/worker_limits.c \
	src/worker/worker_main.c \
	src/worker/worker_reload.c \
	src/worker/worker_stop.c \
	src/worker/worker_title.c
