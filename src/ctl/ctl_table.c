/* SPDX-License-Identifier: ISC */
/*
 * Tables as wide as the terminal: columns that may be cut give way, the widest first. Serves the commands
 * that list. A row is one block: its cells one behind the other, cleaned already.
 */
#include "src/ctl/ctl_private.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 24
#define CELL_MAX 1100 /* octets of a cell: 256 octets of a name, each made visible */
#define ROWS_FIRST 256

struct ctl_table {
    const struct ctl_column *columns;
    size_t count;
    bool full;
    size_t widths[COLUMNS_MAX]; /* of the widest value */
    char **rows;                /* owned, each of them too */
    size_t row_count, row_size;
};

struct ctl_table *
ctl_table_new(const struct ctl_column *columns, size_t count, bool full)
{
    struct ctl_table *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    t->columns = columns;
    t->count = count < COLUMNS_MAX ? count : COLUMNS_MAX;
    t->full = full;
    for (size_t i = 0; i < t->count; i++)
        t->widths[i] = strlen(columns[i].title);
    return t;
}

static bool
shown(const struct ctl_table *t, size_t i)
{
    return t->full || !t->columns[i].full_only;
}

/* The first of the fields "a|b" that is there; *second: it is not the first one. */
static const char *
pick(const struct control_line *line, const char *fields, bool *second)
{
    char name[32];

    while (*fields != '\0') {
        size_t len = strcspn(fields, "|");

        if (len < sizeof name) {
            memcpy(name, fields, len);
            name[len] = '\0';
            const char *value = control_line_get(line, name);

            if (value != NULL)
                return value;
        }
        *second = true;
        fields += len + (fields[len] == '|');
    }
    return NULL;
}

/* Returns the columns it takes. */
static size_t
make_cell(const struct ctl_column *column, const struct control_line *line, char cell[CELL_MAX])
{
    bool second = false;
    const char *value = pick(line, column->field, &second);
    char text[16], marked[300];

    if (value == NULL || value[0] == '\0')
        return ctl_clean(cell, CELL_MAX, "-", 0);
    if (second && snprintf(marked, sizeof marked, "(%.280s)", value) > 0)
        value = marked;
    if (column->kind == CTL_BYTES)
        ctl_bytes(text, strtod(value, NULL));
    else if (column->kind == CTL_AGE)
        ctl_age(text, strtod(value, NULL));
    return ctl_clean(cell, CELL_MAX, column->kind >= CTL_BYTES ? text : value, 0);
}

static int
grow(struct ctl_table *t)
{
    size_t size = t->row_size == 0 ? ROWS_FIRST : 2 * t->row_size;
    char **rows = realloc(t->rows, size * sizeof *rows);

    if (rows == NULL)
        return -1;
    t->rows = rows;
    t->row_size = size;
    return 0;
}

int
ctl_table_add(struct ctl_table *t, const struct control_line *line)
{
    char cells[COLUMNS_MAX * CELL_MAX];
    size_t used = 0;

    if (t->row_count == t->row_size && grow(t) < 0)
        return -1;
    for (size_t i = 0; i < t->count; i++) {
        if (!shown(t, i))
            continue;
        size_t width = make_cell(&t->columns[i], line, cells + used);

        if (width > t->widths[i])
            t->widths[i] = width;
        used += strlen(cells + used) + 1;
    }
    char *row = malloc(used > 0 ? used : 1);

    if (row == NULL)
        return -1;
    memcpy(row, cells, used);
    t->rows[t->row_count++] = row;
    return 0;
}

size_t
ctl_table_rows(const struct ctl_table *t)
{
    return t->row_count;
}

static int
by_first(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    size_t x_len = strlen(x), y_len = strlen(y);

    return x_len != y_len ? (x_len > y_len) - (x_len < y_len) : strcmp(x, y);
}

