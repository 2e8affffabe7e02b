# SPDX-License-Identifier: ISC
# F6: what sallyport-logger is.
noinst_LTLIBRARIES += src/logger/liblogger.la
src_logger_liblogger_la_SOURCES = \
	src/logger/batch.h \
	src/logger/line.c \
	src/logger/line.h \
	src/logger/logger.h \
	src/logger/logger_batch.c \
	src/logger/logger_control.c \
	src/logger/logger_main.c \
	src/logger/logger_pump.c \
	src/logger/logger_reload.c \
	src/logger/logger_rings.c \
	src/logger/logger_state.c \
	src/logger/logger_target.c \
	src/logger/logger_target_file.c \
	src/logger/logger_target_stderr.c \
	src/logger/logger_target_syslog.c \
	src/logger/render.c \
	src/logger/render.h \
	src/logger/render_json.c \
	src/logger/render_keyvalue.c \
	src/logger/render_private.h \
	src/logger/rings.h \
	src/logger/target.h
