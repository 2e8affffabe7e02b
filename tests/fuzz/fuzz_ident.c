/* SPDX-License-Identifier: ISC */
/* src/net/ident_answer.c: any bytes as what a client's host says of its user. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/net/ident.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ident_answer answer;
    struct ident_answer other;
    ident_answer_parse(data, size, 6193, 1080, &answer);
    FUZZ_ASSERT((answer.detail == NULL) == (answer.user != NULL));
    if (answer.detail != NULL) {
        FUZZ_ASSERT(answer.user_len == 0);
        return 0;
    }
    FUZZ_ASSERT(answer.user_len > 0 && answer.user_len <= IDENT_USER_MAX);
    FUZZ_ASSERT(answer.user > data && answer.user + answer.user_len <= data + size);
    FUZZ_ASSERT(memchr(answer.user, 0, answer.user_len) == NULL);
    FUZZ_ASSERT(memchr(answer.user, '\n', answer.user_len) == NULL);
    /* Of any other connection it says nothing. */
    ident_answer_parse(data, size, 6193, 1081, &other);
    FUZZ_ASSERT(other.detail != NULL && strcmp(other.detail, "wrong-ports") == 0);
    return 0;
}
