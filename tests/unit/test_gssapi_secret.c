/* SPDX-License-Identifier: ISC */
/* auth/gssapi's secret face: logins that succeed, with a real KDC and libgssapi's clients. */
#include "tests/unit/gssapi_gate.h"

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5/krb5.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "auth/gssapi/gssapi_blob.h"
#include "auth/gssapi/gssapi_enctype.h"
#include "tests/unit/krb5_realm.h"

#define FLAGS                                                                                      \
    (GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_CONF_FLAG |               \
        GSS_C_INTEG_FLAG)

static struct realm realm;
static char keytab[512];
static char error[512];
static struct gate_result *result;

static char spnego_bytes[] = "\x2b\x06\x01\x05\x05\x02";
static const gss_OID_desc spnego = { 6, spnego_bytes };

/* What the client sends, the gateway opens, and the other way round. */
static void
expect_protected(struct gate_client *client)
{
    struct gssapi_context context;
    struct krb5msg *m = NULL;
    struct krb5msg_plain plain;
    OM_uint32 minor;
    int state = 0;
    gss_buffer_desc text = { 5, (void *)(uintptr_t) "hello" };
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    uint8_t room[128] = { 0 };
    size_t len = 0;

    assert_int_equal(gssapi_blob_decode(result->blob, result->blob_len, &context), 0);
    assert_int_equal(context.role, KRB5MSG_ACCEPTOR);
    const struct krb5msg_import import = { .enctype = context.enctype,
        .role = context.role,
        .acceptor_subkey = context.acceptor_subkey,
        .key = context.key,
        .key_len = context.key_len,
        .send_seq = context.send_seq,
        .recv_seq = context.recv_seq };

    assert_int_equal(krb5msg_new(&import, &m), KRB5MSG_OK);
    assert_int_equal(
        gss_wrap(&minor, client->context, 1, GSS_C_QOP_DEFAULT, &text, NULL, &token), 0);
    assert_int_equal(krb5msg_unwrap(m, token.value, token.length, &plain), KRB5MSG_OK);
    assert_true(plain.conf && plain.len == 5 && memcmp(plain.data, "hello", 5) == 0);
    (void)gss_release_buffer(&minor, &token);

    memcpy(room + krb5msg_header_len(m, true), "olleh", 5);
    assert_int_equal(krb5msg_wrap(m, true, room, 5, &len), KRB5MSG_OK);
    token = (gss_buffer_desc) { len, room };
    assert_int_equal(gss_unwrap(&minor, client->context, &token, &text, &state, NULL), 0);
    assert_true(state == 1 && text.length == 5 && memcmp(text.value, "olleh", 5) == 0);
    (void)gss_release_buffer(&minor, &text);
    krb5msg_free(&m);
}

static void
expect_success(const struct gate_client *client, const char *user, const char *mechanism)
{
    assert_string_equal(result->reason, "");
    assert_int_equal(result->outcome, AUTH_SUCCESS);
    assert_int_equal(client->major, GSS_S_COMPLETE);
    assert_string_equal(result->identity.user, user);
    assert_string_equal(result->identity.mechanism, mechanism);
}

static void
expect_login(void *module, struct gate_client client, const char *user, const char *mechanism)
{
    gate_login(module, &client, result);
    expect_success(&client, user, mechanism);
    expect_protected(&client);
    gate_client_end(&client);
}

/* Curl asks for no sequencing, others for no mutual authentication. */
static void
test_each_enctype(void **state)
{
    static const OM_uint32 flags[] = { FLAGS, FLAGS & ~(OM_uint32)GSS_C_MUTUAL_FLAG,
        GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG, 0 };
    void *m = gate_open(keytab, error, sizeof error);

    (void)state;
    assert_string_equal(error, "");
    for (size_t i = 0; i < GSSAPI_ENCTYPES; i++) {
        for (size_t f = 0; f < SP_COUNT(flags); f++) {
            OM_uint32 minor;
            krb5_enctype only = gssapi_enctypes[i];

            assert_int_equal(gss_krb5_set_allowable_enctypes(&minor, realm.client, 1, &only), 0);
            expect_login(m,
                (struct gate_client) { .cred = realm.client, .mechanism = gss_mech_krb5,
                    .service = "rcmd@gateway", .flags = flags[f] },
                "alice@SALLYPORT.TEST", "krb5");
            assert_string_equal(result->identity.enctype, gssapi_enctype_name(only));
            assert_string_equal(result->identity.account, "alice");
            assert_true(result->identity.end > time(NULL) &&
                        result->identity.end <= time(NULL) + 3600 + 1);
        }
    }
    gate_close(m);
}

