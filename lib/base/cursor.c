/* SPDX-License-Identifier: ISC */
/*
 * Cursors and writers: the one place where message bytes are indexed. Serves every codec and the
 * messages between our processes. Nothing here is fatal: a cursor keeps its first error.
 */
#include "lib/base/cursor.h"

#include <string.h>

struct cursor
cursor_init(const void *data, size_t len)
{
    /* An empty message may come with NULL; a borrow of zero bytes must still be a pointer. */
    const uint8_t *at = data != NULL ? data : (const uint8_t *)"";
    return (struct cursor){ at, at + len, CURSOR_OK };
}

static const uint8_t *
cursor_step(struct cursor *c, size_t len)
{
    if (c->status != CURSOR_OK) {
        return NULL;
    }
    if (len > (size_t)(c->end - c->at)) {
        c->status = CURSOR_SHORT;
        return NULL;
    }
    const uint8_t *p = c->at;
    c->at += len;
    return p;
}

uint8_t
cursor_u8(struct cursor *c)
{
    const uint8_t *p = cursor_step(c, 1);
    return p != NULL ? p[0] : 0;
}

uint16_t
cursor_u16_be(struct cursor *c)
{
    const uint8_t *p = cursor_step(c, 2);
    return p != NULL ? (uint16_t)((p[0] << 8) | p[1]) : 0;
}

uint32_t
cursor_u32_be(struct cursor *c)
{
    const uint8_t *p = cursor_step(c, 4);
    if (p == NULL) {
        return 0;
    }
    return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

uint16_t
cursor_u16(struct cursor *c)
{
    uint16_t v;
    cursor_copy(c, &v, sizeof(v));
    return v;
}

uint32_t
cursor_u32(struct cursor *c)
{
    uint32_t v;
    cursor_copy(c, &v, sizeof(v));
    return v;
}

uint64_t
cursor_u64(struct cursor *c)
{
    uint64_t v;
    cursor_copy(c, &v, sizeof(v));
    return v;
}

const uint8_t *
cursor_bytes(struct cursor *c, size_t len)
{
    return cursor_step(c, len);
}

void
cursor_copy(struct cursor *c, void *out, size_t len)
{
    if (len == 0) {
        return;
    }
    const uint8_t *p = cursor_step(c, len);
    if (p != NULL) {
        memcpy(out, p, len);
    } else {
        memset(out, 0, len);
    }
}

void
cursor_skip(struct cursor *c, size_t len)
{
    (void)cursor_step(c, len);
}

void
cursor_fail(struct cursor *c)
{
    if (c->status == CURSOR_OK) {
        c->status = CURSOR_BAD;
    }
}

size_t
cursor_left(const struct cursor *c)
{
    return c->status == CURSOR_OK ? (size_t)(c->end - c->at) : 0;
}

size_t
cursor_used(const struct cursor *c, const void *start)
{
    /* With a NULL start cursor_init() put its own empty message there: nothing can be used. */
    return start != NULL ? (size_t)(c->at - (const uint8_t *)start) : 0;
}

bool
cursor_ok(const struct cursor *c)
{
    return c->status == CURSOR_OK;
}

struct writer
writer_init(void *out, size_t size)
{
    uint8_t *at = out;
    return (struct writer){ at, at, at != NULL ? at + size : at, false };
}

uint8_t *
writer_reserve(struct writer *w, size_t len)
{
    if (w->overflow || len > (size_t)(w->end - w->at)) {
        w->overflow = true;
        return NULL;
    }
    uint8_t *p = w->at;
    if (len > 0) {
        w->at += len;
    }
    return p;
}

void
writer_bytes(struct writer *w, const void *data, size_t len)
{
    uint8_t *p = writer_reserve(w, len);
    if (p != NULL && len > 0) {
        memcpy(p, data, len);
    }
}

void
writer_u8(struct writer *w, uint8_t v)
{
    writer_bytes(w, &v, sizeof(v));
}

void
writer_u16_be(struct writer *w, uint16_t v)
{
    const uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };
    writer_bytes(w, b, sizeof(b));
}

void
writer_u32_be(struct writer *w, uint32_t v)
{
    const uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };
    writer_bytes(w, b, sizeof(b));
}

void
writer_u16(struct writer *w, uint16_t v)
{
    writer_bytes(w, &v, sizeof(v));
}

void
writer_u32(struct writer *w, uint32_t v)
{
    writer_bytes(w, &v, sizeof(v));
}

void
writer_u64(struct writer *w, uint64_t v)
{
    writer_bytes(w, &v, sizeof(v));
}

void
writer_text(struct writer *w, const char *text)
{
    writer_bytes(w, text, strlen(text));
}

size_t
writer_len(const struct writer *w)
{
    return w->overflow ? 0 : (size_t)(w->at - w->start);
}

bool
writer_ok(const struct writer *w)
{
    return !w->overflow;
}
