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

check_PROGRAMS += tests/unit/test_master_acl
tests_unit_test_master_acl_SOURCES = tests/unit/test_master_acl.c tests/unit/unit.h
tests_unit_test_master_acl_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_environment
tests_unit_test_master_environment_SOURCES = tests/unit/test_master_environment.c tests/unit/unit.h
tests_unit_test_master_environment_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_folders
tests_unit_test_master_folders_SOURCES = tests/unit/test_master_folders.c tests/unit/unit.h
tests_unit_test_master_folders_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_reap
tests_unit_test_master_reap_SOURCES = tests/unit/test_master_reap.c tests/unit/unit.h
tests_unit_test_master_reap_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_options
tests_unit_test_master_options_SOURCES = tests/unit/test_master_options.c tests/unit/unit.h
tests_unit_test_master_options_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_users
tests_unit_test_master_users_SOURCES = tests/unit/test_master_users.c tests/unit/unit.h
tests_unit_test_master_users_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_budget
tests_unit_test_master_budget_SOURCES = tests/unit/test_master_budget.c tests/unit/unit.h
tests_unit_test_master_budget_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_notice
tests_unit_test_master_notice_SOURCES = tests/unit/test_master_notice.c tests/unit/unit.h
tests_unit_test_master_notice_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_penalty
tests_unit_test_master_penalty_SOURCES = tests/unit/test_master_penalty.c tests/unit/unit.h
tests_unit_test_master_penalty_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_tally
tests_unit_test_master_tally_SOURCES = tests/unit/test_master_tally.c tests/unit/unit.h
tests_unit_test_master_tally_LDADD = $(UNIT_MASTER)

# These run against a master without configuration and programs.
MASTER_RIG = tests/unit/master_rig.c tests/unit/master_rig.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_master_dispatch
tests_unit_test_master_dispatch_SOURCES = tests/unit/test_master_dispatch.c $(MASTER_RIG)
tests_unit_test_master_dispatch_LDADD = $(UNIT_MASTER)

LIMITS_RIG = tests/unit/limits_rig.c tests/unit/limits_rig.h $(MASTER_RIG)

check_PROGRAMS += tests/unit/test_master_limits
tests_unit_test_master_limits_SOURCES = tests/unit/test_master_limits.c $(LIMITS_RIG)
tests_unit_test_master_limits_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_penalty_send
tests_unit_test_master_penalty_send_SOURCES = tests/unit/test_master_penalty_send.c $(LIMITS_RIG)
tests_unit_test_master_penalty_send_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_receive
tests_unit_test_master_receive_SOURCES = tests/unit/test_master_receive.c $(MASTER_RIG)
tests_unit_test_master_receive_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_door
tests_unit_test_master_door_SOURCES = tests/unit/test_master_door.c $(MASTER_RIG)
tests_unit_test_master_door_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_outbox
tests_unit_test_master_outbox_SOURCES = tests/unit/test_master_outbox.c $(MASTER_RIG)
tests_unit_test_master_outbox_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_offer
tests_unit_test_master_offer_SOURCES = tests/unit/test_master_offer.c $(MASTER_RIG)
tests_unit_test_master_offer_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_broker
tests_unit_test_master_broker_SOURCES = tests/unit/test_master_broker.c $(MASTER_RIG)
tests_unit_test_master_broker_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_control
tests_unit_test_master_control_SOURCES = tests/unit/test_master_control.c $(MASTER_RIG)
tests_unit_test_master_control_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_metrics_text
tests_unit_test_master_metrics_text_SOURCES = tests/unit/test_master_metrics_text.c tests/unit/unit.h
tests_unit_test_master_metrics_text_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_config
tests_unit_test_master_config_SOURCES = tests/unit/test_master_config.c tests/unit/unit.h
tests_unit_test_master_config_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_list
tests_unit_test_master_list_SOURCES = tests/unit/test_master_list.c tests/unit/unit.h
tests_unit_test_master_list_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_corpse
tests_unit_test_master_corpse_SOURCES = tests/unit/test_master_corpse.c $(MASTER_RIG)
tests_unit_test_master_corpse_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_prepare
tests_unit_test_master_prepare_SOURCES = tests/unit/test_master_prepare.c $(MASTER_RIG)
tests_unit_test_master_prepare_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_listeners
tests_unit_test_master_listeners_SOURCES = tests/unit/test_master_listeners.c $(MASTER_RIG)
tests_unit_test_master_listeners_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_reload
tests_unit_test_master_reload_SOURCES = tests/unit/test_master_reload.c $(MASTER_RIG)
tests_unit_test_master_reload_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_lists
tests_unit_test_master_lists_SOURCES = tests/unit/test_master_lists.c $(MASTER_RIG)
tests_unit_test_master_lists_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_broker_reload
tests_unit_test_master_broker_reload_SOURCES = tests/unit/test_master_broker_reload.c $(MASTER_RIG)
tests_unit_test_master_broker_reload_LDADD = $(UNIT_MASTER)

check_PROGRAMS += tests/unit/test_master_metrics
tests_unit_test_master_metrics_SOURCES = tests/unit/test_master_metrics.c $(MASTER_RIG)
tests_unit_test_master_metrics_LDADD = $(UNIT_MASTER)
