/* SPDX-License-Identifier: ISC */
/* Shared by config_scan.c (statements) and config_scan_file.c (files). */
#ifndef SP_CONFIG_SCAN_PRIV_H
#define SP_CONFIG_SCAN_PRIV_H

#include "src/config/config_lex.h"
#include "src/config/config_message.h"
#include "src/config/config_scan.h"
#include "src/config/config_seen.h"

/* One section being read. */
struct scan_section {
    const struct config_section *section;
    const char *title; /* NULL when it has none */
    struct flat_origin origin;
    struct flat_origin seen[CONFIG_KEYS_MAX]; /* line 0: not seen */
};

struct scan {
    const struct scan_request *request;
    struct config_flat *flat;
    struct config_seen titles;
    struct scan_section top; /* the keys outside sections, of all files */
    struct config_lexer *lx; /* of the file being read */
    uint32_t file;           /* the file being read */
    unsigned files_deep;
    unsigned includes;
    size_t total;
    bool failed; /* out of memory */
};

/* Complains about the line where the current token begins. */
void scan_error(struct scan *s, const struct scan_section *in, unsigned line, const char *key,
    const char *fmt, ...) SP_PRINTF(5, 6);

/* Statements up to the end of the file. */
void scan_statements(struct scan *s);

/* include(path) at line. */
void scan_include(struct scan *s, const char *path, unsigned line);

#endif
