/* SPDX-License-Identifier: ISC */
/* One key of a configuration, found in what the scan makes of it. Serves sallyportctl. */
#include "src/config/config_peek.h"

#include <string.h>

#include "src/config/config_scan.h"

static const struct config_section *
peek_lookup(const char *name, void *ctx, char *error, size_t size)
{
    (void)ctx;
    if (size > 0) {
        error[0] = '\0';
    }
    return config_section_find(name); /* those of modules are passed over */
}

/* The value of a row KEY = "VALUE", its backslashes undone. */
static int
peek_value(const char *row, char *out, size_t size)
{
    size_t len = 0;
    for (const char *at = strchr(row, '"') + 1; *at != '"' && *at != '\0'; at++) {
        if (*at == '\\') {
            at++;
        }
        if (len + 1 >= size) {
            return 0;
        }
        out[len++] = *at;
    }
    out[len] = '\0';
    return 1;
}

/* True when the row begins with word and then mark. */
static bool
peek_is(const char *row, const char *word, const char *mark)
{
    const size_t len = strlen(word);
    return strncmp(row, word, len) == 0 && strncmp(row + len, mark, strlen(mark)) == 0;
}

static int
peek_find(const char *text, const char *section, const char *key, char *out, size_t size)
{
    bool inside = false;
    while (text != NULL && *text != '\0') {
        if (peek_is(text, section, " {")) {
            inside = true;
        } else if (*text == '}') {
            inside = false;
        } else if (inside && peek_is(text, key, " = \"")) {
            return peek_value(text, out, size);
        }
        text = strchr(text, '\n');
        text = text != NULL ? text + 1 : NULL;
    }
    return 0;
}

int
config_peek(const struct config_source *source, const char *section, const char *key, char *out,
    size_t size)
{
    struct config_messages messages = { .text = BUFFER_INIT };
    struct config_flat flat;
    const struct scan_request request = { .source = source, .messages = &messages,
        .lookup = peek_lookup };
    memset(&flat, 0, sizeof(flat));
    config_scan(&request, &flat);
    const int result = flat.failed || flat.text == NULL
                           ? (messages.errors > 0 || flat.failed ? -1 : 0)
                           : peek_find(flat.text, section, key, out, size);
    config_flat_free(&flat);
    buffer_clear(&messages.text);
    return result;
}
