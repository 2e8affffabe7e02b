/* SPDX-License-Identifier: ISC */
/*
 * Successes remembered for a while, so that a client that opens many connections does not pay for a
 * slow hash each time. What is kept is a keyed hash over name, password and stored hash; the key is
 * random, in locked memory, and dies with the table. Nothing is remembered of a failure.
 */
#ifndef SP_AUTH_USERPASS_REMEMBER_H
#define SP_AUTH_USERPASS_REMEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"
#include "lib/base/clock.h"

#define USERPASS_REMEMBER_MAX 4096 /* successes; the oldest goes */
#define USERPASS_DIGEST_SIZE 32

struct userpass_remember;

/* Remembers for so many seconds; 0: never. NULL when memory runs out. */
struct userpass_remember *userpass_remember_new(unsigned seconds) SP_MUST_USE;
void userpass_remember_free(struct userpass_remember **r);

struct userpass_login {
    const uint8_t *user;
    size_t user_len;
    const uint8_t *password;
    size_t password_len;
    const char *hash; /* the stored one: a changed one makes another digest */
    size_t hash_len;
};

/* The digest of a login; the caller zeroes it after use. */
void userpass_remember_digest(const struct userpass_remember *r, const struct userpass_login *login,
    uint8_t digest[USERPASS_DIGEST_SIZE]);

/* It succeeded less than the given seconds ago. */
bool userpass_remember_has(const struct userpass_remember *r,
    const uint8_t digest[USERPASS_DIGEST_SIZE], struct mono now);

/* It succeeded now. Calls come in the order of time. */
void userpass_remember_add(struct userpass_remember *r, const uint8_t digest[USERPASS_DIGEST_SIZE],
    struct mono now);

#endif
