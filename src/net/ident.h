/* SPDX-License-Identifier: ISC */
/*
 * Asking a client's host who owns a connection of its (RFC 1413). The question goes to the client's own
 * address and to no other, from the address the client came to; the answer is that host's word and
 * proves as much as that host is trusted.
 */
#ifndef SP_NET_IDENT_H
#define SP_NET_IDENT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "src/core/loop.h"

#define IDENT_PORT 113U
#define IDENT_LINE_MAX 1000U /* octets of an answer, its end of line included */
#define IDENT_USER_MAX 512U  /* RFC 1413 section 4 */
#define IDENT_QUERY_MAX 16U

/* ---- the messages (ident_answer.c): no I/O, nothing allocated ---- */

/* "client-port,our-port" CR LF. Returns the length. */
size_t ident_query_encode(uint16_t client_port, uint16_t our_port, char out[IDENT_QUERY_MAX]);

struct ident_answer {
    /* NULL: user is set. Else why there is none, a constant word: "malformed-answer", "wrong-ports",
       "other-charset", "no-user-name" (the system is OTHER: what follows is no user name), or the
       ERROR told: "invalid-port", "no-user", "hidden-user", "unknown-error". */
    const char *detail;
    const uint8_t *user; /* a borrow of the line: 1..IDENT_USER_MAX octets, no NUL, CR, LF */
    size_t user_len;
};

/*
 * Reads one line without its end: ports "," ports ":" "USERID" ":" system [ "," charset ] ":" user, or
 * ":" "ERROR" ":" kind. The ports must be those asked for. White space around the user is left out:
 * every server writes some before it, although the RFC counts it as part of it. A charset in
 * which ASCII is other octets is "other-charset".
 */
void ident_answer_parse(const void *line, size_t len, uint16_t client_port, uint16_t our_port,
    struct ident_answer *out);

/* ---- asking (ident.c) ---- */

struct ident;

struct ident_question {
    struct addr client; /* the far end of the connection, with its port */
    struct addr local;  /* our end */
    uint16_t port;      /* where the client's host is asked; 0: IDENT_PORT */
};

/* answer lives for the call; its detail may also be "unreachable", "timeout", "no-answer" (closed before
   a whole line came), "answer-too-long". Called once, from the loop, never from inside ident_ask(); the
   callback may free. */
typedef void ident_answered(void *ctx, const struct ident_answer *answer);

/* NULL with ENOMEM. */
struct ident *ident_ask(struct loop *loop, const struct ident_question *question,
    struct mono deadline, ident_answered *answered, void *ctx) SP_MUST_USE;

/* Ends it; no callback afterwards. Leaves NULL. NULL is fine. */
void ident_free(struct ident **ident);

#endif
