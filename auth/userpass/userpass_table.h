/* SPDX-License-Identifier: ISC */
/*
 * The password file: lines `name:hash`, empty lines and lines that begin with '#'. The table finds a
 * name's hash. The side that checks a configuration reads the file in place and throws the table
 * away; the pool's side keeps names and hashes in secret memory.
 */
#ifndef SP_AUTH_USERPASS_TABLE_H
#define SP_AUTH_USERPASS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/userpass/userpass_hash.h"
#include "lib/base/attr.h"

#define USERPASS_FILE_MAX (64U * 1024U * 1024U) /* bytes */
#define USERPASS_USERS_MAX 1000000U
#define USERPASS_NAME_MAX 255 /* bytes, RFC 1929 */

struct userpass_row {
    const char *name; /* NULL: an empty slot; not NUL-terminated unless the table keeps it */
    const char *hash; /* NUL-terminated when the table keeps it */
    uint16_t hash_len;
    uint8_t name_len;
    uint8_t scheme; /* enum userpass_scheme */
};

struct userpass_table; /* read through the functions below */

/* Reads the whole file. keep: copies into secret memory, else the table borrows data. where names
   the file in messages. NULL with error filled ("FILE:LINE: what is wrong and what is allowed"). */
struct userpass_table *userpass_table_load(const void *data, size_t len, bool keep,
    const char *where, char *error, size_t size) SP_MUST_USE;
void userpass_table_free(struct userpass_table **table);

/* The row of a name (any bytes), or NULL. */
const struct userpass_row *userpass_table_find(const struct userpass_table *table, const void *name,
    size_t len);

uint32_t userpass_table_count(const struct userpass_table *table);

/* The costliest hash of a scheme, with what was read of it, or NULL when the file has none. */
const struct userpass_row *userpass_table_costliest(const struct userpass_table *table,
    enum userpass_scheme scheme, struct userpass_hash *out);

#endif
