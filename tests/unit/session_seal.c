/* SPDX-License-Identifier: ISC */
/* A client of method gssapi without a KDC; see session_seal.h. */
#include "tests/unit/session_seal.h"

#include "lib/base/fd.h"

#include <unistd.h>

#define SEND_SEQ 1000
#define RECV_SEQ 77

static const uint8_t key[32] = "0123456789abcdefghijklmnopqrstuv";

static void
client_context(struct seal *c)
{
    const struct krb5msg_import import = { .enctype = KRB5MSG_AES256_SHA1, .role = KRB5MSG_INITIATOR,
        .acceptor_subkey = true, .key = key, .key_len = sizeof key, .send_seq = SEND_SEQ,
        .recv_seq = RECV_SEQ };

    assert_int_equal(krb5msg_new(&import, &c->m), KRB5MSG_OK);
}

struct conversation_result
seal_success(uint8_t blob[GSSAPI_BLOB_MAX])
{
    struct gssapi_context context = { .role = KRB5MSG_ACCEPTOR, .acceptor_subkey = true,
        .enctype = KRB5MSG_AES256_SHA1, .send_seq = RECV_SEQ, .recv_seq = SEND_SEQ,
        .key_len = sizeof key };

    memcpy(context.key, key, sizeof key);
    struct conversation_result result = { .outcome = AUTH_SUCCESS, .user = SEAL_USER,
        .mechanism = "krb5", .enctype = "aes256-cts-hmac-sha1-96", .account = "alice",
        .reason = "", .protect = blob,
        .protect_len = gssapi_blob_encode(&context, blob, GSSAPI_BLOB_MAX) };

    assert_true(result.protect_len > 0);
    return result;
}

void
seal_begin(struct seal *c, uint16_t listener)
{
    memset(c, 0, sizeof *c);
    client_context(c);
    c->fd = session_rig_client(listener, &c->id);
    seal_bytes(c, "\x05\x01\x01", 3);
    seal_bytes(c, SEAL_TOKEN, SEAL_TOKEN_SIZE);
}

void
seal_answer(const struct conversation_result *result)
{
    uint8_t token[64];
    size_t len = sizeof token;
    int pool = session_rig_pool_open(1, token, &len);

    assert_int_equal(len, SEAL_TOKEN_SIZE - 4);
    assert_memory_equal(token, &SEAL_TOKEN[4], len);
    session_rig_pool_result(pool, result);
    fd_close(&pool);
}

void
seal_login(struct seal *c, uint16_t listener)
{
    uint8_t blob[GSSAPI_BLOB_MAX], got[6];
    struct conversation_result result = seal_success(blob);

    seal_begin(c, listener);
    seal_send(c);
    seal_answer(&result);
    seal_read(c, got, 6);
    assert_memory_equal(got, "\x05\x01\x01\x01\x00\x00", 6);
}

void
seal_end(struct seal *c)
{
    fd_close(&c->fd);
    krb5msg_free(&c->m);
}

/* ---- sending ---- */

void
seal_bytes(struct seal *c, const void *data, size_t len)
{
    assert_true(len <= sizeof c->out - c->len);
    memcpy(c->out + c->len, data, len);
    c->len += len;
}

void
seal_message(struct seal *c, uint8_t mtyp, bool conf, const void *plain, size_t len)
{
    size_t head = krb5msg_header_len(c->m, conf), token = 0;
    uint8_t *at = c->out + c->len;

    assert_true(4 + head + len + krb5msg_trailer_len(c->m, conf) <= sizeof c->out - c->len);
    memcpy(at + 4 + head, plain, len);
    assert_int_equal(krb5msg_wrap(c->m, conf, at + 4, len, &token), KRB5MSG_OK);
    at[0] = 1;
    at[1] = mtyp;
    at[2] = (uint8_t)(token >> 8);
    at[3] = (uint8_t)token;
    c->len += 4 + token;
}

void
seal_level(struct seal *c, uint8_t level)
{
    seal_message(c, 2, false, &level, 1);
}

size_t
seal_request_bytes(uint8_t host, uint8_t out[10])
{
    const uint8_t request[10] = { 5, 1, 0, 1, 127, 0, 0, host, (uint8_t)(rig.port >> 8),
        (uint8_t)rig.port };

    memcpy(out, request, sizeof request);
    return sizeof request;
}

void
seal_request(struct seal *c, bool conf, uint8_t host)
{
    uint8_t request[10];

    seal_message(c, 3, conf, request, seal_request_bytes(host, request));
}

void
seal_send(struct seal *c)
{
    if (!c->bytewise)
        session_rig_send(c->fd, c->out, c->len);
    for (size_t i = 0; c->bytewise && i < c->len; i++) {
        session_rig_send(c->fd, c->out + i, 1);
        session_rig_turns(1);
    }
    c->sent += c->len;
    c->len = 0;
}

/* ---- reading ---- */

void
seal_read(struct seal *c, void *out, size_t len)
{
    session_rig_read(c->fd, out, len);
    c->received += len;
}

size_t
seal_read_message(struct seal *c, uint8_t mtyp, uint8_t *plain, size_t size, bool *conf)
{
    static uint8_t token[65536];
    struct krb5msg_plain found;
    uint8_t head[4];

    seal_read(c, head, sizeof head);
    assert_int_equal(head[0], 1);
    assert_int_equal(head[1], mtyp);
    size_t len = (size_t)head[2] << 8 | head[3];

    seal_read(c, token, len);
    assert_int_equal(krb5msg_unwrap(c->m, token, len, &found), KRB5MSG_OK);
    assert_true(found.len <= size);
    memcpy(plain, found.data, found.len);
    *conf = found.conf;
    return found.len;
}

void
seal_read_level(struct seal *c, uint8_t level)
{
    uint8_t octet;
    bool conf;

    assert_int_equal(seal_read_message(c, 2, &octet, 1, &conf), 1);
    assert_int_equal(octet, level);
    assert_false(conf);
}

void
seal_read_reply(struct seal *c, uint8_t code)
{
    uint8_t reply[64];
    bool conf;

    assert_true(seal_read_message(c, 3, reply, sizeof reply, &conf) >= 10);
    assert_int_equal(reply[0], 5);
    assert_int_equal(reply[1], code);
}

void
seal_read_refusal(struct seal *c)
{
    uint8_t got[2];

    seal_read(c, got, 2);
    assert_memory_equal(got, "\x01\xFF", 2);
    session_rig_read_end(c->fd);
}

/* ---- setup, records ---- */

int
seal_setup(void **state)
{
    (void)state;
    session_rig_begin(SEAL_CONFIG("negotiate = 30", SEAL_ALL_LEVELS, SEAL_RULES));
    rig.host.all_events = true;
    return 0;
}

int
seal_setup_short(void **state)
{
    (void)state;
    session_rig_begin(SEAL_CONFIG("negotiate = 1", SEAL_ALL_LEVELS, SEAL_RULES));
    return 0;
}

struct session_closing
seal_expect(const struct seal *client, enum event_id event, const char *reason, const char *detail)
{
    struct session_closing c = session_rig_expect(client->id, event, reason);

    assert_string_equal(c.detail, detail);
    assert_string_equal(c.user, SEAL_USER);
    assert_string_equal(c.mechanism, "krb5");
    assert_string_equal(c.enctype, "aes256-cts-hmac-sha1-96");
    assert_string_equal(c.claimed, "");
    for (size_t i = 0; i < CONVERSATION_MAX; i++) /* the blob is not left behind */
        assert_int_equal(rig.link.receiving[i], 0);
    return c;
}