static void
test_without_end(void **state)
{
    (void)state;
    gate_section.end_with_ticket = false;
    void *m = gate_open(keytab, error, sizeof error);

    expect_login(m,
        (struct gate_client) { .service = "rcmd@gateway", .mechanism = gss_mech_krb5,
            .flags = FLAGS },
        "alice@SALLYPORT.TEST", "krb5");
    assert_true(result->identity.end == 0);
    gate_close(m);
}

static void
test_spnego_listed(void **state)
{
    static const OM_uint32 flags[] = { FLAGS, FLAGS & ~(OM_uint32)GSS_C_MUTUAL_FLAG };

    (void)state;
    for (size_t both = 0; both < 2; both++) {
        gate_section.mechanisms[0] = "spnego";
        gate_section.mechanisms[1] = both != 0 ? "krb5" : NULL;
        void *m = gate_open(keytab, error, sizeof error);

        assert_string_equal(error, "");
        for (size_t f = 0; f < SP_COUNT(flags); f++)
            expect_login(m,
                (struct gate_client) { .service = "rcmd@gateway", .mechanism = &spnego,
                    .flags = flags[f] },
                "alice@SALLYPORT.TEST", "spnego");
        if (both != 0)
            expect_login(m,
                (struct gate_client) { .service = "rcmd@gateway", .mechanism = gss_mech_krb5,
                    .flags = FLAGS },
                "alice@SALLYPORT.TEST", "krb5");
        gate_close(m);
    }
}

/* The list that counts is the listener's, at the step. */
static void
test_services(void **state)
{
    struct gate_client client = { .mechanism = gss_mech_krb5, .flags = FLAGS };
    void *m = gate_open(keytab, error, sizeof error);

    (void)state;
    client.service = "socks@gateway";
    expect_login(m, client, "alice@SALLYPORT.TEST", "krb5");
    client.service = "host@gateway";
    gate_login(m, &client, result);
    gate_client_end(&client);
    assert_string_equal(result->reason, "wrong-service");
    assert_string_equal(result->identity.user, "alice@SALLYPORT.TEST");
    assert_true(result->answer_len == 0 && result->blob_len == 0);
    assert_string_equal(result->identity.mechanism, "");
    gate_section.service[0] = "host";
    gate_section.service[1] = NULL;
    expect_login(m, client, "alice@SALLYPORT.TEST", "krb5");
    gate_section.service[0] = NULL;
    expect_login(m, client, "alice@SALLYPORT.TEST", "krb5");
    gate_close(m);
}

static bool
has_group(const char *name)
{
    const uint8_t *at = result->groups;
    const uint8_t *end = at + result->identity.groups_len;

    for (; at < end; at += strlen((const char *)at) + 1)
        if (strcmp((const char *)at, name) == 0)
            return true;
    return false;
}

static void
login_as(void *m, const char *principal, const char *user)
{
    assert_true(realm_login(principal, "MEMORY:other"));
    assert_int_equal(setenv("KRB5CCNAME", "MEMORY:other", 1), 0);
    expect_login(m,
        (struct gate_client) { .service = "rcmd@gateway", .mechanism = gss_mech_krb5,
            .flags = FLAGS },
        user, "krb5");
    assert_int_equal(setenv("KRB5CCNAME", "MEMORY:realm", 1), 0);
}

static void
test_account_and_groups(void **state)
{
    void *m = gate_open(keytab, error, sizeof error);

    (void)state;
    login_as(m, "warden", "warden@SALLYPORT.TEST"); /* by a rule of krb5.conf */
    assert_string_equal(result->identity.account, "root");
    assert_true(has_group("root"));
    login_as(m, "alice/admin", "alice/admin@SALLYPORT.TEST"); /* which no rule fits */
    assert_string_equal(result->identity.account, "");
    assert_int_equal(result->identity.groups_len, 0);
    login_as(m, "nobody-at-all", "nobody-at-all@SALLYPORT.TEST"); /* no such account */
    assert_string_equal(result->identity.account, "nobody-at-all");
    assert_int_equal(result->identity.groups_len, 0);
    gate_close(m);
}

