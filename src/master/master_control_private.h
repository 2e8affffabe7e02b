/* SPDX-License-Identifier: ISC */
/* The inside of the control socket, shared by src/master/master_control*.c alone. */
#ifndef SP_MASTER_MASTER_CONTROL_PRIVATE_H
#define SP_MASTER_MASTER_CONTROL_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "src/core/control_line.h"
#include "src/core/control_path.h"
#include "src/core/loop.h"
#include "src/core/table.h"
#include "src/master/master_control.h"
#include "src/master/master_private.h"

struct control_client;

/* A row of the table of commands. */
struct control_command {
    const char *name;
    const char *keys[8]; /* what may be said with it; NULL at the end */
    bool acts;           /* who does it is logged */
    /* Ends with control_finish(), or sets c->more, or c->waiting. */
    void (*begin)(struct control_client *c);
};

struct control_client {
    struct control *control;
    struct master *m;
    struct loop_io io;
    struct loop_timer timer;
    int fd;      /* owned */
    uid_t uid;   /* whose it is, and */
    pid_t pid;   /* which process connected */
    int pass_fd; /* owned; goes out with the first octets; -1: none */
    char in[CONTROL_REQUEST_MAX + 1];
    size_t in_len;
    struct control_line request; /* points into in */
    struct buffer out;
    struct control_writer w; /* into out */
    bool asked;    /* the request is complete: nothing more is read */
    bool blocked;  /* its socket takes nothing now */
    bool waiting;  /* for something else in the master, which will call control_finish() */
    bool finished; /* the last line is in out */
    /* Appends a little of the answer. False: that was all, and control_finish() was called. */
    bool (*more)(struct control_client *c);
    void *state; /* of the command; given back with state_free */
    void (*state_free)(struct control_client *c);
};

struct control {
    struct master *m;
    struct loop_io io;
    struct loop_task task;
    struct loop_timer pause; /* out of descriptors */
    int fd;
    int folder_fd;    /* -1: none */
    char path[CONTROL_PATH_MAX];
    struct stat seen; /* the socket's name as we made it */
    bool made_folder;
    bool has_group;
    gid_t group;
    struct control_client *clients[CONTROL_CLIENTS_MAX];
    unsigned next;       /* whose turn it is */
    struct mono told;    /* when a refusal was last logged */
    uint64_t refused;    /* since then */
};

/* ---- the socket's place (master_control_socket.c) ---- */

/* Where it is to be: 1 with c->path, 0: nowhere; -1 with error filled. *preset: the configuration names no
   other place than the default one. */
int control_place(struct control *c, bool *preset, char *error, size_t size) SP_MUST_USE;
/* control.group. 0, or -1 with error filled. */
int control_group_find(struct control *c, char *error, size_t size) SP_MUST_USE;
int control_listen(struct control *c, char *error, size_t size) SP_MUST_USE;
void control_unlisten(struct control *c);

/* ---- one client (master_control_client.c) ---- */

/* Takes over the descriptor. -1: no memory, it is closed. */
struct ucred;
int control_client_new(struct control *control, int fd, const struct ucred *who) SP_MUST_USE;
void control_client_free(struct control_client *c);
/* The last line: .ok, or .error with the text. */
void control_finish(struct control_client *c, const char *error);
/* There is something to do for it: see control_run(). */
void control_wake(struct control_client *c);
/* Fills and sends until the deadline, the socket is full or all is said. False: it is gone. */
bool control_serve(struct control_client *c, struct mono deadline);
bool control_has_work(const struct control_client *c);

/* ---- commands ---- */

const struct control_command *control_command_find(const char *name);
/* The value of a key of the request, or NULL. */
const char *control_value(const struct control_client *c, const char *key);

void control_status(struct control_client *c);
void control_sessions(struct control_client *c);
void control_kill(struct control_client *c);
void control_workers(struct control_client *c);

/* ---- walking over the tables of all workers (master_control_walk.c) ---- */

struct control_walk {
    bool begun;
    uint32_t incarnation; /* of the process it is at */
    struct table *table;  /* owned; that process's, NULL: none */
    uint32_t at;
};

/* The process whose slot is next, or NULL at the end; *slot is its number in walk->table. */
struct process *control_walk_next(struct master *m, struct control_walk *walk, uint32_t *slot);
void control_walk_end(struct control_walk *walk);

/* What sessions are meant; all that is given must match. */
struct control_filter {
    const char *user; /* glob over who authenticated: a claim is none */
    const char *rule; /* glob */
    const char *destination; /* glob, over what was asked for and the address dialled, with and without port */
    const char *listener; /* glob */
    bool has_client;
    struct addr_prefix client;
    uint64_t session; /* 0: any */
    bool short_id;    /* it is the lower half */
};

/* From the request. 0, or -1 with *why. */
int control_filter_read(struct control_filter *f, const struct control_client *c, const char **why)
    SP_MUST_USE;
bool control_filter_empty(const struct control_filter *f);
bool control_filter_match(const struct control_filter *f, const struct table_slot *slot,
    const char *listener);
/* HOST:PORT of what was asked for, an address of IPv6 in brackets; false: nothing was yet. */
#define CONTROL_PLACE_SIZE (sizeof((struct table_slot *)NULL)->destination + 16)
bool control_place_text(const struct table_slot *slot, char text[CONTROL_PLACE_SIZE]);
/* "negotiate", "relay", ...; "?" for no phase. */
const char *control_phase_name(unsigned phase);
#define CONTROL_PHASES 16

#endif
