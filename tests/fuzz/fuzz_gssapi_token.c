/* SPDX-License-Identifier: ISC */
/* auth/gssapi: any bytes as a client's first token, and as an answer of SPNEGO. */
#include "tests/fuzz/fuzz.h"

#include "auth/gssapi/gssapi_token.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const enum gssapi_mechanism mechanism = gssapi_token_mechanism(data, size);

    FUZZ_ASSERT(mechanism >= GSSAPI_MECHANISM_BAD && mechanism <= GSSAPI_MECHANISM_SPNEGO);
    /* The frame says how long it is: one octet less is none. */
    if (mechanism != GSSAPI_MECHANISM_BAD)
        FUZZ_ASSERT(gssapi_token_mechanism(data, size - 1) == GSSAPI_MECHANISM_BAD);
    if (gssapi_token_has_mic(data, size)) {
        FUZZ_ASSERT(mechanism == GSSAPI_MECHANISM_BAD && data[0] == 0xa1);
        FUZZ_ASSERT(!gssapi_token_has_mic(data, size - 1));
    }
    return 0;
}
