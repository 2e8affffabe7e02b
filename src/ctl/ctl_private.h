/* SPDX-License-Identifier: ISC */
/*
 * The inside of sallyportctl, shared by src/ctl/ alone. A command is a function that prints and returns the
 * exit status. Whatever comes from a gateway is client-made text: it reaches the terminal through
 * ctl_text.c and nothing else.
 */
#ifndef SP_CTL_CTL_PRIVATE_H
#define SP_CTL_CTL_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/base/attr.h"
#include "src/core/control_line.h"

enum ctl_status {
    CTL_OK = 0,          /* done; explain: allowed */
    CTL_FAILED = 1,      /* the gateway refused; explain: denied; test: an expectation failed */
    CTL_USAGE = 2,       /* the command line, or a file of expectations */
    CTL_UNREACHABLE = 3, /* no gateway answers */
    CTL_UNJUDGED = 3     /* explain, test: no verdict, whatever the reason */
};

struct ctl {
    const char *socket; /* -s; NULL: to be found */
};

/* An option of a command. */
struct ctl_option {
    const char *name;
    const char *takes; /* what the usage calls its value; NULL: a flag */
    char letter;       /* 0: none */
    bool needed;
    bool many;  /* it may come again: one option of a command at most */
    bool other; /* it comes instead of the one in the row before */
};

/* Values of an option that may come several times. */
#define CTL_LIST_MAX 64
struct ctl_list {
    const char *values[CTL_LIST_MAX];
    size_t count;
};

/* What stands behind a command. */
#define CTL_OPTIONS_MAX 16
struct ctl_given {
    const struct ctl_command *command;
    const char *values[CTL_OPTIONS_MAX]; /* by the row of the option; NULL: not given, "" for a flag */
    struct ctl_list list;                /* of the one that may come again */
    const char *operand;
    bool help; /* that is what is asked for */
};

/* A row of the table of commands: the usage and what may follow are made of it. */
struct ctl_command {
    const char *name; /* one word, or two */
    enum ctl_status (*run)(struct ctl *ctl, const struct ctl_given *given);
    const char *operand; /* the one it needs; NULL: none */
    const char *sentence;
    struct ctl_option options[CTL_OPTIONS_MAX];
};

/* Says on standard error what went wrong, control characters made visible, and returns status. */
enum ctl_status ctl_fail(enum ctl_status status, const char *fmt, ...) SP_PRINTF(2, 3);
/* The same, followed by the way to the usage. */
enum ctl_status ctl_usage(const char *fmt, ...) SP_PRINTF(1, 2);
/* Nothing of standard output may be lost. */
enum ctl_status ctl_flush(enum ctl_status status);

/* ---- asking (ctl_ask.c, ctl_socket.c) ---- */

/* Where the gateway answers. 0, or -1: told. */
int ctl_socket_find(const char *given, char *path, size_t size) SP_MUST_USE;

#define CTL_WORDS_MAX 16
struct ctl_request {
    const char *command;
    struct control_field words[CTL_WORDS_MAX]; /* value NULL: left out */
    size_t count;
};
void ctl_request_add(struct ctl_request *request, const char *name, const char *value);

struct ctl_answer {
    int fd;       /* owned */
    int passed;   /* a descriptor that came with it, owned; -1: none */
    char *data;   /* owned: what is read and not taken apart */
    size_t len, size, at;
    struct control_line line; /* points into data, until the next call */
    bool truncated;  /* the gateway went away in the middle */
    const char *error; /* of .error; points into data */
    char why[128];     /* room for errors of our own */
};

/* Connects and sends. CTL_OK, or told. quiet: a->error says what went wrong and nothing is printed. */
enum ctl_status ctl_ask(const struct ctl *ctl, const struct ctl_request *request, struct ctl_answer *a);
enum ctl_status ctl_ask_quietly(const char *socket, const struct ctl_request *request,
    struct ctl_answer *a, int seconds);
/* 1: a->line; 0: the end, all is well; -1: a->error. */
int ctl_next(struct ctl_answer *a);
void ctl_answer_close(struct ctl_answer *a);
/* What ctl_next() made of the end: CTL_OK, or told. */
enum ctl_status ctl_end(struct ctl_answer *a, int result);
/* Asks, passes over the lines, ends. */
enum ctl_status ctl_do(const struct ctl *ctl, const struct ctl_request *request);

/* Writes what is to be seen of an answer. Returns what ctl_next() did at the end, or -1 with a->error. */
typedef int ctl_writer(FILE *out, struct ctl_answer *a, const void *ctx);
/*
 * Asks, and shows on standard output what write makes of the answer, once all of it is there: who reads
 * slowly, as a pager does, keeps no gateway waiting and is not cut, and of an answer that fails nothing is shown.
 */
enum ctl_status ctl_show(const struct ctl *ctl, const struct ctl_request *request, ctl_writer *write,
    const void *ctx);
/* The same of an answer that began already; ends it. */
enum ctl_status ctl_collect(struct ctl_answer *a, ctl_writer *write, const void *ctx);

/* Field of a line, "" when it is not there. */
const char *ctl_field(const struct control_line *line, const char *name);
/* The same as a number; 0 where it is none. */
double ctl_number(const struct control_line *line, const char *name);

