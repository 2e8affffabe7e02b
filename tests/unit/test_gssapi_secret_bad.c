/* SPDX-License-Identifier: ISC */
/* auth/gssapi's secret face: what it refuses, and the word it has for each mistake. */
#include "tests/unit/gssapi_gate.h"

#include <dirent.h>
#include <fcntl.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/krb5_realm.h"

#define FLAGS                                                                                      \
    (GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_CONF_FLAG |               \
        GSS_C_INTEG_FLAG)
#define ENCTYPE_CAMELLIA256 26

static struct realm realm;
static char keytab[512];
static char error[512];
static struct gate_result *result;

static char spnego_bytes[] = "\x2b\x06\x01\x05\x05\x02";
static const gss_OID_desc spnego = { 6, spnego_bytes };

static struct gate_client
client_of(const char *service)
{
    return (struct gate_client) { .service = service, .mechanism = gss_mech_krb5, .flags = FLAGS };
}

static void
expect_failure(const char *reason)
{
    assert_string_equal(result->reason, reason);
    assert_int_equal(result->outcome, AUTH_FAILURE);
    assert_int_equal(result->answer_len, 0);
    assert_int_equal(result->blob_len, 0);
    assert_null(result->identity.groups);
}

/* The first token of the client; the context is gone. */
static gss_buffer_desc
token_of(struct gate_client client)
{
    const gss_buffer_desc token = gate_client_step(&client, NULL, 0);

    assert_true(token.length > 0);
    gate_client_end(&client);
    return token;
}

static void
expect_refused(void *m, struct gate_client client, const char *reason)
{
    OM_uint32 minor;
    gss_buffer_desc token = token_of(client);

    gate_try(m, token.value, token.length, result);
    expect_failure(reason);
    (void)gss_release_buffer(&minor, &token);
}

static void
expect_accepted(void *m, struct gate_client client)
{
    OM_uint32 minor;
    gss_buffer_desc token = token_of(client);

    gate_try(m, token.value, token.length, result);
    assert_string_equal(result->reason, "");
    assert_int_equal(result->outcome, AUTH_SUCCESS);
    (void)gss_release_buffer(&minor, &token);
}

/* VERB FILE REST */
static void
admin(const char *verb, const char *file, const char *rest)
{
    char query[1024];

    (void)snprintf(query, sizeof query, "%s %s %s", verb, file, rest);
    assert_true(realm_admin(&realm, query));
}

/* ---- tokens ---- */

static void
test_tokens_of_nothing(void **state)
{
    static const char *const junk[] = { "x", "NTLMSSP", "\x60", "\x60\x03\x06\x01\x2a",
        "\x60\x84\xff\xff\xff\xff\x06", "\xa0\x03\x30\x01\x02" };
    void *m = gate_open(keytab, error, sizeof error);

    (void)state;
    gate_try(m, "", 0, result);
    expect_failure("empty-token");
    for (size_t i = 0; i < SP_COUNT(junk); i++) {
        gate_try(m, junk[i], strlen(junk[i]), result);
        expect_failure(i == 3 ? "wrong-mechanism" : "malformed-token");
    }
    gate_close(m);
}

static void
test_truncated_and_changed(void **state)
{
    OM_uint32 minor;
    struct unit_random random = UNIT_RANDOM_INIT;
    void *m = gate_open(keytab, error, sizeof error);
    gss_buffer_desc token = token_of(client_of("rcmd@gateway"));
    uint8_t *bytes = token.value;
    unsigned accepted = 0;

    (void)state;
    for (size_t len = 0; len < token.length; len++) {
        gate_try(m, bytes, len, result);
        expect_failure(len == 0 ? "empty-token" : "malformed-token");
    }
    /* Some bits mean nothing, such as those of use-flags nobody reads: who comes in is who it was. One in
       twenty or thirty does; which, depends on the ticket. */
    for (size_t i = 0; i < 400; i++) {
        const size_t bit = unit_random(&random) % (token.length * 8);

        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        gate_try(m, bytes, token.length, result);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (result->outcome == AUTH_SUCCESS) {
            assert_string_equal(result->identity.user, "alice@SALLYPORT.TEST");
            accepted++;
            continue;
        }
        assert_int_equal(result->outcome, AUTH_FAILURE);
        assert_true(result->reason[0] != '\0' && result->answer_len == 0);
    }
    assert_true(accepted < 40);
    (void)gss_release_buffer(&minor, &token);
    gate_close(m);
}