void
ctl_table_sort(struct ctl_table *t)
{
    if (t->row_count > 1)
        qsort(t->rows, t->row_count, sizeof *t->rows, by_first);
}

/* ---- printing ---- */

static size_t
total(const struct ctl_table *t)
{
    size_t sum = 0;

    for (size_t i = 0; i < t->count; i++)
        sum += shown(t, i) ? t->widths[i] + 1 : 0;
    return sum > 0 ? sum - 1 : 0;
}

/* The column that gives way next, or count when none can. */
static size_t
widest(const struct ctl_table *t)
{
    size_t best = t->count;

    for (size_t i = 0; i < t->count; i++) {
        if (!shown(t, i) || t->columns[i].least == 0 || t->widths[i] <= t->columns[i].least)
            continue;
        if (best == t->count || t->widths[i] > t->widths[best])
            best = i;
    }
    return best;
}

static void
squeeze(struct ctl_table *t, size_t columns)
{
    while (columns > 0 && total(t) > columns) {
        size_t i = widest(t);

        if (i == t->count)
            return;
        t->widths[i]--;
    }
}

static void
print_cell(const struct ctl_table *t, size_t i, const char *text, FILE *out, bool last)
{
    char cell[CELL_MAX];
    size_t width = (t->columns[i].kind == CTL_PLACE ? ctl_clean_place : ctl_clean)(
        cell, sizeof cell, text, t->widths[i]);
    int pad = width < t->widths[i] ? (int)(t->widths[i] - width) : 0;

    if (t->columns[i].kind >= CTL_NUMBER)
        fprintf(out, "%*s%s", pad, "", cell);
    else if (last)
        fputs(cell, out);
    else
        fprintf(out, "%s%*s", cell, pad, "");
    fputs(last ? "\n" : " ", out);
}

static void
print_row(const struct ctl_table *t, const char *row, FILE *out)
{
    size_t left = 0;

    for (size_t i = 0; i < t->count; i++)
        left += shown(t, i);
    for (size_t i = 0; i < t->count; i++) {
        if (!shown(t, i))
            continue;
        print_cell(t, i, row == NULL ? t->columns[i].title : row, out, --left == 0);
        row = row == NULL ? NULL : row + strlen(row) + 1;
    }
}

void
ctl_table_print(struct ctl_table *t, FILE *out, size_t columns)
{
    squeeze(t, columns);
    print_row(t, NULL, out);
    for (size_t i = 0; i < t->row_count; i++)
        print_row(t, t->rows[i], out);
}

void
ctl_table_free(struct ctl_table **table)
{
    struct ctl_table *t = *table;

    if (t == NULL)
        return;
    *table = NULL;
    for (size_t i = 0; i < t->row_count; i++)
        free(t->rows[i]);
    free(t->rows);
    free(t);
}

/* ---- an answer as a table ---- */

static int
add_lines(struct ctl_table *table, struct ctl_answer *a, const struct ctl_listing *l)
{
    char room[CTL_SHAPE_SIZE];
    int result;

    while ((result = ctl_next(a)) > 0) {
        if (l->shape != NULL)
            l->shape(&a->line, room);
        if (ctl_table_add(table, &a->line) < 0) {
            a->error = "no memory for the listing";
            return -1;
        }
    }
    return result;
}

int
ctl_write_table(FILE *out, struct ctl_answer *a, const void *listing)
{
    const struct ctl_listing *l = listing;
    struct ctl_table *table = ctl_table_new(l->columns, l->count, l->full);
    int result = -1;

    a->error = "no memory for the listing";
    if (table != NULL)
        result = add_lines(table, a, l);
    if (result == 0 && l->by_number)
        ctl_table_sort(table);
    if (result == 0 && ctl_table_rows(table) == 0)
        fprintf(out, "%s\n", l->none);
    else if (result == 0)
        ctl_table_print(table, out, l->uncut ? 0 : ctl_columns());
    ctl_table_free(&table);
    return result;
}
