/* SPDX-License-Identifier: ISC */
/* auth/gssapi/gssapi_frame.c: any bytes behind an octet that chooses the type wanted. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "auth/gssapi/gssapi_frame.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gssapi_frame f;
    struct gssapi_frame again;
    uint8_t head[GSSAPI_HEAD];

    if (size == 0)
        return 0;
    const uint8_t mtyp = (uint8_t)(1 + data[0] % 3);
    const uint8_t *at = data + 1;
    const size_t len = size - 1;
    const enum auth_frame result = gssapi_frame(mtyp, at, len, &f);
    const bool wrong = (len > 0 && at[0] != 1) || (len > 1 && at[1] != mtyp);

    FUZZ_ASSERT((result == AUTH_FRAME_BAD) == wrong);
    FUZZ_ASSERT((f.error != NULL) == wrong);
    if (result != AUTH_FRAME_READY) {
        FUZZ_ASSERT(f.token_len == 0);
        FUZZ_ASSERT(f.used == 0 || (result == AUTH_FRAME_MORE && f.used > len && len >= GSSAPI_HEAD));
        return 0;
    }
    FUZZ_ASSERT(f.used <= len && f.used == GSSAPI_HEAD + f.token_len && f.token_at == GSSAPI_HEAD);
    gssapi_frame_head(mtyp, f.token_len, head);
    FUZZ_ASSERT(memcmp(head, at, sizeof head) == 0);
    FUZZ_ASSERT(gssapi_frame(mtyp, at, f.used - 1, &again) == AUTH_FRAME_MORE);
    return 0;
}
