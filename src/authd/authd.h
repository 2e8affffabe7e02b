/* SPDX-License-Identifier: ISC */
/*
 * What sallyport-auth is: one process of a method's pool. It takes conversations from the queues of
 * all workers, runs the module's steps, tells the worker the result and the master who it was. Many
 * conversations are open at a time; one step runs at a time.
 *
 * One writer per part: authd_queue.c the queues, authd_conversation.c the conversations,
 * authd_files.c the generations, authd_report.c what is on its way to the master.
 */
#ifndef SP_AUTHD_AUTHD_H
#define SP_AUTHD_AUTHD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/auth_module.h"
#include "lib/base/attr.h"
#include "lib/base/idmap.h"
#include "src/authlink/conversation.h"
#include "src/config/image.h"
#include "src/core/child.h"

#define AUTHD_CONVERSATIONS_MAX 4096U
#define AUTHD_FILES_MAX 8U
#define AUTHD_PROTECT_MAX 4096U

/* What one step reads and writes, in secret memory; zeroed after every step. */
struct authd_room {
    uint8_t packet[CONVERSATION_MAX]; /* from the worker */
    uint8_t answer[AUTH_TOKEN_MAX];
    uint8_t protect[AUTHD_PROTECT_MAX];
    struct auth_identity identity;
    uint8_t reply[CONVERSATION_MAX]; /* to the worker */
};

/* ---- generations of the module (authd_files.c) ---- */

/* A brokered file as the module gets it. */
struct authd_file {
    char option[IPC_LABEL_MAX];
    int fd;       /* owned; -1: has not arrived */
    size_t len;
    void *mapped; /* while the module opens it */
};

/* What an auth_config reads: the module's section as it is in effect on one listener. */
struct authd_view {
    const struct authd *authd;
    const struct authd_image *image;
    const struct image_listener *listener; /* NULL: the section itself */
};

/* A policy image; lives as long as a conversation or a generation reads options in it. */
struct authd_image {
    struct image *image;
    const struct image_module *settings; /* the module's part of it */
    struct auth_config config; /* the module's section, whatever the listener */
    struct authd_view view;    /* what that reads */
    unsigned users;
};

/* The module opened with one set of files; lives as long as a conversation uses it. */
struct authd_generation {
    struct authd_image *image; /* whose options it is opened with; NULL once it is */
    void *module;
    unsigned users; /* conversations, and one for being the current one */
    struct authd_file files[AUTHD_FILES_MAX];
    size_t file_count;
};

/* ---- queues (authd_queue.c) ---- */

struct authd_queue {
    struct loop_io io;
    int fd; /* owned */
    struct authd *authd;
    struct ipc_queue_receive from;
    struct authd_queue *next;
};

/* ---- penalties (authd_penalty.c) ---- */

#define AUTHD_PENALTIES_MAX 65536U

struct authd_penalties {
    struct idmap map; /* hash of client and user -> struct authd_penalty, owned */
    uint64_t seed;
    uint32_t sweep_at; /* entries at which those that are over are looked for */
};

struct ipc_penalty;

void authd_penalties_init(struct authd_penalties *p);
void authd_penalties_free(struct authd_penalties *p);
void authd_penalties_set(struct authd_penalties *p, const struct ipc_penalty *from, struct mono now);
/* Whether this user may not log in from there now. */
bool authd_penalties_hold(const struct authd_penalties *p, const struct addr *client, const char *user,
    struct mono now);
/* Whether a failure with this reason is none of the client's doing. */
bool authd_failure_excused(const char *reason);

/* ---- the process ---- */

struct authd {
    struct child child;
    const struct auth_secret_module *module;
    struct authd_image *image; /* in force */
    struct authd_image *next;  /* prepared; NULL: none */
    uint64_t next_number;      /* the number of its PREPARE */
    struct authd_generation *next_current; /* what will be the current one with it */
    struct authd_room *room;
    struct authd_generation *current; /* NULL until every file arrived */
    struct authd_generation *first;   /* the one whose files are still arriving, at the start */

    struct authd_penalties penalties;

    struct authd_queue *queues;
    bool polling; /* false: at a bound, or stopping */

    struct authd_conversation *conversations;
    unsigned count;
    unsigned most;      /* conversations at a time */
    uint64_t malformed; /* conversations ended for what a worker sent, or what was lost on the way */

    struct authd_report *reports; /* first of those the channel did not take yet */
    struct authd_report **reports_end;

    struct loop_timer stop_timer;
    bool stopping;
    unsigned shown; /* conversations in the process title */
};

