/* SPDX-License-Identifier: ISC */
/* lib/socks/socks4.c: any bytes as a request, and as what a gateway answers. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "lib/socks/socks4.h"

/* What the client's side makes of a well-formed request is the same request. */
static void
fuzz_encode(const uint8_t *data, const struct socks4_request *r)
{
    char user[SOCKS4_TEXT_MAX + 1];
    char name[SOCKS4_TEXT_MAX + 1];
    uint8_t out[SOCKS4_REQUEST_MAX];
    memcpy(user, r->user, r->user_len);
    user[r->user_len] = '\0';
    memcpy(name, r->name, r->name_len);
    name[r->name_len] = '\0';
    const size_t len = socks4_request_encode(
        (enum socks_command)r->command, &r->addr, r->named ? name : NULL, user, out);
    FUZZ_ASSERT(len == r->used);
    out[7] = data[7]; /* any x says the same */
    FUZZ_ASSERT(memcmp(out, data, len) == 0);
}

static void
fuzz_request(const uint8_t *data, size_t size)
{
    struct socks4_request request;
    struct socks4_request again;
    const enum socks_result result = socks4_request_decode(data, size, &request);
    FUZZ_ASSERT(result != SOCKS_BAD || request.error != NULL);
    FUZZ_ASSERT(size == 0 || data[0] == SOCKS_VERSION_4 || result == SOCKS_BAD);
    FUZZ_ASSERT(result != SOCKS_MORE || size < SOCKS4_REQUEST_MAX);
    if (result != SOCKS_DONE) {
        return;
    }
    FUZZ_ASSERT(request.used <= size && request.used <= SOCKS4_REQUEST_MAX);
    FUZZ_ASSERT(request.used ==
                9U + request.user_len + (request.named ? request.name_len + 1U : 0U));
    FUZZ_ASSERT(memchr(request.user, 0, request.user_len) == NULL);
    FUZZ_ASSERT(memchr(request.name, 0, request.name_len) == NULL);
    FUZZ_ASSERT(request.named == (request.addr.family == ADDR_NONE));
    FUZZ_ASSERT(socks4_request_decode(data, request.used, &again) == SOCKS_DONE);
    FUZZ_ASSERT(again.used == request.used && addr_equal(&again.addr, &request.addr));
    FUZZ_ASSERT(socks4_request_decode(data, request.used - 1, &again) == SOCKS_MORE);
    if (request.error == NULL) {
        fuzz_encode(data, &request);
    }
}

static void
fuzz_answer(const uint8_t *data, size_t size)
{
    struct socks4_answer answer;
    uint8_t out[SOCKS4_REPLY_SIZE];
    const enum socks_result result = socks4_answer_decode(data, size, &answer);
    FUZZ_ASSERT((result == SOCKS_BAD) == (size > 0 && data[0] != 0));
    if (result != SOCKS_DONE) {
        return;
    }
    socks4_reply_encode((enum socks4_reply)answer.reply, &answer.bound, out);
    FUZZ_ASSERT(answer.used == sizeof(out) && memcmp(out, data, sizeof(out)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_request(data, size);
    fuzz_answer(data, size);
    return 0;
}
