# SPDX-License-Identifier: ISC
# F7: one tiny main per program. The programs come out at the top of the build folder. Only
# convenience libraries are linked, so they are plain executables, and each names the outside
# libraries of its own duty and no other (tests/lint/links.sh looks). A library stands before those
# it uses.
sbin_PROGRAMS += sallyportd
sallyportd_SOURCES = src/sallyportd.c
sallyportd_LDADD = src/master/libmaster.la src/config/libconfig.la src/config/libimage.la \
	auth/libauth-wire.la src/core/libcore.la lib/socks/libsocks.la lib/base/libbase.la \
	$(CONFUSE_LIBS) $(CAPNG_LIBS) $(BSD_LIBS)

pkglibexec_PROGRAMS += sallyport-worker
sallyport_worker_SOURCES = src/sallyport-worker.c
sallyport_worker_LDADD = src/worker/libworker.la src/session/libsession.la src/net/libnet.la \
	src/policy/libpolicy.la src/authlink/libauthlink.la src/config/libimage.la \
	auth/libauth-wire.la auth/libauth-protect.la src/core/libcore.la lib/socks/libsocks.la \
	lib/krb5msg/libkrb5msg.la lib/base/libbase.la $(AUTH_PROTECT_LIBS) \
	$(CARES_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS) $(BSD_LIBS)

pkglibexec_PROGRAMS += sallyport-auth
sallyport_auth_SOURCES = src/sallyport-auth.c
sallyport_auth_LDADD = src/authd/libauthd.la src/authlink/libauthlink.la src/config/libimage.la \
	auth/libauth-secret.la src/core/libcore.la lib/base/libbase.la $(AUTH_SECRET_LIBS) \
	$(CAPNG_LIBS) $(BSD_LIBS)

pkglibexec_PROGRAMS += sallyport-logger
sallyport_logger_SOURCES = src/sallyport-logger.c
sallyport_logger_LDADD = src/logger/liblogger.la src/config/libimage.la src/core/libcore.la \
	lib/base/libbase.la $(SECCOMP_LIBS) $(CAPNG_LIBS) $(BSD_LIBS)

pkglibexec_PROGRAMS += sallyport-metrics
sallyport_metrics_SOURCES = src/sallyport-metrics.c
sallyport_metrics_LDADD = src/metrics/libmetrics.la src/core/libcore.la lib/base/libbase.la \
	$(MICROHTTPD_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS) $(BSD_LIBS)

bin_PROGRAMS += sallyport
sallyport_SOURCES = src/sallyport.c
sallyport_LDADD = src/client/libclient.la auth/libgssapi-protect.la \
	auth/libauth-gssapi-initiator.la lib/socks/libsocks.la lib/krb5msg/libkrb5msg.la \
	lib/base/libbase.la $(KRB5_LIBS) $(CRYPTO_LIBS) $(BSD_LIBS)

sbin_PROGRAMS += sallyportctl
sallyportctl_SOURCES = src/sallyportctl.c
sallyportctl_LDADD = src/ctl/libctl.la src/policy/libpolicy.la src/config/libconfig.la \
	src/config/libimage.la auth/libauth-wire.la src/core/libcore.la lib/socks/libsocks.la \
	lib/base/libbase.la $(CONFUSE_LIBS) $(NCURSES_LIBS) $(CAPNG_LIBS) $(BSD_LIBS)