/* What the acceptor asks libgssapi for; the linker puts this before its own. */
OM_uint32 __real_gss_accept_sec_context(OM_uint32 *minor, gss_ctx_id_t *context, gss_cred_id_t cred,
    gss_buffer_t token, gss_channel_bindings_t bindings, gss_name_t *name, gss_OID *mechanism,
    gss_buffer_t answer, OM_uint32 *flags, OM_uint32 *lifetime, gss_cred_id_t *delegated);
OM_uint32 __wrap_gss_accept_sec_context(OM_uint32 *minor, gss_ctx_id_t *context, gss_cred_id_t cred,
    gss_buffer_t token, gss_channel_bindings_t bindings, gss_name_t *name, gss_OID *mechanism,
    gss_buffer_t answer, OM_uint32 *flags, OM_uint32 *lifetime, gss_cred_id_t *delegated);

static unsigned accepts;

OM_uint32
__wrap_gss_accept_sec_context(OM_uint32 *minor, gss_ctx_id_t *context, gss_cred_id_t cred,
    gss_buffer_t token, gss_channel_bindings_t bindings, gss_name_t *name, gss_OID *mechanism,
    gss_buffer_t answer, OM_uint32 *flags, OM_uint32 *lifetime, gss_cred_id_t *delegated)
{
    accepts++;
    assert_null(delegated); /* so libgssapi throws away what came */
    return __real_gss_accept_sec_context(minor, context, cred, token, bindings, name, mechanism,
        answer, flags, lifetime, delegated);
}

static void
test_delegation_is_dropped(void **state)
{
    void *m = gate_open(keytab, error, sizeof error);
    struct gate_client client = { .service = "rcmd@gateway", .mechanism = gss_mech_krb5,
        .flags = FLAGS | GSS_C_DELEG_FLAG };

    (void)state;
    /* With a forwardable ticket the token carries another ticket: it is longer. */
    gss_buffer_desc with = gate_client_step(&client, NULL, 0);
    gate_client_end(&client);
    client.flags = FLAGS;
    gss_buffer_desc without = gate_client_step(&client, NULL, 0);
    gate_client_end(&client);
    assert_true(with.length > without.length + 500);
    OM_uint32 minor;
    (void)gss_release_buffer(&minor, &with);
    (void)gss_release_buffer(&minor, &without);
    client.flags = FLAGS | GSS_C_DELEG_FLAG;
    accepts = 0;
    expect_login(m, client, "alice@SALLYPORT.TEST", "krb5");
    assert_int_equal(accepts, 1);
    gate_close(m);
}

/* A service ticket with so many bytes of authorization data, as users in many groups have them. */
static void
login_with_data(const char *ccache, unsigned size)
{
    static krb5_octet bytes[60000];
    krb5_authdata inner = { .ad_type = -7, .length = size, .contents = bytes };
    krb5_authdata *list[] = { &inner, NULL };
    krb5_authdata **container = NULL;
    krb5_creds wanted = { 0 };
    krb5_creds *got = NULL;
    krb5_context context;
    krb5_ccache cache;

    assert_true(size <= sizeof bytes && realm_login("alice", ccache));
    assert_int_equal(krb5_init_context(&context), 0);
    assert_int_equal(krb5_cc_resolve(context, ccache, &cache), 0);
    assert_int_equal(krb5_cc_get_principal(context, cache, &wanted.client), 0);
    /* The name that libgssapi will look for in the cache: of no realm. */
    assert_int_equal(
        krb5_sname_to_principal(context, "gateway", "rcmd", KRB5_NT_SRV_HST, &wanted.server), 0);
    assert_int_equal(
        krb5_encode_authdata_container(context, KRB5_AUTHDATA_IF_RELEVANT, list, &container), 0);
    wanted.authdata = container;
    assert_int_equal(krb5_get_credentials(context, 0, cache, &wanted, &got), 0);
    /* In the cache it must look like a ticket nobody asked anything special for. */
    krb5_free_authdata(context, got->authdata);
    got->authdata = NULL;
    assert_int_equal(krb5_cc_store_cred(context, cache, got), 0);
    krb5_free_creds(context, got);
    krb5_free_cred_contents(context, &wanted);
    assert_int_equal(krb5_cc_close(context, cache), 0);
    krb5_free_context(context);
}

