/* SPDX-License-Identifier: ISC */
/*
 * authenticate: carries the messages of the chosen module between the client and the module's pool.
 * The wire face says where a client message ends and what to send; what it means only the pool
 * knows. The login's bytes live in secret memory and are zeroed as soon as they were forwarded.
 */
#include "src/session/session_private.h"

#include "lib/base/secret.h"

#include <string.h>

#define AUTH_ANSWER_ROOM 1024U /* what a module may put around the pool's bytes */

static const struct auth_wire_module *
wire_module(const struct session *s)
{
    return s->host->modules[s->setup->module];
}

struct session_step
step_refuse_login(struct session *s, enum session_reason reason, const char *detail)
{
    uint8_t bytes[64];
    struct auth_out out = { bytes, sizeof bytes, 0 };

    authlink_end(&s->setup->conversation);
    wire_module(s)->refuse(s->setup->wire, &out);
    if (out.len > 0)
        (void)client_send(s, bytes, out.len);
    return step_fail(s, reason, detail);
}

/* ---- client to pool ---- */

static int
forward(struct session *s, const struct auth_frame_result *frame)
{
    struct session_setup *setup = s->setup;

    if (setup->conversation.fd >= 0)
        return authlink_next(&setup->conversation, frame->payload, frame->payload_len);
    int64_t left_us = mono_diff_us(setup->deadline, loop_now(s->host->loop));
    struct conversation_open open = {
        .session = s->id,
        .method = s->method,
        .listener = s->listener->name,
        .client = s->slot->client,
        .local = setup->local,
        .deadline_ms = left_us > 0 ? (uint32_t)(left_us / CLOCK_MSEC_US) : 0,
        .bytes = frame->payload,
        .len = frame->payload_len,
    };

    setup->login_since = loop_now(s->host->loop);
    verdict_expect(s);
    return authlink_open(s->host->authlink, setup->module, &setup->conversation, &open);
}

static void conversation_answered(struct authlink_conversation *c,
    const struct conversation_result *result, const char *why);

static struct session_step
frame_ready(struct session *s, const struct auth_frame_result *frame)
{
    struct session_setup *setup = s->setup;
    int sent;

    if (frame->claimed_len > 0) {
        setup->claimed_len = (uint8_t)frame->claimed_len;
        memcpy(setup->claimed, frame->claimed, frame->claimed_len);
    }
    setup->conversation.answered = conversation_answered;
    sent = forward(s, frame);
    buffer_consume(&setup->in, frame->used);
    if (sent < 0)
        return step_refuse_login(s, REASON_AUTH_UNAVAILABLE, NULL);
    setup->awaiting = true;
    return step_wait();
}

static struct session_step
authenticate(struct session *s)
{
    struct buffer *in = &s->setup->in;
    struct auth_frame_result frame;
    struct session_step step;

    for (;;) {
        enum auth_frame r = AUTH_FRAME_MORE;

        memset(&frame, 0, sizeof frame);
        if (buffer_len(in) > 0)
            r = wire_module(s)->frame(s->setup->wire, buffer_head(in), buffer_len(in), &frame);
        if (r == AUTH_FRAME_READY)
            return frame_ready(s, &frame);
        if (r == AUTH_FRAME_BAD)
            return step_refuse_login(s, REASON_MALFORMED, frame.error);
        if (!client_more(s, &step))
            return step;
    }
}

/* ---- pool to client ---- */

static void
conversation_answered(struct authlink_conversation *c, const struct conversation_result *result,
    const char *why)
{
    struct session_setup *setup =
        (struct session_setup *)((char *)c - offsetof(struct session_setup, conversation));
    struct session *s = setup->session;

    setup->answer = result;
    setup->answer_why = why;
    session_dispatch(s, SESSION_ANSWER);
}

/* REASON_NONE when the client has been told, or why not. */
static enum session_reason
send_answer(struct session *s, const struct conversation_result *result)
{
    size_t size = result->answer_len + AUTH_ANSWER_ROOM;
    uint8_t *bytes = secret_alloc(size);
    struct auth_out out = { bytes, size, 0 };
    enum session_reason reason = REASON_NONE;

    if (bytes == NULL)
        return REASON_INTERNAL;
    if (wire_module(s)->answer(s->setup->wire, result->outcome, result->answer,
            result->answer_len, &out) < 0)
        reason = REASON_AUTH_LOST;
    else if (out.len > 0 && client_send(s, bytes, out.len) < 0)
        reason = REASON_CLIENT_GONE;
    secret_free(bytes, size);
    return reason;
}

static struct session_step
login_succeeded(struct session *s, const struct conversation_result *result)
{
    s->authenticated = true;
    record_auth_success(s, result);
    if (s->setup->protect != NULL)
        return step_go(SESSION_PROTECT);
    setup_end_conversation(s->setup);
    return step_go(SESSION_REQUEST);
}

static struct session_step
answered(struct session *s)
{
    const struct conversation_result *result = s->setup->answer;
    enum session_reason reason = REASON_NONE;
    const char *detail;

    s->setup->awaiting = false;
    s->setup->answer = NULL;
    if (result == NULL)
        return step_refuse_login(s, REASON_AUTH_LOST, s->setup->answer_why);
    /* Before the client hears of its success: it hears one answer. */
    if (result->outcome == AUTH_SUCCESS)
        reason = identity_take(s, result, &detail);
    if (reason != REASON_NONE)
        return step_refuse_login(s, reason, detail);
    reason = send_answer(s, result);
    if (reason == REASON_CLIENT_GONE)
        return step_fail(s, reason, NULL);
    if (reason != REASON_NONE)
        return step_refuse_login(s, reason, "the answer could not be written");
    if (result->outcome == AUTH_SUCCESS)
        return login_succeeded(s, result);
    if (result->outcome == AUTH_CONTINUE)
        return authenticate(s);
    /* The pool's word, copied: the packet it lies in goes with the conversation. */
    table_text(s->setup->why, sizeof s->setup->why, result->reason,
        result->reason != NULL ? strlen(result->reason) : 0);
    return step_fail(s, REASON_BAD_CREDENTIALS, s->setup->why);
}

static struct session_step
authenticate_enter(struct session *s)
{
    const struct auth_wire_module *module = wire_module(s);

    session_deadline(s, s->setup->deadline);
    if (!module->needs_pool)
        return step_go(SESSION_REQUEST);
    s->setup->wire_size = module->state_size > 0 ? module->state_size : 1;
    s->setup->wire = secret_alloc(s->setup->wire_size);
    if (s->setup->wire == NULL)
        return step_fail(s, REASON_INTERNAL, NULL);
    return authenticate(s);
}

static struct session_step
authenticate_event(struct session *s, enum session_event event)
{
    if (event == SESSION_ANSWER)
        return answered(s);
    if (event == SESSION_TIMER)
        return s->setup->awaiting ? step_refuse_login(s, REASON_AUTH_TIMEOUT, NULL)
                                  : step_refuse_login(s, REASON_CLIENT_TIMEOUT, NULL);
    if (client_flush(s) < 0 || s->client.failed)
        return step_fail(s, REASON_CLIENT_GONE, NULL);
    /* What follows a message waits in the kernel until the pool has answered it. */
    return s->setup->awaiting ? step_wait() : authenticate(s);
}

const struct phase_row phase_authenticate = { "authenticate", authenticate_enter,
    authenticate_event, NULL };
