/* SPDX-License-Identifier: ISC */
/* Listeners that come and go, and the numbers their sessions know them by. Part of master_private.h. */
#ifndef SP_MASTER_MASTER_LISTENERS_H
#define SP_MASTER_MASTER_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "src/config/image.h"
#include "src/core/ipc_reload.h"
#include "src/core/loop.h"

struct master;

/* It has a number that is its own until no session of it is left, in whatever image it stands. */
struct listener {
    struct loop_io io;
    struct master *m;
    struct listener *next;
    int fd; /* owned; -1: closed, and only its sessions are left */
    uint16_t number;
    uint16_t index;      /* in the image in force, unless it is gone or new */
    uint16_t next_index; /* in the image of the reload that runs, unless it goes */
    bool serves;         /* the image in force has it */
    bool stays;          /* the image of the reload that runs has it */
    unsigned burst;
    bool wildcard;     /* the local address of an accepted socket has to be asked for */
    bool polled;
    struct addr addr;  /* as configured */
    struct addr bound; /* with the real port */
    uint32_t sessions;
    char *name;        /* owned; as configured */
};

struct listeners {
    struct listener *all;
    struct listener *by_number[IPC_LISTENER_NUMBERS];
};

/* All of the image's. 0, or -1 (told). */
int listeners_open(struct master *m) SP_MUST_USE;
/* Stops listening; their names stay for the sessions that are left. */
void listeners_close(struct master *m);
void listeners_free(struct master *m);
/* The numbers of the listeners of the image in force or, pending, of the reload that runs. */
void listeners_numbers(const struct master *m, bool pending, struct ipc_listeners *out);
/* A session of it begins, and has ended. */
void listener_use(struct listener *l);
void listener_drop(struct master *m, uint16_t number);
/* True: it was closed, and workers that start now do not know it. */
bool listener_gone(const struct master *m, uint16_t number);

/* Opens what the next image has and the one in force has not. 0, or -1 with error filled: then nothing
   changed. After it comes listeners_adopt() or listeners_abandon(). */
int listeners_prepare(struct master *m, const struct image *next, char *error, size_t size) SP_MUST_USE;
/* Takes the connections that those have which listeners_adopt() is about to close. */
void listeners_last_call(struct master *m);
void listeners_adopt(struct master *m, const struct image *next);
void listeners_abandon(struct master *m);

#endif
