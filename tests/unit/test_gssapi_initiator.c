/* SPDX-License-Identifier: ISC */
/* auth/gssapi/gssapi_initiator.c: against our acceptor, and what a person is told. */
#include "tests/unit/gssapi_gate.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "auth/gssapi/gssapi_blob.h"
#include "auth/gssapi/gssapi_initiator.h"
#include "tests/unit/krb5_realm.h"

static struct realm realm;
static char keytab[512];
static char error[512];

static struct krb5msg *
import(const uint8_t *blob, size_t len, enum krb5msg_role role)
{
    struct gssapi_context context;
    struct krb5msg *m = NULL;

    assert_int_equal(gssapi_blob_decode(blob, len, &context), 0);
    assert_int_equal(context.role, role);
    const struct krb5msg_import in = { .enctype = context.enctype,
        .role = context.role,
        .acceptor_subkey = context.acceptor_subkey,
        .key = context.key,
        .key_len = context.key_len,
        .send_seq = context.send_seq,
        .recv_seq = context.recv_seq };

    assert_int_equal(krb5msg_new(&in, &m), KRB5MSG_OK);
    return m;
}

static void
send_one(struct krb5msg *from, struct krb5msg *to)
{
    uint8_t room[128] = { 0 };
    struct krb5msg_plain plain;
    size_t len = 0;

    memcpy(room + krb5msg_header_len(from, true), "hello", 5);
    assert_int_equal(krb5msg_wrap(from, true, room, 5, &len), KRB5MSG_OK);
    assert_int_equal(krb5msg_unwrap(to, room, len, &plain), KRB5MSG_OK);
    assert_true(plain.conf && plain.len == 5 && memcmp(plain.data, "hello", 5) == 0);
}

static void
test_login(void **state)
{
    const void *token;
    size_t len;
    uint8_t blob[GSSAPI_BLOB_MAX];
    struct gate_result *result = gate_result_new();
    void *module = gate_open(keytab, error, sizeof error);
    struct gssapi_initiator *i = gssapi_initiator_new("rcmd", "gateway", error, sizeof error);

    (void)state;
    assert_non_null(i);
    assert_int_equal(gssapi_initiator_export(i, blob, sizeof blob, error, sizeof error), 0);
    assert_int_equal(gssapi_initiator_step(i, NULL, 0, &token, &len, error, sizeof error), 0);
    gate_try(module, token, len, result);
    assert_int_equal(result->outcome, AUTH_SUCCESS);
    assert_int_equal(gssapi_initiator_step(i, result->answer, result->answer_len, &token, &len, error,
                         sizeof error),
        1);
    assert_int_equal(len, 0);
    len = gssapi_initiator_export(i, blob, sizeof blob, error, sizeof error);
    assert_true(len > 0);
    gssapi_initiator_free(&i);
    assert_null(i);

    struct krb5msg *ours = import(blob, len, KRB5MSG_INITIATOR);
    struct krb5msg *theirs = import(result->blob, result->blob_len, KRB5MSG_ACCEPTOR);

    for (unsigned n = 0; n < 3; n++) {
        send_one(ours, theirs);
        send_one(theirs, ours);
    }
    krb5msg_free(&ours);
    krb5msg_free(&theirs);
    gate_close(module);
    gate_result_free(result);
}

static void
test_wrong_answers(void **state)
{
    const void *token;
    size_t len;
    uint8_t blob[GSSAPI_BLOB_MAX];

    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        struct gssapi_initiator *i = gssapi_initiator_new("rcmd", "gateway", error, sizeof error);

        assert_int_equal(gssapi_initiator_step(i, NULL, 0, &token, &len, error, sizeof error), 0);
        /* Nonsense, and the end without a token: who answers did not prove anything. */
        assert_int_equal(
            gssapi_initiator_step(i, "nonsense", n == 0 ? 8 : 0, &token, &len, error, sizeof error),
            -1);
        assert_string_equal(error, "the gateway answered with a token that makes no sense");
        assert_int_equal(gssapi_initiator_export(i, blob, sizeof blob, error, sizeof error), 0);
        assert_string_equal(error, "the Kerberos session cannot be used: not established");
        gssapi_initiator_free(&i);
    }
}

static void
expect_text(const char *service, const char *host, const char *text)
{
    const void *token;
    size_t len;
    struct gssapi_initiator *i = gssapi_initiator_new(service, host, error, sizeof error);

    if (i != NULL) {
        assert_int_equal(gssapi_initiator_step(i, NULL, 0, &token, &len, error, sizeof error), -1);
        assert_null(token);
    }
    assert_string_equal(error, text);
    gssapi_initiator_free(&i);
}

static void
test_texts(void **state)
{
    const time_t start = time(NULL);

    (void)state;
    expect_text("imap", "gateway",
        "the KDC knows no service imap@gateway: is the gateway's name right, and does it have a "
        "keytab?");
    expect_text("", "gateway", "\"@gateway\" names no service");
    assert_int_equal(setenv("KRB5CCNAME", "MEMORY:nothing", 1), 0);
    expect_text("rcmd", "gateway", "no Kerberos ticket: run kinit");
    assert_int_equal(setenv("KRB5CCNAME", "FILE:/nonexistent/cache", 1), 0);
    expect_text("rcmd", "gateway", "no Kerberos ticket: run kinit");
    assert_true(realm_login("mayfly", "MEMORY:mayfly"));
    assert_int_equal(setenv("KRB5CCNAME", "MEMORY:mayfly", 1), 0);
    while (time(NULL) < start + 3)
        (void)poll(NULL, 0, 50);
    expect_text("rcmd", "gateway", "the Kerberos ticket has expired: run kinit");
    assert_int_equal(setenv("KRB5CCNAME", "MEMORY:realm", 1), 0);
    realm_end_kdc(&realm);
    expect_text("socks", "gateway",
        "no KDC of the realm can be reached: see krb5.conf and the network");
}

static int
setup(void **state)
{
    (void)state;
    gate_reset();
    return realm_start(&realm) && krb5msg_start() &&
                   realm_path(&realm, "keytab", keytab, sizeof keytab) &&
                   realm_admin(&realm, "addprinc -maxlife \"1 second\" -pw mayfly mayfly") &&
                   realm_login("alice", "MEMORY:realm")
               ? 0
               : -1;
}

static int
teardown(void **state)
{
    (void)state;
    realm_stop(&realm);
    krb5msg_end();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login),
        cmocka_unit_test(test_wrong_answers),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
