/* SPDX-License-Identifier: ISC */
/*
 * Reading the password file's text. Serves both faces: the check of a configuration and the pool that
 * loads it refuse the same things with the same words. Nothing is fatal here.
 */
#include "auth/userpass/userpass_table_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest line that can be right, and then some for comments. */
#define LINE_MAX_BYTES 4096

struct reader {
    struct userpass_table *table;
    const char *where;
    unsigned line; /* the one being read, from 1 */
    char *error;
    size_t size;
};

static int reader_fail(struct reader *r, const char *fmt, ...) SP_PRINTF(2, 3);

/* "FILE:LINE: ...", cut where it does not fit. */
static int
reader_fail(struct reader *r, const char *fmt, ...)
{
    va_list args;
    const int n = snprintf(r->error, r->size, "%s:%u: ", r->where, r->line);

    if (n < 0 || (size_t)n >= r->size)
        return -1;
    va_start(args, fmt);
    const int m = vsnprintf(r->error + n, r->size - (size_t)n, fmt, args);
    va_end(args);
    if (m < 0)
        r->error[n] = '\0';
    return -1;
}

static bool
has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return true;
    return false;
}

static int
name_check(struct reader *r, const char *name, size_t len)
{
    if (len == 0)
        return reader_fail(r, "the name is empty; write NAME:HASH");
    if (len > USERPASS_NAME_MAX)
        return reader_fail(r, "the name has %zu bytes; at most %d are possible", len,
            USERPASS_NAME_MAX);
    if (has_control(name, len))
        return reader_fail(r, "the name has a control character");
    return 0;
}

/* Says what is wrong with the hash and how to make a good one; never prints the hash. */
static int
hash_fail(struct reader *r, const char *name, size_t len, const char *why)
{
    const int n = (int)(len < 64 ? len : 64);

    return reader_fail(r,
        "user \"%.*s\": %s; make a good one with: htpasswd -B %s '%.*s' "
        "(or mkpasswd -m yescrypt, or openssl passwd -6)",
        n, name, why, r->where, n, name);
}

static int
entry_read(struct reader *r, const char *line, size_t len, size_t left)
{
    const char *colon = memchr(line, ':', len);
    struct userpass_hash hash;
    const char *why;

    if (colon == NULL)
        return reader_fail(r, "no colon; write NAME:HASH");
    struct userpass_row row = { .name = line, .hash = colon + 1 };
    const size_t name_len = (size_t)(colon - line);
    const size_t hash_len = len - name_len - 1;

    if (name_check(r, line, name_len) != 0)
        return -1;
    if (memchr(row.hash, ':', hash_len) != NULL)
        return reader_fail(r, "more than one colon; write NAME:HASH and nothing behind it");
    if (userpass_hash_read(row.hash, hash_len, &hash, &why) != 0)
        return hash_fail(r, line, name_len, why);
    row.name_len = (uint8_t)name_len;
    row.hash_len = (uint16_t)hash_len;
    row.scheme = (uint8_t)hash.scheme;
    if (r->table->count >= USERPASS_USERS_MAX)
        return reader_fail(r, "more than %u users", USERPASS_USERS_MAX);
    switch (userpass_table_put(r->table, &row, left)) {
    case USERPASS_PUT_DONE:
        return 0;
    case USERPASS_PUT_DUPLICATE:
        return reader_fail(r, "user \"%.*s\" appears a second time", (int)name_len, line);
    case USERPASS_PUT_MEMORY:
        break;
    }
    return reader_fail(r, "out of memory");
}

static int
line_read(struct reader *r, const char *line, size_t len, size_t left)
{
    if (memchr(line, '\0', len) != NULL)
        return reader_fail(r, "the line has a NUL byte");
    if (len > LINE_MAX_BYTES)
        return reader_fail(r, "the line has %zu bytes; at most %d are possible", len,
            LINE_MAX_BYTES);
    if (len == 0 || line[0] == '#')
        return 0;
    if (line[len - 1] == '\r')
        return reader_fail(r, "the line ends in CR LF; end it in LF alone");
    return entry_read(r, line, len, left);
}

static int
file_read(struct reader *r, const char *at, size_t left)
{
    while (left > 0) {
        const char *end = memchr(at, '\n', left);
        const size_t len = end != NULL ? (size_t)(end - at) : left;

        r->line++;
        if (line_read(r, at, len, left) != 0)
            return -1;
        const size_t step = end != NULL ? len + 1 : len;

        at += step;
        left -= step;
    }
    return 0;
}

struct userpass_table *
userpass_table_load(const void *data, size_t len, bool keep, const char *where, char *error,
    size_t size)
{
    struct userpass_table *table = NULL;
    struct reader r = { .where = where, .line = 0, .error = error, .size = size };

    if (len > USERPASS_FILE_MAX) {
        (void)reader_fail(&r, "the file has %zu bytes; at most %u are possible", len,
            USERPASS_FILE_MAX);
        return NULL;
    }
    table = calloc(1, sizeof *table);
    if (table == NULL) {
        (void)reader_fail(&r, "out of memory");
        return NULL;
    }
    table->keep = keep;
    r.table = table;
    if (file_read(&r, data, len) != 0)
        userpass_table_free(&table);
    return table;
}
