/* SPDX-License-Identifier: ISC */
/*
 * The texts the master renders, kept for a second, and the requests that wait for one. Serves
 * metrics_http.c. No text, or none in time, is an answer too (503).
 */
#include "src/metrics/metrics_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>

static const char *const types[METRICS_FORMAT_COUNT] = {
    [METRICS_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
    [METRICS_CLASSIC] = "text/plain; version=0.0.4; charset=utf-8",
};

struct MHD_Response *
text_fresh(struct metrics *x, enum metrics_format format)
{
    const struct text *t = &x->texts[format];

    if (t->response == NULL
        || mono_diff_us(loop_now(x->child.loop), t->made) >= METRICS_FRESH_US)
        return NULL;
    return t->response;
}

/* ---- those who wait ---- */

static void
resume(struct metrics *x, struct request **at)
{
    struct request *r = *at;

    *at = r->next;
    r->waiting = false;
    r->resumed = true;
    MHD_resume_connection(r->connection);
    http_drive(x);
}

static void
resume_format(struct metrics *x, enum metrics_format format)
{
    struct request **at = &x->waiting;

    loop_timer_cancel(x->child.loop, &x->texts[format].patience);
    while (*at != NULL) {
        if ((*at)->format == format)
            resume(x, at);
        else
            at = &(*at)->next;
    }
}

void
text_abandon(struct metrics *x)
{
    for (unsigned i = 0; i < METRICS_FORMAT_COUNT; i++)
        resume_format(x, (enum metrics_format)i);
}

void
text_forget(struct metrics *x, struct request *request)
{
    struct request **at = &x->waiting;

    while (*at != NULL && *at != request)
        at = &(*at)->next;
    if (*at != NULL)
        *at = request->next;
}

static void
patience_over(struct loop_timer *timer)
{
    struct text *t = (struct text *)((char *)timer - offsetof(struct text, patience));

    log_warn("the master did not answer within %d s", METRICS_ANSWER_SECONDS);
    resume_format(t->x, (enum metrics_format)(t - t->x->texts));
}

static bool
ask(struct metrics *x, enum metrics_format format)
{
    uint8_t body[1];
    struct mono end = mono_add_seconds(loop_now(x->child.loop), METRICS_ANSWER_SECONDS);

    if (child_send(&x->child, IPC_METRICS_ASK, body, ipc_metrics_encode(format, body, sizeof body)) < 0)
        return false;
    return loop_timer_set(x->child.loop, &x->texts[format].patience, end) == 0;
}

bool
text_await(struct metrics *x, struct request *request)
{
    if (!loop_timer_armed(&x->texts[request->format].patience) && !ask(x, request->format))
        return false;
    request->waiting = true;
    request->next = x->waiting;
    x->waiting = request;
    MHD_suspend_connection(request->connection);
    return true;
}

/* ---- the master's answer ---- */

static struct MHD_Response *
response_of(int fd, const char *type)
{
    off_t size = memfd_check(fd, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
    void *text;

    if (size <= 0)
        return NULL;
    text = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    if (text == MAP_FAILED)
        return NULL;
    struct MHD_Response *r =
        MHD_create_response_from_buffer((size_t)size, text, MHD_RESPMEM_MUST_COPY);

    (void)munmap(text, (size_t)size);
    if (r != NULL && MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type) != MHD_YES) {
        MHD_destroy_response(r);
        r = NULL;
    }
    return r;
}

void
text_arrived(struct child *child, struct ipc_message *message)
{
    struct metrics *x = child->owner;
    enum metrics_format format;

    if (ipc_metrics_decode(message, &format) < 0)
        log_panic("malformed METRICS_TEXT");
    struct text *t = &x->texts[format];

    if (t->response != NULL)
        MHD_destroy_response(t->response);
    t->response = message->fd_count == 1 ? response_of(message->fds[0], types[format]) : NULL;
    t->made = loop_now(child->loop);
    resume_format(x, format);
}

/* ---- begin and end ---- */

void
text_init(struct metrics *x)
{
    for (unsigned i = 0; i < METRICS_FORMAT_COUNT; i++) {
        x->texts[i].x = x;
        x->texts[i].patience.expired = patience_over;
    }
}

void
text_free(struct metrics *x)
{
    for (unsigned i = 0; i < METRICS_FORMAT_COUNT; i++) {
        if (x->texts[i].response != NULL)
            MHD_destroy_response(x->texts[i].response);
        x->texts[i].response = NULL;
    }
}
