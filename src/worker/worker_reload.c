/* SPDX-License-Identifier: ISC */
/*
 * A new image, in two steps: PREPARE looks whether it can be adopted and makes all that is needed, COMMIT
 * puts it in force in one turn, and then the live sessions are judged again. At most two images. What the
 * master says wrongly is fatal; an image that cannot be adopted is an answer.
 */
#include "src/worker/worker.h"

#include "src/core/ipc_reload.h"
#include "src/core/log.h"

#include <errno.h>
#include <stdio.h>

#define RETRY_MS 10 /* the channel is full */

static void
forget(struct worker *w)
{
    session_abandon(&w->host, &w->reload.adoption);
    image_close(&w->reload.image);
    w->reload.generation = 0;
}

/* Closes the image before: nothing refers to it any more. */
static void
adopt(struct worker *w, struct session_adoption **adoption, struct image **image)
{
    struct image *before = w->image;

    session_commit(&w->host, adoption);
    w->image = *image;
    *image = NULL;
    if (before != w->image)
        image_close(&before);
    worker_hours_begin(w);
}

void
worker_adopt_first(struct worker *w)
{
    char error[512];
    struct session_adoption *a =
        session_prepare(&w->host, w->image, NULL, 0, error, sizeof error);
    struct image *image = w->image;

    if (a == NULL)
        log_fatal("%s", error);
    adopt(w, &a, &image);
}

/* The same image again, its listeners under the master's numbers. */
void
worker_listeners(struct child *child, struct ipc_message *m)
{
    struct worker *w = child->owner;
    struct session_adoption *a;
    struct ipc_listeners list;
    char error[512];

    if (ipc_listeners_decode(m, &list) < 0)
        log_panic("malformed LISTENERS");
    a = session_prepare(&w->host, w->image, list.numbers, list.count, error, sizeof error);
    if (a == NULL)
        log_fatal("%s", error);
    session_commit(&w->host, &a);
}

/* ---- PREPARE ---- */

static bool
prepare(struct worker *w, const struct ipc_prepare *p, int fd, char *error, size_t size)
{
    const char *why = "out of descriptors";

    if (fd >= 0)
        w->reload.image = image_adopt(fd, &why);
    if (w->reload.image == NULL) {
        (void)snprintf(error, size, "policy image: %s", why);
        return false;
    }
    w->reload.adoption = session_prepare(&w->host, w->reload.image, p->listeners.numbers,
        p->listeners.count, error, size);
    return w->reload.adoption != NULL;
}

static void send_answer(struct worker *w);

static void
answer_due(struct loop_timer *timer)
{
    send_answer((struct worker *)((char *)timer - offsetof(struct worker, reload.answer_timer)));
}

/* The master waits for it, and asks nothing more until it came: a full channel only delays it. */
static void
send_answer(struct worker *w)
{
    const struct ipc_prepared *answer = &w->reload.answer;
    struct loop *loop = w->child.loop;
    uint8_t body[IPC_BODY_MAX];
    size_t len = ipc_prepared_encode(answer, body, sizeof body);

    w->reload.answer_timer.expired = answer_due;
    if (child_send(&w->child, IPC_PREPARED, body, len) < 0 && errno != EPIPE &&
        loop_timer_set(loop, &w->reload.answer_timer,
            mono_add_us(loop_now(loop), RETRY_MS * CLOCK_MSEC_US)) < 0)
        log_error("no memory for a timer");
}

void
worker_prepare(struct child *child, struct ipc_message *m)
{
    struct worker *w = child->owner;
    struct ipc_prepared *answer = &w->reload.answer;
    struct ipc_prepare p;

    if (ipc_prepare_decode(m, &p) < 0)
        log_panic("malformed PREPARE");
    forget(w);
    loop_timer_cancel(child->loop, &w->reload.answer_timer);
    *answer = (struct ipc_prepared) { .generation = p.generation };
    answer->ok = prepare(w, &p, m->fd_count > 0 ? m->fds[0] : -1, answer->error, sizeof answer->error);
    if (answer->ok)
        w->reload.generation = p.generation;
    else
        forget(w);
    send_answer(w);
}

void
worker_abort(struct child *child, struct ipc_message *m)
{
    struct worker *w = child->owner;
    uint64_t generation;

    if (ipc_generation_decode(m, &generation) < 0)
        log_panic("malformed ABORT");
    if (generation == w->reload.generation)
        forget(w);
}

/* ---- COMMIT ---- */

static bool
timeouts_differ(const struct image *a, const struct image *b)
{
    const struct image_timeouts *x = &image_settings(a)->timeouts, *y = &image_settings(b)->timeouts;

    return x->idle != y->idle || x->half_closed != y->half_closed || x->udp != y->udp;
}

void
worker_commit(struct child *child, struct ipc_message *m)
{
    struct worker *w = child->owner;
    uint64_t generation;
    bool timers;

    if (ipc_generation_decode(m, &generation) < 0)
        log_panic("malformed COMMIT");
    if (generation != w->reload.generation || w->reload.adoption == NULL)
        log_panic("COMMIT of an image that was not prepared");
    timers = timeouts_differ(w->image, w->reload.image);
    adopt(w, &w->reload.adoption, &w->reload.image);
    w->reload.generation = 0;
    session_rejudge(&w->host, generation, timers);
}

/* ---- REJUDGED ---- */

static void tell(struct worker *w);

static void
retry_due(struct loop_timer *timer)
{
    tell((struct worker *)((char *)timer - offsetof(struct worker, reload.retry)));
}

static void
tell(struct worker *w)
{
    struct ipc_rejudged r = { w->reload.judged, w->reload.ended };
    uint8_t body[IPC_BODY_MAX];

    w->reload.retry.expired = retry_due;
    if (child_send(&w->child, IPC_REJUDGED, body, ipc_rejudged_encode(&r, body, sizeof body)) < 0 &&
        errno != EPIPE &&
        loop_timer_set(w->child.loop, &w->reload.retry,
            mono_add_us(loop_now(w->child.loop), RETRY_MS * CLOCK_MSEC_US)) < 0)
        log_error("no memory for a timer");
}

void
worker_rejudged(struct session_host *host, uint64_t generation, uint32_t ended)
{
    struct worker *w = (struct worker *)((char *)host - offsetof(struct worker, host));

    w->reload.judged = generation;
    w->reload.ended = ended;
    tell(w);
}

/* ---- KILL ---- */

void
worker_kill(struct child *child, struct ipc_message *m)
{
    struct worker *w = child->owner;
    struct ipc_kill k;

    if (ipc_kill_decode(m, &k) < 0)
        log_panic("malformed KILL");
    session_kill(&w->host, k.ids, k.count);
}

void
worker_reload_free(struct worker *w)
{
    loop_timer_cancel(w->child.loop, &w->reload.retry);
    loop_timer_cancel(w->child.loop, &w->reload.answer_timer);
    loop_timer_cancel(w->child.loop, &w->hours.timer);
    forget(w);
}
