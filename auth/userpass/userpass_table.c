/* SPDX-License-Identifier: ISC */
/*
 * The table of names and hashes. Serves both faces through userpass_file.c, which reads the text.
 * Only memory can run out here; the caller reports it.
 */
#include "auth/userpass/userpass_table_private.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"

#define SLOTS_MIN 64U

/* FNV-1a. The names in the table are the administrator's, so nobody can crowd a slot from outside;
   what a client asks for is only looked up. */
static uint64_t
name_mix(const void *name, size_t len)
{
    const uint8_t *p = name;
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h ^ (h >> 32);
}

static bool
row_is(const struct userpass_row *row, const void *name, size_t len)
{
    return row->name_len == len && memcmp(row->name, name, len) == 0;
}

/* The slot where the name is or belongs. There is always a free one. */
static struct userpass_row *
slot_of(struct userpass_row *slots, uint32_t size, const void *name, size_t len)
{
    uint32_t i = (uint32_t)name_mix(name, len) & (size - 1);

    while (slots[i].name != NULL && !row_is(&slots[i], name, len))
        i = (i + 1) & (size - 1);
    return &slots[i];
}

static int
table_grow(struct userpass_table *t)
{
    const uint32_t size = t->size == 0 ? SLOTS_MIN : t->size * 2;
    struct userpass_row *slots = calloc(size, sizeof *slots);

    if (slots == NULL)
        return -1;
    for (uint32_t i = 0; i < t->size; i++)
        if (t->slots[i].name != NULL)
            *slot_of(slots, size, t->slots[i].name, t->slots[i].name_len) = t->slots[i];
    free(t->slots);
    t->slots = slots;
    t->size = size;
    return 0;
}

/* ---- texts kept in secret memory ---- */

static int
chunk_add(struct userpass_table *t, size_t wanted)
{
    const size_t size = wanted < SECRET_MAX ? wanted : SECRET_MAX;
    struct userpass_chunk *c = malloc(sizeof *c);

    if (c == NULL)
        return -1;
    *c = (struct userpass_chunk) { .next = t->chunks, .data = secret_alloc(size), .size = size };
    if (c->data == NULL) {
        free(c);
        return -1;
    }
    t->chunks = c;
    return 0;
}

/* A copy with a NUL behind it. left: bytes of the file from here on, for the size of a new chunk. */
static const char *
text_keep(struct userpass_table *t, const char *text, size_t len, size_t left)
{
    if (t->chunks == NULL || t->chunks->size - t->chunks->used < len + 1)
        if (chunk_add(t, left + 2) != 0)
            return NULL;
    char *copy = t->chunks->data + t->chunks->used;

    memcpy(copy, text, len);
    copy[len] = '\0';
    t->chunks->used += len + 1;
    return copy;
}

/* ---- the interface to the reader ---- */

enum userpass_put
userpass_table_put(struct userpass_table *t, const struct userpass_row *row, size_t left)
{
    if (t->count * 2 >= t->size && table_grow(t) != 0)
        return USERPASS_PUT_MEMORY;
    struct userpass_row *slot = slot_of(t->slots, t->size, row->name, row->name_len);

    if (slot->name != NULL)
        return USERPASS_PUT_DUPLICATE;
    struct userpass_row kept = *row;

    if (t->keep) {
        kept.name = text_keep(t, row->name, row->name_len, left);
        kept.hash = kept.name != NULL ? text_keep(t, row->hash, row->hash_len, left) : NULL;
        if (kept.hash == NULL)
            return USERPASS_PUT_MEMORY;
    }
    *slot = kept;
    t->count++;
    return USERPASS_PUT_DONE;
}

/* ---- the interface to the faces ---- */

void
userpass_table_free(struct userpass_table **table)
{
    struct userpass_table *t = *table;

    *table = NULL;
    if (t == NULL)
        return;
    while (t->chunks != NULL) {
        struct userpass_chunk *c = t->chunks;

        t->chunks = c->next;
        secret_free(c->data, c->size);
        free(c);
    }
    free(t->slots);
    free(t);
}

const struct userpass_row *
userpass_table_find(const struct userpass_table *table, const void *name, size_t len)
{
    if (table->size == 0 || len == 0)
        return NULL;
    const struct userpass_row *row = slot_of(table->slots, table->size, name, len);

    return row->name != NULL ? row : NULL;
}

uint32_t
userpass_table_count(const struct userpass_table *table)
{
    return table->count;
}

const struct userpass_row *
userpass_table_costliest(const struct userpass_table *table, enum userpass_scheme scheme,
    struct userpass_hash *out)
{
    const struct userpass_row *found = NULL;
    struct userpass_hash hash;
    const char *why;

    for (uint32_t i = 0; i < table->size; i++) {
        const struct userpass_row *row = &table->slots[i];

        if (row->name == NULL || row->scheme != scheme ||
            userpass_hash_read(row->hash, row->hash_len, &hash, &why) != 0)
            continue;
        if (found == NULL || hash.cost > out->cost) {
            found = row;
            *out = hash;
        }
    }
    return found;
}
