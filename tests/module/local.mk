# SPDX-License-Identifier: ISC
# A module of a private method as shared objects, built for the tests alone. `make check` (or
# `make test-modules`) puts it where a gateway of the build tree looks for modules, so that a
# configuration may name it.
check_LTLIBRARIES += tests/module/testpriv-wire.la tests/module/testpriv-secret.la
TEST_MODULE_LDFLAGS = $(AUTH_MODULE_LDFLAGS) -rpath /nowhere

tests_module_testpriv_wire_la_SOURCES = tests/module/testpriv.h tests/module/testpriv_wire.c
tests_module_testpriv_wire_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
tests_module_testpriv_wire_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_module_testpriv_wire_la_LIBADD = lib/base/libbase.la
tests_module_testpriv_secret_la_SOURCES = tests/module/testpriv.h tests/module/testpriv_secret.c
tests_module_testpriv_secret_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
tests_module_testpriv_secret_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_module_testpriv_secret_la_LIBADD = lib/base/libbase.la

# A method that protects messages, for the tests of the configuration.
check_LTLIBRARIES += tests/module/testseal-wire.la
tests_module_testseal_wire_la_SOURCES = tests/module/testseal_wire.c
tests_module_testseal_wire_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
tests_module_testseal_wire_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
# Its protect face for the tests of finding one, and that with an interface version that no program has.
check_LTLIBRARIES += tests/module/testseal-protect.la tests/module/futureseal-protect.la
tests_module_testseal_protect_la_SOURCES = tests/module/testseal_protect.c
tests_module_testseal_protect_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
tests_module_testseal_protect_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_module_futureseal_protect_la_SOURCES = tests/module/testseal_protect.c
tests_module_futureseal_protect_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED -DTESTSEAL_VERSION=99
tests_module_futureseal_protect_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)

# testpriv with an interface version that no program has.
check_LTLIBRARIES += tests/module/future-wire.la tests/module/future-secret.la
tests_module_future_wire_la_SOURCES = $(tests_module_testpriv_wire_la_SOURCES)
tests_module_future_wire_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED -DTESTPRIV_VERSION=99
tests_module_future_wire_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_module_future_wire_la_LIBADD = lib/base/libbase.la
tests_module_future_secret_la_SOURCES = $(tests_module_testpriv_secret_la_SOURCES)
tests_module_future_secret_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED -DTESTPRIV_VERSION=99
tests_module_future_secret_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_module_future_secret_la_LIBADD = lib/base/libbase.la

# Whatever the umask: group and others must not be able to write here.
TEST_MODULES = modules/testpriv-wire.so modules/testpriv-secret.so modules/testseal-wire.so
check_DATA += $(TEST_MODULES)
modules/testpriv-wire.so: tests/module/testpriv-wire.la
	$(AM_V_at)$(INSTALL) -d -m 755 modules && \
	$(INSTALL) -m 755 tests/module/.libs/testpriv-wire.so $@
modules/testpriv-secret.so: tests/module/testpriv-secret.la
	$(AM_V_at)$(INSTALL) -d -m 755 modules && \
	$(INSTALL) -m 755 tests/module/.libs/testpriv-secret.so $@
modules/testseal-wire.so: tests/module/testseal-wire.la
	$(AM_V_at)$(INSTALL) -d -m 755 modules && \
	$(INSTALL) -m 755 tests/module/.libs/testseal-wire.so $@

.PHONY: test-modules
test-modules: $(TEST_MODULES)