static void
test_large_token(void **state)
{
    struct gate_client client = { .service = "rcmd@gateway", .mechanism = gss_mech_krb5,
        .flags = FLAGS };
    void *m = gate_open(keytab, error, sizeof error);
    OM_uint32 minor;

    (void)state;
    login_with_data("MEMORY:large", 60000);
    assert_int_equal(setenv("KRB5CCNAME", "MEMORY:large", 1), 0);
    gss_buffer_desc token = gate_client_step(&client, NULL, 0);

    assert_true(token.length > 60000 && token.length < 65536);
    gate_client_end(&client);
    (void)gss_release_buffer(&minor, &token);
    expect_login(m, client, "alice@SALLYPORT.TEST", "krb5");
    assert_int_equal(setenv("KRB5CCNAME", "MEMORY:realm", 1), 0);
    gate_close(m);
}

/* As the auth process has it: another user, not dumpable, the master's sealed copy. */
static void
test_unprivileged(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("dropping privileges needs root: not tested\n");
        skip();
    }
    assert_int_equal(chmod(realm.folder, 0755), 0);
    const pid_t pid = fork();

    if (pid == 0) {
        struct gate_client client = { .service = "rcmd@gateway", .mechanism = gss_mech_krb5,
            .flags = FLAGS };
        const gss_buffer_desc token = gate_client_step(&client, NULL, 0);
        int file = -1;
        char path[64];

        /* Open before the drop, as the broker does. */
        file = fileno(fopen(keytab, "re"));
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
        void *m = gate_open(path, error, sizeof error);

        if (m == NULL || setgid(65534) != 0 || setuid(65534) != 0 ||
            prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
            _exit(2);
        gate_try(m, token.value, token.length, result);
        _exit(result->outcome == AUTH_SUCCESS ? 0 : 1);
    }
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* The last one: nothing of this asks a KDC. */
static void
test_kdc_down(void **state)
{
    void *m;

    (void)state;
    realm_end_kdc(&realm);
    m = gate_open(keytab, error, sizeof error);
    assert_non_null(m);
    expect_login(m,
        (struct gate_client) { .service = "rcmd@gateway", .mechanism = gss_mech_krb5,
            .flags = FLAGS },
        "alice@SALLYPORT.TEST", "krb5");
    gate_close(m);
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
    char query[600];

    (void)state;
    result = gate_result_new();
    if (!realm_start(&realm) || !krb5msg_start() ||
        !realm_path(&realm, "keytab", keytab, sizeof keytab))
        return -1;
    (void)snprintf(query, sizeof query, "ktadd -norandkey -k %s socks/gateway host/gateway", keytab);
    return realm_admin(&realm, "addprinc -randkey socks/gateway") &&
                   realm_admin(&realm, "addprinc -randkey host/gateway") &&
                   realm_admin(&realm, "addprinc -pw warden warden") &&
                   realm_admin(&realm, "addprinc -pw alice/admin alice/admin") &&
                   realm_admin(&realm, "addprinc -pw nobody-at-all nobody-at-all") &&
                   realm_admin(&realm, query) && realm_login("alice", "MEMORY:realm")
               ? 0
               : -1;
}

static int
teardown(void **state)
{
    (void)state;
    realm_stop(&realm);
    gate_result_free(result);
    krb5msg_end();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_each_enctype, each_setup),
        cmocka_unit_test_setup(test_without_end, each_setup),
        cmocka_unit_test_setup(test_spnego_listed, each_setup),
        cmocka_unit_test_setup(test_services, each_setup),
        cmocka_unit_test_setup(test_account_and_groups, each_setup),
        cmocka_unit_test_setup(test_delegation_is_dropped, each_setup),
        cmocka_unit_test_setup(test_large_token, each_setup),
        cmocka_unit_test_setup(test_unprivileged, each_setup),
        cmocka_unit_test_setup(test_kdc_down, each_setup),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
