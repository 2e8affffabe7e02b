/* SPDX-License-Identifier: ISC */
/* What the files of the protect face share. */
#ifndef SP_AUTH_GSSAPI_PROTECT_LOCAL_H
#define SP_AUTH_GSSAPI_PROTECT_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/gssapi/gssapi_frame.h"
#include "auth/gssapi/gssapi_protect.h"
#include "lib/base/attr.h"
#include "lib/krb5msg/krb5msg.h"

#define GSSAPI_LEVELS 4U /* 0..3, as enum auth_protection has them */
#define GSSAPI_SOCKS 0x05 /* what a SOCKS request begins with */

/* What may be agreed on a listener. */
struct gssapi_terms {
    enum auth_protection levels[GSSAPI_LEVELS]; /* each once; the first is the answer to any other */
    size_t count;                               /* at least 1 */
    bool nec;
};

enum gssapi_stage {
    GSSAPI_PROPOSAL, /* the level is still to be proposed, or answered */
    GSSAPI_LOOK,     /* acceptor, none agreed: the next octet says whether the peer seals all the same */
    GSSAPI_PLAIN,    /* nothing is sealed */
    GSSAPI_LEARN,    /* sealed at the level that the first message opened has */
    GSSAPI_SEALED
};

struct gssapi_protect {
    const struct gssapi_terms *terms; /* a borrow; NULL for the initiator */
    struct krb5msg *m;
    enum gssapi_stage stage;
    enum auth_protection level;
    bool nec; /* initiator: how it proposed */
};

/* The word for the audit. */
const char *gssapi_word(enum krb5msg_result result);

/* The word for the message at data that is no frame: f is what gssapi_frame() found. */
const char *gssapi_peer_error(const struct gssapi_protect *p, const struct gssapi_frame *f,
    const void *data, size_t len);

/* --- gssapi_protect_level.c: the message with the level, the same both ways --- */

/* Writes it behind what out has, bare or wrapped with conf_req FALSE. NULL, or a word. */
const char *gssapi_level_put(struct gssapi_protect *p, enum auth_protection level, bool bare,
    struct auth_out *out);
/* The level in a token (changed in place). NULL, or a word. */
const char *gssapi_level_get(struct gssapi_protect *p, uint8_t *token, size_t len, bool bare,
    enum auth_protection *level);
/* From now on the state seals and opens at it; none: neither. */
void gssapi_level_take(struct gssapi_protect *p, enum auth_protection level);

/* --- the face's functions --- */

void *gssapi_terms_read(const struct auth_config *config, char *error, size_t size);
enum auth_frame gssapi_agree(void *protect, uint8_t *data, size_t len, struct auth_agreement *out);
size_t gssapi_plain_max(const void *protect);
int gssapi_seal(void *protect, uint8_t *plain, size_t len, struct auth_sealed *out);
int gssapi_seal_stream(void *protect, uint8_t *plain, size_t len, struct auth_sealed *out);
enum auth_frame gssapi_open(void *protect, uint8_t *data, size_t len, struct auth_opened *out);

/* --- gssapi_protect.c --- */

/* The state from a blob of that role. NULL with *error. */
struct gssapi_protect *gssapi_protect_make(const void *blob, size_t len, enum krb5msg_role role,
    const char **error) SP_MUST_USE;

#endif
