/* SPDX-License-Identifier: ISC */
/*
 * protect: after the login of a method with message protection, the client and its protect face agree
 * on a level. Then the protecting layer goes onto the client's channel, and no later phase knows of it,
 * or nothing is protected and the state is given back. A client that breaks the rules is told so in the
 * method's own words.
 */
#include "src/session/session_private.h"

const struct auth_protect_module *
session_protect_face(const struct session *s)
{
    return s->setup->module == SETUP_NO_MODULE ? NULL : s->host->protect[s->setup->module];
}

void
session_note_level(struct session *s, enum auth_protection level)
{
    s->slot->protection = (uint8_t)(1 + level);
}

static struct session_step
unprotected(struct session *s)
{
    session_protect_face(s)->free(s->setup->protect);
    s->setup->protect = NULL;
    session_note_level(s, AUTH_PROTECTION_NONE);
    return step_go(SESSION_REQUEST);
}

static struct session_step
sealed(struct session *s)
{
    struct session_setup *setup = s->setup;
    const struct auth_protect_module *face = session_protect_face(s);

    session_note_level(s, face->level(setup->protect));
    if (channel_protect(&s->client, face, &setup->protect, buffer_head(&setup->in),
            buffer_len(&setup->in)) < 0)
        return step_fail(s, REASON_INTERNAL, NULL);
    /* What follows is the request and payload: no passwords, and locked memory is scarce. */
    buffer_clear(&setup->in);
    setup->in = BUFFER_INIT;
    return step_go(SESSION_REQUEST);
}

/* The answers are not sealed: they leave before anything that is. */
static struct session_step
agreed(struct session *s)
{
    int flushed = client_flush(s);

    if (flushed < 0)
        return step_fail(s, REASON_CLIENT_GONE, NULL);
    if (flushed == 0)
        return step_wait();
    setup_end_conversation(s->setup);
    return s->setup->agreed == SETUP_SEALED ? sealed(s) : unprotected(s);
}

/* One message was understood: true when *step says what comes now, false when the next one does. */
static bool
take_agreement(struct session *s, const struct auth_agreement *a, struct session_step *step)
{
    if (a->done)
        s->setup->agreed = a->sealed ? SETUP_SEALED : SETUP_PLAIN;
    buffer_consume(&s->setup->in, a->used);
    if (a->answer.len > 0 && client_send(s, a->answer.data, a->answer.len) < 0)
        *step = step_fail(s, REASON_CLIENT_GONE, NULL);
    else if (a->done)
        *step = agreed(s);
    else if (a->used == 0)
        *step = step_fail(s, REASON_INTERNAL, "the method looks at one message for ever");
    else
        return false;
    return true;
}

static struct session_step
agree(struct session *s)
{
    struct buffer *in = &s->setup->in;
    uint8_t room[AUTH_AGREE_ROOM];
    struct session_step step;

    for (;;) {
        struct auth_agreement a = { .answer = { room, sizeof room, 0 } };
        enum auth_frame r = AUTH_FRAME_MORE;

        if (buffer_len(in) > 0)
            r = session_protect_face(s)->agree(s->setup->protect, buffer_data(in), buffer_len(in), &a);
        if (r == AUTH_FRAME_BAD)
            return step_refuse_login(s, REASON_BAD_MESSAGE, a.error);
        if (r == AUTH_FRAME_READY && take_agreement(s, &a, &step))
            return step;
        if (r == AUTH_FRAME_MORE && !client_more(s, &step))
            return step;
    }
}

static struct session_step
protect_enter(struct session *s)
{
    session_deadline(s, s->setup->deadline);
    return agree(s);
}

static struct session_step
protect_event(struct session *s, enum session_event event)
{
    if (event == SESSION_TIMER)
        return step_refuse_login(s, REASON_CLIENT_TIMEOUT, NULL);
    if (client_flush(s) < 0 || s->client.failed)
        return step_fail(s, REASON_CLIENT_GONE, NULL);
    return s->setup->agreed != SETUP_OPEN ? agreed(s) : agree(s);
}

const struct phase_row phase_protect = { "protect", protect_enter, protect_event, NULL };
