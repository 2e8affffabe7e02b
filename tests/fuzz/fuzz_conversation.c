/* SPDX-License-Identifier: ISC */
/* src/authlink/conversation.c: any bytes as each of the three packets. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/authlink/conversation.h"

static uint8_t again[CONVERSATION_MAX];

/* Borrows lie inside the packet. */
static void
inside(const uint8_t *data, size_t size, const void *part, size_t len)
{
    const uint8_t *p = part;

    FUZZ_ASSERT(len == 0 || (p >= data && len <= size && p + len <= data + size));
}

static void
try_open(const uint8_t *data, size_t size)
{
    struct conversation_open open;
    struct conversation_open twice;
    char listener[256];
    char other[256];

    if (conversation_open_decode(data, size, &open, listener) != 0)
        return;
    inside(data, size, open.bytes, open.len);
    inside(data, size, open.binding, open.binding_len);
    FUZZ_ASSERT(open.session != 0 && strlen(open.listener) < sizeof listener);
    const size_t len = conversation_open_encode(&open, again, sizeof again);

    FUZZ_ASSERT(len > 0 && len <= size);
    FUZZ_ASSERT(conversation_open_decode(again, len, &twice, other) == 0);
    FUZZ_ASSERT(twice.session == open.session && twice.len == open.len);
    FUZZ_ASSERT(addr_equal(&twice.client, &open.client) && addr_equal(&twice.local, &open.local));
}

static void
try_next(const uint8_t *data, size_t size)
{
    const uint8_t *bytes;
    size_t len;

    if (conversation_next_decode(data, size, &bytes, &len) == 0)
        inside(data, size, bytes, len);
}

static void
try_result(const uint8_t *data, size_t size)
{
    struct conversation_result r;
    struct conversation_result twice;

    if (conversation_result_decode(data, size, &r) != 0)
        return;
    inside(data, size, r.answer, r.answer_len);
    inside(data, size, r.groups, r.groups_len);
    inside(data, size, r.protect, r.protect_len);
    FUZZ_ASSERT(strlen(r.user) < AUTH_NAME_MAX && (r.outcome != AUTH_SUCCESS || r.user[0] != '\0'));
    const size_t len = conversation_result_encode(&r, again, sizeof again);

    FUZZ_ASSERT(len > 0 && len <= size);
    FUZZ_ASSERT(conversation_result_decode(again, len, &twice) == 0);
    FUZZ_ASSERT(twice.outcome == r.outcome && strcmp(twice.user, r.user) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_open(data, size);
    try_next(data, size);
    try_result(data, size);
    return 0;
}
