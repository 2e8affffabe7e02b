/* SPDX-License-Identifier: ISC */
/*
 * The gateway's protect face: a client's bytes after the login, from the level on. The first octet
 * chooses the list of levels, NEC's form and the enctype; then come parts, each with an octet for what
 * it is and one for its length: raw bytes, or a plaintext that the client wraps itself, so that what
 * lies behind a good checksum is reached too.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "auth/gssapi/gssapi_blob.h"
#include "auth/gssapi/gssapi_frame.h"
#include "auth/gssapi/gssapi_protect.h"
#include "lib/base/cursor.h"

#define FUZZ_NEC 0x04  /* of the first octet; the two lowest bits are the enctype */
#define FUZZ_LIST 0x38 /* which of the lists */

#define FUZZ_RAW 0x80  /* of a part: bytes as they are */
#define FUZZ_CONF 0x40
#define FUZZ_DATA 0x20 /* MTYP 03, else 02 */

#define FUZZ_STREAM 8192U

static const char *const lists[8][5] = {
    { "none" },
    { "integrity" },
    { "confidentiality" },
    { "selective" },
    { "confidentiality", "integrity" },
    { "none", "confidentiality" },
    { "selective", "integrity" },
    { "integrity", "confidentiality", "selective", "none" },
};

struct fuzz {
    const struct auth_protect_module *face;
    uint8_t choice;
    void *terms;
    void *gateway;
    struct krb5msg *client;
    uint8_t stream[FUZZ_STREAM];
    size_t len;
};

static const char *
fuzz_value(const void *ctx, const char *name, unsigned i)
{
    const struct fuzz *f = ctx;

    if (strcmp(name, "nec") == 0)
        return i > 0 ? NULL : (f->choice & FUZZ_NEC) != 0 ? "true" : "false";
    return i < 5 ? lists[(f->choice & FUZZ_LIST) >> 3][i] : NULL;
}

static void
fuzz_make(struct fuzz *f, uint8_t choice)
{
    const struct auth_config config = { f, fuzz_value };
    const int32_t enctype = KRB5MSG_AES128_SHA1 + (choice & 3);
    struct gssapi_context c = { .role = KRB5MSG_ACCEPTOR, .enctype = enctype };
    struct krb5msg_import import = { .enctype = enctype, .role = KRB5MSG_INITIATOR };
    uint8_t blob[GSSAPI_BLOB_MAX];
    char error[128];
    const char *word;

    memset(f, 0, sizeof *f);
    f->face = &auth_gssapi_protect;
    f->choice = choice;
    c.key_len = import.key_len = krb5msg_key_len(enctype);
    import.key = c.key;
    FUZZ_ASSERT(f->face->start(error, sizeof error) == 0);
    f->terms = f->face->terms(&config, error, sizeof error);
    FUZZ_ASSERT(f->terms != NULL);
    f->gateway = f->face->import(f->terms, blob, gssapi_blob_encode(&c, blob, sizeof blob), &word);
    FUZZ_ASSERT(f->gateway != NULL);
    FUZZ_ASSERT(krb5msg_new(&import, &f->client) == KRB5MSG_OK);
}

static void
fuzz_wrap(struct fuzz *f, uint8_t kind, const uint8_t *plain, size_t len)
{
    const bool conf = (kind & FUZZ_CONF) != 0;
    uint8_t *token = f->stream + f->len + GSSAPI_HEAD;
    size_t token_len;

    memcpy(token + krb5msg_header_len(f->client, conf), plain, len);
    FUZZ_ASSERT(krb5msg_wrap(f->client, conf, token, len, &token_len) == KRB5MSG_OK);
    gssapi_frame_head((kind & FUZZ_DATA) != 0 ? GSSAPI_DATA : GSSAPI_LEVEL, token_len,
        f->stream + f->len);
    f->len += GSSAPI_HEAD + token_len;
}