/* ---- text for people (ctl_text.c) ---- */

/* Makes text fit for a terminal: what is not printable there, and what reorders text, becomes \xHH. At most
   columns columns (0: any number), the last one a '~' where something was cut. Returns the columns. */
size_t ctl_clean(char *out, size_t size, const char *text, size_t columns);
/* The same for HOST:PORT, whose port stays where something has to be cut. */
size_t ctl_clean_place(char *out, size_t size, const char *text, size_t columns);
void ctl_print(FILE *out, const char *text);
/* "0", "999", "1.2k", "34M": at most five columns. */
void ctl_bytes(char out[16], double value);
/* The half of a session's id that differs from others', without zeros; part of id. */
const char *ctl_short_id(const char *id);
/* "5s", "12m", "3h20", "4d": at most five columns. */
void ctl_age(char out[16], double seconds);
/* Columns of the terminal; 80 where there is none. */
size_t ctl_columns(void);

/* ---- tables (ctl_table.c) ---- */

enum ctl_kind { CTL_TEXT, CTL_PLACE, CTL_NUMBER, CTL_BYTES, CTL_AGE };

struct ctl_column {
    const char *title;
    const char *field; /* "a|b": a, or where it is not there b in brackets */
    enum ctl_kind kind;
    size_t least; /* a column that may be made narrower than its widest value, down to this; 0: not */
    bool full_only; /* in the wide form alone */
};

struct ctl_table;
struct ctl_table *ctl_table_new(const struct ctl_column *columns, size_t count, bool full) SP_MUST_USE;
/* -1: no memory. */
int ctl_table_add(struct ctl_table *table, const struct control_line *line) SP_MUST_USE;
/* In order of the first column: shorter ones first, and as text. */
void ctl_table_sort(struct ctl_table *table);
size_t ctl_table_rows(const struct ctl_table *table);
/* columns: of the terminal; 0: as wide as it gets. */
void ctl_table_print(struct ctl_table *table, FILE *out, size_t columns);
void ctl_table_free(struct ctl_table **table);

/* What ctl_write_table() makes of an answer, a row of each line. */
#define CTL_SHAPE_SIZE 128
struct ctl_listing {
    const struct ctl_column *columns;
    size_t count;
    bool full, uncut; /* all columns; as wide as it gets */
    bool by_number;   /* rows in order of the first column, which is a number of whatever base */
    const char *none; /* said where there is no row */
    /* Changes what a row shows; room is for a value of its own. May be NULL. */
    void (*shape)(struct control_line *line, char room[CTL_SHAPE_SIZE]);
};
int ctl_write_table(FILE *out, struct ctl_answer *a, const void *listing); /* a ctl_writer */

/* ---- JSON (ctl_json.c) ---- */

/* The text in quotes: valid UTF-8 whatever came. */
void ctl_json_text(FILE *out, const char *text);
/* The fields of a line as an object, but for `without` (may be NULL); numbers as numbers. */
void ctl_json_line(FILE *out, const struct control_line *line, const char *without);
/* All lines of an answer as a list of objects; a ctl_writer. */
int ctl_write_json(FILE *out, struct ctl_answer *a, const void *unused);

/* ---- what stands behind a command (ctl_options.c) ---- */

/* Reads it; argv[0] is the command, or its second word. CTL_OK, or told. -s, --socket, -h and --help are
   known everywhere. */
enum ctl_status ctl_options(struct ctl *ctl, const struct ctl_command *command, int argc, char **argv,
    struct ctl_given *out);
/* Of an option in the command's table: its value, NULL where it was not given. */
const char *ctl_value(const struct ctl_given *given, const char *option);
bool ctl_flag(const struct ctl_given *given, const char *option);
/* Those of the options that were given as words of the request. */
void ctl_request_options(struct ctl_request *request, const struct ctl_given *given);
/* How the command is called, in lines of at most 80 columns of which the first one begins with before. */
void ctl_print_usage(FILE *out, const char *before, const struct ctl_command *command);

/* ---- commands ---- */

enum ctl_status ctl_status_command(struct ctl *ctl, const struct ctl_given *given);
enum ctl_status ctl_sessions(struct ctl *ctl, const struct ctl_given *given);
enum ctl_status ctl_kill(struct ctl *ctl, const struct ctl_given *given);
enum ctl_status ctl_drain(struct ctl *ctl, const struct ctl_given *given);
enum ctl_status ctl_reload(struct ctl *ctl, const struct ctl_given *given);
enum ctl_status ctl_workers(struct ctl *ctl, const struct ctl_given *given);
enum ctl_status ctl_workers_replace(struct ctl *ctl, const struct ctl_given *given);
enum ctl_status ctl_penalties(struct ctl *ctl, const struct ctl_given *given);
enum ctl_status ctl_penalties_clear(struct ctl *ctl, const struct ctl_given *given);
enum ctl_status ctl_metrics(struct ctl *ctl, const struct ctl_given *given);
enum ctl_status ctl_top(struct ctl *ctl, const struct ctl_given *given);
enum ctl_status ctl_explain(struct ctl *ctl, const struct ctl_given *given);
enum ctl_status ctl_test(struct ctl *ctl, const struct ctl_given *given);

#endif
