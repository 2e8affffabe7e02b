/* SPDX-License-Identifier: ISC */
/*
 * A client of method gssapi for the tests of sessions: its messages are made with lib/krb5msg from
 * a key that the test's own pool tells the session, so that nothing here needs a KDC or waits for
 * one.
 */
#ifndef SP_TESTS_UNIT_SESSION_SEAL_H
#define SP_TESTS_UNIT_SESSION_SEAL_H

#include "tests/unit/session_rig.h"

#include "auth/gssapi/gssapi_blob.h"
#include "lib/krb5msg/krb5msg.h"

#define SEAL_USER "alice@EXAMPLE.COM"
#define SEAL_TOKEN "\x01\x01\x00\x05token"
#define SEAL_TOKEN_SIZE 9
#define SEAL_ROOM 80000

/* What the gateways of these tests are configured with. */
#define SEAL_RULES \
    "rule \"closed\" { action = \"deny\" destination = { \"10.0.0.0/8\" } }\n" \
    "rule \"here\" { action = \"allow\" destination = { \"127.0.0.1/32\" } }\n" \
    "rule \"safe\" { action = \"allow\" destination = { \"127.0.0.2/32\" }" \
    " protection = \"confidentiality\" }\n"
#define SEAL_CONFIG(timeouts, gssapi, rules) \
    "methods = { \"gssapi\" }\nlisten \"127.0.0.1:1080\" {}\n" \
    "gssapi { keytab = \"/nonexistent/keytab\" replay-cache = \"\" " gssapi " }\n" \
    "timeouts { " timeouts " }\n" rules
#define SEAL_ALL_LEVELS \
    "protection = { \"confidentiality\", \"integrity\", \"selective\", \"none\" }"

struct seal {
    int fd;
    uint64_t id;
    struct krb5msg *m;
    uint8_t out[SEAL_ROOM]; /* what is sent with the next seal_send() */
    size_t len;
    uint64_t sent, received; /* bytes on the wire */
    bool bytewise;           /* one byte a segment */
};

/* A client of this listener that has sent method list and token; its pool owes the answer. */
void seal_begin(struct seal *c, uint16_t listener);
/* The same with the pool's success, and its answer read. */
void seal_login(struct seal *c, uint16_t listener);
void seal_end(struct seal *c);

/* The pool's success, with a blob for this client. */
struct conversation_result seal_success(uint8_t blob[GSSAPI_BLOB_MAX]);
/* Takes the login and answers it. */
void seal_answer(const struct conversation_result *result);

/* Appends to what will be sent. */
void seal_bytes(struct seal *c, const void *data, size_t len);
void seal_message(struct seal *c, uint8_t mtyp, bool conf, const void *plain, size_t len);
void seal_level(struct seal *c, uint8_t level);
/* The request to connect to the rig's destination under 127.0.0.host. */
void seal_request(struct seal *c, bool conf, uint8_t host);
size_t seal_request_bytes(uint8_t host, uint8_t out[10]);

/* Sends what was appended: in one segment, or byte by byte. */
void seal_send(struct seal *c);
void seal_read(struct seal *c, void *out, size_t len);
/* Reads one message of this type; its plaintext, *conf whether it was encrypted. */
size_t seal_read_message(struct seal *c, uint8_t mtyp, uint8_t *plain, size_t size, bool *conf);
/* The answer to the level is this one. */
void seal_read_level(struct seal *c, uint8_t level);
/* Sealed reply of this code. */
void seal_read_reply(struct seal *c, uint8_t code);
/* 01 FF, then the end. */
void seal_read_refusal(struct seal *c);

/* cmocka setups, for session_rig_teardown(): every level may be agreed, all events are written. */
int seal_setup(void **state);
int seal_setup_short(void **state); /* one second for the negotiation */

/* The client's closing record, with its identity. */
struct session_closing seal_expect(const struct seal *client, enum event_id event,
    const char *reason, const char *detail);

#endif
