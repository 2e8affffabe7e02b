/* SPDX-License-Identifier: ISC */
/*
 * The table of remembered successes: a ring in the order of time, found through hash chains. Serves
 * the secret face. Nothing here can fail but the first allocation.
 */
#include "auth/userpass/userpass_remember.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"

#define BUCKETS 4096 /* a power of two */
#define NOWHERE UINT16_MAX

struct entry {
    struct mono until;
    uint16_t next; /* in its chain, or NOWHERE */
    bool used;
    uint8_t digest[USERPASS_DIGEST_SIZE];
};

struct userpass_remember {
    unsigned seconds;
    uint8_t *key;           /* owned, secret memory */
    struct entry *entries;  /* owned; NULL when nothing is remembered */
    uint16_t oldest;        /* the entry to be used next */
    uint16_t heads[BUCKETS]; /* first of each chain, or NOWHERE */
};

struct userpass_remember *
userpass_remember_new(unsigned seconds)
{
    struct userpass_remember *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->seconds = seconds;
    r->key = secret_alloc(crypto_generichash_KEYBYTES);
    r->entries = seconds > 0 ? calloc(USERPASS_REMEMBER_MAX, sizeof *r->entries) : NULL;
    if (r->key == NULL || (seconds > 0 && r->entries == NULL)) {
        userpass_remember_free(&r);
        return NULL;
    }
    randombytes_buf(r->key, crypto_generichash_KEYBYTES);
    memset(r->heads, 0xff, sizeof r->heads);
    return r;
}

void
userpass_remember_free(struct userpass_remember **remember)
{
    struct userpass_remember *r = *remember;

    *remember = NULL;
    if (r == NULL)
        return;
    secret_free(r->key, crypto_generichash_KEYBYTES);
    free(r->entries);
    free(r);
}

/* Length before bytes: no other login can spell the same input. */
static void
digest_part(crypto_generichash_state *state, const void *data, size_t len)
{
    const uint64_t length = len;

    (void)crypto_generichash_update(state, (const unsigned char *)&length, sizeof length);
    (void)crypto_generichash_update(state, data, len);
}

void
userpass_remember_digest(const struct userpass_remember *r, const struct userpass_login *login,
    uint8_t digest[USERPASS_DIGEST_SIZE])
{
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, r->key, crypto_generichash_KEYBYTES,
        USERPASS_DIGEST_SIZE);
    digest_part(&state, login->user, login->user_len);
    digest_part(&state, login->password, login->password_len);
    digest_part(&state, login->hash, login->hash_len);
    (void)crypto_generichash_final(&state, digest, USERPASS_DIGEST_SIZE);
    explicit_bzero(&state, sizeof state);
}

/* The digest is keyed: its first bytes are as good a hash as any. */
static size_t
bucket_of(const uint8_t *digest)
{
    uint16_t bucket;

    memcpy(&bucket, digest, sizeof bucket);
    return bucket & (BUCKETS - 1);
}

bool
userpass_remember_has(const struct userpass_remember *r,
    const uint8_t digest[USERPASS_DIGEST_SIZE], struct mono now)
{
    if (r->entries == NULL)
        return false;
    for (uint16_t at = r->heads[bucket_of(digest)]; at != NOWHERE; at = r->entries[at].next)
        if (mono_before(now, r->entries[at].until) &&
            secret_equal(r->entries[at].digest, digest, USERPASS_DIGEST_SIZE))
            return true;
    return false;
}

static void
entry_unlink(struct userpass_remember *r, uint16_t index)
{
    uint16_t *link = &r->heads[bucket_of(r->entries[index].digest)];

    while (*link != index)
        link = &r->entries[*link].next;
    *link = r->entries[index].next;
}

void
userpass_remember_add(struct userpass_remember *r, const uint8_t digest[USERPASS_DIGEST_SIZE],
    struct mono now)
{
    if (r->entries == NULL)
        return;
    const uint16_t index = r->oldest;
    struct entry *e = &r->entries[index];

    if (e->used)
        entry_unlink(r, index);
    uint16_t *head = &r->heads[bucket_of(digest)];

    *e = (struct entry) { .until = mono_add_seconds(now, r->seconds), .next = *head, .used = true };
    memcpy(e->digest, digest, USERPASS_DIGEST_SIZE);
    *head = index;
    r->oldest = (uint16_t)((index + 1) % USERPASS_REMEMBER_MAX);
}
