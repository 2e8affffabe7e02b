/* SPDX-License-Identifier: ISC */
/*
 * Reading and writing byte messages without indexing them: a cursor remembers its first error, so
 * a decoder reads field after field and looks once at the end. "The bytes end here" (CURSOR_SHORT)
 * and "these bytes are wrong" (CURSOR_BAD) are different answers. No allocation, no I/O.
 * Multi-byte integers of the wire are big-endian: the _be functions. The functions without suffix
 * use host order and serve messages between our own processes.
 */
#ifndef SP_BASE_CURSOR_H
#define SP_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"

enum cursor_status {
    CURSOR_OK,
    CURSOR_SHORT, /* the data ended inside a field */
    CURSOR_BAD    /* the decoder called cursor_fail() */
};

/* A reader. Borrow: the bytes stay the caller's and must outlive it. */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    enum cursor_status status;
};

struct cursor cursor_init(const void *data, size_t len);

/* Each returns the value and steps over it, or 0 when the cursor has or gets an error. */
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16_be(struct cursor *c);
uint32_t cursor_u32_be(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);

/* len bytes inside the message (a borrow), or NULL on error. len 0 gives a pointer, never NULL. */
const uint8_t *cursor_bytes(struct cursor *c, size_t len);

/* Copies len bytes to out; zero-fills out on error. */
void cursor_copy(struct cursor *c, void *out, size_t len);

/* Steps over len bytes; CURSOR_SHORT where there are fewer. */
void cursor_skip(struct cursor *c, size_t len);

/* Marks the message as malformed, unless an earlier error stands. */
void cursor_fail(struct cursor *c);

/* Bytes not read yet; 0 after an error. */
size_t cursor_left(const struct cursor *c);

/* Bytes read so far, counted from start (the pointer given to cursor_init). */
size_t cursor_used(const struct cursor *c, const void *start);

/* True while no error stands; bytes may be left. */
bool cursor_ok(const struct cursor *c);

/* A writer into a buffer of the caller's. After an overflow nothing more is written and
   writer_len() is 0. */
struct writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool overflow;
};

struct writer writer_init(void *out, size_t size);
void writer_u8(struct writer *w, uint8_t v);
void writer_u16_be(struct writer *w, uint16_t v);
void writer_u32_be(struct writer *w, uint32_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_bytes(struct writer *w, const void *data, size_t len);
/* Text without its NUL. */
void writer_text(struct writer *w, const char *text);

/* Reserves len bytes to be filled later (a length field); a pointer into out, or NULL. */
uint8_t *writer_reserve(struct writer *w, size_t len);

/* Bytes written, or 0 after an overflow. */
size_t writer_len(const struct writer *w);
bool writer_ok(const struct writer *w) SP_MUST_USE;

#endif
