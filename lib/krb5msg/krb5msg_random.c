/* SPDX-License-Identifier: ISC */
/*
 * Random confounders. libcrypto's generator costs more per call than per byte, so bytes are drawn
 * for many messages at once. Serves krb5msg_wrap(). No random bytes is an error of the caller's
 * message.
 */
#include "lib/krb5msg/krb5msg_local.h"

#include <openssl/rand.h>

#include <string.h>

#include "lib/base/secret.h"

#define RANDOM_BLOCKS 63

/* In memory that fork() wipes: a child finds 0 blocks left, not its parent's ones. */
struct random_pool {
    uint32_t left;
    uint8_t blocks[RANDOM_BLOCKS][KRB5MSG_BLOCK];
};

static struct random_pool *random_pool;

bool
krb5msg_random(uint8_t out[KRB5MSG_BLOCK])
{
    if (random_pool == NULL && (random_pool = secret_alloc(sizeof(*random_pool))) == NULL) {
        return false;
    }
    if (random_pool->left == 0) {
        if (RAND_bytes(random_pool->blocks[0], (int)sizeof(random_pool->blocks)) != 1) {
            return false;
        }
        random_pool->left = RANDOM_BLOCKS;
    }
    random_pool->left--;
    memcpy(out, random_pool->blocks[random_pool->left], KRB5MSG_BLOCK);
    return true;
}

void
krb5msg_random_end(void)
{
    secret_free(random_pool, sizeof(*random_pool));
    random_pool = NULL;
}
