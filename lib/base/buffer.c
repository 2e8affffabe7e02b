/* SPDX-License-Identifier: ISC */
/*
 * Bounded byte queues. Serves the channels and the conversations. Out of memory is an answer, not
 * an end; asking for more than is held is our bug: abort.
 */
#include "lib/base/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"

#define BUFFER_MIN_SIZE 256U

/* The next size of the row 256, 512, ... that holds need, but not above limit (at least need). */
static size_t
buffer_size_for(size_t need, size_t limit)
{
    size_t size = BUFFER_MIN_SIZE;
    while (size < need) {
        size *= 2;
    }
    return size < limit ? size : limit;
}

static void
buffer_release(struct buffer *b)
{
    if (b->secret) {
        secret_free(b->data, b->size);
    } else {
        free(b->data);
    }
    b->data = NULL;
    b->size = 0;
}

static void
buffer_compact(struct buffer *b)
{
    memmove(b->data, b->data + b->off, b->len);
    b->off = 0;
}

static int
buffer_grow(struct buffer *b, size_t need, size_t limit)
{
    size_t size = buffer_size_for(need, limit);
    if (b->secret) {
        const size_t usable = secret_usable(size);
        size = usable > 0 ? usable : size;
    }
    uint8_t *data = b->secret ? secret_alloc(size) : malloc(size);
    if (data == NULL) {
        errno = ENOMEM;
        return -1;
    }
    const uint32_t len = b->len;
    if (len > 0) {
        memcpy(data, b->data + b->off, len);
    }
    buffer_release(b);
    b->data = data;
    b->size = (uint32_t)size;
    b->off = 0;
    return 0;
}

int
buffer_append(struct buffer *b, const void *data, size_t len, size_t limit)
{
    const size_t most = b->secret ? SECRET_MAX : UINT32_MAX / 2;
    const size_t bound = limit < most ? limit : most;
    if (len > bound || b->len > bound - len) {
        errno = ENOBUFS;
        return -1;
    }
    if (len == 0) {
        return 0;
    }
    if (b->len + len > b->size) {
        if (buffer_grow(b, b->len + len, bound) != 0) {
            return -1;
        }
    } else if ((size_t)b->off + b->len + len > b->size) {
        buffer_compact(b);
    }
    memcpy(b->data + b->off + b->len, data, len);
    b->len += (uint32_t)len;
    return 0;
}

const uint8_t *
buffer_head(const struct buffer *b)
{
    return b->data != NULL ? b->data + b->off : (const uint8_t *)"";
}

uint8_t *
buffer_data(struct buffer *b)
{
    static uint8_t none;

    return b->data != NULL ? b->data + b->off : &none;
}

size_t
buffer_len(const struct buffer *b)
{
    return b->len;
}

void
buffer_consume(struct buffer *b, size_t n)
{
    if (n > b->len) {
        abort();
    }
    if (n == b->len) {
        buffer_clear(b);
        return;
    }
    if (b->secret) {
        /* A password that was forwarded must not wait for the bytes behind it. */
        explicit_bzero(b->data + b->off, n);
    }
    b->off += (uint32_t)n;
    b->len -= (uint32_t)n;
}

void
buffer_clear(struct buffer *b)
{
    buffer_release(b);
    b->off = 0;
    b->len = 0;
}
