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
#include <stdint.h>
#include <stdio.h>

#include "lib/base/attr.h"
#include "src/core/control_line.h"

enum ctl_status {
    CTL_OK = 0,          /* done; explain: allowed */
    CTL_FAILED = 1,      /* the gateway refused; explain: denied; test: an expectation failed */
    CTL_USAGE = 2,       /* the command line, or a file of expectations */
    CTL_UNREACHABLE = 3  /* no gateway answers */
};

struct ctl {
    const char *socket; /* -s; NULL: to be found */
};

/* A row of the table of commands. */
struct ctl_command {
    const char *name;
    enum ctl_status (*run)(struct ctl *ctl, int argc, char **argv);
    const char *arguments; /* for the usage */
    const char *sentence;
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
size_t ctl_table_rows(const struct ctl_table *table);
/* columns: of the terminal; 0: as wide as it gets. */
void ctl_table_print(struct ctl_table *table, FILE *out, size_t columns);
void ctl_table_free(struct ctl_table **table);

/* ---- JSON (ctl_json.c) ---- */

/* The text in quotes: valid UTF-8 whatever came. */
void ctl_json_text(FILE *out, const char *text);
/* The fields of a line as an object, but for `without` (may be NULL); numbers as numbers. */
void ctl_json_line(FILE *out, const struct control_line *line, const char *without);
/* All lines of an answer as a list of objects; the result of ctl_next(). */
int ctl_json_lines(FILE *out, struct ctl_answer *a);

/* ---- options that commands share (ctl_options.c) ---- */

/* Values of an option that may come several times. */
#define CTL_LIST_MAX 64
struct ctl_list {
    const char *values[CTL_LIST_MAX];
    size_t count;
};

/* A command's own: text options are stored, flags set. */
struct ctl_option {
    const char *name;
    const char **value; /* it takes one; else */
    bool *flag;
    char letter; /* 0: none */
    struct ctl_list *list; /* it takes one, and may come again */
};
/* Reads the command line behind the command. What is no option stays in argv from *rest on. CTL_OK, or
   told. -s and --socket are known everywhere. */
enum ctl_status ctl_options(struct ctl *ctl, int argc, char **argv, const struct ctl_option *options,
    size_t count, int *rest);
/* The same for a command without arguments. */
enum ctl_status ctl_options_only(struct ctl *ctl, int argc, char **argv, const struct ctl_option *options,
    size_t count);

/* ---- commands ---- */

enum ctl_status ctl_status_command(struct ctl *ctl, int argc, char **argv);
enum ctl_status ctl_sessions(struct ctl *ctl, int argc, char **argv);
enum ctl_status ctl_kill(struct ctl *ctl, int argc, char **argv);
enum ctl_status ctl_drain(struct ctl *ctl, int argc, char **argv);
enum ctl_status ctl_reload(struct ctl *ctl, int argc, char **argv);
enum ctl_status ctl_workers(struct ctl *ctl, int argc, char **argv);
enum ctl_status ctl_penalties(struct ctl *ctl, int argc, char **argv);
enum ctl_status ctl_metrics(struct ctl *ctl, int argc, char **argv);
enum ctl_status ctl_top(struct ctl *ctl, int argc, char **argv);
enum ctl_status ctl_explain(struct ctl *ctl, int argc, char **argv);
enum ctl_status ctl_test(struct ctl *ctl, int argc, char **argv);

#endif
