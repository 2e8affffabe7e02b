/* SPDX-License-Identifier: ISC */
/*
 * The mechanism a client's first token names (RFC 2743 section 3.1), read before any library sees
 * the token: what is not allowed must not reach its parser. And what SPNEGO does with a context that
 * libgssapi does not tell. Pure.
 */
#ifndef SP_AUTH_GSSAPI_TOKEN_H
#define SP_AUTH_GSSAPI_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum gssapi_mechanism {
    GSSAPI_MECHANISM_BAD,   /* no token with a mechanism in front */
    GSSAPI_MECHANISM_OTHER, /* one that is never accepted */
    GSSAPI_MECHANISM_KRB5,
    GSSAPI_MECHANISM_SPNEGO
};

enum gssapi_mechanism gssapi_token_mechanism(const void *token, size_t len);

/* Whether a NegTokenResp (RFC 4178 section 4.2.2) carries a mechListMIC. */
bool gssapi_token_has_mic(const void *token, size_t len);

#endif
