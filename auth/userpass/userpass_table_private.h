/* SPDX-License-Identifier: ISC */
/* Between the table (userpass_table.c) and the reader of the file (userpass_file.c). */
#ifndef SP_AUTH_USERPASS_TABLE_PRIVATE_H
#define SP_AUTH_USERPASS_TABLE_PRIVATE_H

#include "auth/userpass/userpass_table.h"

/* A block of secret memory that holds names and hashes one behind another. */
struct userpass_chunk {
    struct userpass_chunk *next;
    char *data; /* owned */
    size_t size;
    size_t used;
};

struct userpass_table {
    struct userpass_row *slots; /* owned; open addressing, at most half full */
    uint32_t size;              /* 0 or a power of two */
    uint32_t count;
    bool keep;
    struct userpass_chunk *chunks; /* owned; the first is being filled */
};

enum userpass_put { USERPASS_PUT_DONE, USERPASS_PUT_DUPLICATE, USERPASS_PUT_MEMORY };

/* Puts a row; copies its texts when the table keeps them. left: bytes of the file not read yet, from
   the row's own line on. */
enum userpass_put userpass_table_put(struct userpass_table *table, const struct userpass_row *row,
    size_t left);

#endif
