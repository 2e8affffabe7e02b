/* SPDX-License-Identifier: ISC */
#include "tests/unit/gssapi_rig.h"

#define FIRST_SENT_BY_PEER UINT64_C(0xfffffffe) /* passes 2^32 soon */
#define FIRST_SENT_BY_GATEWAY UINT64_C(77)

static uint8_t plain_room[RIG_MESSAGE_MAX];

static const char *
word_at(const char *words, unsigned n)
{
    static char word[8][32]; /* a caller may hold several */
    const char *at = words;

    for (unsigned i = 0; i < n && at != NULL; i++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL || *at == '\0')
        return NULL;
    const size_t len = strcspn(at, " ");

    assert_true(n < SP_COUNT(word) && len < sizeof word[0]);
    memcpy(word[n], at, len);
    word[n][len] = '\0';
    return word[n];
}

static const char *
section_value(const void *ctx, const char *name, unsigned i)
{
    const struct rig_section *s = ctx;

    if (strcmp(name, "protection") == 0)
        return word_at(s->protection, i);
    if (strcmp(name, "nec") == 0)
        return i == 0 ? s->nec : NULL;
    fail_msg("nobody has an option %s", name);
    return NULL;
}

struct auth_config
rig_config(const struct rig_section *section)
{
    return (struct auth_config) { section, section_value };
}

static struct gssapi_context
rig_context(enum krb5msg_role role, int32_t enctype)
{
    const bool acceptor = role == KRB5MSG_ACCEPTOR;
    struct gssapi_context c = {
        .role = role,
        .acceptor_subkey = true,
        .enctype = enctype,
        .send_seq = acceptor ? FIRST_SENT_BY_GATEWAY : FIRST_SENT_BY_PEER,
        .recv_seq = acceptor ? FIRST_SENT_BY_PEER : FIRST_SENT_BY_GATEWAY,
        .key_len = krb5msg_key_len(enctype),
    };

    for (size_t i = 0; i < c.key_len; i++)
        c.key[i] = (uint8_t)(3 * i + 1);
    return c;
}

size_t
rig_blob(enum krb5msg_role role, int32_t enctype, uint8_t out[GSSAPI_BLOB_MAX])
{
    const struct gssapi_context c = rig_context(role, enctype);
    const size_t len = gssapi_blob_encode(&c, out, GSSAPI_BLOB_MAX);

    assert_true(len > 0);
    return len;
}

struct krb5msg *
rig_krb5msg(enum krb5msg_role role, int32_t enctype)
{
    const struct gssapi_context c = rig_context(role, enctype);
    const struct krb5msg_import import = {
        .enctype = enctype,
        .role = role,
        .acceptor_subkey = c.acceptor_subkey,
        .key = c.key,
        .key_len = c.key_len,
        .send_seq = c.send_seq,
        .recv_seq = c.recv_seq,
    };
    struct krb5msg *m = NULL;

    assert_int_equal(krb5msg_new(&import, &m), KRB5MSG_OK);
    return m;
}

void
rig_make(struct rig *r, int32_t enctype, const char *protection, bool nec)
{
    const struct rig_section section = { protection, nec ? "true" : "false" };
    const struct auth_config config = rig_config(&section);
    uint8_t blob[GSSAPI_BLOB_MAX];
    char error[128] = "";
    const char *word = NULL;

    memset(r, 0, sizeof *r);
    r->face = &auth_gssapi_protect;
    assert_int_equal(r->face->start(error, sizeof error), 0);
    r->terms = r->face->terms(&config, error, sizeof error);
    assert_non_null(r->terms);
    const size_t len = rig_blob(KRB5MSG_ACCEPTOR, enctype, blob);

    r->gateway = r->face->import(r->terms, blob, len, &word);
    assert_non_null(r->gateway);
    r->peer = rig_krb5msg(KRB5MSG_INITIATOR, enctype);
}

