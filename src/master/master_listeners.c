/* SPDX-License-Identifier: ISC */
/*
 * The configured listeners, and those of which only sessions are left. Serves the start, where one that
 * cannot be had is fatal, and reloads, where it refuses the reload. A listener is the same in two images
 * when its address is.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one listener ---- */

static void
listener_close(struct listener *l)
{
    if (l->fd >= 0)
        loop_io_del(l->m->loop, &l->io, l->fd);
    l->polled = false;
    fd_close(&l->fd);
}

static void
listener_free(struct listener *l)
{
    struct listeners *all = &l->m->listeners;

    listener_close(l);
    limits_listener_goes(l->m, l->number);
    all->by_number[l->number] = NULL;
    for (struct listener **at = &all->all; *at != NULL; at = &(*at)->next) {
        if (*at == l) {
            *at = l->next;
            break;
        }
    }
    free(l->name);
    free(l);
}

/* The lowest number that is free takes it in. NULL with errno. */
static struct listener *
listener_new(struct master *m, const struct image *image, const struct image_listener *row)
{
    struct listeners *all = &m->listeners;
    struct listener *l;
    uint32_t number = 0;

    while (number < IPC_LISTENER_NUMBERS && all->by_number[number] != NULL)
        number++;
    if (number == IPC_LISTENER_NUMBERS) {
        errno = ENFILE;
        return NULL;
    }
    l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    *l = (struct listener) { .m = m, .fd = -1, .number = (uint16_t)number, .addr = row->addr,
        .name = strdup(image_string(image, row->name)), .next = all->all };
    all->all = all->by_number[number] = l;
    if (l->name != NULL)
        return l;
    listener_free(l);
    errno = ENOMEM;
    return NULL;
}

/* How many of ours have the port. */
static unsigned
share_port(struct master *m, uint16_t port, bool on)
{
    unsigned count = 0;

    for (struct listener *l = m->listeners.all; l != NULL; l = l->next) {
        if (l->fd >= 0 && l->bound.port == port)
            count += listen_share(l->fd, on) == 0;
    }
    return count;
}

/* The whole host may take the place of one of its addresses, and the other way: both listen for a moment,
   and which of ours the kernel takes for a connection is of no matter. */
static int
open_beside(struct master *m, const struct addr *addr, struct addr *bound)
{
    unsigned ours = share_port(m, addr->port, true);
    int fd = ours > 0 ? listen_open(&m->inherited, addr, true, bound) : -1;
    int saved = ours > 0 ? errno : EADDRINUSE;

    (void)share_port(m, addr->port, false);
    errno = saved;
    return fd;
}

static struct listener *
listener_open(struct master *m, const struct image *image, const struct image_listener *row)
{
    struct listener *l = listener_new(m, image, row);

    if (l == NULL)
        return NULL;
    l->fd = listen_open(&m->inherited, &row->addr, false, &l->bound);
    if (l->fd < 0 && errno == EADDRINUSE)
        l->fd = open_beside(m, &row->addr, &l->bound);
    if (l->fd < 0) {
        int saved = errno;

        listener_free(l);
        errno = saved;
        return NULL;
    }
    l->wildcard = addr_is_zero(&l->bound);
    return l;
}

static void
listener_tell(const struct listener *l, const char *what)
{
    char text[ADDR_TEXT_MAX];

    addr_format(&l->bound, text);
    log_info("%s %s", what, text);
}

/* ---- the start and the end ---- */

int
listeners_open(struct master *m)
{
    uint32_t count = m->settings->listeners.count;

    for (uint32_t i = 0; i < count; i++) {
        const struct image_listener *row = image_listener(m->config.image, i);
        struct listener *l = listener_open(m, m->config.image, row);

        if (l == NULL) {
            log_error("listen \"%s\": %s", image_string(m->config.image, row->name), strerror(errno));
            return -1;
        }
        l->index = (uint16_t)i;
        l->serves = true;
        listener_tell(l, "listening on");
    }
    if (metrics_listen(m) < 0)
        return -1;
    inherited_close(&m->inherited);
    return 0;
}

