/* SPDX-License-Identifier: ISC */
/*
 * Shedding privileges, in the order every process follows: chroot, ids, no_new_privs, seccomp.
 * Every failure here is fatal to the caller: nothing runs half caged.
 */
#ifndef SP_CORE_SANDBOX_H
#define SP_CORE_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/attr.h"

/* Closes the descriptor first and every one above it. */
void sandbox_close_from(int first);

/* chroot to dir (must be empty, owned by root, not writable by others) and chdir("/"). 0, -1 errno. */
int sandbox_chroot(const char *dir) SP_MUST_USE;

/* setgroups({gid}), setresgid, setresuid, all capabilities gone (libcap-ng), no_new_privs; then
   verifies that neither root nor any capability nor another group comes back. 0, or -1 with errno. */
int sandbox_drop(uid_t uid, gid_t gid) SP_MUST_USE;

/* no_new_privs alone, for a process started by an ordinary user. */
int sandbox_no_new_privs(void) SP_MUST_USE;

enum sandbox_role { SANDBOX_WORKER, SANDBOX_LOGGER, SANDBOX_METRICS };

/* Loads the seccomp allow-list of the role (its rows are one const table per role); a call outside
   it kills the process, opening a file answers EACCES and is never needed. With --disable-sandbox
   this is sandbox_none.c and returns 0. 0, or -1 with errno. */
int sandbox_seccomp(enum sandbox_role role) SP_MUST_USE;
/* False where the program was built without the filters (--disable-sandbox). */
bool sandbox_available(void);

#endif
