/* SPDX-License-Identifier: ISC */
/*
 * Conversations: from the queue to their end. Between steps one costs this structure and a
 * descriptor. A conversation that runs out of time, that its worker gave up or whose packets are
 * wrong ends without a word; the worker sees the end of file.
 */
#include "src/authd/authd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fd.h"
#include "lib/base/secret.h"
#include "src/core/log.h"

/* Until OPEN says how long it may take, and what it may say at most. */
#define OPEN_MSEC 10000
#define DEADLINE_MSEC_MAX 600000

static void
unlink_conversation(struct authd_conversation *c)
{
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        c->authd->conversations = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    c->authd->count--;
}

void
authd_conversation_end(struct authd_conversation *c)
{
    struct authd *a = c->authd;

    loop_io_del(a->child.loop, &c->io, c->fd);
    loop_timer_cancel(a->child.loop, &c->deadline);
    fd_close(&c->fd);
    if (c->generation != NULL && a->module->end != NULL)
        a->module->end(c->generation->module, c->state);
    secret_free(c->state, a->module->state_size);
    authd_generation_drop(a, &c->generation);
    authd_image_drop(&c->image);
    unlink_conversation(c);
    free(c);
    authd_queues_update(a);
    authd_maybe_done(a);
}

static void
conversation_malformed(struct authd_conversation *c, const char *what)
{
    authd_malformed(c->authd, &c->from, what);
    authd_conversation_end(c);
}

static void
deadline_expired(struct loop_timer *timer)
{
    authd_conversation_end((struct authd_conversation *)((char *)timer -
        offsetof(struct authd_conversation, deadline)));
}

/* ---- the worker's packets ---- */

/* Its worker no longer waits: a step would be work for nobody. */
static bool
is_abandoned(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLRDHUP };

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* Waits for the next packet. */
static void
conversation_wait(struct authd_conversation *c)
{
    if (!loop_io_active(&c->io) &&
        loop_io_add(c->authd->child.loop, &c->io, c->fd, EPOLLIN) != 0) {
        log_warn("conversation: %s", strerror(errno));
        authd_conversation_end(c);
    }
}

static int
deadline_set(struct authd_conversation *c, uint32_t msec)
{
    const int64_t us = (msec < DEADLINE_MSEC_MAX ? msec : DEADLINE_MSEC_MAX) * CLOCK_MSEC_US;

    return loop_timer_set(c->authd->child.loop, &c->deadline,
        mono_add_us(loop_now(c->authd->child.loop), us));
}

static bool
listener_of(struct authd_conversation *c, struct authd_image *in)
{
    const struct image *image = in != NULL ? in->image : NULL;
    const uint32_t count = in != NULL ? image_settings(image)->listeners.count : 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct image_listener *l = image_listener(image, i);

        if (strcmp(image_string(image, l->name), c->listener) != 0)
            continue;
        c->image = authd_image_use(in);
        c->view = (struct authd_view) { .authd = c->authd, .image = in, .listener = l };
        c->config = (struct auth_config) { .ctx = &c->view, .value = authd_option };
        return true;
    }
    return false;
}

/* The listener it came through, found by its name; only the worker could have told a wrong one. A new
   one's first client may be faster than the COMMIT of the image that brings it. */
static bool
listener_find(struct authd_conversation *c)
{
    return listener_of(c, c->authd->image) || listener_of(c, c->authd->next);
}

/* Keeps what the module may want to know in every step. */
static int
opening_keep(struct authd_conversation *c, const struct conversation_open *open)
{
    c->address = open->client;
    (void)addr_format(&open->client, c->client);
    if (open->local.family != ADDR_NONE)
        (void)addr_format(&open->local, c->local);
    if (open->binding_len > 0)
        memcpy(c->binding, open->binding, open->binding_len);
    c->opening = (struct auth_opening) {
        .session = open->session,
        .method = open->method,
        .initiator = open->initiator,
        .listener = c->listener,
        .client = c->client,
        .local = c->local,
        .binding = c->binding,
        .binding_len = open->binding_len,
        .config = &c->config,
    };
    c->generation = authd_generation_use(c->authd->current);
    if (c->authd->module->state_size == 0)
        return 0;
    c->state = secret_alloc(c->authd->module->state_size);
    return c->state != NULL ? 0 : -1;
}

/* What the packet says goes to the module. True when the conversation goes on. */
static bool
open_received(struct authd_conversation *c, size_t len)
{
    struct conversation_open open;

    if (conversation_open_decode(c->authd->room->packet, len, &open, c->listener) != 0 ||
        open.method != c->authd->module->method || !listener_find(c)) {
        conversation_malformed(c, "a malformed OPEN");
        return false;
    }
    if (deadline_set(c, open.deadline_ms) != 0 || opening_keep(c, &open) != 0) {
        log_warn("conversation: out of memory");
        authd_conversation_end(c);
        return false;
    }
    if (authd_step(c, open.bytes, open.len))
        return true;
    authd_conversation_end(c);
    return false;
}

static bool
next_received(struct authd_conversation *c, size_t len)
{
    const uint8_t *bytes;
    size_t bytes_len;

    if (conversation_next_decode(c->authd->room->packet, len, &bytes, &bytes_len) != 0) {
        conversation_malformed(c, "a malformed NEXT");
        return false;
    }
    if (authd_step(c, bytes, bytes_len))
        return true;
    authd_conversation_end(c);
    return false;
}

/* n: of the packet in the room; 0: the end; -1 with errno. */
static void
packet_received(struct authd_conversation *c, ssize_t n)
{
    const int error = n < 0 ? errno : 0;
    bool goes_on = error == EAGAIN || error == EINTR;

    if (n > 0)
        goes_on = c->generation == NULL ? open_received(c, (size_t)n) : next_received(c, (size_t)n);
    else if (error == EMSGSIZE)
        conversation_malformed(c, "a packet too long");
    else if (!goes_on)
        authd_conversation_end(c);
    if (goes_on)
        conversation_wait(c);
}

static void
conversation_read(struct authd_conversation *c)
{
    uint8_t *packet = c->authd->room->packet;
    const ssize_t n = is_abandoned(c->fd) ? 0 : conversation_receive(c->fd, packet, CONVERSATION_MAX);
    const bool too_long = n < 0 && errno == EMSGSIZE;

    packet_received(c, n);
    explicit_bzero(packet, n > 0 ? (size_t)n : too_long ? CONVERSATION_MAX : 0);
}

static void
conversation_ready(struct loop_io *io, uint32_t events)
{
    (void)events;
    conversation_read((struct authd_conversation *)((char *)io -
        offsetof(struct authd_conversation, io)));
}

void
authd_conversation_take(struct authd *a, int fd, const struct ipc_queue_receive *from, size_t len)
{
    struct authd_conversation *c = calloc(1, sizeof *c);

    if (c == NULL) {
        log_warn("conversation: out of memory");
        fd_close(&fd);
        return;
    }
    c->io.ready = conversation_ready;
    c->deadline.expired = deadline_expired;
    c->fd = fd;
    c->authd = a;
    c->from = *from;
    c->next = a->conversations;
    if (c->next != NULL)
        c->next->prev = c;
    a->conversations = c;
    a->count++;
    authd_queues_update(a);
    if (deadline_set(c, OPEN_MSEC) != 0) {
        authd_conversation_end(c);
        return;
    }
    if (len == 0)
        conversation_read(c);
    else
        packet_received(c, is_abandoned(fd) ? 0 : (ssize_t)len);
}
