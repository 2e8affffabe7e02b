/* SPDX-License-Identifier: ISC */
/* lib/socks/userpass.c: any bytes as a login. */
#include "tests/fuzz/fuzz.h"

#include "lib/socks/userpass.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct userpass_message m;
    struct userpass_message again;
    const enum socks_result result = userpass_decode(data, size, &m);
    FUZZ_ASSERT((result == SOCKS_BAD) == (size > 0 && data[0] != USERPASS_VERSION));
    if (result != SOCKS_DONE) {
        return 0;
    }
    FUZZ_ASSERT(m.used <= size && m.used <= USERPASS_MESSAGE_MAX);
    FUZZ_ASSERT(m.used == 3U + m.user_len + m.password_len);
    FUZZ_ASSERT(m.user == data + 2 && m.password == m.user + m.user_len + 1);
    FUZZ_ASSERT(userpass_decode(data, m.used, &again) == SOCKS_DONE);
    FUZZ_ASSERT(again.user_len == m.user_len && again.password_len == m.password_len);
    FUZZ_ASSERT(userpass_decode(data, m.used - 1, &again) == SOCKS_MORE);
    return 0;
}
