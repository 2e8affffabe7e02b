/* SPDX-License-Identifier: ISC */
/*
 * Kerberos per-message tokens (RFC 4121, wrap tokens alone) for a context somebody else
 * established: one key, one role, two runs of sequence numbers. No I/O, no clock; nothing is
 * allocated per message. Enctypes 17 and 18 (RFC 3962), 19 and 20 (RFC 8009). For one thread; a
 * context does not outlive fork() (lib/base/secret.h).
 */
#ifndef SP_KRB5MSG_KRB5MSG_H
#define SP_KRB5MSG_KRB5MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"

/* RFC 3961 section 8; RFC 8009 section 8.1. */
#define KRB5MSG_AES128_SHA1 17
#define KRB5MSG_AES256_SHA1 18
#define KRB5MSG_AES128_SHA256 19
#define KRB5MSG_AES256_SHA384 20

#define KRB5MSG_KEY_MAX 32
#define KRB5MSG_HEADER_MAX 32             /* the largest krb5msg_header_len() */
#define KRB5MSG_TRAILER_MAX 40            /* the largest krb5msg_trailer_len() */
#define KRB5MSG_TOKEN_MAX (1024U * 1024U) /* longer tokens are refused, both ways */
#define KRB5MSG_WINDOW 1024               /* sequence numbers a window remembers */
#define KRB5MSG_MANY 8                    /* messages krb5msg_wrap_many() seals side by side */

enum krb5msg_role { KRB5MSG_INITIATOR, KRB5MSG_ACCEPTOR };

enum krb5msg_result {
    KRB5MSG_OK,
    /* unwrap: the token is refused, and the context stands as it did before */
    KRB5MSG_TRUNCATED,       /* ends before all its parts */
    KRB5MSG_NOT_A_TOKEN,     /* TOK_ID other than 05 04, or the filler octet is not FF */
    KRB5MSG_WRONG_DIRECTION, /* sent by our own role: reflected */
    KRB5MSG_WRONG_FLAGS,     /* its AcceptorSubkey flag is not the context's */
    KRB5MSG_WRONG_EC,        /* EC is not the checksum's length, or exceeds what is there */
    KRB5MSG_BAD_CHECKSUM,    /* changed, or sealed with another key */
    KRB5MSG_WRONG_HEADER,    /* verified, but the header differs from its sealed copy */
    KRB5MSG_REPLAY,          /* verified, and seen before */
    KRB5MSG_OUT_OF_SEQUENCE, /* verified; strict order: messages before it are missing */
    KRB5MSG_TOO_OLD,         /* verified; below the window */
    /* wrap, unwrap */
    KRB5MSG_TOO_LONG, /* a token over KRB5MSG_TOKEN_MAX */
    KRB5MSG_LIBRARY,  /* libcrypto failed (no memory, no random bytes); drop the context */
    /* import */
    KRB5MSG_WRONG_ENCTYPE,
    KRB5MSG_WRONG_KEY, /* not the length of the enctype's keys */
    KRB5MSG_NO_MEMORY,
    KRB5MSG_RESULTS
};

/* A few words for a log, never NULL. */
const char *krb5msg_text(enum krb5msg_result result);

/*
 * Fetches the algorithms, once per process, before a chroot or a sandbox: this is where libcrypto
 * reads its openssl.cnf. True, or false where libcrypto lacks one of them. A second call does
 * nothing. krb5msg_end() lets them go, after the last context.
 */
bool krb5msg_start(void) SP_MUST_USE;
void krb5msg_end(void);

/* Bytes of the enctype's key, or 0 for an enctype that is none of the four. */
size_t krb5msg_key_len(int32_t enctype);

/* What a lucid context (protocol 1) tells. With an acceptor subkey key is that one. */
struct krb5msg_import {
    int32_t enctype;
    enum krb5msg_role role; /* ours */
    bool acceptor_subkey;
    const uint8_t *key; /* a borrow for the call; the caller zeroes it */
    size_t key_len;
    uint64_t send_seq; /* the number of the next message we send */
    uint64_t recv_seq; /* the number of the next message we receive */
};

/* A context in strict order (a byte stream), its keys in memory of lib/base/secret.h. On success
   *out is the caller's, to krb5msg_free(); otherwise it is NULL. Needs krb5msg_start(), or fails
   with KRB5MSG_LIBRARY. */
struct krb5msg;
enum krb5msg_result krb5msg_new(
    const struct krb5msg_import *import, struct krb5msg **out) SP_MUST_USE;

/* Zeroes the keys and frees; leaves *m NULL. NULL inside is fine. */
void krb5msg_free(struct krb5msg **m);

/*
 * From now on messages may be lost, reordered and repeated on their way (datagrams): each is taken
 * once, and no later than KRB5MSG_WINDOW - 1 numbers below the highest. All before the next
 * expected one count as seen. There is no way back; a second call does nothing. False: no memory,
 * and nothing has changed.
 */
bool krb5msg_use_window(struct krb5msg *m) SP_MUST_USE;

/* Room a token takes before and behind the plaintext: 16 or 32, and 12..40. */
size_t krb5msg_header_len(const struct krb5msg *m, bool conf);
size_t krb5msg_trailer_len(const struct krb5msg *m, bool conf);

/* The largest plaintext whose token has at most token_max bytes; 0 where none fits. */
size_t krb5msg_plain_max(const struct krb5msg *m, bool conf, size_t token_max);

/*
 * Makes a token in place. token has room for krb5msg_header_len(), then plain_len bytes of
 * plaintext already in their place (0 is fine), then krb5msg_trailer_len(); *token_len becomes the
 * sum of the three. Takes the next sequence number. The layout is that of MIT's gss_wrap: EC 0 when
 * sealed, else the checksum's length; RRC 0. On failure the bytes are lost.
 */
enum krb5msg_result krb5msg_wrap(
    struct krb5msg *m, bool conf, uint8_t *token, size_t plain_len, size_t *token_len) SP_MUST_USE;

/* One of several messages: room and plaintext as for krb5msg_wrap(). */
struct krb5msg_message {
    uint8_t *token;
    size_t plain_len;
    size_t token_len; /* set */
};

/*
 * Makes count tokens in place, all with confidentiality, as count calls of krb5msg_wrap() would; up to
 * KRB5MSG_MANY at a time take a fraction of the time. On failure the bytes are lost. The first call
 * with more than one allocates a cipher for the context; without memory for it they are made singly.
 */
enum krb5msg_result krb5msg_wrap_many(
    struct krb5msg *m, struct krb5msg_message *messages, size_t count) SP_MUST_USE;

/* What was inside: a borrow into the token. */
struct krb5msg_plain {
    uint8_t *data;
    size_t len;
    bool conf; /* it was encrypted, not only signed */
};

/*
 * Verifies a token of len bytes and opens it in place, with any EC and RRC. Looks at the order
 * last, and advances it only when all was well. On failure the bytes are lost, *out is empty, and
 * the context is unchanged.
 */
enum krb5msg_result krb5msg_unwrap(
    struct krb5msg *m, uint8_t *token, size_t len, struct krb5msg_plain *out) SP_MUST_USE;

#endif
