# SPDX-License-Identifier: ISC
# F6: what sallyportd is.
noinst_LTLIBRARIES += src/master/libmaster.la
src_master_libmaster_la_SOURCES = \
	src/master/master.h \
	src/master/master_accept.c \
	src/master/master_acl.c \
	src/master/master_audit.c \
	src/master/master_audit.h \
	src/master/master_backoff.c \
	src/master/master_broker.c \
	src/master/master_capacity.c \
	src/master/master_check.c \
	src/master/master_compile.c \
	src/master/master_config.c \
	src/master/master_config.h \
	src/master/master_config_files.c \
	src/master/master_control.c \
	src/master/master_control.h \
	src/master/master_control_client.c \
	src/master/master_control_commands.c \
	src/master/master_control_private.h \
	src/master/master_control_sessions.c \
	src/master/master_control_socket.c \
	src/master/master_control_status.c \
	src/master/master_control_walk.c \
	src/master/master_corpse.c \
	src/master/master_daemon.c \
	src/master/master_dispatch.c \
	src/master/master_equip.c \
	src/master/master_environment.c \
	src/master/master_events.c \
	src/master/master_files.c \
	src/master/master_folders.c \
	src/master/master_limits.c \
	src/master/master_limits.h \
	src/master/master_list.c \
	src/master/master_list.h \
	src/master/master_listen.c \
	src/master/master_listeners.c \
	src/master/master_main.c \
	src/master/master_offer.c \
	src/master/master_options.c \
	src/master/master_outbox.c \
	src/master/master_parts.h \
	src/master/master_pipes.c \
	src/master/master_private.h \
	src/master/master_provide.c \
	src/master/master_reap.c \
	src/master/master_reload.h \
	src/master/master_receive.c \
	src/master/master_sessions.c \
	src/master/master_signal.c \
	src/master/master_spawn.c \
	src/master/master_stop.c \
	src/master/master_users.c \
	src/master/master_watch.c
