/* SPDX-License-Identifier: ISC */
/*
 * The frames of RFC 1961 (sections 3 to 5): VER=01, MTYP, LEN (2 octets), TOKEN. Pure; serves the wire
 * face, the protect face and the client.
 */
#ifndef SP_AUTH_GSSAPI_FRAME_H
#define SP_AUTH_GSSAPI_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/auth_module.h"

#define GSSAPI_METHOD 0x01
#define GSSAPI_VERSION 0x01
#define GSSAPI_CONTEXT 0x01    /* MTYP: a token of the context's establishment */
#define GSSAPI_LEVEL 0x02      /* MTYP: the protection level */
#define GSSAPI_DATA 0x03       /* MTYP: encapsulated data */
#define GSSAPI_REFUSED 0xFF    /* MTYP: refusal, without LEN */
#define GSSAPI_HEAD 4U         /* octets before the token */
#define GSSAPI_TOKEN_MAX 65535U
#define GSSAPI_MESSAGE_MAX (GSSAPI_HEAD + GSSAPI_TOKEN_MAX)

struct gssapi_frame {
    size_t used;  /* READY: octets of the whole message; MORE: the same where LEN has come, else 0 */
    size_t token_at; /* READY: where the token begins */
    size_t token_len;
    const char *error; /* BAD: "wrong-version", "wrong-message-type", "refused" (the peer sent 01 FF) */
    bool refused;      /* BAD: it was 01 FF, for whoever has a better word */
};

/* Looks for one message of type mtyp at the beginning of data. Judges each octet as soon as it is
   there. */
enum auth_frame gssapi_frame(uint8_t mtyp, const void *data, size_t len, struct gssapi_frame *out);

/* Writes the GSSAPI_HEAD octets before a token of token_len (at most GSSAPI_TOKEN_MAX). */
void gssapi_frame_head(uint8_t mtyp, size_t token_len, uint8_t out[GSSAPI_HEAD]);

#endif
