# SPDX-License-Identifier: ISC
# Unit tests: one program per source file, run by `make check`. Each area has its fragment;
# tests/unit/base.mk shows the form.
UNIT_BASE = lib/base/libbase.la $(CMOCKA_LIBS)
UNIT_SOCKS = lib/socks/libsocks.la $(UNIT_BASE)
UNIT_CORE = src/core/libcore.la $(UNIT_BASE) $(SECCOMP_LIBS) $(CAPNG_LIBS) $(BSD_LIBS)
UNIT_IMAGE = src/config/libimage.la $(UNIT_CORE)
UNIT_CONFIG = src/config/libconfig.la auth/libauth-wire.la lib/socks/libsocks.la $(UNIT_IMAGE) \
	$(CONFUSE_LIBS)
UNIT_POLICY = src/policy/libpolicy.la $(UNIT_IMAGE)
UNIT_NET = src/net/libnet.la $(UNIT_IMAGE) $(CARES_LIBS)
UNIT_SESSION = src/session/libsession.la src/policy/libpolicy.la src/authlink/libauthlink.la \
	src/net/libnet.la auth/libauth-wire.la lib/socks/libsocks.la $(UNIT_IMAGE) $(CARES_LIBS)
UNIT_MASTER = src/master/libmaster.la $(UNIT_CONFIG)
UNIT_CTL = src/ctl/libctl.la src/policy/libpolicy.la $(UNIT_CONFIG) $(NCURSES_LIBS)
UNIT_METRICS = src/metrics/libmetrics.la $(UNIT_CORE) $(MICROHTTPD_LIBS)
UNIT_AUTHLINK = src/authlink/libauthlink.la $(UNIT_CORE)
UNIT_AUTHD = src/authd/libauthd.la src/authlink/libauthlink.la auth/libauth-secret.la $(UNIT_IMAGE) $(AUTH_SECRET_LIBS)
UNIT_LOGGER = src/logger/liblogger.la $(UNIT_IMAGE)
UNIT_GSSAPI = auth/libgssapi-protect.la lib/krb5msg/libkrb5msg.la $(UNIT_BASE) $(CRYPTO_LIBS)
UNIT_CLIENT = src/client/libclient.la auth/libgssapi-protect.la \
	auth/libauth-gssapi-initiator.la lib/socks/libsocks.la lib/krb5msg/libkrb5msg.la $(UNIT_BASE) \
	$(KRB5_LIBS) $(CRYPTO_LIBS) $(BSD_LIBS)
UNIT_AUTH = auth/libauth-secret.la auth/libauth-wire.la $(UNIT_SOCKS) $(AUTH_SECRET_LIBS)

if HAVE_CMOCKA
include tests/unit/base.mk
include tests/unit/socks.mk
include tests/unit/krb5msg.mk
include tests/unit/core.mk
include tests/unit/config.mk
include tests/unit/policy.mk
include tests/unit/net.mk
include tests/unit/session.mk
include tests/unit/master.mk
include tests/unit/authd.mk
include tests/unit/logger.mk
include tests/unit/auth.mk
include tests/unit/gssapi_wire.mk
include tests/unit/client.mk
include tests/unit/ctl.mk
include tests/unit/metrics.mk
include tests/unit/gssapi_secret.mk
else
check-local:
	@echo 'cmocka is missing, so the unit tests cannot run: install libcmocka-dev, configure again' >&2
	@false
endif

EXTRA_DIST += tests/expected tests/check.sh tests/count.py
