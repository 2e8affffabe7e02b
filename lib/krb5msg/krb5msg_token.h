/* SPDX-License-Identifier: ISC */
/* The clear header of a wrap token (RFC 4121 section 4.2.6.2): 16 bytes, also sealed inside as a
   copy with RRC 0, or covered by the checksum with EC and RRC 0. */
#ifndef SP_KRB5MSG_TOKEN_H
#define SP_KRB5MSG_TOKEN_H

#include "lib/krb5msg/krb5msg_local.h"

#define TOKEN_ID_WRAP 0x0504
#define TOKEN_FILLER 0xff

#define TOKEN_SENT_BY_ACCEPTOR 0x01
#define TOKEN_SEALED 0x02
#define TOKEN_ACCEPTOR_SUBKEY 0x04

struct krb5msg_header {
    uint8_t flags; /* unknown ones are kept and ignored, as the RFC wants; they are authentic */
    uint16_t ec;
    uint16_t rrc;
    uint64_t seq;
};

void krb5msg_header_encode(const struct krb5msg_header *h, uint8_t out[KRB5MSG_CLEAR]);

/* KRB5MSG_OK, KRB5MSG_TRUNCATED or KRB5MSG_NOT_A_TOKEN. */
enum krb5msg_result krb5msg_header_decode(
    const uint8_t *data, size_t len, struct krb5msg_header *out);

/* Undoes a right rotation by rrc: rotates len bytes to the left. */
void krb5msg_rotate_left(uint8_t *data, size_t len, size_t rrc);

/* --- krb5msg_crypt.c --- */

/* The checksum of a token that is not sealed: over the plaintext and h with EC and RRC 0. out gets
   m->enctype->mac_len bytes, and may lie behind the plaintext. */
void krb5msg_sign(const struct krb5msg *m, const struct krb5msg_side *side, const uint8_t *plain,
    size_t len, const struct krb5msg_header *h, uint8_t *out);

#endif
