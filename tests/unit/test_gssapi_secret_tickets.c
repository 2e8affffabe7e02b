/* SPDX-License-Identifier: ISC */
/*
 * auth/gssapi's secret face: tickets that no KDC of ours would write, encrypted here with the service's key, as a
 * KDC of a trusted realm, or whoever broke in there, could have them written.
 */
#include "tests/unit/gssapi_gate.h"

#include <gssapi/gssapi_krb5.h>
#include <krb5/krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/krb5_realm.h"

#define FLAGS                                                                                      \
    (GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_CONF_FLAG |               \
        GSS_C_INTEG_FLAG)

/* libkrb5 has these, and no header for them. */
extern krb5_error_code krb5_encrypt_tkt_part(krb5_context, const krb5_keyblock *, krb5_ticket *);
extern krb5_error_code encode_krb5_ticket(const krb5_ticket *, krb5_data **);

static struct realm realm;
static char keytab[512];
static char error[512];
static struct gate_result *result;
static krb5_context context;
static void *module;

/* What a ticket says. */
struct forged {
    const char *client;
    krb5_flags flags;
    long from, till;      /* seconds from now; 0: an hour */
    krb5_enctype session; /* 0: aes256-cts-hmac-sha1-96 */
    const char *transited;
};

static void
times_set(krb5_ticket_times *times, const struct forged *f)
{
    const time_t now = time(NULL);

    times->authtime = times->starttime = (krb5_timestamp)(now + f->from);
    times->endtime = (krb5_timestamp)(now + (f->till != 0 ? f->till : 3600));
}

/* The key that the service has in its keytab. */
static void
service_key(krb5_principal service, krb5_keytab_entry *out)
{
    krb5_keytab file;

    assert_int_equal(krb5_kt_resolve(context, keytab, &file), 0);
    assert_int_equal(krb5_kt_get_entry(context, file, service, 0, ENCTYPE_AES256_CTS_HMAC_SHA1_96, out), 0);
    assert_int_equal(krb5_kt_close(context, file), 0);
}

static krb5_data *
ticket_write(const struct forged *f, krb5_creds *creds)
{
    krb5_keytab_entry entry;
    krb5_data *bytes = NULL;
    krb5_enc_tkt_part part = { .flags = f->flags | TKT_FLG_INITIAL,
        .session = &creds->keyblock,
        .client = creds->client,
        .times = creds->times };
    krb5_ticket ticket = { .server = creds->server, .enc_part2 = &part };

    if (f->transited != NULL) {
        part.transited.tr_type = KRB5_DOMAIN_X500_COMPRESS;
        part.transited.tr_contents.length = (unsigned)strlen(f->transited);
        part.transited.tr_contents.data = (char *)(uintptr_t)f->transited;
    }
    service_key(creds->server, &entry);
    assert_int_equal(krb5_encrypt_tkt_part(context, &entry.key, &ticket), 0);
    ticket.enc_part.kvno = entry.vno;
    assert_int_equal(encode_krb5_ticket(&ticket, &bytes), 0);
    free(ticket.enc_part.ciphertext.data);
    krb5_free_keytab_entry_contents(context, &entry);
    return bytes;
}

static void
session_key(krb5_enctype enctype, krb5_keyblock *out)
{
    const bool small = enctype == ENCTYPE_AES128_CTS_HMAC_SHA1_96 ||
                       enctype == ENCTYPE_AES128_CTS_HMAC_SHA256_128;

    out->enctype = enctype;
    out->length = small ? 16 : 32;
    out->contents = malloc(out->length);
    assert_non_null(out->contents);
    memset(out->contents, 's', out->length);
}

