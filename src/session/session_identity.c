/* SPDX-License-Identifier: ISC */
/*
 * What a successful login brings: who it is, until when, and what protects the messages from now on.
 * Serves the authenticate phase. Whatever cannot be taken over whole is no login.
 */
#include "src/session/session_private.h"

#include <errno.h>
#include <string.h>

/* An identity is never cut: one that has no room is no login. */
static bool
take_user(struct session *s, const struct conversation_result *result)
{
    struct table_slot *slot = s->slot;
    size_t len = strlen(result->user);

    if (len == 0 || len >= sizeof slot->user)
        return false;
    table_change_begin(slot);
    table_text(slot->user, sizeof slot->user, result->user, len);
    table_text(slot->mechanism, sizeof slot->mechanism, result->mechanism, strlen(result->mechanism));
    table_text(slot->enctype, sizeof slot->enctype, result->enctype, strlen(result->enctype));
    table_change_end(slot);
    return true;
}

/* The wall clock counts once, now: whoever sets it later neither prolongs nor ends a session. */
static bool
take_end(struct session *s, int64_t end)
{
    struct loop *loop = s->host->loop;

    if (end == 0 || end > INT64_MAX / CLOCK_SECOND_US)
        return true;
    int64_t left = end * CLOCK_SECOND_US - loop_wall(loop).us;

    s->expires = mono_add_us(loop_now(loop), left);
    return left > 0;
}

/* All groups or no login: without one of them a rule that denies it would not match. */
static const char *
take_groups(struct session *s, const struct conversation_result *result)
{
    groups_release(&s->host->groups, &s->groups);
    if (result->groups_len == 0)
        return NULL;
    s->groups = groups_take(&s->host->groups, result->groups, result->groups_len);
    if (s->groups != NULL)
        return NULL;
    return errno == E2BIG ? "too-many-groups" : errno == EINVAL ? "malformed-groups" : "no-memory-for-groups";
}

/* The blob is zeroed behind us: its keys are in the face's state, or nowhere. */
static const char *
take_protection(struct session *s, const struct conversation_result *result)
{
    struct session_setup *setup = s->setup;
    const struct auth_protect_module *face = session_protect_face(s);
    const char *error = NULL;

    if (face == NULL)
        return NULL;
    if (result->protect_len == 0)
        return "no-message-protection";
    setup->protect = face->import(terms_of(s, setup->module)->terms, result->protect,
        result->protect_len, &error);
    if (setup->protect != NULL)
        return NULL;
    return error != NULL ? error : "no-message-protection";
}

enum session_reason
identity_take(struct session *s, const struct conversation_result *result, const char **detail)
{
    *detail = NULL;
    if (!take_user(s, result)) {
        *detail = "user-name-too-long";
        return REASON_BAD_CREDENTIALS;
    }
    if (!take_end(s, result->end))
        return REASON_TICKET_EXPIRED;
    *detail = take_groups(s, result);
    if (*detail == NULL)
        *detail = take_protection(s, result);
    return *detail == NULL ? REASON_NONE : REASON_AUTH_LOST;
}
