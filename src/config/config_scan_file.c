/* SPDX-License-Identifier: ISC */
/*
 * The files of a configuration: the main one and what it includes. Serves config_scan.c. What cannot
 * be read is a complaint.
 */
#include "src/config/config_scan_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fd.h"

void
scan_error(struct scan *s, const struct scan_section *in, unsigned line, const char *key,
    const char *fmt, ...)
{
    char text[CONFIG_ERROR_MAX];
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    const struct config_where where = {
        .file = s->file < s->flat->file_count ? s->flat->files[s->file] : s->request->source->path,
        .line = line,
        .section = in != NULL ? in->section->name : NULL,
        .title = in != NULL ? in->title : NULL,
        .key = key,
    };
    config_error(s->request->messages, &where, "%s", n < 0 ? "error" : text);
}

/* Reads fd to its end into *data (owned by the caller). Bytes read, or -1 with errno. */
static ssize_t
file_read(int fd, char **data)
{
    size_t size = 65536;
    size_t len = 0;
    *data = malloc(size);
    for (;;) {
        const ssize_t n = *data != NULL ? read(fd, *data + len, size - len) : -1;
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? -1 : (ssize_t)len;
        }
        len += (size_t)n;
        if (len > CONFIG_FILE_MAX) {
            errno = EFBIG;
            return -1;
        }
        if (len == size) {
            char *more = realloc(*data, 2 * size);
            if (more == NULL) {
                return -1;
            }
            *data = more;
            size *= 2;
        }
    }
}

/* Opens and reads path; complains at line (0: the main file itself). False when there is nothing. */
static bool
file_load(struct scan *s, const char *path, unsigned line, char **data, size_t *len)
{
    char quoted[CONFIG_QUOTE_MAX];
    int fd = s->request->source->open(path, s->request->source->ctx);
    if (fd < 0) {
        scan_error(s, NULL, line, NULL, "cannot open %s: %s", config_quote(path, quoted),
            strerror(errno));
        s->flat->cut = true;
        return false;
    }
    const ssize_t n = file_read(fd, data);
    const int error = errno;
    fd_close(&fd);
    if (n < 0 && error == EFBIG) {
        scan_error(s, NULL, line, NULL, "%s is too large; allowed are %u bytes",
            config_quote(path, quoted), CONFIG_FILE_MAX);
    } else if (n < 0) {
        scan_error(s, NULL, line, NULL, "cannot read %s: %s", config_quote(path, quoted),
            strerror(error));
    }
    s->flat->cut = s->flat->cut || n < 0;
    *len = n < 0 ? 0 : (size_t)n;
    return n >= 0;
}

static unsigned
file_line_of(const char *data, const char *at)
{
    unsigned line = 1;
    for (; data < at; data++) {
        line += *data == '\n';
    }
    return line;
}

/* Reads the statements of one text under the name name. */
static void
file_scan(struct scan *s, const char *name, const char *data, size_t len)
{
    struct config_lexer *const outer = s->lx;
    const uint32_t outer_file = s->file;
    const uint32_t file = config_flat_file(s->flat, name);
    if (file == FLAT_FILES_MAX) {
        s->failed = true;
        return;
    }
    s->file = file;
    const char *nul = memchr(data, '\0', len);
    struct config_lexer *lx = malloc(sizeof(*lx));
    if (lx == NULL) {
        s->failed = true;
    } else if (nul != NULL) {
        scan_error(s, NULL, file_line_of(data, nul), NULL, "NUL byte; only text is allowed");
        s->flat->cut = true;
    } else {
        config_lex_init(lx, data, len);
        s->lx = lx;
        s->files_deep++;
        scan_statements(s);
        s->files_deep--;
    }
    free(lx);
    s->lx = outer;
    s->file = outer_file;
}

void
scan_include(struct scan *s, const char *path, unsigned line)
{
    if (s->files_deep >= SCAN_DEPTH_MAX) {
        scan_error(s, NULL, line, "include", "files include each other more than %d deep",
            SCAN_DEPTH_MAX);
        return;
    }
    if (++s->includes > CONFIG_INCLUDES_MAX) {
        if (s->includes == CONFIG_INCLUDES_MAX + 1) {
            scan_error(s, NULL, line, "include", "more than %d files are included",
                CONFIG_INCLUDES_MAX);
        }
        return;
    }
    char *data = NULL;
    size_t len = 0;
    if (file_load(s, path, line, &data, &len)) {
        s->total += len;
        if (s->total > SCAN_TOTAL_MAX) {
            scan_error(s, NULL, line, "include", "more than %u bytes in all", SCAN_TOTAL_MAX);
        } else {
            file_scan(s, path, data, len);
        }
    }
    free(data);
}

static void
scan_main(struct scan *s)
{
    const struct config_source *source = s->request->source;
    if (source->path == NULL) {
        file_scan(s, "built-in default", s->request->builtin, strlen(s->request->builtin));
        return;
    }
    char *data = NULL;
    size_t len = 0;
    s->file = FLAT_FILES_MAX;
    if (file_load(s, source->path, 0, &data, &len)) {
        s->total = len;
        file_scan(s, source->path, data, len);
    }
    free(data);
}

void
config_scan(const struct scan_request *request, struct config_flat *flat)
{
    struct scan s = { .request = request, .flat = flat };
    char error[CONFIG_ERROR_MAX];
    s.top.section = request->lookup("", request->ctx, error, sizeof(error));
    if (s.top.section != NULL) {
        scan_main(&s);
    }
    config_seen_free(&s.titles);
    if (s.failed || flat->failed) {
        const struct config_where where = { .file = request->source->path };
        config_error(request->messages, &where, "out of memory");
    }
}
