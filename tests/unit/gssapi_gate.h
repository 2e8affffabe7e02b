/* SPDX-License-Identifier: ISC */
/* The acceptor's module with a configuration and a keytab, and clients of libgssapi in front of it. */
#ifndef SP_TESTS_UNIT_GSSAPI_GATE_H
#define SP_TESTS_UNIT_GSSAPI_GATE_H

#include "tests/unit/unit.h"

#include <gssapi/gssapi.h>

#include "auth/auth_module.h"

/* What the section says; NULL-terminated lists. */
struct gate_section {
    const char *service[4];
    const char *mechanisms[3];
    const char *replay_cache;
    bool end_with_ticket;
};

extern struct gate_section gate_section;
extern const struct auth_config gate_config;

/* The section's preset, without a replay cache. */
void gate_reset(void);
const struct auth_secret_module *gate_face(void);
/* The module with this file as its keytab, or NULL with the text in error. */
void *gate_open(const char *keytab, char *error, size_t size);
void gate_close(void *module);

/* A client: its credential (or GSS_C_NO_CREDENTIAL), what it asks for, and how far it is. */
struct gate_client {
    gss_cred_id_t cred;
    const gss_OID_desc *mechanism;
    const char *service; /* "rcmd@gateway" */
    OM_uint32 flags;
    const char *binding; /* NULL for none */
    gss_ctx_id_t context;
    OM_uint32 major, minor;
};

/* One step of the client. The token is the caller's. */
gss_buffer_desc gate_client_step(struct gate_client *client, const void *in, size_t len);
void gate_client_end(struct gate_client *client);

/* What one step of the module gave. */
struct gate_result {
    enum auth_outcome outcome;
    const char *reason; /* never NULL: "" for none */
    struct auth_identity identity;
    uint8_t groups[65536];
    uint8_t blob[4096];
    size_t blob_len;
    uint8_t *answer; /* AUTH_TOKEN_MAX of room */
    size_t answer_len;
};

struct gate_result *gate_result_new(void);
void gate_result_free(struct gate_result *result);

/* One conversation. */
struct gate_conversation {
    void *module;
    void *state;
    bool initiator;
    const char *binding;
};

struct gate_conversation gate_begin(void *module);
void gate_step(struct gate_conversation *conversation, const void *in, size_t len,
    struct gate_result *result);
void gate_end(struct gate_conversation *conversation);

/* A conversation of one step. */
void gate_try(void *module, const void *in, size_t len, struct gate_result *result);
/* A whole login by this client, which stands established afterwards where it succeeded. */
void gate_login(void *module, struct gate_client *client, struct gate_result *result);

#endif