/* main() of sallyport-auth. */
int authd_main(int argc, char **argv, char **envp);

/* ---- authd_main.c ---- */

/* Counts something malformed and says so, ever more rarely: a worker must not fill the log. */
void authd_malformed(struct authd *a, const struct ipc_queue_receive *from, const char *what);

/* Something ended: leaves the loop when nothing is left to wait for. */
void authd_maybe_done(struct authd *a);

/* ---- authd_files.c ---- */

/* The value of option name of the module, element i, or NULL; what auth_config is made of. view is a
   struct authd_view. */
const char *authd_option(const void *view, const char *name, unsigned i);

/* Begins the first generation: opens the module at once when none of its file options is set. 0, or
   -1 with error filled. */
int authd_files_begin(struct authd *a, char *error, size_t size) SP_MUST_USE;
void authd_files_free(struct authd *a);

/* FILE came: adopts it when it completes or replaces a set, and tells the master. A file that is
   refused leaves the current generation in force; at the start it is fatal. */
void authd_file_received(struct authd *a, struct ipc_message *m);

/* The generation for an image whose options are other ones: the same files. NULL with error filled. */
struct authd_generation *authd_generation_with(struct authd *a, struct authd_image *image, char *error,
    size_t size);
/* It becomes the current one, which the caller's use goes to. */
void authd_generation_adopt(struct authd *a, struct authd_generation **g);
/* Whether the listeners of an image are content with the current files. 0, or -1 with error filled. */
int authd_listeners_check(struct authd *a, const struct authd_image *image, char *error, size_t size)
    SP_MUST_USE;
struct authd_generation *authd_generation_use(struct authd_generation *g);
void authd_generation_drop(const struct authd *a, struct authd_generation **g);

/* ---- authd_image.c ---- */

/* Maps it and finds the module's part; the caller's use. NULL with error filled. */
struct authd_image *authd_image_open(const struct authd *a, int fd, char *error, size_t size) SP_MUST_USE;
struct authd_image *authd_image_use(struct authd_image *image);
void authd_image_drop(struct authd_image **image);

/* ---- authd_reload.c: PREPARE, COMMIT, ABORT ---- */

void authd_prepare(struct child *child, struct ipc_message *m);
void authd_commit(struct child *child, struct ipc_message *m);
void authd_abort(struct child *child, struct ipc_message *m);
void authd_reload_free(struct authd *a);
/* ---- authd_penalty.c ---- */

void authd_penalty_received(struct authd *a, struct ipc_message *m);

/* ---- authd_queue.c ---- */

/* QUEUE_RECEIVE came: takes the descriptor. */
void authd_queue_received(struct authd *a, struct ipc_message *m);
/* Polls the queues, or leaves them alone, as the bounds want. */
void authd_queues_update(struct authd *a);
/* Takes what waits in a queue although nobody was woken for it, or who was did not come. */
void authd_queues_look(struct authd *a);
void authd_queues_close(struct authd *a);

/* ---- authd_conversation.c ---- */

struct authd_conversation {
    struct loop_io io;
    struct loop_timer deadline;
    int fd; /* owned */
    struct authd *authd;
    struct authd_conversation *next;
    struct authd_conversation *prev;
    struct ipc_queue_receive from; /* the worker whose queue it came through */
    struct authd_generation *generation; /* NULL before OPEN */
    struct authd_image *image;           /* what its listener's options lie in; NULL before OPEN */
    void *state;                         /* the module's, secret memory; NULL: it wants none */
    struct auth_opening opening;
    struct auth_config config; /* the section in effect on its listener */
    struct authd_view view;
    char listener[256];
    struct addr address; /* the client's, */
    char client[ADDR_TEXT_MAX]; /* and as text */
    char local[ADDR_TEXT_MAX];
    uint8_t binding[CONVERSATION_BINDING_MAX];
};

/* Takes the descriptor over and runs the first step. len: of OPEN in the room's packet; 0: it waits in the
   descriptor. */
void authd_conversation_take(struct authd *a, int fd, const struct ipc_queue_receive *from, size_t len);
void authd_conversation_end(struct authd_conversation *c);

/* ---- authd_step.c ---- */

/* One step with the client's bytes. True when the conversation goes on. */
bool authd_step(struct authd_conversation *c, const uint8_t *bytes, size_t len);

/* ---- authd_report.c ---- */

/* Sends the master a message; what its channel does not take now goes later, in order. */
void authd_report(struct authd *a, enum ipc_type type, const uint8_t *body, size_t len);
void authd_reports_flush(struct authd *a);
void authd_reports_free(struct authd *a);

#endif
