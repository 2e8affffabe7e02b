# SPDX-License-Identifier: ISC
# System tests (pytest against the real programs), run by `./bootstrap check`, not by `make check`.
# SALLYPORT_BUILD names the build folder whose programs are tested (absolute; absent: build/ at the
# top). Cases marked pytest.mark.sanitizers run once more against the build with sanitizers. Clients that
# check gets where it can: npm's in build/npm/node_modules/socks, Dante's library in build/dante.
# SALLYPORT_BULK is how much test_gss_bulk.py sends through each sealed session, each way (32m; 1g
# before a release), SALLYPORT_MUTATIONS how many conversations test_gss_mutations.py changes (300).
#
# They run side by side (pytest-xdist), as root in a network namespace for each process: network.py. What they
# share is the machine's time, its files and its users. So: no wait shorter than a busy machine takes, CPU time or
# the records' own times rather than the test's clock where it matters, ports from ports.py, a process that
# is to stand still by halt().
#
# The module of a private method that they load is in tests/module. Files are named one by one: of a
# folder, a release would also carry what was built in it.
EXTRA_DIST += \
	tests/realm.sh \
	tests/system/bind.py \
	tests/system/client.py \
	tests/system/conftest.py \
	tests/system/dns_server.py \
	tests/system/gateway.py \
	tests/system/gssapi_client.py \
	tests/system/many.py \
	tests/system/memory.py \
	tests/system/network.py \
	tests/system/ports.py \
	tests/system/realm.py \
	tests/system/records.py \
	tests/system/rsyslog.py \
	tests/system/servers.py \
	tests/system/socks.py \
	tests/system/socks4.py \
	tests/system/test_audit.py \
	tests/system/test_audit_required.py \
	tests/system/test_audit_udp.py \
	tests/system/test_auth.py \
	tests/system/test_bandwidth.py \
	tests/system/test_bind.py \
	tests/system/test_bind4.py \
	tests/system/test_bind_gss.py \
	tests/system/test_client.py \
	tests/system/test_client_forms.py \
	tests/system/test_client_gssapi.py \
	tests/system/test_clients.py \
	tests/system/test_clients4.py \
	tests/system/test_config.py \
	tests/system/test_conformance.py \
	tests/system/test_control.py \
	tests/system/test_ctl.py \
	tests/system/test_descriptors.py \
	tests/system/test_faults.py \
	tests/system/test_gss_bulk.py \
	tests/system/test_gss_clients.py \
	tests/system/test_gss_dante.py \
	tests/system/test_gss_identity.py \
	tests/system/test_gss_keytab.py \
	tests/system/test_gss_leaks.py \
	tests/system/test_gss_levels.py \
	tests/system/test_gss_login.py \
	tests/system/test_gss_messages.py \
	tests/system/test_gss_mutations.py \
	tests/system/test_gss_process.py \
	tests/system/test_gss_tickets.py \
	tests/system/test_ident.py \
	tests/system/test_interim.py \
	tests/system/test_leaks.py \
	tests/system/test_live.py \
	tests/system/test_limits.py \
	tests/system/test_lists.py \
	tests/system/test_logger_rsyslog.py \
	tests/system/test_many.py \
	tests/system/test_metrics.py \
	tests/system/test_master_edges.py \
	tests/system/test_names.py \
	tests/system/test_negotiate.py \
	tests/system/test_privileges.py \
	tests/system/test_relay.py \
	tests/system/test_reload.py \
	tests/system/test_request.py \
	tests/system/test_rsyslog_samples.py \
	tests/system/test_rules.py \
	tests/system/test_signals.py \
	tests/system/test_socks4.py \
	tests/system/test_stalled.py \
	tests/system/test_syslog.py \
	tests/system/test_timeouts.py \
	tests/system/test_udp.py \
	tests/system/test_udp_errors.py \
	tests/system/test_udp_fragments.py \
	tests/system/test_udp_gss.py \
	tests/system/traffic.py \
	tests/system/udp.py \
	tests/system/waiting.py

# Plays the master for test_logger_rsyslog.py.
EXTRA_PROGRAMS += tests/system/logger-driver
check_DATA += tests/system/logger-driver
CLEANFILES += tests/system/logger-driver
tests_system_logger_driver_SOURCES = tests/system/logger_driver.c tests/unit/logger_rig.c \
	tests/unit/logger_rig.h
tests_system_logger_driver_LDADD = src/core/libcore.la lib/base/libbase.la
