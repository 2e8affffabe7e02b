/* SPDX-License-Identifier: ISC */
/*
 * What a child sees of our environment: a few names, and no other. Serves master_spawn.c. Whoever
 * started us chose the values; a child reads them with its own, lesser rights.
 */
#include "src/master/master_parts.h"

#include <stdio.h>
#include <stdlib.h>

/* For every child. */
static const char *const kept[] = { "PATH", "TZ", "LANG", "LC_ALL", "ASAN_OPTIONS", "UBSAN_OPTIONS",
    "LSAN_OPTIONS", "GCOV_PREFIX", "LLVM_PROFILE_FILE" };
/* For a pool alone: where Kerberos finds its configuration, and writes its trace with the pool's own
   rights. The administrator's who starts the gateway; secure_getenv() sees neither when the program
   itself was given privileges its caller lacks. */
static const char *const kept_for_auth[] = { "KRB5_CONFIG", "KRB5_TRACE" };
/* Room for the process title, which libbsd writes over argv and the environment. */
static char title_room[] = "SALLYPORT_TITLE_ROOM=........................................"
                           "........................................................";

/* A value that does not fit is left out. */
static void
keep(struct environment *e, const char *name, const char *value)
{
    size_t room = sizeof e->space - e->used;
    int len = value == NULL ? -1 : snprintf(e->space + e->used, room, "%s=%s", name, value);

    if (len < 0 || (size_t)len >= room)
        return;
    e->strings[e->count++] = e->space + e->used;
    e->used += (size_t)len + 1;
}

void
environment_make(struct environment *e, enum ipc_role role)
{
    e->used = e->count = 0;
    _Static_assert(SP_COUNT(kept) + SP_COUNT(kept_for_auth) + 2 <= ENVIRONMENT_MAX, "all fit");
    for (size_t i = 0; i < SP_COUNT(kept); i++)
        keep(e, kept[i], getenv(kept[i]));
    for (size_t i = 0; role == IPC_AUTH && i < SP_COUNT(kept_for_auth); i++)
        keep(e, kept_for_auth[i], secure_getenv(kept_for_auth[i]));
    e->strings[e->count++] = title_room;
    e->strings[e->count] = NULL;
}