static void
fuzz_stream(struct fuzz *f, const uint8_t *data, size_t size)
{
    struct cursor c = cursor_init(data, size);
    const size_t around = GSSAPI_HEAD + KRB5MSG_HEADER_MAX + KRB5MSG_TRAILER_MAX;

    while (cursor_left(&c) > 0) {
        const uint8_t kind = cursor_u8(&c);
        const size_t wanted = cursor_u8(&c);
        const size_t len = wanted < cursor_left(&c) ? wanted : cursor_left(&c);
        const uint8_t *bytes = cursor_bytes(&c, len);

        if (bytes == NULL || f->len + around + len > sizeof f->stream)
            return;
        if ((kind & FUZZ_RAW) == 0) {
            fuzz_wrap(f, kind, bytes, len);
        } else {
            memcpy(f->stream + f->len, bytes, len);
            f->len += len;
        }
    }
}

/* A copy of exactly what is left, as open() and agree() write into it. */
static uint8_t *
fuzz_rest(const struct fuzz *f, size_t at)
{
    uint8_t *copy = malloc(f->len > at ? f->len - at : 1);

    FUZZ_ASSERT(copy != NULL);
    memcpy(copy, f->stream + at, f->len - at);
    return copy;
}

/* Agrees as a worker does. True: sealed from *at on. */
static bool
fuzz_agree(struct fuzz *f, size_t *at)
{
    uint8_t room[AUTH_AGREE_ROOM];
    struct auth_agreement a = { .done = false };
    enum auth_frame result = AUTH_FRAME_READY;

    for (unsigned round = 0; result == AUTH_FRAME_READY && !a.done; round++) {
        uint8_t *copy = fuzz_rest(f, *at);

        FUZZ_ASSERT(round < 2);
        a.answer = (struct auth_out) { room, sizeof room, 0 };
        result = f->face->agree(f->gateway, copy, f->len - *at, &a);
        FUZZ_ASSERT((result == AUTH_FRAME_BAD) == (a.error != NULL));
        FUZZ_ASSERT(result == AUTH_FRAME_READY || (a.used == 0 && !a.done && a.answer.len == 0));
        FUZZ_ASSERT(a.used <= f->len - *at && a.answer.len <= sizeof room);
        *at += a.used;
        free(copy);
    }
    FUZZ_ASSERT(!a.done || a.sealed == (f->face->level(f->gateway) != AUTH_PROTECTION_NONE));
    return result == AUTH_FRAME_READY && a.sealed;
}

static void
fuzz_open(struct fuzz *f, size_t at)
{
    enum auth_frame result = AUTH_FRAME_READY;

    while (result == AUTH_FRAME_READY) {
        uint8_t *copy = fuzz_rest(f, at);
        struct auth_opened o;
        const enum auth_protection before = f->face->level(f->gateway);

        result = f->face->open(f->gateway, copy, f->len - at, &o);
        const enum auth_protection level = f->face->level(f->gateway);

        FUZZ_ASSERT((result == AUTH_FRAME_BAD) == (o.error != NULL));
        FUZZ_ASSERT(level == before || level == AUTH_PROTECTION_CONFIDENTIALITY);
        if (result == AUTH_FRAME_READY) {
            const bool conf = (copy[GSSAPI_HEAD + 2] & 2) != 0;

            FUZZ_ASSERT(o.used <= f->len - at && o.used > GSSAPI_HEAD);
            FUZZ_ASSERT(o.plain >= copy && o.plain + o.plain_len <= copy + o.used);
            FUZZ_ASSERT(conf ? level != AUTH_PROTECTION_INTEGRITY
                             : level != AUTH_PROTECTION_CONFIDENTIALITY);
            at += o.used;
        } else {
            FUZZ_ASSERT(o.used == 0 || (result == AUTH_FRAME_MORE && o.used > f->len - at));
            FUZZ_ASSERT(o.plain == NULL && o.plain_len == 0);
        }
        free(copy);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f;
    size_t at = 0;

    if (size == 0)
        return 0;
    fuzz_make(&f, data[0]);
    fuzz_stream(&f, data + 1, size - 1);
    if (fuzz_agree(&f, &at))
        fuzz_open(&f, at);
    f.face->free(f.gateway);
    f.face->terms_free(f.terms);
    krb5msg_free(&f.client);
    return 0;
}
