/* SPDX-License-Identifier: ISC */
/*
 * Copies of list files ("@FILE" in a rule) for the child that compiles: sealed, whole, and of a file that
 * stayed the same all the while. In steps, since a list may be large and the loop has other work.
 */
#ifndef SP_MASTER_MASTER_LIST_H
#define SP_MASTER_MASTER_LIST_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/base/attr.h"

/* A copy under way; neither descriptor: none is. */
struct list_copy {
    int from, to;
    struct stat before;
    off_t done;
};

#define LIST_COPY_INIT ((struct list_copy){ .from = -1, .to = -1 })

/* Opens a regular file (no symbolic link, CONFIG_LIST_MAX octets at most). 0, or -1 with errno. */
int list_copy_begin(struct list_copy *c, const char *path) SP_MUST_USE;
/* Copies about so many octets. 1: there are more; 0: done, c->to is the sealed copy; -1 with errno, ESTALE
   when the file changed or went away meanwhile. */
int list_copy_step(struct list_copy *c, size_t bytes) SP_MUST_USE;
/* Closes what is left. */
void list_copy_end(struct list_copy *c);

#endif