static void
test_mechanisms(void **state)
{
    struct gate_client client = client_of("rcmd@gateway");

    (void)state;
    void *m = gate_open(keytab, error, sizeof error);

    client.mechanism = &spnego;
    expect_refused(m, client, "wrong-mechanism");
    gate_close(m);
    gate_section.mechanisms[0] = "spnego";
    m = gate_open(keytab, error, sizeof error);
    expect_refused(m, client_of("rcmd@gateway"), "wrong-mechanism");
    gate_close(m);
}

static void
test_flags(void **state)
{
    struct gate_client client = client_of("rcmd@gateway");
    void *m = gate_open(keytab, error, sizeof error);
    OM_uint32 minor;

    (void)state;
    client.flags = FLAGS | GSS_C_DCE_STYLE;
    gss_buffer_desc token = token_of(client);

    /* Such a token comes without the frame that names a mechanism. */
    gate_try(m, token.value, token.length, result);
    expect_failure("malformed-token");
    (void)gss_release_buffer(&minor, &token);
    gate_close(m);
}

static void
test_role_and_rounds(void **state)
{
    void *m = gate_open(keytab, error, sizeof error);
    struct gate_conversation c = gate_begin(m);

    (void)state;
    c.initiator = true;
    gate_step(&c, "x", 1, result);
    expect_failure("unsupported-role");
    c.initiator = false;
    for (unsigned i = 0; i < 8; i++)
        gate_step(&c, "x", 1, result);
    assert_string_not_equal(result->reason, "too-many-rounds");
    gate_step(&c, "x", 1, result);
    expect_failure("too-many-rounds");
    gate_end(&c);
    gate_close(m);
}

/* Whose binding the client's is compared with, and what comes of it. */
static void
expect_bound(void *m, const char *ours, const char *clients, const char *reason)
{
    OM_uint32 minor;
    struct gate_conversation c = gate_begin(m);
    struct gate_client client = client_of("rcmd@gateway");

    client.binding = clients;
    gss_buffer_desc token = token_of(client);

    c.binding = ours;
    gate_step(&c, token.value, token.length, result);
    assert_string_equal(result->reason, reason);
    assert_int_equal(result->outcome, reason[0] == '\0' ? AUTH_SUCCESS : AUTH_FAILURE);
    (void)gss_release_buffer(&minor, &token);
    gate_end(&c);
}

/* Where we have none the client's do not count; a client that sends none is fine. */
static void
test_bindings(void **state)
{
    static const char ours[] = "tls-server-end-point:x";
    void *m = gate_open(keytab, error, sizeof error);

    (void)state;
    expect_bound(m, ours, NULL, "");
    expect_bound(m, ours, ours, "");
    expect_bound(m, NULL, ours, "");
    expect_bound(m, ours, "tls-server-end-point:y", "wrong-channel-binding");
    gate_close(m);
}

static void
test_enctype(void **state)
{
    OM_uint32 minor;
    krb5_enctype camellia = ENCTYPE_CAMELLIA256;
    struct gate_client client = client_of("camellia@gateway");
    char path[512];

    (void)state;
    assert_true(realm_path(&realm, "camellia", path, sizeof path));
    admin("ktadd -norandkey -k", path, "rcmd/gateway camellia/gateway");
    gate_section.service[0] = NULL;
    void *m = gate_open(path, error, sizeof error);

    assert_string_equal(error, "");
    /* The service's key itself: the acceptor does not have it. */
    expect_refused(m, client, "key-not-found");
    /* The session's key alone. */
    assert_int_equal(gss_krb5_set_allowable_enctypes(&minor, realm.client, 1, &camellia), 0);
    client = client_of("rcmd@gateway");
    client.cred = realm.client;
    admin("setstr rcmd/gateway session_enctypes camellia256-cts-cmac", "", "");
    expect_refused(m, client, "enctype-not-allowed");
    admin("delstr rcmd/gateway session_enctypes", "", "");
    gate_close(m);
}

/* ---- replayed ---- */

