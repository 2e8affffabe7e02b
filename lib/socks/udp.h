/* SPDX-License-Identifier: ISC */
/*
 * The header of a relayed datagram (RFC 1928 section 7): RSV(2)=0 FRAG ATYP ADDR PORT DATA. Server and
 * client side.
 */
#ifndef SP_SOCKS_UDP_H
#define SP_SOCKS_UDP_H

#include <stdbool.h>

#include "lib/socks/socks.h"

#define SOCKS_UDP_HEADER_MAX 262U
#define SOCKS_UDP_HEADER_IPV4 10U
#define SOCKS_UDP_HEADER_IPV6 22U
#define SOCKS_UDP_DATAGRAM_MAX 65507U /* octets of a datagram on IPv4, header included */

#define SOCKS_UDP_LAST 0x80U     /* FRAG: the last fragment */
#define SOCKS_UDP_POSITION 0x7FU /* FRAG: 1..127; 0: stands alone */

struct socks_udp_header {
    uint8_t fragment;   /* FRAG */
    uint8_t atyp;
    struct addr addr;   /* atyp IPv4 or IPv6, port included; else only the port is set */
    uint8_t name_len;   /* atyp name: the raw octets */
    const uint8_t *name; /* a borrow */
    size_t used;        /* octets of the header; DATA follows */
    const char *error;  /* not well formed: the field ("length", "reserved", "address-type", "name") */
};

/* True, or false with error. A datagram is whole: there is no "more". DATA may be empty. */
bool socks_udp_decode(const void *data, size_t len, struct socks_udp_header *out);

/* Writes the header for an address with its port. Returns its length, 10 or 22. */
size_t socks_udp_encode(uint8_t fragment, const struct addr *addr, uint8_t out[SOCKS_UDP_HEADER_MAX]);

#endif
