/* SPDX-License-Identifier: ISC */
/*
 * A new image: PREPARE opens the module with its options, where they are other ones, COMMIT brings both into
 * force. Conversations under way go on with the image and the module they began with. Serves the master,
 * whose broken messages are fatal.
 */
#include "src/authd/authd.h"

#include <stdio.h>
#include <string.h>

#include "src/core/ipc_reload.h"
#include "src/core/log.h"

static void
forget(struct authd *a)
{
    authd_generation_drop(a, &a->next_current);
    authd_image_drop(&a->next);
    a->next_number = 0;
}

void
authd_reload_free(struct authd *a)
{
    forget(a);
}

static bool
same_option(const struct image *x, const struct image_option *a, const struct image *y,
    const struct image_option *b)
{
    return a->kind == b->kind && strcmp(image_string(x, a->key), image_string(y, b->key)) == 0 &&
        strcmp(image_string(x, a->value), image_string(y, b->value)) == 0;
}

/* Whether the module would be opened as it is open now. */
static bool
same_options(const struct authd_image *x, const struct authd_image *y)
{
    const struct image_list a = x->settings->options, b = y->settings->options;
    bool same = a.count == b.count;

    for (uint32_t i = 0; same && i < a.count; i++)
        same = same_option(x->image, IMAGE_AT(x->image, a, struct image_option, i), y->image,
            IMAGE_AT(y->image, b, struct image_option, i));
    return same;
}

static bool
prepare(struct authd *a, int fd, char *error, size_t size)
{
    if (a->current == NULL) {
        (void)snprintf(error, size, "the files have not arrived yet");
        return false;
    }
    a->next = authd_image_open(a, fd, error, size);
    if (a->next == NULL)
        return false;
    if (same_options(a->image, a->next))
        return authd_listeners_check(a, a->next, error, size) == 0;
    a->next_current = authd_generation_with(a, a->next, error, size);
    return a->next_current != NULL;
}

void
authd_prepare(struct child *child, struct ipc_message *m)
{
    struct authd *a = child->owner;
    struct ipc_prepared answer = { .ok = false };
    struct ipc_prepare p;
    uint8_t body[IPC_BODY_MAX];

    if (ipc_prepare_decode(m, &p) != 0)
        log_fatal("the master's PREPARE is malformed");
    forget(a);
    answer.generation = p.generation;
    if (m->fd_count == 1)
        answer.ok = prepare(a, m->fds[0], answer.error, sizeof answer.error);
    else
        (void)snprintf(answer.error, sizeof answer.error, "out of descriptors");
    if (answer.ok) {
        a->next_number = p.generation;
        answer.error[0] = '\0';
    } else {
        forget(a);
    }
    authd_report(a, IPC_PREPARED, body, ipc_prepared_encode(&answer, body, sizeof body));
}

void
authd_commit(struct child *child, struct ipc_message *m)
{
    struct authd *a = child->owner;
    uint64_t number;

    if (ipc_generation_decode(m, &number) != 0)
        log_fatal("the master's COMMIT is malformed");
    if (a->next == NULL || number != a->next_number)
        log_fatal("the master's COMMIT is about an image that was not prepared");
    if (a->next_current != NULL)
        authd_generation_adopt(a, &a->next_current);
    authd_image_drop(&a->image);
    a->image = a->next;
    a->next = NULL;
    forget(a);
}

void
authd_abort(struct child *child, struct ipc_message *m)
{
    struct authd *a = child->owner;
    uint64_t number;

    if (ipc_generation_decode(m, &number) != 0)
        log_fatal("the master's ABORT is malformed");
    if (number == a->next_number)
        forget(a);
}
