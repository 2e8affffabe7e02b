/* SPDX-License-Identifier: ISC */
/*
 * The hosts file as a hash table of entries, one per address and name. Serves the resolver. The
 * file is the administrator's, so the hash needs no key. The only error is ENOMEM.
 */
#include "src/net/hosts.h"

#include "lib/base/name.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

struct entry {
    struct addr addr;
    uint32_t name; /* offset into names */
    uint32_t next; /* in the same bucket, in the order of the file; NONE ends */
};

struct hosts {
    struct entry *entries;
    uint32_t count;
    uint32_t size;
    char *names; /* canonical, each with its NUL */
    uint32_t names_len;
    uint32_t names_size;
    uint32_t *buckets; /* first entry or NONE; bucket_count is a power of two */
    uint32_t bucket_count;
};

/* A word of the text: a borrow. */
struct word {
    const char *at;
    size_t len;
};

/* ---- building ---- */

static int
entries_reserve(struct hosts *h)
{
    if (h->count < h->size)
        return 0;
    uint32_t size = h->size == 0 ? 16 : h->size * 2;
    struct entry *p = reallocarray(h->entries, size, sizeof *p);

    if (p == NULL)
        return -1;
    h->entries = p;
    h->size = size;
    return 0;
}

static int
names_reserve(struct hosts *h, uint32_t more)
{
    if (h->names_size - h->names_len >= more)
        return 0;
    uint32_t size = h->names_size == 0 ? 1024 : h->names_size * 2;
    char *p = realloc(h->names, size);

    if (p == NULL)
        return -1;
    h->names = p;
    h->names_size = size;
    return 0;
}

static int
entry_add(struct hosts *h, const struct addr *addr, const char *name)
{
    uint32_t len = (uint32_t)strlen(name) + 1;

    if (h->count >= HOSTS_NAMES_MAX)
        return 0;
    if (entries_reserve(h) < 0 || names_reserve(h, len) < 0)
        return -1;
    h->entries[h->count++] = (struct entry) { *addr, h->names_len, NONE };
    memcpy(h->names + h->names_len, name, len);
    h->names_len += len;
    return 0;
}

/* ---- the text ---- */

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The next word of a line; len 0 at its end. */
static struct word
word_next(const char **at, const char *end)
{
    while (*at < end && is_blank(**at))
        (*at)++;
    struct word w = { *at, 0 };

    while (*at < end && !is_blank(**at))
        (*at)++;
    w.len = (size_t)(*at - w.at);
    return w;
}

static int
line_address(struct word w, struct addr *out)
{
    char text[ADDR_TEXT_MAX];

    if (w.len == 0 || w.len >= sizeof text)
        return -1;
    memcpy(text, w.at, w.len);
    text[w.len] = '\0';
    if (addr_parse_ip(text, out) < 0)
        return -1;
    *out = addr_unmap(out);
    return 0;
}

static int
line_parse(struct hosts *h, const char *at, const char *end)
{
    char name[NAME_SIZE];
    struct addr addr;
    struct addr ignored;
    const char *why;

    if (line_address(word_next(&at, end), &addr) < 0)
        return 0;
    for (struct word w = word_next(&at, end); w.len > 0; w = word_next(&at, end))
        if (name_canonical(w.at, w.len, name, &ignored, &why) == NAME_OK
            && entry_add(h, &addr, name) < 0)
            return -1;
    return 0;
}

static int
text_parse(struct hosts *h, const char *at, const char *end)
{
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;
        const char *comment = memchr(at, '#', (size_t)(stop - at));

        if (line_parse(h, at, comment != NULL ? comment : stop) < 0)
            return -1;
        at = newline != NULL ? newline + 1 : end;
    }
    return 0;
}

/* ---- the table ---- */

static uint32_t
bucket_of(const struct hosts *h, const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(1099511628211);
    return (uint32_t)(hash ^ hash >> 32) & (h->bucket_count - 1);
}

static int
table_build(struct hosts *h)
{
    h->bucket_count = 16;
    while (h->bucket_count < h->count)
        h->bucket_count *= 2;
    h->buckets = malloc(h->bucket_count * sizeof *h->buckets);
    if (h->buckets == NULL)
        return -1;
    memset(h->buckets, 0xff, h->bucket_count * sizeof *h->buckets);
    /* From the last to the first, so that a chain has the order of the file. */
    for (uint32_t i = h->count; i-- > 0;) {
        uint32_t *bucket = &h->buckets[bucket_of(h, h->names + h->entries[i].name)];

        h->entries[i].next = *bucket;
        *bucket = i;
    }
    return 0;
}

struct hosts *
hosts_parse(const void *text, size_t len)
{
    struct hosts *h = calloc(1, sizeof *h);

    if (h == NULL)
        return NULL;
    if ((len > 0 && text_parse(h, text, (const char *)text + len) < 0) || table_build(h) < 0)
        hosts_free(&h);
    return h;
}

void
hosts_free(struct hosts **hosts)
{
    struct hosts *h = *hosts;

    if (h == NULL)
        return;
    *hosts = NULL;
    free(h->entries);
    free(h->names);
    free(h->buckets);
    free(h);
}

/* ---- looking up ---- */

/* The first entry of name at or after index in a chain, or NONE. */
static uint32_t
chain_find(const struct hosts *h, uint32_t index, const char *name)
{
    while (index != NONE && strcmp(h->names + h->entries[index].name, name) != 0)
        index = h->entries[index].next;
    return index;
}

bool
hosts_has(const struct hosts *hosts, const char *name)
{
    return hosts != NULL && chain_find(hosts, hosts->buckets[bucket_of(hosts, name)], name) != NONE;
}

size_t
hosts_find(const struct hosts *hosts, const char *name, enum addr_family family, struct addr *out,
    size_t max)
{
    size_t count = 0;

    if (hosts == NULL)
        return 0;
    uint32_t at = chain_find(hosts, hosts->buckets[bucket_of(hosts, name)], name);

    for (; at != NONE && count < max; at = chain_find(hosts, hosts->entries[at].next, name))
        if (hosts->entries[at].addr.family == family)
            out[count++] = hosts->entries[at].addr;
    return count;
}
