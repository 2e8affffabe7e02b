/* SPDX-License-Identifier: ISC */
/*
 * Message protection with both ends in one process: the gateway's state, made by the face from a
 * blob, and a peer with the same key that makes whatever message a test wants.
 */
#ifndef SP_TESTS_UNIT_GSSAPI_RIG_H
#define SP_TESTS_UNIT_GSSAPI_RIG_H

#include "tests/unit/unit.h"

#include "auth/gssapi/gssapi_blob.h"
#include "auth/gssapi/gssapi_frame.h"
#include "auth/gssapi/gssapi_protect.h"

#define RIG_MESSAGE_MAX (3U * GSSAPI_MESSAGE_MAX)
#define RIG_ENCTYPES_FROM KRB5MSG_AES128_SHA1
#define RIG_ENCTYPES_TO KRB5MSG_AES256_SHA384

struct rig {
    const struct auth_protect_module *face;
    void *terms;
    void *gateway;       /* acceptor */
    struct krb5msg *peer; /* initiator */
    uint8_t message[RIG_MESSAGE_MAX];
    size_t len;
    uint8_t answer_room[AUTH_AGREE_ROOM];
    struct auth_agreement agreement;
    struct auth_opened opened;
};

/* protection: words with spaces between. */
void rig_make(struct rig *r, int32_t enctype, const char *protection, bool nec);
void rig_free(struct rig *r);

/* The section in effect as a config: protection and nec of what is given. */
struct rig_section {
    const char *protection;
    const char *nec;
};
struct auth_config rig_config(const struct rig_section *section);

/* The context's blob for one of the roles. */
size_t rig_blob(enum krb5msg_role role, int32_t enctype, uint8_t out[GSSAPI_BLOB_MAX]);
struct krb5msg *rig_krb5msg(enum krb5msg_role role, int32_t enctype);

/* Puts a message behind what r->message has: a frame around any bytes, or around the peer's token. */
void rig_frame(struct rig *r, uint8_t mtyp, const void *token, size_t len);
void rig_wrap(struct rig *r, uint8_t mtyp, bool conf, const void *plain, size_t len);
/* The same from the beginning. */
void rig_set(struct rig *r, const void *bytes, size_t len);
void rig_level(struct rig *r, uint8_t level);

/* One call of agree() or open() with the first n bytes of r->message, in a block of exactly that size;
   the bytes stay as they were. */
enum auth_frame rig_agree(struct rig *r, size_t n);
enum auth_frame rig_open(struct rig *r, size_t n);
/* What was inside the last message opened, in a static room of the rig's. */
const uint8_t *rig_plain(void);
/* Drops the first n bytes of r->message. */
void rig_drop(struct rig *r, size_t n);

/* Agrees on the level with a wrapped proposal, and leaves r->message empty. */
void rig_agreed(struct rig *r, uint8_t level);

/* One that is refused, with that word. */
#define RIG_REFUSES(how, r, word)                                                                  \
    do {                                                                                           \
        assert_int_equal(rig_##how(r, (r)->len), AUTH_FRAME_BAD);                                  \
        assert_string_equal(RIG_ERROR_##how(r), word);                                             \
    } while (0)
#define RIG_ERROR_agree(r) (r)->agreement.error
#define RIG_ERROR_open(r) (r)->opened.error

#endif
