/* SPDX-License-Identifier: ISC */
/*
 * The messages of an authentication conversation between worker and pool: type-length-value, at
 * most 128 KiB; unknown optional fields are skipped, unknown mandatory ones (high bit of the tag)
 * are malformed. A packet is { u16 message type, u16 version } and fields { u16 tag, u32 length }.
 */
#ifndef SP_AUTHLINK_CONVERSATION_H
#define SP_AUTHLINK_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "auth/auth_module.h"
#include "lib/base/addr.h"
#include "lib/base/attr.h"

#define CONVERSATION_VERSION 1U
#define CONVERSATION_MAX (128U * 1024U)
#define CONVERSATION_BINDING_MAX 1024U /* bytes of channel binding */

/*
 * What goes down a worker's queue beside the descriptor of a conversation's other end: its OPEN, or
 * this one byte where that had no room there; then OPEN waits in the conversation. With the last
 * RESULT the pool's process gives the descriptor back, for a later conversation of the worker's.
 */
#define CONVERSATION_HANDOVER 0x01U

struct conversation_open {
    bool initiator;
    uint64_t session;
    uint8_t method;
    const char *listener;
    struct addr client;
    struct addr local;
    const uint8_t *binding;
    size_t binding_len;
    uint32_t deadline_ms; /* left for the whole login */
    const uint8_t *bytes; /* first client message, as the wire face framed it */
    size_t len;
};

struct conversation_result {
    enum auth_outcome outcome;
    const uint8_t *answer; /* for the wire face's answer(); may be empty */
    size_t answer_len;
    const char *user;      /* SUCCESS; NUL-terminated borrows into the packet */
    const char *mechanism;
    const char *enctype;
    const char *account;
    const uint8_t *groups;
    size_t groups_len;
    int64_t end;
    const uint8_t *protect; /* blob; the receiver zeroes its packet buffer after use */
    size_t protect_len;
    const char *reason; /* FAILURE */
};

/* Encoders return the length, or 0 when it does not fit or a field is longer than its bound.
   Decoders 0, or -1 when malformed; what they fill are borrows into data. Texts that are absent
   decode as "", bytes as NULL and 0, addresses as ADDR_NONE. */
size_t conversation_open_encode(const struct conversation_open *in, uint8_t *out, size_t size);
int conversation_open_decode(const void *data, size_t len, struct conversation_open *out,
    char listener[256]) SP_MUST_USE;
size_t conversation_next_encode(const void *bytes, size_t len, uint8_t *out, size_t size);
int conversation_next_decode(const void *data, size_t len, const uint8_t **bytes, size_t *bytes_len)
    SP_MUST_USE;
size_t conversation_result_encode(const struct conversation_result *in, uint8_t *out, size_t size);
int conversation_result_decode(const void *data, size_t len, struct conversation_result *out)
    SP_MUST_USE;

/* Sends one packet without blocking. 0, or -1 with errno. */
int conversation_send(int fd, const void *packet, size_t len) SP_MUST_USE;
/* The same with a descriptor (-1: none), which stays the caller's too. */
int conversation_send_passing(int fd, const void *packet, size_t len, int passed) SP_MUST_USE;
/* Receives one without blocking. Its length, 0 at the end, or -1 with errno (EMSGSIZE: longer than
   size; its beginning lies in packet). */
ssize_t conversation_receive(int fd, void *packet, size_t size) SP_MUST_USE;
/* The same; *passed is the descriptor that came with it, the caller's (of several the first, the others are
   closed), or -1. */
ssize_t conversation_receive_passed(int fd, void *packet, size_t size, int *passed) SP_MUST_USE;

#endif
