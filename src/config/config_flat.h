/* SPDX-License-Identifier: ISC */
/*
 * What the scan hands to libconfuse: the text of all files written anew, includes in their place,
 * comments gone, every value in double quotes and on a row of its own. A row of it leads back to the
 * file and line it came from, exactly, whatever the lexer behind makes of comments and escapes.
 */
#ifndef SP_CONFIG_FLAT_H
#define SP_CONFIG_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLAT_FILES_MAX 66 /* the main file and its includes */

/* Keys the scan adds; no file can hold them, '@' is not allowed in a bare word. */
#define FLAT_ROW "@row"     /* first in every section: its own row; a new section begins */
#define FLAT_TITLE "@title" /* the title, "" when it has none */
#define FLAT_EMPTY "@empty" /* name of a list that was given empty */

struct flat_origin {
    uint32_t file; /* place among files */
    uint32_t line;
};

struct config_flat {
    char *text; /* owned, NUL-terminated once something was added */
    size_t len;
    size_t size;
    struct flat_origin *rows; /* owned; row n is rows[n - 1] */
    uint32_t row_count;
    uint32_t row_size;
    uint32_t values; /* rows that hold a value: what the parser must see again */
    char *files[FLAT_FILES_MAX]; /* owned */
    uint32_t file_count;
    bool cut;    /* a file was left before its end: what is missing may stand there */
    bool failed; /* out of memory */
};

void config_flat_free(struct config_flat *f);

/* Index of a new file, or FLAT_FILES_MAX when there are too many or memory ran out. */
uint32_t config_flat_file(struct config_flat *f, const char *name);

/* Each adds one row that stems from origin. */
void config_flat_set(struct config_flat *f, struct flat_origin origin, const char *key,
    const char *value);
void config_flat_list(struct config_flat *f, struct flat_origin origin, const char *key);
void config_flat_item(struct config_flat *f, struct flat_origin origin, const char *value);
void config_flat_close(struct config_flat *f, struct flat_origin origin);
/* Two rows more: FLAT_ROW and FLAT_TITLE. title may be NULL. */
void config_flat_section(struct config_flat *f, struct flat_origin origin, const char *name,
    const char *title);

/* File and line of a row; the file's name is "configuration" for a row that does not exist. */
const char *config_flat_where(const struct config_flat *f, uint32_t row, unsigned *line);

#endif