void
listeners_close(struct master *m)
{
    for (struct listener *l = m->listeners.all; l != NULL; l = l->next)
        listener_close(l);
}

void
listeners_free(struct master *m)
{
    while (m->listeners.all != NULL)
        listener_free(m->listeners.all);
}

/* ---- their sessions ---- */

void
listener_use(struct listener *l)
{
    l->sessions++;
}

void
listener_drop(struct master *m, uint16_t number)
{
    struct listener *l = m->listeners.by_number[number];

    if (l == NULL)
        return;
    l->sessions--;
    if (l->sessions == 0 && !l->serves && !l->stays)
        listener_free(l);
}

bool
listener_gone(const struct master *m, uint16_t number)
{
    const struct listener *l = m->listeners.by_number[number];

    return l != NULL && !l->serves;
}

const char *
master_listener_name(const struct master *m, uint16_t listener)
{
    const struct listener *l = listener < IPC_LISTENER_NUMBERS ? m->listeners.by_number[listener] : NULL;

    return l != NULL ? l->name : "";
}

void
listeners_numbers(const struct master *m, bool pending, struct ipc_listeners *out)
{
    memset(out, 0, sizeof *out);
    for (const struct listener *l = m->listeners.all; l != NULL; l = l->next) {
        uint16_t index = pending ? l->next_index : l->index;

        if (!(pending ? l->stays : l->serves) || index >= IPC_LISTENERS_MAX)
            continue;
        out->numbers[index] = l->number;
        if (out->count <= index)
            out->count = (uint16_t)(index + 1);
    }
}

/* ---- a reload ---- */

/* The one in force with that address, unless an earlier row of the image has it. */
static struct listener *
listener_match(const struct master *m, const struct addr *addr)
{
    struct listener *best = NULL;

    for (struct listener *l = m->listeners.all; l != NULL; l = l->next) {
        if (l->serves && !l->stays && addr_equal(&l->addr, addr)
            && (best == NULL || l->index < best->index))
            best = l;
    }
    return best;
}

int
listeners_prepare(struct master *m, const struct image *next, char *error, size_t size)
{
    uint32_t count = image_settings(next)->listeners.count;

    for (uint32_t i = 0; i < count; i++) {
        const struct image_listener *row = image_listener(next, i);
        struct listener *l = listener_match(m, &row->addr);

        if (l == NULL)
            l = listener_open(m, next, row);
        if (l == NULL) {
            (void)snprintf(error, size, "listen \"%s\": %s", image_string(next, row->name),
                strerror(errno));
            listeners_abandon(m);
            return -1;
        }
        l->stays = true;
        l->next_index = (uint16_t)i;
    }
    return 0;
}

void
listeners_abandon(struct master *m)
{
    struct listener *next;

    for (struct listener *l = m->listeners.all; l != NULL; l = next) {
        next = l->next;
        l->stays = false;
        if (!l->serves && l->sessions == 0)
            listener_free(l);
    }
}

static void
listener_rename(struct listener *l, const struct image *image)
{
    char *name = strdup(image_string(image, image_listener(image, l->next_index)->name));

    /* Without memory the old spelling of the same address stays. */
    if (name == NULL)
        return;
    free(l->name);
    l->name = name;
}

void
listeners_last_call(struct master *m)
{
    for (struct listener *l = m->listeners.all; l != NULL; l = l->next) {
        if (l->serves && !l->stays && l->fd >= 0)
            accept_rest(l);
    }
}

void
listeners_adopt(struct master *m, const struct image *next)
{
    struct listener *after;

    for (struct listener *l = m->listeners.all; l != NULL; l = after) {
        after = l->next;
        if (l->stays) {
            if (!l->serves)
                listener_tell(l, "listening on");
            l->index = l->next_index;
            listener_rename(l, next);
        } else if (l->serves) {
            listener_tell(l, "no longer listening at");
            accept_rest(l); /* those since the last call */
            listener_close(l);
        }
        l->serves = l->stays;
        l->stays = false;
        if (!l->serves && l->sessions == 0)
            listener_free(l);
    }
    accept_poll(m);
}
