/* SPDX-License-Identifier: ISC */
/* The table of commands, and those that are one call to another part of the master. Serves the control
   socket. */
#include "src/master/master_control_private.h"

#include "src/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* ---- image ---- */

static void
image(struct control_client *c)
{
    c->pass_fd = fcntl(c->m->config.fd, F_DUPFD_CLOEXEC, 3);
    if (c->pass_fd < 0) {
        control_finish(c, strerror(errno));
        return;
    }
    control_put_number(&c->w, "generation", image_header(c->m->config.image)->generation);
    control_put_end(&c->w);
    control_finish(c, NULL);
}

/* ---- the table ---- */

static const struct control_command commands[] = {
    { "status", { NULL }, control_status },
    { "sessions", { "user", "client", "rule", "destination", "listener", "session" }, control_sessions },
    { "kill", { "session", "user", "client", "rule" }, control_kill },
    { "workers", { NULL }, control_workers },
    { "image", { NULL }, image },
};

const struct control_command *
control_command_find(const char *name)
{
    for (size_t i = 0; i < SP_COUNT(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}
