/* SPDX-License-Identifier: ISC */
/*
 * Agreeing on the level, the gateway's side (RFC 1961 section 4.2): one message each way, and where
 * nothing is to be protected a look at what follows. Serves the phase behind the login. Whatever the
 * client sends wrong is a word.
 */
#include "auth/gssapi/gssapi_protect_local.h"

#include "lib/base/cursor.h"

static enum auth_frame
agree_bad(struct auth_agreement *out, const char *error)
{
    out->error = error;
    return AUTH_FRAME_BAD;
}

/* What the client asks for where the list has it, else the first of the list. */
static enum auth_protection
agree_choose(const struct gssapi_terms *terms, enum auth_protection asked)
{
    for (size_t i = 0; i < terms->count; i++)
        if (terms->levels[i] == asked)
            return asked;
    return terms->levels[0];
}

static void
agree_done(struct auth_agreement *out, bool sealed)
{
    out->done = true;
    out->sealed = sealed;
}

static const char *
agree_answer(struct gssapi_protect *p, uint8_t *token, size_t len, bool bare,
    struct auth_agreement *out)
{
    enum auth_protection asked;
    const char *error = gssapi_level_get(p, token, len, bare, &asked);

    if (error != NULL)
        return error;
    const enum auth_protection level = agree_choose(p->terms, asked);

    error = gssapi_level_put(p, level, bare, &out->answer);
    if (error != NULL)
        return error;
    gssapi_level_take(p, level);
    if (p->stage == GSSAPI_PLAIN)
        p->stage = GSSAPI_LOOK;
    else
        agree_done(out, true);
    return NULL;
}

/* The level as the NEC implementation sends it: one octet, answered in the same form. No wrapped
   one is as short. */
static enum auth_frame
agree_proposal(struct gssapi_protect *p, uint8_t *data, size_t len, struct auth_agreement *out)
{
    struct gssapi_frame f;
    const enum auth_frame result = gssapi_frame(GSSAPI_LEVEL, data, len, &f);
    const bool bare = f.token_len == 1;

    if (result == AUTH_FRAME_MORE)
        return result;
    if (result == AUTH_FRAME_BAD)
        return agree_bad(out, gssapi_peer_error(p, &f, data, len));
    if (f.token_len == 0)
        return agree_bad(out, "empty-token");
    if (bare && !p->terms->nec)
        return agree_bad(out, "unwrapped-level");
    const char *error = agree_answer(p, data + f.token_at, f.token_len, bare, out);

    if (error != NULL)
        return agree_bad(out, error);
    out->used = f.used;
    return AUTH_FRAME_READY;
}

/* None was agreed. A SOCKS request: so it stays. A frame: Dante's client seals all the same, and its
   first message says how; until then we promise no more than integrity. */
static enum auth_frame
agree_look(struct gssapi_protect *p, const uint8_t *data, size_t len, struct auth_agreement *out)
{
    struct cursor c = cursor_init(data, len);
    const uint8_t first = cursor_u8(&c);

    if (!cursor_ok(&c))
        return AUTH_FRAME_MORE;
    if (first != GSSAPI_SOCKS && first != GSSAPI_VERSION)
        return agree_bad(out, "wrong-version");
    const bool sealed = first == GSSAPI_VERSION;

    p->stage = sealed ? GSSAPI_LEARN : GSSAPI_PLAIN;
    p->level = sealed ? AUTH_PROTECTION_INTEGRITY : AUTH_PROTECTION_NONE;
    agree_done(out, sealed);
    return AUTH_FRAME_READY;
}

enum auth_frame
gssapi_agree(void *protect, uint8_t *data, size_t len, struct auth_agreement *out)
{
    struct gssapi_protect *p = protect;

    out->used = 0;
    out->done = false;
    out->sealed = false;
    out->error = NULL;
    switch (p->stage) {
    case GSSAPI_PROPOSAL:
        return agree_proposal(p, data, len, out);
    case GSSAPI_LOOK:
        return agree_look(p, data, len, out);
    case GSSAPI_PLAIN:
    case GSSAPI_LEARN:
    case GSSAPI_SEALED:
        break;
    }
    return agree_bad(out, "agreed-already");
}
