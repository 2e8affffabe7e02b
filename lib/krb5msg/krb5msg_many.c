/* SPDX-License-Identifier: ISC */
/*
 * Seals several messages at once. CBC encryption of a message waits for each block before it begins
 * the next; messages do not wait for each other, and a processor encrypts eight blocks in little more
 * than the time of one. So the chains are carried here, side by side, and the blocks of a step go
 * through libcrypto together. Serves whoever sends a stream, which may be cut into messages as one
 * likes. Where there is no memory for the cipher the messages are sealed one by one.
 */
#include "lib/krb5msg/krb5msg_local.h"

#include <string.h>

#define MANY_PIECE 512 /* bytes of each message that are signed and encrypted before the next ones */

/* What is under way. */
struct many {
    const struct krb5msg *m;
    size_t count;
    uint8_t *data[KRB5MSG_MANY]; /* confounder | plaintext | header */
    size_t len[KRB5MSG_MANY];
    struct krb5msg_mac mac[KRB5MSG_MANY];
    uint64_t last[KRB5MSG_MANY][2]; /* each chain's last block */
};

/* The block at this place of every message. */
static bool
many_step(struct many *w, size_t at)
{
    const int len = (int)(w->count * KRB5MSG_BLOCK);
    uint8_t *blocks = (uint8_t *)w->last;
    int n = 0;
    for (size_t i = 0; i < w->count; i++) {
        uint64_t plain[2];
        memcpy(plain, w->data[i] + at, sizeof(plain));
        w->last[i][0] ^= plain[0];
        w->last[i][1] ^= plain[1];
    }
    if (EVP_EncryptUpdate(w->m->send.blocks, blocks, &n, blocks, len) != 1 || n != len) {
        return false;
    }
    for (size_t i = 0; i < w->count; i++) {
        memcpy(w->data[i] + at, w->last[i], KRB5MSG_BLOCK);
    }
    return true;
}

static void
many_sign(struct many *w, size_t at, size_t len)
{
    for (size_t i = 0; i < w->count; i++) {
        krb5msg_mac_update(&w->mac[i], w->data[i] + at, len);
    }
}

/* The first bytes of all messages, whole blocks before the last two of each. */
static bool
many_common(struct many *w, size_t len)
{
    const bool of_cipher = w->m->enctype->mac_of_cipher;
    bool ok = true;
    for (size_t at = 0; ok && at < len; at += MANY_PIECE) {
        const size_t piece = len - at < MANY_PIECE ? len - at : MANY_PIECE;
        if (!of_cipher) {
            many_sign(w, at, piece);
        }
        for (size_t step = 0; ok && step < piece; step += KRB5MSG_BLOCK) {
            ok = many_step(w, at + step);
        }
        if (of_cipher) {
            many_sign(w, at, piece);
        }
    }
    return ok;
}

/* What is left of each goes its way alone, from where its chain stands. */
static bool
many_rest(struct many *w, size_t from)
{
    const bool of_cipher = w->m->enctype->mac_of_cipher;
    bool ok = true;
    for (size_t i = 0; i < w->count; i++) {
        struct krb5msg_mac *mac = &w->mac[i];
        ok = ok && krb5msg_cts_encrypt(w->m->send.cipher, (const uint8_t *)w->last[i],
                       of_cipher ? NULL : mac, of_cipher ? mac : NULL, w->data[i] + from,
                       w->len[i] - from);
        krb5msg_mac_end(mac, w->data[i] + w->len[i], w->m->enctype->mac_len);
    }
    return ok;
}

static size_t
many_shortest(const struct many *w)
{
    size_t shortest = SIZE_MAX;
    for (size_t i = 0; i < w->count; i++) {
        const size_t bulk = krb5msg_cts_bulk(w->len[i]);
        shortest = bulk < shortest ? bulk : shortest;
    }
    return shortest;
}

bool
krb5msg_encrypt_many(const struct krb5msg *m, uint8_t *const data[], const size_t len[],
    size_t count)
{
    struct many w = { .m = m, .count = count };
    for (size_t i = 0; i < count; i++) {
        w.data[i] = data[i];
        w.len[i] = len[i];
        krb5msg_encrypt_begin(&w.mac[i], m, &m->send);
    }
    const size_t common = many_shortest(&w);
    const bool ok = many_common(&w, common);
    return many_rest(&w, common) && ok;
}
