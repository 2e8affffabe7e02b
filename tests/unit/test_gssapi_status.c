/* SPDX-License-Identifier: ISC */
/* auth/gssapi/gssapi_status.c: one word for each mistake, and never none. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <krb5/krb5.h>

#include "auth/gssapi/gssapi_status.h"

static const char *
reason(OM_uint32 major, krb5_error_code minor)
{
    return gssapi_status_reason(major, (OM_uint32)minor);
}

static void
test_minor_counts(void **state)
{
    (void)state;
    assert_string_equal(reason(GSS_S_FAILURE, KRB5KRB_AP_ERR_TKT_EXPIRED), "ticket-expired");
    assert_string_equal(reason(GSS_S_FAILURE, KRB5KRB_AP_ERR_TKT_NYV), "ticket-not-yet-valid");
    assert_string_equal(reason(GSS_S_FAILURE, KRB5KRB_AP_ERR_SKEW), "clock-skew");
    assert_string_equal(reason(GSS_S_DUPLICATE_TOKEN, KRB5KRB_AP_ERR_REPEAT), "replayed-token");
    assert_string_equal(reason(GSS_S_FAILURE, KRB5_KT_NOTFOUND), "key-not-found");
    assert_string_equal(reason(GSS_S_FAILURE, KRB5KRB_AP_WRONG_PRINC), "key-not-found");
    assert_string_equal(reason(GSS_S_FAILURE, KRB5_KT_KVNONOTFOUND), "key-version-not-found");
    assert_string_equal(reason(GSS_S_FAILURE, KRB5KRB_AP_ERR_BADKEYVER), "key-version-not-found");
    assert_string_equal(reason(GSS_S_FAILURE, KRB5_NOPERM_ETYPE), "enctype-not-allowed");
    assert_string_equal(reason(GSS_S_FAILURE, KRB5_RC_IO_PERM), "replay-cache-failed");
    assert_string_equal(reason(GSS_S_FAILURE, ENOMEM), "out-of-memory");
}

static void
test_major_alone(void **state)
{
    (void)state;
    assert_string_equal(reason(GSS_S_DEFECTIVE_TOKEN, 0), "malformed-token");
    assert_string_equal(reason(GSS_S_NO_CRED, 0), "wrong-mechanism");
    assert_string_equal(reason(GSS_S_BAD_BINDINGS, 0), "wrong-channel-binding");
    assert_string_equal(reason(GSS_S_CONTINUE_NEEDED, KRB5KRB_AP_ERR_MSG_TYPE), "malformed-token");
    for (OM_uint32 i = 0; i < 64; i++)
        assert_string_not_equal(reason(i << 16, 12345), "");
}

static void
test_text(void **state)
{
    char text[128];
    char little[12];

    (void)state;
    gssapi_status_text("Kerberos", GSS_S_NO_CRED, 0, text, sizeof text);
    assert_int_equal(strncmp(text, "Kerberos: ", 10), 0);
    assert_true(strlen(text) > 20);
    gssapi_status_text("Kerberos", GSS_S_NO_CRED, 0, little, sizeof little);
    assert_int_equal(strlen(little), sizeof little - 1);
    gssapi_status_text("Kerberos", GSS_S_NO_CRED, 0, little, 4);
    assert_string_equal(little, "Ker");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_minor_counts),
        cmocka_unit_test(test_major_alone),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