/* Into the cache MEMORY:forged, where it looks like any ticket. */
static void
ticket_store(const struct forged *f)
{
    krb5_creds creds = { 0 };
    krb5_ccache cache;

    assert_int_equal(krb5_parse_name(context, f->client, &creds.client), 0);
    assert_int_equal(krb5_parse_name(context, "rcmd/gateway@SALLYPORT.TEST", &creds.server), 0);
    session_key(f->session != 0 ? f->session : ENCTYPE_AES256_CTS_HMAC_SHA1_96, &creds.keyblock);
    times_set(&creds.times, f);
    krb5_data *bytes = ticket_write(f, &creds);

    creds.ticket = *bytes;
    creds.times.starttime = creds.times.authtime = (krb5_timestamp)time(NULL);
    creds.times.endtime = (krb5_timestamp)(time(NULL) + 3600); /* what its owner believes */
    assert_int_equal(krb5_cc_resolve(context, "MEMORY:forged", &cache), 0);
    assert_int_equal(krb5_cc_initialize(context, cache, creds.client), 0);
    assert_int_equal(krb5_cc_store_cred(context, cache, &creds), 0);
    krb5_free_principal(context, creds.server);
    /* The name that libgssapi will look for in the cache: of no realm. */
    assert_int_equal(
        krb5_sname_to_principal(context, "gateway", "rcmd", KRB5_NT_SRV_HST, &creds.server), 0);
    assert_int_equal(krb5_cc_store_cred(context, cache, &creds), 0);
    assert_int_equal(krb5_cc_close(context, cache), 0);
    free(bytes);
    krb5_free_cred_contents(context, &creds);
}

static const char *
log_in(struct forged f)
{
    struct gate_client client = { .service = "rcmd@gateway", .mechanism = gss_mech_krb5,
        .flags = FLAGS };
    OM_uint32 minor;

    ticket_store(&f);
    gss_buffer_desc token = gate_client_step(&client, NULL, 0);

    assert_true(token.length > 0);
    gate_client_end(&client);
    gate_try(module, token.value, token.length, result);
    (void)gss_release_buffer(&minor, &token);
    assert_true((result->outcome == AUTH_SUCCESS) == (result->reason[0] == '\0'));
    assert_true((result->outcome == AUTH_SUCCESS) == (result->blob_len > 0));
    return result->reason;
}

/* ---- */

static void
test_ordinary(void **state)
{
    (void)state;
    assert_string_equal(log_in((struct forged) { .client = "alice@SALLYPORT.TEST" }), "");
    assert_string_equal(result->identity.user, "alice@SALLYPORT.TEST");
    assert_string_equal(result->identity.account, "alice");
}

static void
test_anonymous(void **state)
{
    (void)state;
    assert_string_equal(
        log_in((struct forged) { .client = "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS" }), "anonymous");
    assert_string_equal(
        log_in((struct forged) { .client = "WELLKNOWN/ANONYMOUS@SALLYPORT.TEST" }), "anonymous");
    assert_string_equal(
        log_in((struct forged) { .client = "WELLKNOWN/ANONYMOUS@OTHER.TEST" }), "anonymous");
}

static void
test_names_of_nobody(void **state)
{
    static const char *const names[] = { "root\\0x@SALLYPORT.TEST", "alice\\n@SALLYPORT.TEST",
        "alice\x1b[1m@SALLYPORT.TEST", "alice@EVIL\\@SALLYPORT.TEST", "alice@SALLYPORT.TEST\\0.EVIL" };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(names); i++) {
        assert_string_equal(log_in((struct forged) { .client = names[i] }), "bad-name");
        assert_string_equal(result->identity.user, "");
        assert_string_equal(result->identity.account, "");
    }
}

static void
test_long_name(void **state)
{
    char name[AUTH_NAME_MAX + 64];

    (void)state;
    memset(name, 'x', sizeof name);
    (void)snprintf(name + AUTH_NAME_MAX, sizeof name - AUTH_NAME_MAX, "@SALLYPORT.TEST");
    assert_string_equal(log_in((struct forged) { .client = name }), "name-too-long");
    assert_string_equal(result->identity.user, "");
}

