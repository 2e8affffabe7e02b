/* SPDX-License-Identifier: ISC */
/*
 * Writes the text for libconfuse and remembers where its rows came from. Serves the scan. Out of
 * memory sets `failed`, which the caller looks at once at the end.
 */
#include "src/config/config_flat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
config_flat_free(struct config_flat *f)
{
    for (uint32_t i = 0; i < f->file_count; i++) {
        free(f->files[i]);
    }
    free(f->text);
    free(f->rows);
    *f = (struct config_flat){ .text = NULL };
}

uint32_t
config_flat_file(struct config_flat *f, const char *name)
{
    if (f->file_count == FLAT_FILES_MAX) {
        return FLAT_FILES_MAX;
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        f->failed = true;
        return FLAT_FILES_MAX;
    }
    f->files[f->file_count] = copy;
    return f->file_count++;
}

static bool
flat_room(struct config_flat *f, size_t more)
{
    if (f->size - f->len > more) {
        return true;
    }
    const size_t size = 2 * f->size + more + 4096;
    char *text = f->failed ? NULL : realloc(f->text, size);
    if (text == NULL) {
        f->failed = true;
        return false;
    }
    f->text = text;
    f->size = size;
    return true;
}

static void
flat_add(struct config_flat *f, const char *text)
{
    const size_t len = strlen(text);
    if (flat_room(f, len)) {
        memcpy(f->text + f->len, text, len + 1);
        f->len += len;
    }
}

/* In double quotes; what libconfuse would read as more than itself gets a backslash. */
static void
flat_add_quoted(struct config_flat *f, const char *value)
{
    if (!flat_room(f, 2 * strlen(value) + 2)) {
        return;
    }
    char *out = f->text + f->len;
    *out++ = '"';
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\' || *value == '$') {
            *out++ = '\\';
        }
        *out++ = *value;
    }
    *out++ = '"';
    *out = '\0';
    f->len = (size_t)(out - f->text);
}

/* Ends the row and says where it came from. */
static void
flat_end_row(struct config_flat *f, struct flat_origin origin)
{
    flat_add(f, "\n");
    if (f->row_count == f->row_size) {
        const uint32_t size = 2 * f->row_size + 256;
        struct flat_origin *rows = f->failed ? NULL : realloc(f->rows, size * sizeof(*rows));
        if (rows == NULL) {
            f->failed = true;
            return;
        }
        f->rows = rows;
        f->row_size = size;
    }
    f->rows[f->row_count++] = origin;
}

void
config_flat_set(struct config_flat *f, struct flat_origin origin, const char *key, const char *value)
{
    flat_add(f, key);
    flat_add(f, " = ");
    flat_add_quoted(f, value);
    flat_end_row(f, origin);
    f->values++;
}

void
config_flat_list(struct config_flat *f, struct flat_origin origin, const char *key)
{
    flat_add(f, key);
    flat_add(f, " = {");
    flat_end_row(f, origin);
}

void
config_flat_item(struct config_flat *f, struct flat_origin origin, const char *value)
{
    flat_add_quoted(f, value);
    flat_add(f, ",");
    flat_end_row(f, origin);
    f->values++;
}

void
config_flat_close(struct config_flat *f, struct flat_origin origin)
{
    flat_add(f, "}");
    flat_end_row(f, origin);
}

void
config_flat_section(
    struct config_flat *f, struct flat_origin origin, const char *name, const char *title)
{
    char row[16];
    flat_add(f, name);
    flat_add(f, " {");
    flat_end_row(f, origin);
    snprintf(row, sizeof(row), "%u", f->row_count);
    config_flat_set(f, origin, FLAT_ROW, row);
    config_flat_set(f, origin, FLAT_TITLE, title != NULL ? title : "");
}

const char *
config_flat_where(const struct config_flat *f, uint32_t row, unsigned *line)
{
    if (row == 0 || row > f->row_count || f->rows[row - 1].file >= f->file_count) {
        *line = 0;
        return f->file_count > 0 ? f->files[0] : "configuration";
    }
    *line = f->rows[row - 1].line;
    return f->files[f->rows[row - 1].file];
}
