/* SPDX-License-Identifier: ISC */
/* lib/socks: any bytes as hello, as request, and as what a gateway answers. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "lib/socks/socks5.h"

static void
fuzz_hello(const uint8_t *data, size_t size)
{
    struct socks5_hello hello;
    struct socks5_hello again;
    const enum socks_result result = socks5_hello_decode(data, size, &hello);
    FUZZ_ASSERT((result == SOCKS_BAD) == (size > 0 && data[0] != SOCKS_VERSION_5));
    if (result != SOCKS_DONE) {
        return;
    }
    unsigned offered = 0;
    for (unsigned method = 0; method < 256; method++) {
        offered += socks5_hello_offers(&hello, (uint8_t)method);
    }
    FUZZ_ASSERT(hello.used == 2U + hello.count && hello.used <= size);
    FUZZ_ASSERT(offered <= hello.count && (offered > 0) == (hello.count > 0));
    FUZZ_ASSERT(socks5_hello_decode(data, hello.used, &again) == SOCKS_DONE);
    FUZZ_ASSERT(memcmp(hello.offered, again.offered, sizeof(again.offered)) == 0);
    FUZZ_ASSERT(socks5_hello_decode(data, hello.used - 1, &again) == SOCKS_MORE);
}

static void
fuzz_request_fields(const struct socks5_request *r)
{
    FUZZ_ASSERT((r->reply == SOCKS5_SUCCEEDED) == (r->error == NULL));
    if (r->reply != SOCKS5_SUCCEEDED) {
        return;
    }
    FUZZ_ASSERT(r->command >= SOCKS_CONNECT && r->command <= SOCKS_UDP_ASSOCIATE);
    if (r->atyp == SOCKS5_NAME) {
        FUZZ_ASSERT(r->name_len > 0 && r->addr.family == ADDR_NONE);
        FUZZ_ASSERT(r->used == 7U + r->name_len);
        return;
    }
    /* A reply that carries the same address has the same bytes from the address type on. */
    uint8_t reply[SOCKS5_REPLY_MAX];
    FUZZ_ASSERT(socks5_reply_encode(SOCKS5_SUCCEEDED, &r->addr, reply) == r->used);
    FUZZ_ASSERT(reply[3] == r->atyp);
}

static void
fuzz_request(const uint8_t *data, size_t size)
{
    struct socks5_request request;
    struct socks5_request again;
    const enum socks_result result = socks5_request_decode(data, size, &request);
    FUZZ_ASSERT((result == SOCKS_BAD) == (size > 0 && data[0] != SOCKS_VERSION_5));
    if (result != SOCKS_DONE) {
        return;
    }
    FUZZ_ASSERT(request.used >= 4 && request.used <= size && request.used <= SOCKS5_REQUEST_MAX);
    FUZZ_ASSERT(socks5_request_decode(data, request.used, &again) == SOCKS_DONE);
    FUZZ_ASSERT(again.reply == request.reply && again.used == request.used);
    FUZZ_ASSERT(addr_equal(&again.addr, &request.addr));
    FUZZ_ASSERT(socks5_request_decode(data, request.used - 1, &again) == SOCKS_MORE);
    fuzz_request_fields(&request);
}

static void
fuzz_answer(const uint8_t *data, size_t size)
{
    struct socks5_answer answer;
    struct socks5_answer again;
    if (socks5_answer_decode(data, size, &answer) != SOCKS_DONE) {
        return;
    }
    FUZZ_ASSERT(answer.used >= 8 && answer.used <= size && answer.used <= SOCKS5_ANSWER_MAX);
    FUZZ_ASSERT(answer.reply == data[1]);
    FUZZ_ASSERT(socks5_answer_decode(data, answer.used, &again) == SOCKS_DONE);
    FUZZ_ASSERT(again.used == answer.used && addr_equal(&again.bound, &answer.bound));
    FUZZ_ASSERT(socks5_answer_decode(data, answer.used - 1, &again) == SOCKS_MORE);
}

static void
fuzz_choice(const uint8_t *data, size_t size)
{
    struct socks5_choice choice;
    const enum socks_result result = socks5_choice_decode(data, size, &choice);
    FUZZ_ASSERT((result == SOCKS_BAD) == (size > 0 && data[0] != SOCKS_VERSION_5));
    FUZZ_ASSERT(result != SOCKS_DONE || (size >= 2 && choice.method == data[1]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_hello(data, size);
    fuzz_request(data, size);
    fuzz_answer(data, size);
    fuzz_choice(data, size);
    return 0;
}
