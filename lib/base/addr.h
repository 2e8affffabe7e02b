/* SPDX-License-Identifier: ISC */
/*
 * IP addresses with a port, and prefixes. One plain struct that may be copied, compared and put
 * into shared memory. IPv4-mapped IPv6 addresses are unmapped where they enter, so that rules see one
 * form: addr_from_sockaddr() does it, the parsers keep what was written (addr_unmap() is theirs to call).
 */
#ifndef SP_BASE_ADDR_H
#define SP_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/attr.h"

enum addr_family { ADDR_NONE = 0, ADDR_IPV4 = 4, ADDR_IPV6 = 6 };

struct addr {
    uint8_t family; /* enum addr_family */
    uint8_t pad;
    uint16_t port;  /* host order */
    uint32_t scope; /* IPv6 link-local interface index, else 0 */
    uint8_t ip[16]; /* network order; the first 4 for IPv4, the rest zero */
};

struct addr_prefix {
    uint8_t family;
    uint8_t bits; /* 0..32 or 0..128 */
    uint8_t pad[2];
    uint8_t ip[16]; /* host bits are zero */
};

/* "192.0.2.1", "2001:db8::1" or, with ADDR_TEXT_MAX room, with port "192.0.2.1:80", "[::1]:80". */
#define ADDR_TEXT_MAX 72

/* ip in network order, the port in host order. addr_ipv6() keeps a mapped address as it is. */
struct addr addr_ipv4(const uint8_t ip[4], uint16_t port);
struct addr addr_ipv6(const uint8_t ip[16], uint16_t port);

/* From a sockaddr_in or sockaddr_in6; family ADDR_NONE for anything else. Unmaps ::ffff:a.b.c.d. */
struct addr addr_from_sockaddr(const struct sockaddr *sa, socklen_t len);

/* Fills ss; returns its length, or 0 for ADDR_NONE. */
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ss);

/* ::ffff:a.b.c.d becomes a.b.c.d; anything else is returned as it is. */
struct addr addr_unmap(const struct addr *a);

/* Exactly what inet_pton reads (no scope, no brackets, no port). 0 and *out (port 0), or -1. */
int addr_parse_ip(const char *text, struct addr *out) SP_MUST_USE;

/* "ADDR:PORT" or "[ADDR6]:PORT", port 0..65535 in decimal. 0, or -1. */
int addr_parse(const char *text, struct addr *out) SP_MUST_USE;

/* Without the port / with the port (IPv6 in brackets). Return the length written. */
size_t addr_format_ip(const struct addr *a, char text[ADDR_TEXT_MAX]);
size_t addr_format(const struct addr *a, char text[ADDR_TEXT_MAX]);

bool addr_equal(const struct addr *a, const struct addr *b);    /* with the port */
bool addr_equal_ip(const struct addr *a, const struct addr *b); /* without */
bool addr_is_zero(const struct addr *a);                        /* 0.0.0.0 or :: */

/* "10.0.0.0/8", "2001:db8::/32", or a bare address (/32, /128). Host bits set, or more bits than
   the family has, are errors: -1. An IPv4-mapped prefix of 96 bits or more becomes its IPv4 form. */
int addr_prefix_parse(const char *text, struct addr_prefix *out) SP_MUST_USE;
/* With the bits, also for a single address. Returns the length written. */
size_t addr_prefix_format(const struct addr_prefix *p, char text[ADDR_TEXT_MAX]);
/* False where the families differ; a mapped address counts as IPv4. The port is not looked at. */
bool addr_prefix_contains(const struct addr_prefix *p, const struct addr *a);
/* True when every address of inner lies in outer. */
bool addr_prefix_within(const struct addr_prefix *inner, const struct addr_prefix *outer);

/*
 * The special range an address lies in, or NULL when it is an ordinary one: loopback, link-local of
 * any scope, multicast, unspecified, 0.0.0.0/8, broadcast, and the IPv4-mapped (::ffff:0:0/96),
 * IPv4-compatible (RFC 4291 section 2.5.5), NAT64 (64:ff9b::/96, RFC 6052; 64:ff9b:1::/48, RFC 8215) and
 * 6to4 (2002::/16, RFC 3056) forms of those. For an
 * embedded form *range is the embedding prefix that covers exactly the special range; range may be
 * NULL.
 * The returned text names it for people and audit: "loopback", "link-local", "multicast", ...
 * Addresses of the gateway host itself are the caller's to know.
 */
const char *addr_special(const struct addr *a, struct addr_prefix *range);

/*
 * True when the IPv6 address a carries an IPv4 address (IPv4-compatible, NAT64, 6to4; the mapped form
 * is addr_unmap's): *inner is it, *range the prefix of all addresses that carry it the same way.
 */
bool addr_embedded(const struct addr *a, struct addr *inner, struct addr_prefix *range);

/* A keyed-less 64-bit mix for hash tables over address without port; not for untrusted floods. */
uint64_t addr_hash_ip(const struct addr *a);

#endif
