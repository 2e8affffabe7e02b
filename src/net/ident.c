/* SPDX-License-Identifier: ISC */
/*
 * One question to one identd: connect, a line out, a line in, all under one deadline. Serves the
 * session's ident phase. Every failure is an answer without a user; only ident_ask() returns an error.
 */
#include "src/net/ident.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/net/channel.h"
#include "src/net/dial.h"

struct ident {
    struct loop *loop;
    struct ident_question question;
    ident_answered *answered;
    void *ctx;
    struct dial_settings settings;
    struct dial *dial;
    struct channel channel;
    struct loop_timer deadline;
    size_t sent;
    size_t len;
    uint8_t line[IDENT_LINE_MAX];
};

/* Everything is closed before the caller hears of it, who may free us. */
static void
finish(struct ident *ident, const struct ident_answer *answer)
{
    dial_free(&ident->dial);
    channel_close(&ident->channel);
    loop_timer_cancel(ident->loop, &ident->deadline);
    ident->answered(ident->ctx, answer);
}

static void
fail(struct ident *ident, const char *detail)
{
    finish(ident, &(struct ident_answer) { .detail = detail });
}

/* ---- the question ---- */

/* 1: all of it is out, 0: some is left, -1: the connection is gone. */
static int
send_query(struct ident *ident)
{
    char query[IDENT_QUERY_MAX];
    size_t len = ident_query_encode(ident->question.client.port, ident->question.local.port, query);

    while (ident->sent < len) {
        ssize_t n = channel_write(&ident->channel, query + ident->sent, len - ident->sent);

        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        ident->sent += (size_t)n;
    }
    return 1;
}

/* ---- the answer ---- */

/* The line is whole: its end at `end`. */
static void
line_ready(struct ident *ident, const uint8_t *end)
{
    size_t len = (size_t)(end - ident->line);
    struct ident_answer answer;

    if (len > 0 && ident->line[len - 1] == '\r')
        len--;
    ident_answer_parse(
        ident->line, len, ident->question.client.port, ident->question.local.port, &answer);
    finish(ident, &answer);
}

static void
read_line(struct ident *ident)
{
    while (ident->channel.readable) {
        ssize_t n = channel_read(
            &ident->channel, ident->line + ident->len, sizeof ident->line - ident->len);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            fail(ident, "no-answer");
            return;
        }
        const uint8_t *end = memchr(ident->line + ident->len, '\n', (size_t)n);

        ident->len += (size_t)n;
        if (end != NULL) {
            line_ready(ident, end);
            return;
        }
        if (ident->len == sizeof ident->line) {
            fail(ident, "answer-too-long");
            return;
        }
    }
}

static void
identd_ready(struct channel *channel)
{
    struct ident *ident = (struct ident *)((char *)channel - offsetof(struct ident, channel));

    if (send_query(ident) < 0)
        fail(ident, "no-answer");
    else
        read_line(ident);
}

/* ---- connecting ---- */

static void
dial_done(struct dial *dial, const struct dial_result *result, void *ctx)
{
    struct ident *ident = ctx;

    if (result->error != 0) {
        fail(ident, result->error == ETIMEDOUT ? "timeout" : "unreachable");
        return;
    }
    int fd = dial_take(dial, &ident->channel.io);

    channel_adopt(&ident->channel, ident->loop, fd, result->events, identd_ready);
    dial_free(&ident->dial);
    identd_ready(&ident->channel);
}

static void
deadline_passed(struct loop_timer *timer)
{
    fail((struct ident *)((char *)timer - offsetof(struct ident, deadline)), "timeout");
}

static int
begin(struct ident *ident, struct mono deadline)
{
    struct addr identd = ident->question.client;

    identd.port = ident->question.port != 0 ? ident->question.port : IDENT_PORT;
    ident->dial = dial_start(ident->loop, &ident->settings, deadline, dial_done, ident);
    if (ident->dial == NULL || dial_add(ident->dial, &identd) < 0)
        return -1;
    dial_more(ident->dial, false, false);
    return loop_timer_set(ident->loop, &ident->deadline, deadline);
}

struct ident *
ident_ask(struct loop *loop, const struct ident_question *question, struct mono deadline,
    ident_answered *answered, void *ctx)
{
    struct ident *ident = calloc(1, sizeof *ident);

    if (ident == NULL)
        return NULL;
    ident->loop = loop;
    ident->question = *question;
    ident->answered = answered;
    ident->ctx = ctx;
    ident->deadline.expired = deadline_passed;
    /* Whoever answers looks for a connection between these two addresses. */
    if (question->local.family == ADDR_IPV6)
        ident->settings.egress_ipv6 = question->local;
    else
        ident->settings.egress_ipv4 = question->local;
    ident->settings.egress_ipv4.port = ident->settings.egress_ipv6.port = 0;
    if (begin(ident, deadline) < 0) {
        ident_free(&ident);
        errno = ENOMEM;
    }
    return ident;
}

void
ident_free(struct ident **ident)
{
    struct ident *i = *ident;

    if (i == NULL)
        return;
    *ident = NULL;
    dial_free(&i->dial);
    channel_close(&i->channel);
    loop_timer_cancel(i->loop, &i->deadline);
    free(i);
}