static void
test_replayed(void **state)
{
    OM_uint32 minor;
    char folder[512];
    gss_buffer_desc token = token_of(client_of("rcmd@gateway"));

    (void)state;
    assert_true(realm_path(&realm, "rcache", folder, sizeof folder));
    gate_section.replay_cache = folder;
    assert_null(gate_open(keytab, error, sizeof error));
    assert_non_null(strstr(error, "replay-cache"));
    assert_int_equal(mkdir(folder, 0700), 0);

    void *m = gate_open(keytab, error, sizeof error);
    void *other = gate_open(keytab, error, sizeof error);

    gate_try(m, token.value, token.length, result);
    assert_int_equal(result->outcome, AUTH_SUCCESS);
    gate_try(m, token.value, token.length, result);
    expect_failure("replayed-token");
    /* Nor by another process or generation. */
    gate_try(other, token.value, token.length, result);
    expect_failure("replayed-token");
    expect_accepted(m, client_of("rcmd@gateway"));
    gate_close(other);
    (void)gss_release_buffer(&minor, &token);

    DIR *dir = opendir(folder);
    unsigned files = 0;

    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        if (e->d_name[0] != '.') {
            assert_int_equal(unlinkat(dirfd(dir), e->d_name, 0), 0);
            files++;
        }
    (void)closedir(dir);
    assert_int_equal(files, 1);
    assert_int_equal(rmdir(folder), 0);
    /* A cache that is gone protects nobody: no login without it. */
    expect_refused(m, client_of("rcmd@gateway"), "replay-cache-failed");
    gate_close(m);
}

static void
test_without_cache(void **state)
{
    OM_uint32 minor;
    void *m = gate_open(keytab, error, sizeof error);
    gss_buffer_desc token = token_of(client_of("rcmd@gateway"));

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        gate_try(m, token.value, token.length, result);
        assert_int_equal(result->outcome, AUTH_SUCCESS);
    }
    (void)gss_release_buffer(&minor, &token);
    gate_close(m);
}

/* ---- keys ---- */

static void
test_key_of_another(void **state)
{
    char path[512];

    (void)state;
    assert_true(realm_path(&realm, "socks-only", path, sizeof path));
    admin("ktadd -norandkey -k", path, "socks/gateway");
    void *m = gate_open(path, error, sizeof error);

    assert_string_equal(error, "");
    expect_refused(m, client_of("rcmd@gateway"), "key-not-found");
    expect_accepted(m, client_of("socks@gateway"));
    gate_close(m);
}

/* The last but one: it changes the key. Both versions work while both are there. */
static void
test_rotation(void **state)
{
    OM_uint32 minor;
    char both[512];
    gss_buffer_desc early = token_of(client_of("rcmd@gateway"));

    (void)state;
    assert_true(realm_path(&realm, "both", both, sizeof both));
    admin("cpw -randkey -keepold rcmd/gateway", "", "");
    admin("ktadd -norandkey -k", both, "rcmd/gateway");
    assert_true(realm_login("alice", "MEMORY:realm")); /* forget the old service ticket */
    gss_buffer_desc late = token_of(client_of("rcmd@gateway"));
    void *old_keys = gate_open(keytab, error, sizeof error);
    void *both_keys = gate_open(both, error, sizeof error);

    gate_try(old_keys, early.value, early.length, result);
    assert_int_equal(result->outcome, AUTH_SUCCESS);
    gate_try(old_keys, late.value, late.length, result);
    expect_failure("key-version-not-found");
    gate_try(both_keys, early.value, early.length, result);
    assert_int_equal(result->outcome, AUTH_SUCCESS);
    gate_try(both_keys, late.value, late.length, result);
    assert_int_equal(result->outcome, AUTH_SUCCESS);
    gate_close(old_keys);
    gate_close(both_keys);

    admin("ktremove -k", both, "rcmd/gateway old");
    void *new_keys = gate_open(both, error, sizeof error);

    gate_try(new_keys, early.value, early.length, result);
    expect_failure("key-version-not-found");
    gate_try(new_keys, late.value, late.length, result);
    assert_int_equal(result->outcome, AUTH_SUCCESS);
    gate_close(new_keys);
    (void)gss_release_buffer(&minor, &early);
    (void)gss_release_buffer(&minor, &late);
}

/* ---- time ---- */

/* A ticket of a second or two: when it has ended, so has the session; within the skew that libgssapi
   allows, too. */
