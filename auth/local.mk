# SPDX-License-Identifier: ISC
# Authentication modules. A built-in method adds its faces to the two libraries below, a shared one
# is two objects of its own, NAME-wire.so and NAME-secret.so, in MODULEDIR (build/modules/ in a build
# tree). configure's auth/builtin.h lists the built-in ones: AUTH_BUILTIN(none) AUTH_BUILTIN(userpass).
# Add headers and .c files as they come; an empty library is fine meanwhile.

# The faces a worker (and, for the options, the configuration) links: nothing outside lib/.
noinst_LTLIBRARIES += auth/libauth-wire.la
auth_libauth_wire_la_SOURCES = auth/builtin.h.in
# The faces sallyport-auth links.
noinst_LTLIBRARIES += auth/libauth-secret.la
auth_libauth_secret_la_SOURCES =
auth_libauth_secret_la_CFLAGS = $(AM_CFLAGS) $(CRYPT_CFLAGS) $(SODIUM_CFLAGS)
# What sallyport-auth must link for the built-in ones.
AUTH_SECRET_LIBS =

# A method, built in or shared. To be filled where its files are written, in this form:
#   if AUTH_NONE_BUILTIN
#   auth_libauth_wire_la_SOURCES += auth/none/none_wire.c
#   auth_libauth_secret_la_SOURCES += auth/none/none_secret.c
#   endif
#   if AUTH_NONE_SHARED
#   authmod_LTLIBRARIES += auth/none-wire.la auth/none-secret.la
#   auth_none_wire_la_SOURCES = auth/none/none_wire.c
#   auth_none_wire_la_LDFLAGS = $(SP_MODULE_FLAGS)
#   auth_none_wire_la_LIBADD = lib/socks/libsocks.la lib/base/libbase.la
#   auth_none_secret_la_SOURCES = auth/none/none_secret.c
#   auth_none_secret_la_LDFLAGS = $(SP_MODULE_FLAGS)
#   auth_none_secret_la_LIBADD = lib/base/libbase.la
#   endif
# userpass the same with AUTH_USERPASS_*; its secret face adds $(CRYPT_LIBS) $(SODIUM_LIBS) to
# AUTH_SECRET_LIBS (built in) or to its _LIBADD (shared), and $(CRYPT_CFLAGS) $(SODIUM_CFLAGS).
