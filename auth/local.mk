# SPDX-License-Identifier: ISC
# Authentication modules. A built-in method adds its faces to the libraries below, a shared one is
# objects of its own, NAME-wire.so, NAME-protect.so and NAME-secret.so, in MODULEDIR (build/modules/
# in a build tree). configure's auth/builtin.def has the rows of the built-in ones: AUTH_BUILTIN_WIRE(none)
# AUTH_BUILTIN_WIRE(userpass) AUTH_BUILTIN_SECRET(userpass). A method that needs no pool (none) has no
# secret face.

# The faces a worker (and, for the options, the configuration) links: nothing outside lib/.
noinst_LTLIBRARIES += auth/libauth-wire.la
auth_libauth_wire_la_SOURCES = \
	auth/auth_module.h \
	auth/builtin.h \
	auth/builtin_dir.c \
	auth/builtin_load.c \
	auth/builtin_load.h \
	auth/builtin_wire.c
# The faces only a worker links: message protection.
noinst_LTLIBRARIES += auth/libauth-protect.la
auth_libauth_protect_la_SOURCES = \
	auth/builtin_dir.c \
	auth/builtin_load.c \
	auth/builtin_protect.c
# What a worker must link for the built-in ones.
AUTH_PROTECT_LIBS =
# The faces sallyport-auth links.
noinst_LTLIBRARIES += auth/libauth-secret.la
auth_libauth_secret_la_SOURCES = \
	auth/builtin_dir.c \
	auth/builtin_load.c \
	auth/builtin_secret.c
auth_libauth_secret_la_CFLAGS = $(AM_CFLAGS) $(CRYPT_CFLAGS) $(SODIUM_CFLAGS) $(KRB5_CFLAGS)
# What sallyport-auth must link for the built-in ones.
AUTH_SECRET_LIBS =

# A shared module shows its face and nothing else.
AUTH_MODULE_LDFLAGS = $(SP_MODULE_FLAGS) -export-symbols-regex '^sallyport_auth_(wire|protect|secret)$$'

# --- none --------------------------------------------------------------------------------------
AUTH_NONE_WIRE = auth/none/none_wire.c

if AUTH_NONE_BUILTIN
auth_libauth_wire_la_SOURCES += $(AUTH_NONE_WIRE)
endif
if AUTH_NONE_SHARED
authmod_LTLIBRARIES += auth/none-wire.la
auth_none_wire_la_SOURCES = $(AUTH_NONE_WIRE)
auth_none_wire_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
auth_none_wire_la_LDFLAGS = $(AUTH_MODULE_LDFLAGS)
endif

# --- userpass ----------------------------------------------------------------------------------
# Both faces check a password file with the same code.
AUTH_USERPASS_BOTH = \
	auth/userpass/userpass_file.c \
	auth/userpass/userpass_hash.c \
	auth/userpass/userpass_hash.h \
	auth/userpass/userpass_options.c \
	auth/userpass/userpass_options.h \
	auth/userpass/userpass_table.c \
	auth/userpass/userpass_table.h \
	auth/userpass/userpass_table_private.h
AUTH_USERPASS_WIRE = auth/userpass/userpass_wire.c $(AUTH_USERPASS_BOTH)
AUTH_USERPASS_SECRET = \
	auth/userpass/userpass_crypt.c \
	auth/userpass/userpass_crypt.h \
	auth/userpass/userpass_remember.c \
	auth/userpass/userpass_remember.h \
	auth/userpass/userpass_secret.c \
	$(AUTH_USERPASS_BOTH)

if AUTH_USERPASS_BUILTIN
auth_libauth_wire_la_SOURCES += $(AUTH_USERPASS_WIRE)
auth_libauth_secret_la_SOURCES += $(AUTH_USERPASS_SECRET)
AUTH_SECRET_LIBS += $(CRYPT_LIBS) $(SODIUM_LIBS)
endif
if AUTH_USERPASS_SHARED
authmod_LTLIBRARIES += auth/userpass-wire.la auth/userpass-secret.la
auth_userpass_wire_la_SOURCES = $(AUTH_USERPASS_WIRE)
auth_userpass_wire_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
auth_userpass_wire_la_LDFLAGS = $(AUTH_MODULE_LDFLAGS)
auth_userpass_wire_la_LIBADD = lib/socks/libsocks.la lib/base/libbase.la
auth_userpass_secret_la_SOURCES = $(AUTH_USERPASS_SECRET)
auth_userpass_secret_la_CFLAGS = $(AM_CFLAGS) $(CRYPT_CFLAGS) $(SODIUM_CFLAGS)
auth_userpass_secret_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
auth_userpass_secret_la_LDFLAGS = $(AUTH_MODULE_LDFLAGS)
auth_userpass_secret_la_LIBADD = lib/base/libbase.la $(CRYPT_LIBS) $(SODIUM_LIBS)
endif

