# SPDX-License-Identifier: ISC
# Unit tests of auth and src/authlink; the form is in tests/unit/base.mk, the libraries are $(UNIT_AUTH)
# and $(UNIT_AUTHLINK).

check_PROGRAMS += tests/unit/test_conversation
tests_unit_test_conversation_SOURCES = tests/unit/test_conversation.c tests/unit/unit.h
tests_unit_test_conversation_LDADD = $(UNIT_AUTHLINK)

check_PROGRAMS += tests/unit/test_authlink
tests_unit_test_authlink_SOURCES = tests/unit/test_authlink.c tests/unit/unit.h
tests_unit_test_authlink_LDADD = $(UNIT_AUTHLINK)

check_PROGRAMS += tests/unit/test_builtin
tests_unit_test_builtin_SOURCES = tests/unit/test_builtin.c tests/unit/unit.h
tests_unit_test_builtin_LDADD = auth/libauth-protect.la lib/krb5msg/libkrb5msg.la $(UNIT_AUTH) \
	$(AUTH_PROTECT_LIBS)

# The parts of userpass are in the libraries only when it is built in; as a shared module its faces
# are not tested here.
if AUTH_USERPASS_BUILTIN
check_PROGRAMS += tests/unit/test_userpass_hash
tests_unit_test_userpass_hash_SOURCES = tests/unit/test_userpass_hash.c \
	tests/unit/userpass_samples.h tests/unit/unit.h
tests_unit_test_userpass_hash_LDADD = $(UNIT_AUTH)

check_PROGRAMS += tests/unit/test_userpass_file
tests_unit_test_userpass_file_SOURCES = tests/unit/test_userpass_file.c \
	tests/unit/userpass_samples.h tests/unit/unit.h
tests_unit_test_userpass_file_LDADD = $(UNIT_AUTH)

check_PROGRAMS += tests/unit/test_userpass_remember
tests_unit_test_userpass_remember_SOURCES = tests/unit/test_userpass_remember.c tests/unit/unit.h
tests_unit_test_userpass_remember_LDADD = $(UNIT_AUTH)

check_PROGRAMS += tests/unit/test_userpass_crypt
tests_unit_test_userpass_crypt_SOURCES = tests/unit/test_userpass_crypt.c \
	tests/unit/userpass_samples.h tests/unit/unit.h
tests_unit_test_userpass_crypt_LDADD = $(UNIT_AUTH)

check_PROGRAMS += tests/unit/test_userpass_wire
tests_unit_test_userpass_wire_SOURCES = tests/unit/test_userpass_wire.c \
	tests/unit/userpass_samples.h tests/unit/unit.h
tests_unit_test_userpass_wire_LDADD = $(UNIT_AUTH)

check_PROGRAMS += tests/unit/test_userpass_secret
tests_unit_test_userpass_secret_SOURCES = tests/unit/test_userpass_secret.c \
	tests/unit/userpass_samples.h tests/unit/unit.h
tests_unit_test_userpass_secret_LDADD = $(UNIT_AUTH)
endif
