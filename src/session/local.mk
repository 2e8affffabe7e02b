# SPDX-License-Identifier: ISC
# F5: one file per phase, relay engines, accounting.
noinst_LTLIBRARIES += src/session/libsession.la
src_session_libsession_la_SOURCES = \
	src/session/audit_wait.c \
	src/session/audit_wait.h \
	src/session/groups.c \
	src/session/groups.h \
	src/session/phase_associate.c \
	src/session/phase_audit.c \
	src/session/phase_authenticate.c \
	src/session/phase_bind.c \
	src/session/phase_connect.c \
	src/session/phase_decide.c \
	src/session/phase_ident.c \
	src/session/phase_linger.c \
	src/session/phase_negotiate.c \
	src/session/phase_protect.c \
	src/session/phase_relay.c \
	src/session/phase_reply.c \
	src/session/phase_request.c \
	src/session/phase_resolve.c \
	src/session/phase_socks4.c \
	src/session/pipes.c \
	src/session/pipes.h \
	src/session/reason.def \
	src/session/rejudge.c \
	src/session/relay.c \
	src/session/relay.h \
	src/session/session.c \
	src/session/session.h \
	src/session/session_adopt.c \
	src/session/session_bind.c \
	src/session/session_client.c \
	src/session/session_identity.c \
	src/session/session_kill.c \
	src/session/session_later.c \
	src/session/session_listener.c \
	src/session/session_private.h \
	src/session/session_record.c \
	src/session/session_reply.c \
	src/session/session_request.c \
	src/session/session_setup.c \
	src/session/session_terms.c \
	src/session/session_stats.c \
	src/session/udp_association.c \
	src/session/udp_association.h \
	src/session/udp_batch.c \
	src/session/udp_batch.h \
	src/session/udp_destinations.c \
	src/session/udp_destinations.h \
	src/session/udp_down.c \
	src/session/udp_fragments.c \
	src/session/udp_fragments.h \
	src/session/udp_names.c \
	src/session/udp_socket.c \
	src/session/udp_up.c