void
rig_free(struct rig *r)
{
    r->face->free(r->gateway);
    r->face->terms_free(r->terms);
    krb5msg_free(&r->peer);
}

void
rig_frame(struct rig *r, uint8_t mtyp, const void *token, size_t len)
{
    assert_true(len <= GSSAPI_TOKEN_MAX && r->len + GSSAPI_HEAD + len <= sizeof r->message);
    gssapi_frame_head(mtyp, len, r->message + r->len);
    memcpy(r->message + r->len + GSSAPI_HEAD, token, len);
    r->len += GSSAPI_HEAD + len;
}

void
rig_wrap(struct rig *r, uint8_t mtyp, bool conf, const void *plain, size_t len)
{
    uint8_t *token = r->message + r->len + GSSAPI_HEAD;
    const size_t head = krb5msg_header_len(r->peer, conf);
    size_t token_len;

    assert_true(r->len + GSSAPI_HEAD + head + len + KRB5MSG_TRAILER_MAX <= sizeof r->message);
    memmove(token + head, plain, len);
    assert_int_equal(krb5msg_wrap(r->peer, conf, token, len, &token_len), KRB5MSG_OK);
    gssapi_frame_head(mtyp, token_len, r->message + r->len);
    r->len += GSSAPI_HEAD + token_len;
}

void
rig_set(struct rig *r, const void *bytes, size_t len)
{
    assert_true(len <= sizeof r->message);
    memcpy(r->message, bytes, len);
    r->len = len;
}

void
rig_level(struct rig *r, uint8_t level)
{
    r->len = 0;
    rig_wrap(r, GSSAPI_LEVEL, false, &level, 1);
}

enum auth_frame
rig_agree(struct rig *r, size_t n)
{
    uint8_t *copy = unit_copy(r->message, n);

    r->agreement = (struct auth_agreement) {
        .used = 99,
        .done = true,
        .sealed = true,
        .answer = { r->answer_room, sizeof r->answer_room, 0 },
    };
    const enum auth_frame result = r->face->agree(r->gateway, copy, n, &r->agreement);

    free(copy);
    return result;
}

enum auth_frame
rig_open(struct rig *r, size_t n)
{
    uint8_t *copy = unit_copy(r->message, n);
    const enum auth_frame result = r->face->open(r->gateway, copy, n, &r->opened);

    if (result == AUTH_FRAME_READY) {
        assert_true(r->opened.used <= n);
        assert_true(r->opened.plain >= copy);
        assert_true(r->opened.plain + r->opened.plain_len <= copy + r->opened.used);
        memcpy(plain_room, r->opened.plain, r->opened.plain_len);
    } else {
        const size_t will_be = n < GSSAPI_HEAD ? 0 : GSSAPI_HEAD + 256U * r->message[2] + r->message[3];

        assert_int_equal(r->opened.used, result == AUTH_FRAME_MORE ? will_be : 0);
        assert_true(r->opened.plain == NULL && r->opened.plain_len == 0);
    }
    free(copy);
    return result;
}

const uint8_t *
rig_plain(void)
{
    return plain_room;
}

void
rig_drop(struct rig *r, size_t n)
{
    assert_true(n <= r->len);
    memmove(r->message, r->message + n, r->len - n);
    r->len -= n;
}

void
rig_agreed(struct rig *r, uint8_t level)
{
    struct krb5msg_plain plain;

    rig_level(r, level);
    assert_int_equal(rig_agree(r, r->len), AUTH_FRAME_READY);
    assert_int_equal(r->agreement.used, r->len);
    assert_true(r->agreement.answer.len > GSSAPI_HEAD);
    /* Read, so that the peer's run of numbers goes on. */
    assert_int_equal(krb5msg_unwrap(r->peer, r->answer_room + GSSAPI_HEAD,
                         r->agreement.answer.len - GSSAPI_HEAD, &plain), KRB5MSG_OK);
    assert_int_equal(plain.len, 1);
    assert_int_equal(plain.data[0], level);
    r->len = 0;
}
