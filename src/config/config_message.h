/* SPDX-License-Identifier: ISC */
/*
 * Complaints about a configuration: one line each, `FILE:LINE: section "TITLE": KEY: what is wrong;
 * what is allowed`. For the files of src/config only.
 */
#ifndef SP_CONFIG_MESSAGE_H
#define SP_CONFIG_MESSAGE_H

#include <stddef.h>

#include "lib/base/attr.h"
#include "src/config/config.h"

#define CONFIG_ERRORS_MAX 50U /* lines shown; further ones are only counted */
#define CONFIG_QUOTE_MAX 128  /* a value as shown: cut, no control characters */
#define CONFIG_ERROR_MAX 512  /* bytes of one "what is wrong; what is allowed" */

/* What a complaint is about; section, title and key may be NULL. */
struct config_where {
    const char *file;
    unsigned line; /* 0: none */
    const char *section;
    const char *title;
    const char *key;
};

void config_error(struct config_messages *m, const struct config_where *where, const char *fmt, ...)
    SP_PRINTF(3, 4);
void config_warn(struct config_messages *m, const struct config_where *where, const char *fmt, ...)
    SP_PRINTF(3, 4);

/* A line that already names its own file and line (the content of a file a module reads). */
void config_error_line(struct config_messages *m, const char *line);

/* text in double quotes, cut to a readable length, control characters as '?'. Returns out. */
const char *config_quote(const char *text, char out[CONFIG_QUOTE_MAX]);

/* `"a", "b" and "c"` of a NULL-terminated row. Returns out. */
const char *config_words(const char *const *words, char *out, size_t size);

#endif
