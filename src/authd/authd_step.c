/* SPDX-License-Identifier: ISC */
/*
 * One step of a conversation: the module's verdict, the report to the master, the result to the
 * worker. The master hears of it first, so that what the worker does next it does as somebody
 * known. A module that answers nonsense has made the login fail.
 */
#include "src/authd/authd.h"

#include <errno.h>
#include <string.h>

#include "src/core/log.h"

static void
step_run(struct authd_conversation *c, const uint8_t *bytes, size_t len, struct auth_step *step)
{
    struct authd *a = c->authd;

    *step = (struct auth_step) {
        .outcome = AUTH_FAILURE,
        .answer = { .data = a->room->answer, .size = sizeof a->room->answer },
        .identity = &a->room->identity,
        .protect = { .data = a->room->protect, .size = sizeof a->room->protect },
    };
    a->module->step(c->generation->module, c->state, &c->opening, bytes, len, step);
    loop_refresh(a->child.loop);
}

/* It says no more than that; nothing of what it was about to say is left. */
static void
step_fail(struct authd *a, struct auth_step *step, const char *reason)
{
    explicit_bzero(a->room->answer, sizeof a->room->answer);
    explicit_bzero(a->room->reply, sizeof a->room->reply);
    step->outcome = AUTH_FAILURE;
    step->reason = reason;
    step->answer.len = 0;
    step->protect.len = 0;
}

/* The module's promises, held to: what breaks one is a failure with its own word. */
static void
step_check(struct authd *a, struct auth_step *step)
{
    const struct auth_identity *id = step->identity;
    const bool sound = step->answer.len <= step->answer.size &&
        step->protect.len <= step->protect.size &&
        (step->outcome == AUTH_CONTINUE || step->outcome == AUTH_FAILURE ||
            (step->outcome == AUTH_SUCCESS && id->user[0] != '\0'));

    if (sound)
        return;
    log_error("module %s: a step without a sound result", a->module->name);
    step_fail(a, step, "module-error");
}

/* Whatever the secret said, it says what a wrong one is told. */
static void
step_penalize(struct authd_conversation *c, struct auth_step *step)
{
    struct authd *a = c->authd;

    if (step->outcome != AUTH_CONTINUE && step->identity->user[0] != '\0' &&
        authd_penalties_hold(&a->penalties, &c->address, step->identity->user,
            loop_now(a->child.loop)))
        step_fail(a, step, "penalty");
}

static void
step_report(const struct authd_conversation *c, const struct auth_step *step)
{
    struct ipc_auth_result result = {
        .worker = c->from.worker,
        .incarnation = c->from.incarnation,
        .session = c->opening.session,
        .success = step->outcome == AUTH_SUCCESS,
        .excused = step->outcome == AUTH_FAILURE && authd_failure_excused(step->reason),
    };

    uint8_t body[IPC_BODY_MAX];

    if (step->outcome == AUTH_CONTINUE)
        return;
    _Static_assert(sizeof result.user == sizeof step->identity->user, "one bound for user names");
    memcpy(result.user, step->identity->user, sizeof result.user);
    result.user[sizeof result.user - 1] = '\0';
    authd_report(c->authd, IPC_AUTH_RESULT, body,
        ipc_auth_result_encode(&result, body, sizeof body));
}

static size_t
result_encode(const struct auth_step *step, uint8_t *out, size_t size)
{
    const struct auth_identity *id = step->identity;
    const struct conversation_result result = {
        .outcome = step->outcome,
        .answer = step->answer.data,
        .answer_len = step->answer.len,
        .user = id->user,
        .mechanism = id->mechanism,
        .enctype = id->enctype,
        .account = id->account,
        .groups = id->groups,
        .groups_len = id->groups_len,
        .end = id->end,
        .protect = step->protect.data,
        .protect_len = step->protect.len,
        .reason = step->reason,
    };

    return conversation_result_encode(&result, out, size);
}

/* Success is reported only when its result can be said: what does not fit is a failed login. */
static size_t
step_encode(struct authd *a, struct auth_step *step)
{
    uint8_t *reply = a->room->reply;
    const size_t len = result_encode(step, reply, CONVERSATION_MAX);

    if (len > 0)
        return len;
    log_error("module %s: an identity or answer that is too large", a->module->name);
    step_fail(a, step, "identity-too-large");
    return result_encode(step, reply, CONVERSATION_MAX);
}

/* With the last result the worker gets its descriptor back, where it can be passed. */
static int
step_answer(const struct authd_conversation *c, size_t len, bool goes_on)
{
    const uint8_t *reply = c->authd->room->reply;

    if (!goes_on && conversation_send_passing(c->fd, reply, len, c->fd) == 0)
        return 0;
    return conversation_send(c->fd, reply, len);
}

bool
authd_step(struct authd_conversation *c, const uint8_t *bytes, size_t len)
{
    struct authd_room *room = c->authd->room;
    struct auth_step step;

    step_run(c, bytes, len, &step);
    step_check(c->authd, &step);
    step_penalize(c, &step);
    const size_t reply = step_encode(c->authd, &step);
    bool goes_on = step.outcome == AUTH_CONTINUE;

    step_report(c, &step);
    if (step_answer(c, reply, goes_on) != 0) {
        if (errno != EPIPE && errno != ECONNRESET)
            log_warn("answering worker %u: %s", (unsigned)c->from.worker, strerror(errno));
        goes_on = false;
    }
    explicit_bzero(room->reply, reply);
    explicit_bzero(room->answer, step.answer.len);
    explicit_bzero(room->protect, sizeof room->protect);
    explicit_bzero(&room->identity, sizeof room->identity);
    return goes_on;
}
