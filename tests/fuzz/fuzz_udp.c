/* SPDX-License-Identifier: ISC */
/* lib/socks/udp.c: any bytes as the header of a datagram. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "lib/socks/socks5.h"
#include "lib/socks/udp.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct socks_udp_header h, again;
    uint8_t out[SOCKS_UDP_HEADER_MAX];

    if (!socks_udp_decode(data, size, &h)) {
        FUZZ_ASSERT(h.error != NULL && h.used == 0);
        return 0;
    }
    FUZZ_ASSERT(h.error == NULL && h.used <= size && h.used <= SOCKS_UDP_HEADER_MAX);
    FUZZ_ASSERT(socks_udp_decode(data, h.used, &again) && again.used == h.used);
    FUZZ_ASSERT(!socks_udp_decode(data, h.used - 1, &again));
    FUZZ_ASSERT(strcmp(again.error, "length") == 0);
    if (h.atyp == SOCKS5_NAME) {
        FUZZ_ASSERT(h.name_len > 0 && h.addr.family == ADDR_NONE);
        FUZZ_ASSERT(h.name > data && h.name + h.name_len + 2 == data + h.used);
        return 0;
    }
    FUZZ_ASSERT(socks_udp_encode(h.fragment, &h.addr, out) == h.used);
    FUZZ_ASSERT(memcmp(out, data, h.used) == 0);
    return 0;
}
