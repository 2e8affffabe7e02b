/* SPDX-License-Identifier: ISC */
/*
 * lib/krb5msg/krb5msg_unwrap.c: any bytes as a token. The first byte chooses enctype, role, subkey,
 * order and whether the header gets the sequence number the context waits for; a last choice signs
 * or seals the rest itself with the peer's keys, so that what lies behind a good checksum is
 * reached too.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "lib/krb5msg/krb5msg_token.h"

#define FUZZ_ROLE 0x04
#define FUZZ_SUBKEY 0x08
#define FUZZ_WINDOW 0x10
#define FUZZ_SEQ 0x20
#define FUZZ_SEAL 0x40 /* what follows the header is plaintext, to be sealed with its end as copy  \
                        */
#define FUZZ_WRAP 0x80 /* all is plaintext, wrapped by the peer and then opened */

#define FUZZ_START UINT64_C(0xfffffffe)

static struct krb5msg *
fuzz_context(uint8_t choice, bool peer)
{
    static const uint8_t key[KRB5MSG_KEY_MAX] = "0123456789abcdefghijklmnopqrstuv";
    struct krb5msg *m = NULL;
    const int32_t enctype = KRB5MSG_AES128_SHA1 + (choice & 3);
    const bool acceptor = ((choice & FUZZ_ROLE) != 0) != peer;
    const struct krb5msg_import import = {
        .enctype = enctype,
        .role = acceptor ? KRB5MSG_ACCEPTOR : KRB5MSG_INITIATOR,
        .acceptor_subkey = (choice & FUZZ_SUBKEY) != 0,
        .key = key,
        .key_len = krb5msg_key_len(enctype),
        .send_seq = FUZZ_START,
        .recv_seq = FUZZ_START,
    };
    FUZZ_ASSERT(krb5msg_start() && krb5msg_new(&import, &m) == KRB5MSG_OK);
    FUZZ_ASSERT((choice & FUZZ_WINDOW) == 0 || krb5msg_use_window(m));
    return m;
}

/* A token, len bytes of it, opened in a block of exactly that size; it stays as it was. */
static enum krb5msg_result
fuzz_open(struct krb5msg *m, const uint8_t *token, size_t len, struct krb5msg_plain *out)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    FUZZ_ASSERT(copy != NULL);
    if (len > 0) {
        memcpy(copy, token, len);
    }
    const uint64_t next = m->order.next;
    const enum krb5msg_result result = krb5msg_unwrap(m, copy, len, out);
    FUZZ_ASSERT((unsigned)result < KRB5MSG_RESULTS);
    if (result == KRB5MSG_OK) {
        FUZZ_ASSERT(out->data >= copy + KRB5MSG_CLEAR && out->data <= copy + len);
        FUZZ_ASSERT(out->len <= (size_t)(copy + len - out->data));
        FUZZ_ASSERT(m->order.next != next || m->order.seen != NULL);
    } else {
        FUZZ_ASSERT(out->data == NULL && out->len == 0 && m->order.next == next);
    }
    free(copy);
    return result;
}

/* What verifies once is a replay, or too old, the second time. */
static void
fuzz_twice(struct krb5msg *m, const uint8_t *token, size_t len)
{
    struct krb5msg_plain out;
    if (fuzz_open(m, token, len, &out) == KRB5MSG_OK) {
        const enum krb5msg_result again = fuzz_open(m, token, len, &out);
        FUZZ_ASSERT(again == KRB5MSG_REPLAY);
    }
}

static void
fuzz_wrap(struct krb5msg *peer, struct krb5msg *m, const uint8_t *data, size_t size)
{
    const bool conf = size % 2 != 0;
    const size_t header = krb5msg_header_len(peer, conf);
    uint8_t *token = malloc(header + size + krb5msg_trailer_len(peer, conf));
    size_t len = 0;
    FUZZ_ASSERT(token != NULL);
    memcpy(token + header, data, size);
    FUZZ_ASSERT(krb5msg_wrap(peer, conf, token, size, &len) == KRB5MSG_OK);
    struct krb5msg_plain out;
    FUZZ_ASSERT(krb5msg_unwrap(m, token, len, &out) == KRB5MSG_OK);
    FUZZ_ASSERT(out.conf == conf && out.len == size && memcmp(out.data, data, size) == 0);
    free(token);
}

/* The MAC is right whatever the header and its copy say. */
static void
fuzz_sealed(struct krb5msg *peer, uint8_t *token, size_t len)
{
    const size_t mac_len = peer->enctype->mac_len;
    if (len < KRB5MSG_CLEAR + KRB5MSG_BLOCK + KRB5MSG_CLEAR + mac_len) {
        return;
    }
    FUZZ_ASSERT(
        krb5msg_encrypt(peer, &peer->send, token + KRB5MSG_CLEAR, len - KRB5MSG_CLEAR - mac_len));
}

static void
fuzz_token(struct krb5msg *peer, struct krb5msg *m, uint8_t choice, uint8_t *token, size_t len)
{
    if ((choice & FUZZ_SEQ) != 0 && len >= KRB5MSG_CLEAR) {
        const struct krb5msg_header h = { .seq = FUZZ_START };
        uint8_t clear[KRB5MSG_CLEAR];
        krb5msg_header_encode(&h, clear);
        memcpy(token + 8, clear + 8, 8);
    }
    if ((choice & FUZZ_SEAL) != 0) {
        fuzz_sealed(peer, token, len);
    }
    fuzz_twice(m, token, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const uint8_t choice = data[0];
    struct krb5msg *m = fuzz_context(choice, false);
    struct krb5msg *peer = fuzz_context(choice, true);
    if ((choice & FUZZ_WRAP) != 0) {
        fuzz_wrap(peer, m, data + 1, size - 1);
    } else {
        uint8_t *token = malloc(size);
        FUZZ_ASSERT(token != NULL);
        memcpy(token, data + 1, size - 1);
        fuzz_token(peer, m, choice, token, size - 1);
        free(token);
    }
    krb5msg_free(&m);
    krb5msg_free(&peer);
    return 0;
}
