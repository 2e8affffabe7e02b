/* SPDX-License-Identifier: ISC */
/*
 * Agreeing on the level, the client's side: it proposes, and reads what the server agrees to. Serves
 * src/client. Whatever the server sends wrong is a word.
 */
#include "auth/gssapi/gssapi_protect_local.h"

struct gssapi_protect *
gssapi_protect_initiator(const void *blob, size_t len, const char **error)
{
    return gssapi_protect_make(blob, len, KRB5MSG_INITIATOR, error);
}

int
gssapi_protect_propose(struct gssapi_protect *p, enum auth_protection level, bool nec,
    struct auth_out *out)
{
    if (p->stage != GSSAPI_PROPOSAL || (unsigned)level >= GSSAPI_LEVELS)
        return -1;
    p->nec = nec;
    return gssapi_level_put(p, level, nec, out) == NULL ? 0 : -1;
}

static enum auth_frame
confirm_bad(const char **error, const char *word)
{
    *error = word;
    return AUTH_FRAME_BAD;
}

/* The answer comes in the form of the proposal. */
static const char *
confirm_token(struct gssapi_protect *p, uint8_t *token, size_t len, enum auth_protection *level)
{
    if (len == 0)
        return "empty-token";
    if (p->nec != (len == 1))
        return p->nec ? "wrapped-level" : "unwrapped-level";
    return gssapi_level_get(p, token, len, p->nec, level);
}

enum auth_frame
gssapi_protect_confirm(struct gssapi_protect *p, uint8_t *data, size_t len, size_t *used,
    enum auth_protection *level, const char **error)
{
    struct gssapi_frame f;

    *used = 0;
    *error = NULL;
    if (p->stage != GSSAPI_PROPOSAL)
        return confirm_bad(error, "agreed-already");
    const enum auth_frame result = gssapi_frame(GSSAPI_LEVEL, data, len, &f);

    if (result == AUTH_FRAME_MORE)
        return result;
    if (result == AUTH_FRAME_BAD)
        return confirm_bad(error, f.error);
    const char *wrong = confirm_token(p, data + f.token_at, f.token_len, level);

    if (wrong != NULL)
        return confirm_bad(error, wrong);
    gssapi_level_take(p, *level);
    *used = f.used;
    return AUTH_FRAME_READY;
}
