# SPDX-License-Identifier: ISC
# Unit tests of session; the form is in tests/unit/base.mk, the libraries are $(UNIT_SESSION).
check_PROGRAMS += tests/unit/test_relay
tests_unit_test_relay_SOURCES = tests/unit/test_relay.c tests/unit/unit.h
tests_unit_test_relay_LDADD = $(UNIT_SESSION)

check_PROGRAMS += tests/unit/test_relay_sealed
tests_unit_test_relay_sealed_SOURCES = tests/unit/test_relay_sealed.c $(UNIT_SEALED_RIG)
tests_unit_test_relay_sealed_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_test_relay_sealed_LDADD = $(UNIT_SESSION) $(UNIT_GSSAPI)

check_PROGRAMS += tests/unit/test_session_reply
tests_unit_test_session_reply_SOURCES = tests/unit/test_session_reply.c tests/unit/unit.h
tests_unit_test_session_reply_LDADD = $(UNIT_SESSION)

SESSION_RIG = tests/unit/session_rig.c tests/unit/session_rig.h $(CONFIG_RIG)
SESSION_RIG_LIBS = src/session/libsession.la src/policy/libpolicy.la src/authlink/libauthlink.la \
	src/net/libnet.la auth/libauth-protect.la lib/krb5msg/libkrb5msg.la $(UNIT_CONFIG) \
	$(AUTH_PROTECT_LIBS) $(CARES_LIBS)

check_PROGRAMS += tests/unit/test_session
tests_unit_test_session_SOURCES = tests/unit/test_session.c $(SESSION_RIG)
tests_unit_test_session_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_rejudge
tests_unit_test_rejudge_SOURCES = tests/unit/test_rejudge.c $(SESSION_BIND)
tests_unit_test_rejudge_LDADD = $(SESSION_RIG_LIBS)

SESSION_CROWD = tests/unit/session_crowd.c tests/unit/session_crowd.h $(CONFIG_RIG)

check_PROGRAMS += tests/unit/test_rejudge_many
tests_unit_test_rejudge_many_SOURCES = tests/unit/test_rejudge_many.c $(SESSION_CROWD)
tests_unit_test_rejudge_many_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_worker_hours
tests_unit_test_worker_hours_SOURCES = tests/unit/test_worker_hours.c $(CONFIG_RIG)
tests_unit_test_worker_hours_LDADD = src/worker/libworker.la $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_worker_reload
tests_unit_test_worker_reload_SOURCES = tests/unit/test_worker_reload.c $(CONFIG_RIG)
tests_unit_test_worker_reload_LDADD = src/worker/libworker.la $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_worker_limits
tests_unit_test_worker_limits_SOURCES = tests/unit/test_worker_limits.c $(CONFIG_RIG)
tests_unit_test_worker_limits_LDADD = src/worker/libworker.la $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_groups
tests_unit_test_groups_SOURCES = tests/unit/test_groups.c $(CONFIG_RIG)
tests_unit_test_groups_LDADD = $(SESSION_RIG_LIBS)

SESSION_BIND = tests/unit/session_bind_tools.c tests/unit/session_bind_tools.h $(SESSION_RIG)

check_PROGRAMS += tests/unit/test_phase_bind
tests_unit_test_phase_bind_SOURCES = tests/unit/test_phase_bind.c $(SESSION_BIND)
tests_unit_test_phase_bind_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_session_bind
tests_unit_test_session_bind_SOURCES = tests/unit/test_session_bind.c $(SESSION_BIND)
tests_unit_test_session_bind_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_session_bind_socks4
tests_unit_test_session_bind_socks4_SOURCES = tests/unit/test_session_bind_socks4.c $(SESSION_BIND)
tests_unit_test_session_bind_socks4_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_session_login
tests_unit_test_session_login_SOURCES = tests/unit/test_session_login.c $(SESSION_RIG)
tests_unit_test_session_login_LDADD = $(SESSION_RIG_LIBS)

BUDGET_RIG = tests/unit/budget_rig.c tests/unit/budget_rig.h $(SESSION_RIG)