# --- gssapi ------------------------------------------------------------------------------------
# The config face and what all of its objects share: no Kerberos library.
AUTH_GSSAPI_BOTH = \
	auth/gssapi/gssapi_enctype.c \
	auth/gssapi/gssapi_enctype.h \
	auth/gssapi/gssapi_keytab.c \
	auth/gssapi/gssapi_keytab.h \
	auth/gssapi/gssapi_keytab_check.c \
	auth/gssapi/gssapi_options.c \
	auth/gssapi/gssapi_options.h
# Speaks to libgssapi: acceptor, initiator.
AUTH_GSSAPI_EXPORT = \
	auth/gssapi/gssapi_export.c \
	auth/gssapi/gssapi_export.h \
	auth/gssapi/gssapi_status.c \
	auth/gssapi/gssapi_status.h
AUTH_GSSAPI_SECRET = \
	auth/gssapi/gssapi_credential.c \
	auth/gssapi/gssapi_credential.h \
	auth/gssapi/gssapi_identity.c \
	auth/gssapi/gssapi_identity.h \
	auth/gssapi/gssapi_keytab_usable.c \
	auth/gssapi/gssapi_secret.c \
	auth/gssapi/gssapi_token.c \
	auth/gssapi/gssapi_token.h \
	$(AUTH_GSSAPI_EXPORT) $(AUTH_GSSAPI_BLOB) $(AUTH_GSSAPI_BOTH)
AUTH_GSSAPI_BLOB = \
	auth/gssapi/gssapi_blob.c \
	auth/gssapi/gssapi_blob.h
AUTH_GSSAPI_FRAME = \
	auth/gssapi/gssapi_frame.c \
	auth/gssapi/gssapi_frame.h
AUTH_GSSAPI_WIRE = auth/gssapi/gssapi_wire.c $(AUTH_GSSAPI_FRAME) $(AUTH_GSSAPI_BOTH)
# Both roles: the client protects its messages with the same. Links lib/krb5msg, so CRYPTO_LIBS.
AUTH_GSSAPI_PROTECT = \
	auth/gssapi/gssapi_protect.c \
	auth/gssapi/gssapi_protect.h \
	auth/gssapi/gssapi_protect_agree.c \
	auth/gssapi/gssapi_protect_client.c \
	auth/gssapi/gssapi_protect_level.c \
	auth/gssapi/gssapi_protect_local.h \
	auth/gssapi/gssapi_protect_message.c \
	auth/gssapi/gssapi_protect_terms.c \
	$(AUTH_GSSAPI_FRAME) $(AUTH_GSSAPI_BLOB) $(AUTH_GSSAPI_BOTH)

# For the client, however the method is built. The initiator needs KRB5_LIBS as well.
noinst_LTLIBRARIES += auth/libgssapi-protect.la auth/libauth-gssapi-initiator.la
auth_libgssapi_protect_la_SOURCES = $(AUTH_GSSAPI_PROTECT)
auth_libauth_gssapi_initiator_la_SOURCES = \
	auth/gssapi/gssapi_initiator.c \
	auth/gssapi/gssapi_initiator.h \
	auth/gssapi/gssapi_enctype.c \
	auth/gssapi/gssapi_enctype.h \
	$(AUTH_GSSAPI_EXPORT) $(AUTH_GSSAPI_BLOB)
auth_libauth_gssapi_initiator_la_CFLAGS = $(AM_CFLAGS) $(KRB5_CFLAGS)

if AUTH_GSSAPI_BUILTIN
auth_libauth_wire_la_SOURCES += $(AUTH_GSSAPI_WIRE)
auth_libauth_protect_la_SOURCES += $(AUTH_GSSAPI_PROTECT)
AUTH_PROTECT_LIBS += $(CRYPTO_LIBS)
auth_libauth_secret_la_SOURCES += $(AUTH_GSSAPI_SECRET)
AUTH_SECRET_LIBS += $(KRB5_LIBS)
endif
if AUTH_GSSAPI_SHARED
authmod_LTLIBRARIES += auth/gssapi-wire.la auth/gssapi-protect.la auth/gssapi-secret.la
auth_gssapi_secret_la_SOURCES = $(AUTH_GSSAPI_SECRET)
auth_gssapi_secret_la_CFLAGS = $(AM_CFLAGS) $(KRB5_CFLAGS)
auth_gssapi_secret_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
auth_gssapi_secret_la_LDFLAGS = $(AUTH_MODULE_LDFLAGS)
auth_gssapi_secret_la_LIBADD = lib/base/libbase.la $(KRB5_LIBS)
auth_gssapi_wire_la_SOURCES = $(AUTH_GSSAPI_WIRE)
auth_gssapi_wire_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
auth_gssapi_wire_la_LDFLAGS = $(AUTH_MODULE_LDFLAGS)
auth_gssapi_wire_la_LIBADD = lib/base/libbase.la
auth_gssapi_protect_la_SOURCES = $(AUTH_GSSAPI_PROTECT)
auth_gssapi_protect_la_CPPFLAGS = $(AM_CPPFLAGS) -DSP_AUTH_SHARED
auth_gssapi_protect_la_LDFLAGS = $(AUTH_MODULE_LDFLAGS)
auth_gssapi_protect_la_LIBADD = lib/krb5msg/libkrb5msg.la lib/base/libbase.la $(CRYPTO_LIBS)
endif
