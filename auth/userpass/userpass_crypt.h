/* SPDX-License-Identifier: ISC */
/* crypt(3) with everything it touches in secret memory, and the dummy for names that do not exist. */
#ifndef SP_AUTH_USERPASS_CRYPT_H
#define SP_AUTH_USERPASS_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/userpass/userpass_table.h"
#include "lib/base/attr.h"

#define USERPASS_PASSWORD_MAX 255 /* bytes, RFC 1929 */

struct userpass_crypt;

struct userpass_crypt *userpass_crypt_new(void) SP_MUST_USE;
void userpass_crypt_free(struct userpass_crypt **crypt);

/* True when the password (1..255 bytes without NUL) has this stored hash. Takes the same time for
   every wrong password; leaves nothing of it behind. */
bool userpass_crypt_matches(struct userpass_crypt *crypt, const char *hash,
    const uint8_t *password, size_t len);

/* Writes a setting as costly as the costliest hash of the table, with a random salt: what a name that
   does not exist is checked against. Schemes are compared by measuring one hash of each; a table
   without users gets yescrypt's usual cost. */
void userpass_dummy_make(struct userpass_crypt *crypt, const struct userpass_table *table,
    char dummy[USERPASS_HASH_MAX + 1]);

#endif
