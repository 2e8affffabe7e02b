# SPDX-License-Identifier: ISC
# Authentication modules. A built-in method adds its faces to the two libraries below, a shared one
# is two objects of its own, NAME-wire.so and NAME-secret.so, in MODULEDIR (build/modules/ in a build
# tree). configure's auth/builtin.def has the rows of the built-in ones: AUTH_BUILTIN_WIRE(none)
# AUTH_BUILTIN_WIRE(userpass) AUTH_BUILTIN_SECRET(userpass). A method that needs no pool (none) has no
# secret face.
# Add headers and .c files as they come; an empty library is fine meanwhile.

# The faces a worker (and, for the options, the configuration) links: nothing outside lib/.
noinst_LTLIBRARIES += auth/libauth-wire.la
auth_libauth_wire_la_SOURCES = \
	auth/auth_module.h \
	auth/builtin.h
# The faces sallyport-auth links.
noinst_LTLIBRARIES += auth/libauth-secret.la
auth_libauth_secret_la_SOURCES =
auth_libauth_secret_la_CFLAGS = $(AM_CFLAGS) $(CRYPT_CFLAGS) $(SODIUM_CFLAGS)
# What sallyport-auth must link for the built-in ones.
AUTH_SECRET_LIBS =

# A method, built in or shared. To be filled where its files are written, in this form:
#   if AUTH_USERPASS_BUILTIN
#   auth_libauth_wire_la_SOURCES += auth/userpass/userpass_wire.c
#   auth_libauth_secret_la_SOURCES += auth/userpass/userpass_secret.c
#   AUTH_SECRET_LIBS += $(CRYPT_LIBS) $(SODIUM_LIBS)
#   endif
#   if AUTH_USERPASS_SHARED
#   authmod_LTLIBRARIES += auth/userpass-wire.la auth/userpass-secret.la
#   auth_userpass_wire_la_SOURCES = auth/userpass/userpass_wire.c
#   auth_userpass_wire_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
#   auth_userpass_wire_la_LDFLAGS = $(SP_MODULE_FLAGS)
#   auth_userpass_wire_la_LIBADD = lib/socks/libsocks.la lib/base/libbase.la
#   auth_userpass_secret_la_SOURCES = auth/userpass/userpass_secret.c
#   auth_userpass_secret_la_CFLAGS = $(AM_CFLAGS) $(CRYPT_CFLAGS) $(SODIUM_CFLAGS)
#   auth_userpass_secret_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
#   auth_userpass_secret_la_LDFLAGS = $(SP_MODULE_FLAGS)
#   auth_userpass_secret_la_LIBADD = lib/base/libbase.la $(CRYPT_LIBS) $(SODIUM_LIBS)
#   endif
