/* SPDX-License-Identifier: ISC */
/*
 * Where the lines go: syslog, standard error or a file, one row of a const table each. A target takes
 * finished lines, never blocks longer than its file says, and counts two things: what it has sent,
 * and how much of that is safe, which is what the rings may forget. After TARGET_LOST whatever was
 * sent and is not safe must be sent again.
 */
#ifndef SP_LOGGER_TARGET_H
#define SP_LOGGER_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/config/image.h"
#include "src/core/event.h"
#include "src/core/loop.h"
#include "src/logger/line.h"

/* A framed line, its end included. The lines of one call lie one behind the other in memory. */
struct target_line {
    const char *text;
    size_t len;
};

enum target_result {
    TARGET_OK,      /* all of it */
    TARGET_FULL,    /* no more now: target_wait() tells when there is room */
    TARGET_LATER,   /* it failed; try again after target->retry_us */
    TARGET_LOST,    /* it failed, and what was not safe is lost: send it again, at once */
    TARGET_TOO_LONG /* the first line not sent is longer than it takes */
};

struct target_settings {
    enum image_log_target kind;
    enum image_log_format format;
    int facility;     /* LOG_LOCAL0 ... */
    const char *path; /* syslog's socket, or the file's name for messages; a borrow */
    pid_t pid;        /* what syslog's tag names: the master's */
};

struct target;

struct target_ops {
    const char *name;
    size_t line_max; /* longest line with its frame */
    const char *end; /* after each line */
    /* What stands before the record. NULL: nothing. */
    void (*frame)(struct target *t, const struct event_view *view, struct line *out);
    /* *sent of them, from the first on, were sent. */
    enum target_result (*send)(
        struct target *t, const struct target_line *lines, size_t count, size_t *sent);
    /* Nothing more to send: finds out whether all that was sent is safe. TARGET_OK says yes,
       TARGET_LATER not yet. NULL: what is sent is safe. */
    enum target_result (*prove)(struct target *t);
    /* A descriptor from the broker: takes it, or returns why not. NULL: this target wants none. */
    const char *(*give)(struct target *t, int *fd);
};

struct target {
    const struct target_ops *ops;
    struct target_settings settings;
    struct loop *loop;
    void (*writable)(struct target *t); /* after target_wait() */
    struct loop_io io;
    int fd;           /* -1: none now; owned unless it is standard error */
    int64_t retry_us; /* pause after TARGET_LATER: doubled by each failure */
    uint64_t sent;
    uint64_t safe;
    uint64_t proof;   /* syslog: sent before the receiver was last seen with nothing unread */
    bool fresh;       /* syslog: nothing was sent through this socket yet */
    size_t partial;   /* file, stderr: bytes of the first line already written */
    bool complained;  /* of the failure that lasts */
    bool by_poll;     /* stderr: writing could block, so ask first */
};

#define TARGET_RETRY_LEAST_US (50 * CLOCK_MSEC_US) /* the first pause is twice that */
#define TARGET_RETRY_MOST_US (2 * CLOCK_SECOND_US)

/* settings is copied. Nothing is opened yet. */
void target_init(struct target *t, const struct target_settings *settings, struct loop *loop);
/* Another format and facility, for the lines made from now on; path is the same text in another place. */
void target_adopt(struct target *t, const struct target_settings *settings);
void target_close(struct target *t);

/* Calls t->writable once when there is room. 0, or -1 when this descriptor cannot tell. */
int target_wait(struct target *t) SP_MUST_USE;
void target_wait_cancel(struct target *t);

/* ---- for the targets themselves ---- */

extern const struct target_ops target_syslog;
extern const struct target_ops target_stderr;
extern const struct target_ops target_file;

/* Removes the descriptor from the loop; closes it unless it is standard error. */
void target_drop_fd(struct target *t);
/* Counts n lines sent; they are safe unless the target proves it later. */
void target_count(struct target *t, size_t n, bool safe);
/* Says once that the target fails, from errno, and doubles the pause; returns result. */
enum target_result target_failed(struct target *t, enum target_result result);
/* It takes lines: says so if it was complained of. */
void target_works(struct target *t);
/* Bytes of lines[] from the partial of the first one on, as one piece of memory. */
size_t target_piece(
    const struct target *t, const struct target_line *lines, size_t count, const char **start);
/* written bytes of that piece are out: counts lines and keeps the partial one's bytes. */
size_t target_written(
    struct target *t, const struct target_line *lines, size_t count, size_t written);

#endif