/* What fails after the keys were exported: they do not stay behind. */
static void
test_long_account(void **state)
{
    static const uint8_t nothing[sizeof result->blob];
    char name[300];

    (void)state;
    memset(name, 'x', sizeof name);
    (void)snprintf(name + 280, sizeof name - 280, "@SALLYPORT.TEST");
    assert_string_equal(log_in((struct forged) { .client = name }), "account-name-too-long");
    assert_int_equal(result->outcome, AUTH_FAILURE);
    assert_string_equal(result->identity.user, name);
    assert_true(result->blob_len == 0 && result->answer_len == 0);
    assert_memory_equal(result->blob, nothing, sizeof nothing);
}

/* Somebody of another realm is himself, and nobody of ours. */
static void
test_another_realm(void **state)
{
    (void)state;
    assert_string_equal(log_in((struct forged) { .client = "root@OTHER.TEST" }), "");
    assert_string_equal(result->identity.user, "root@OTHER.TEST");
    assert_string_equal(result->identity.account, "");
    assert_int_equal(result->identity.groups_len, 0);
    assert_string_equal(log_in((struct forged) { .client = "alice\\@SALLYPORT.TEST@OTHER.TEST" }), "");
    assert_string_equal(result->identity.user, "alice\\@SALLYPORT.TEST@OTHER.TEST");
    assert_string_equal(result->identity.account, "");
    /* By way of a realm that is on no path between the two. */
    assert_string_not_equal(
        log_in((struct forged) { .client = "alice@OTHER.TEST", .transited = "EVIL.EXAMPLE" }), "");
}

static void
test_times_and_flags(void **state)
{
    (void)state;
    assert_string_equal(
        log_in((struct forged) { .client = "alice@SALLYPORT.TEST", .from = -7200, .till = -3600 }),
        "ticket-expired");
    assert_string_equal(
        log_in((struct forged) { .client = "alice@SALLYPORT.TEST", .from = -7200, .till = -10 }),
        "ticket-expired"); /* within the skew that libkrb5 grants */
    assert_string_equal(
        log_in((struct forged) { .client = "alice@SALLYPORT.TEST", .from = 1800, .till = 3600 }),
        "ticket-not-yet-valid");
    assert_string_equal(
        log_in((struct forged) { .client = "alice@SALLYPORT.TEST", .flags = TKT_FLG_INVALID }),
        "ticket-not-yet-valid");
}

static void
test_session_keys(void **state)
{
    static const krb5_enctype fine[] = { ENCTYPE_AES128_CTS_HMAC_SHA1_96,
        ENCTYPE_AES256_CTS_HMAC_SHA384_192, ENCTYPE_AES128_CTS_HMAC_SHA256_128 };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(fine); i++)
        assert_string_equal(
            log_in((struct forged) { .client = "alice@SALLYPORT.TEST", .session = fine[i] }), "");
    assert_string_equal(
        log_in((struct forged) { .client = "alice@SALLYPORT.TEST",
            .session = ENCTYPE_CAMELLIA256_CTS_CMAC }),
        "enctype-not-allowed");
}

static int
each_setup(void **state)
{
    (void)state;
    gate_reset();
    return 0;
}

static int
setup(void **state)
{
    (void)state;
    result = gate_result_new();
    if (!realm_start(&realm) || !realm_path(&realm, "keytab", keytab, sizeof keytab) ||
        krb5_init_context(&context) != 0 || setenv("KRB5CCNAME", "MEMORY:forged", 1) != 0)
        return -1;
    gate_reset();
    module = gate_open(keytab, error, sizeof error);
    return module != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    gate_close(module);
    krb5_free_context(context);
    realm_stop(&realm);
    gate_result_free(result);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_ordinary, each_setup),
        cmocka_unit_test_setup(test_anonymous, each_setup),
        cmocka_unit_test_setup(test_names_of_nobody, each_setup),
        cmocka_unit_test_setup(test_long_name, each_setup),
        cmocka_unit_test_setup(test_long_account, each_setup),
        cmocka_unit_test_setup(test_another_realm, each_setup),
        cmocka_unit_test_setup(test_times_and_flags, each_setup),
        cmocka_unit_test_setup(test_session_keys, each_setup),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