check_PROGRAMS += tests/unit/test_budget
tests_unit_test_budget_SOURCES = tests/unit/test_budget.c $(BUDGET_RIG)
tests_unit_test_budget_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_budget_session
tests_unit_test_budget_session_SOURCES = tests/unit/test_budget_session.c $(BUDGET_RIG)
tests_unit_test_budget_session_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_phase_audit
tests_unit_test_phase_audit_SOURCES = tests/unit/test_phase_audit.c $(SESSION_RIG)
tests_unit_test_phase_audit_LDADD = $(SESSION_RIG_LIBS)

UDP_RIG = tests/unit/udp_rig.c tests/unit/udp_rig.h $(SESSION_RIG)

check_PROGRAMS += tests/unit/test_udp_association
tests_unit_test_udp_association_SOURCES = tests/unit/test_udp_association.c $(UDP_RIG)
tests_unit_test_udp_association_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_udp_relay
tests_unit_test_udp_relay_SOURCES = tests/unit/test_udp_relay.c $(UDP_RIG)
tests_unit_test_udp_relay_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_udp_names
tests_unit_test_udp_names_SOURCES = tests/unit/test_udp_names.c $(UDP_RIG)
tests_unit_test_udp_names_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_udp_refusals
tests_unit_test_udp_refusals_SOURCES = tests/unit/test_udp_refusals.c $(UDP_RIG)
tests_unit_test_udp_refusals_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_udp_batch
tests_unit_test_udp_batch_SOURCES = tests/unit/test_udp_batch.c tests/unit/unit.h
tests_unit_test_udp_batch_LDADD = $(UNIT_SESSION)

check_PROGRAMS += tests/unit/test_udp_fragments
tests_unit_test_udp_fragments_SOURCES = tests/unit/test_udp_fragments.c tests/unit/unit.h
tests_unit_test_udp_fragments_LDADD = $(UNIT_SESSION)

check_PROGRAMS += tests/unit/test_udp_destinations
tests_unit_test_udp_destinations_SOURCES = tests/unit/test_udp_destinations.c tests/unit/unit.h
tests_unit_test_udp_destinations_LDADD = $(UNIT_SESSION)

check_PROGRAMS += tests/unit/test_session_socks4
tests_unit_test_session_socks4_SOURCES = tests/unit/test_session_socks4.c $(SESSION_RIG)
tests_unit_test_session_socks4_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_session_ident
tests_unit_test_session_ident_SOURCES = tests/unit/test_session_ident.c $(SESSION_RIG)
tests_unit_test_session_ident_LDADD = $(SESSION_RIG_LIBS)

if AUTH_GSSAPI_BUILTIN
check_PROGRAMS += tests/unit/test_udp_sealed
tests_unit_test_udp_sealed_SOURCES = tests/unit/test_udp_sealed.c \
	tests/unit/session_seal.c tests/unit/session_seal.h $(UDP_RIG)
tests_unit_test_udp_sealed_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_session_protect
tests_unit_test_session_protect_SOURCES = tests/unit/test_session_protect.c \
	tests/unit/session_seal.c tests/unit/session_seal.h $(SESSION_RIG)
tests_unit_test_session_protect_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_session_sealed
tests_unit_test_session_sealed_SOURCES = tests/unit/test_session_sealed.c \
	tests/unit/session_seal.c tests/unit/session_seal.h $(SESSION_RIG)
tests_unit_test_session_sealed_LDADD = $(SESSION_RIG_LIBS)

check_PROGRAMS += tests/unit/test_session_bind_sealed
tests_unit_test_session_bind_sealed_SOURCES = tests/unit/test_session_bind_sealed.c \
	tests/unit/session_seal.c tests/unit/session_seal.h $(SESSION_BIND)
tests_unit_test_session_bind_sealed_LDADD = $(SESSION_RIG_LIBS)
endif

check_PROGRAMS += tests/unit/test_pipes
tests_unit_test_pipes_SOURCES = tests/unit/test_pipes.c tests/unit/unit.h
tests_unit_test_pipes_LDADD = $(UNIT_SESSION)

check_PROGRAMS += tests/unit/test_session_stats
tests_unit_test_session_stats_SOURCES = tests/unit/test_session_stats.c $(SESSION_RIG)
tests_unit_test_session_stats_LDADD = $(SESSION_RIG_LIBS)
