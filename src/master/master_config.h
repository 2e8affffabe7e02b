/* SPDX-License-Identifier: ISC */
/*
 * Having the configuration compiled by a child of its own. At the start the master waits for it; a reload
 * goes on serving meanwhile. Both are the same conversation with the child.
 */
#ifndef SP_MASTER_MASTER_CONFIG_H
#define SP_MASTER_MASTER_CONFIG_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/base/attr.h"
#include "src/config/image.h"
#include "src/core/loop.h"
#include "src/master/master_list.h"

struct master_options;

/* A file that the child asked for, as it was then. */
struct config_file {
    char *path;     /* owned; the whole name */
    struct stat st; /* all zero: it could not be opened */
    bool list;      /* "@FILE" in a rule: a change of it is a reload of its own */
};

struct config_files {
    struct config_file *list; /* owned; the main file first */
    size_t count;
};

void config_files_free(struct config_files *files);
/* Takes file.path over. */
void config_files_add(struct config_files *files, struct config_file file);
/* Whether what is at its path is no longer what it describes. */
bool config_file_changed(const struct config_file *file);

struct compiled {
    struct image *image;
    int fd; /* sealed */
    struct config_files files;
};
void compiled_free(struct compiled *compiled);

/* The start: waits, and writes complaints to standard error. The image is of generation 1. 0, or -1 when
   there were errors (told already). */
int config_load(const struct master_options *o, struct compiled *out) SP_MUST_USE;

/* A reload: nothing waits. */
struct compilation {
    /* Set by the caller before compile_begin(). */
    const struct master_options *options;
    uint64_t generation; /* written into the image */
    /* Complaints, in pieces as they come; whole lines in all. */
    void (*text)(struct compilation *c, const char *text, size_t len);
    /* The last word, from the loop: out is filled, and the caller's. ok is false when there were errors. */
    void (*ended)(struct compilation *c, bool ok);
    struct compiled out;

    /* Private. */
    struct loop *loop; /* NULL: somebody waits */
    struct loop_io io;
    struct loop_timer timer;
    struct list_copy list; /* that the child waits for */
    struct loop_timer list_timer;
    int channel;
    int image_fd;
    pid_t pid; /* 0: reaped */
    unsigned opened;
    size_t written;  /* bytes of complaints */
    bool done;       /* the child said its last word, */
    uint32_t errors; /* with so many errors */
    int status;      /* of the child, once it was reaped */
};

/* 0, or -1 with errno; then ended() does not come. */
int compile_begin(struct compilation *c, struct loop *loop) SP_MUST_USE;
bool compile_runs(const struct compilation *c);
/* SIGCHLD: true when the process was this one's. */
bool compile_reaped(struct compilation *c, const siginfo_t *info);
/* Gives up: the child is killed, and ended() does not come. It is still to be reaped. */
void compile_cancel(struct compilation *c);

/* ---- the child's questions (master_config_serve.c) ---- */

enum compile_served { COMPILE_SERVED, COMPILE_NOTHING, COMPILE_END, COMPILE_NONSENSE };

/* The child's next packet, when there is one. After COMPILE_NONSENSE it is to be killed. */
enum compile_served compile_serve(struct compilation *c);
/* Goes on with the list that the child waits for, and answers at its end. 0, or -1 when the channel is
   misused. */
int compile_list_step(struct compilation *c) SP_MUST_USE;

#endif
