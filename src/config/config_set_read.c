/* SPDX-License-Identifier: ISC */
/*
 * The lines of a list file, as they come out of a descriptor: the file is never in memory as a whole.
 * Serves config_set.c. What cannot be read is a complaint.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/config/config.h"
#include "src/config/config_set.h"

#define SET_COMPLAINTS_MAX 20U /* about one file: then it is something else than a list */

/* A file being read. */
struct set_reader {
    struct config_set *set;
    struct config_messages *messages;
    char *data; /* a line at most, and a newline */
    size_t len;
    unsigned line;
    unsigned wrong;
};

static bool
reader_error(struct set_reader *r, unsigned line, const char *text)
{
    const struct config_where where = { .file = r->set->path, .line = line };
    config_error(r->messages, &where, "%s", text);
    r->wrong++;
    return false;
}

/* One line, or a complaint; false when the rest is not worth reading. */
static bool
reader_line(struct set_reader *r, const char *line, size_t len)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some editors begin a text of UTF-8 with it */
    struct config_error_text error;
    if (++r->line == 1 && len >= 3 && memcmp(line, mark, 3) == 0) {
        line += 3;
        len -= 3;
    }
    if (memchr(line, '\0', len) != NULL) {
        return reader_error(r, r->line, "NUL byte; only text is allowed");
    }
    if (!config_set_line(r->set, line, len, &error)) {
        reader_error(r, r->line, error.text);
        if (r->wrong == SET_COMPLAINTS_MAX) {
            return reader_error(r, r->line, "too much is wrong; the rest is not looked at");
        }
    }
    if (config_set_entries(r->set) > IMAGE_SET_ENTRIES_MAX) {
        config_value_error(&error, "more than %u entries", IMAGE_SET_ENTRIES_MAX);
        return reader_error(r, r->line, error.text);
    }
    return !r->set->failed;
}

/* All whole lines of the buffer; last: and what is behind them. */
static bool
reader_lines(struct set_reader *r, bool last)
{
    char *at = r->data;
    size_t left = r->len;
    for (;;) {
        const char *end = memchr(at, '\n', left);
        if (end == NULL && (!last || left == 0)) {
            break;
        }
        const size_t len = end != NULL ? (size_t)(end - at) : left;
        const size_t step = end != NULL ? len + 1 : left;
        if (!reader_line(r, at, len)) {
            return false;
        }
        at += step;
        left -= step;
    }
    memmove(r->data, at, left);
    r->len = left;
    return left <= CONFIG_SET_LINE_MAX ||
           reader_error(r, r->line + 1, "a line of more than 65535 octets");
}

/* Why so many octets are too many, or NULL. */
static const char *
reader_much(size_t own, size_t total)
{
    return own > CONFIG_LIST_MAX       ? "larger than the 64 MiB that a list may have"
           : total > CONFIG_SETS_TOTAL ? "with it the lists are larger than the 256 MiB allowed in all"
                                       : NULL;
}

static bool
reader_all(struct set_reader *r, int fd, size_t *total)
{
    size_t own = 0;
    for (;;) {
        const ssize_t n = read(fd, r->data + r->len, CONFIG_SET_LINE_MAX + 1 - r->len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return reader_error(r, 0, strerror(errno));
        }
        own += (size_t)n;
        *total += (size_t)n;
        r->len += (size_t)n;
        const char *much = reader_much(own, *total);
        if (much != NULL) {
            return reader_error(r, 0, much);
        }
        if (!reader_lines(r, n == 0) || n == 0) {
            return r->wrong == 0 && !r->set->failed;
        }
    }
}

bool
config_set_read(struct config_set *s, int fd, size_t *total, struct config_messages *messages)
{
    struct set_reader r = { .set = s, .messages = messages };
    r.data = malloc(CONFIG_SET_LINE_MAX + 1);
    s->failed = s->failed || r.data == NULL;
    const bool good = !s->failed && reader_all(&r, fd, total);
    if (s->failed) {
        reader_error(&r, 0, "out of memory");
    }
    free(r.data);
    return good && !s->failed;
}
