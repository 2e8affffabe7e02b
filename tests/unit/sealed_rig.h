/* SPDX-License-Identifier: ISC */
/* TCP pairs, and the two ends of a message protection, for the tests of what is sealed. */
#ifndef SP_TESTS_UNIT_SEALED_RIG_H
#define SP_TESTS_UNIT_SEALED_RIG_H

#include "tests/unit/protect_face.h"

#include <stdbool.h>
#include <sys/types.h>

#include "src/net/channel.h"

/* A connected TCP pair on loopback: near is ours, far the peer's, both non-blocking. */
void tcp_pair(int *near_fd, int *far_fd);

/* Which messages: the face without cryptography, or RFC 1961 with aes256-cts-hmac-sha1-96. */
struct sealed_kind {
    const struct auth_protect_module *module;
    enum auth_protection level; /* gssapi */
};

extern const struct sealed_kind sealed_kinds[];
extern const size_t sealed_kind_count;
#define KIND_FACE (&sealed_kinds[0])
#define KIND_SILENT (&sealed_kinds[1])
#define KIND_INTEGRITY (&sealed_kinds[2])
#define KIND_CONFIDENTIALITY (&sealed_kinds[3])

/* The state of either end: ours (the acceptor's), or the peer's. */
void *sealed_state(const struct sealed_kind *kind, bool ours);

/* Bytes to the peer's end of the wire: what a kernel takes in small pieces. */
struct wire {
    uint8_t *data; /* owned */
    size_t len, size;
};

void wire_add(struct wire *w, const void *data, size_t len);
/* One message of the peer. */
void wire_message(struct wire *w, const struct sealed_kind *kind, void *peer, const void *plain,
    size_t len);
/* As many messages of at most `most` bytes as it takes, with random sizes, empty ones among them. */
void wire_stream(struct wire *w, const struct sealed_kind *kind, void *peer, const void *plain,
    size_t len, size_t most, struct unit_random *random);
void wire_free(struct wire *w);

#endif
