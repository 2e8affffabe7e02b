/* SPDX-License-Identifier: ISC */
/*
 * A new image: format and facility of the lines are the logger's part of it. Serves the master, whose broken
 * messages are fatal; an image that cannot be adopted is an answer.
 */
#include "src/logger/logger.h"

#include "src/core/ipc_reload.h"
#include "src/core/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
forget(struct logger *lg)
{
    image_close(&lg->next);
    lg->next_number = 0;
}

/* NULL, or why not: another target needs another logger. */
static const char *
refusal(const struct logger *lg)
{
    const struct image_settings *a = image_settings(lg->image), *b = image_settings(lg->next);

    return a->log.target == b->log.target
            && strcmp(image_string(lg->image, a->log.path), image_string(lg->next, b->log.path)) == 0
        ? NULL
        : "another log target needs a restart";
}

void
logger_prepare(struct child *child, struct ipc_message *m)
{
    struct logger *lg = child->owner;
    struct ipc_prepared answer = { .ok = false };
    struct ipc_prepare p;
    const char *why = "out of descriptors";
    uint8_t body[IPC_BODY_MAX];

    if (ipc_prepare_decode(m, &p) < 0)
        log_fatal("the master's PREPARE cannot be read");
    forget(lg);
    if (m->fd_count == 1)
        lg->next = image_adopt(m->fds[0], &why);
    if (lg->next != NULL)
        why = refusal(lg);
    answer.generation = p.generation;
    answer.ok = why == NULL;
    if (answer.ok)
        lg->next_number = p.generation;
    else
        forget(lg);
    if (snprintf(answer.error, sizeof answer.error, "%s", why != NULL ? why : "") < 0)
        answer.error[0] = '\0';
    if (child_send(child, IPC_PREPARED, body, ipc_prepared_encode(&answer, body, sizeof body)) < 0)
        log_warn("answer about a new configuration: %s", strerror(errno));
}

void
logger_commit(struct child *child, struct ipc_message *m)
{
    struct logger *lg = child->owner;
    uint64_t number;

    if (ipc_generation_decode(m, &number) < 0 || lg->next == NULL || number != lg->next_number)
        log_fatal("the master's COMMIT is not about the configuration that was prepared");
    const struct image_settings *s = image_settings(lg->next);
    const struct target_settings settings = {
        .format = (enum image_log_format)s->log.format,
        .facility = (int)s->log.facility,
        .path = image_string(lg->next, s->log.path),
    };

    target_adopt(&lg->target, &settings);
    image_close(&lg->image);
    lg->image = lg->next;
    lg->next = NULL;
    lg->next_number = 0;
}

void
logger_abort(struct child *child, struct ipc_message *m)
{
    struct logger *lg = child->owner;
    uint64_t number;

    if (ipc_generation_decode(m, &number) < 0)
        log_fatal("the master's ABORT cannot be read");
    if (number == lg->next_number)
        forget(lg);
}