static void
test_expired(void **state)
{
    OM_uint32 minor;
    const time_t start = time(NULL);
    void *m = gate_open(keytab, error, sizeof error);

    (void)state;
    assert_true(realm_login("mayfly", "MEMORY:mayfly"));
    assert_int_equal(setenv("KRB5CCNAME", "MEMORY:mayfly", 1), 0);
    gss_buffer_desc token = token_of(client_of("rcmd@gateway"));

    assert_int_equal(setenv("KRB5CCNAME", "MEMORY:realm", 1), 0);
    gate_section.end_with_ticket = false;
    gate_try(m, token.value, token.length, result);
    assert_int_equal(result->outcome, AUTH_SUCCESS);
    gate_section.end_with_ticket = true;
    do {
        (void)poll(NULL, 0, 20);
        gate_try(m, token.value, token.length, result);
    } while (result->outcome == AUTH_SUCCESS && time(NULL) < start + 20);
    expect_failure("ticket-expired");
    assert_string_equal(result->identity.user, "mayfly@SALLYPORT.TEST");
    (void)gss_release_buffer(&minor, &token);
    gate_close(m);
}

/* The offset to its KDC stands in a cache's header: format 05 04, then length, tag 1, length 8, and the
   seconds. */
static void
test_clock_skew(void **state)
{
    char path[512];
    char name[600];
    uint8_t header[16];
    void *m = gate_open(keytab, error, sizeof error);

    (void)state;
    assert_true(realm_path(&realm, "skewed", path, sizeof path));
    (void)snprintf(name, sizeof name, "FILE:%s", path);
    assert_true(realm_login("alice", name));
    assert_int_equal(setenv("KRB5CCNAME", name, 1), 0);
    expect_accepted(m, client_of("rcmd@gateway")); /* and the ticket is in the cache */
    const int fd = open(path, O_RDWR | O_CLOEXEC);

    assert_int_equal(pread(fd, header, sizeof header, 0), sizeof header);
    assert_memory_equal(header, "\x05\x04\x00\x0c\x00\x01\x00\x08", 8);
    assert_int_equal(pwrite(fd, "\x00\x00\x03\x84", 4, 8), 4); /* a quarter of an hour ahead */
    (void)close(fd);
    expect_refused(m, client_of("rcmd@gateway"), "clock-skew");
    assert_int_equal(setenv("KRB5CCNAME", "MEMORY:realm", 1), 0);
    gate_close(m);
}

/* ---- opening ---- */

static void
test_no_keytab(void **state)
{
    char path[512];

    (void)state;
    assert_null(gate_open("/nonexistent/keytab", error, sizeof error));
    assert_string_equal(error, "the keytab did not arrive");
    assert_true(realm_path(&realm, "krb5.conf", path, sizeof path));
    assert_null(gate_open(path, error, sizeof error));
    assert_non_null(strstr(error, "not a keytab"));
    gate_section.service[0] = "imap";
    gate_section.service[1] = NULL;
    assert_null(gate_open(keytab, error, sizeof error));
    assert_non_null(strstr(error, "no key for service imap"));
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
    if (!realm_start(&realm) || !realm_path(&realm, "keytab", keytab, sizeof keytab))
        return -1;
    (void)snprintf(query, sizeof query, "ktadd -norandkey -k %s socks/gateway", keytab);
    return realm_admin(&realm, "addprinc -randkey socks/gateway") &&
                   realm_admin(&realm,
                       "addprinc -randkey -e camellia256-cts-cmac:normal camellia/gateway") &&
                   realm_admin(&realm, "addprinc -maxlife \"2 seconds\" -pw mayfly mayfly") &&
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
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_tokens_of_nothing, each_setup),
        cmocka_unit_test_setup(test_truncated_and_changed, each_setup),
        cmocka_unit_test_setup(test_mechanisms, each_setup),
        cmocka_unit_test_setup(test_flags, each_setup),
        cmocka_unit_test_setup(test_role_and_rounds, each_setup),
        cmocka_unit_test_setup(test_bindings, each_setup),
        cmocka_unit_test_setup(test_enctype, each_setup),
        cmocka_unit_test_setup(test_replayed, each_setup),
        cmocka_unit_test_setup(test_without_cache, each_setup),
        cmocka_unit_test_setup(test_key_of_another, each_setup),
        cmocka_unit_test_setup(test_expired, each_setup),
        cmocka_unit_test_setup(test_clock_skew, each_setup),
        cmocka_unit_test_setup(test_no_keytab, each_setup),
        cmocka_unit_test_setup(test_rotation, each_setup),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
