/* SPDX-License-Identifier: ISC */
/*
 * A bounded byte queue: bytes come in at the tail and leave at the head. It holds no memory while it
 * is empty, so an idle session costs nothing; it never grows beyond the limit it was given.
 */
#ifndef SP_BASE_BUFFER_H
#define SP_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"

struct buffer {
    uint8_t *data; /* owned; NULL while empty */
    uint32_t off;  /* first byte held */
    uint32_t len;  /* bytes held */
    uint32_t size; /* bytes allocated */
    bool secret;   /* memory from lib/base/secret.h, zeroed when given back */
};

#define BUFFER_INIT ((struct buffer) { NULL, 0, 0, 0, false })
#define BUFFER_INIT_SECRET ((struct buffer) { NULL, 0, 0, 0, true })

/* Appends len bytes. 0, or -1 with ENOMEM, or with ENOBUFS when more than limit bytes would be
   held in all; then nothing was appended. */
int buffer_append(struct buffer *b, const void *data, size_t len, size_t limit) SP_MUST_USE;

/* The bytes held (a borrow that lasts until the next append or consume), and how many; there is
   nothing to read while it is empty. */
const uint8_t *buffer_head(const struct buffer *b);
size_t buffer_len(const struct buffer *b);
/* The same bytes for whoever may change them in place. */
uint8_t *buffer_data(struct buffer *b);

/* Drops n bytes from the head (n at most buffer_len); gives the memory back when none is left. */
void buffer_consume(struct buffer *b, size_t n);

/* Gives everything back. */
void buffer_clear(struct buffer *b);

#endif
