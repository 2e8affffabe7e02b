/* SPDX-License-Identifier: ISC */
/*
 * IP addresses: conversion, text, comparison. Serves everybody. Text that is no address is an
 * answer; nothing here is fatal.
 */
#include "lib/base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t addr_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct addr
addr_ipv4(const uint8_t ip[4], uint16_t port)
{
    struct addr a = { .family = ADDR_IPV4, .port = port };
    memcpy(a.ip, ip, 4);
    return a;
}

struct addr
addr_ipv6(const uint8_t ip[16], uint16_t port)
{
    struct addr a = { .family = ADDR_IPV6, .port = port };
    memcpy(a.ip, ip, 16);
    return a;
}

static bool
addr_is_link_local6(const struct addr *a)
{
    return a->family == ADDR_IPV6 && a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

struct addr
addr_from_sockaddr(const struct sockaddr *sa, socklen_t len)
{
    struct addr a = { .family = ADDR_NONE };
    if (len >= sizeof(struct sockaddr_in) && sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof(in));
        a = addr_ipv4((const uint8_t *)&in.sin_addr, ntohs(in.sin_port));
    } else if (len >= sizeof(struct sockaddr_in6) && sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof(in6));
        a = addr_ipv6(in6.sin6_addr.s6_addr, ntohs(in6.sin6_port));
        a.scope = addr_is_link_local6(&a) ? in6.sin6_scope_id : 0;
    }
    return addr_unmap(&a);
}

socklen_t
addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ss)
{
    memset(ss, 0, sizeof(*ss));
    if (a->family == ADDR_IPV4) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(a->port) };
        memcpy(&in.sin_addr, a->ip, 4);
        memcpy(ss, &in, sizeof(in));
        return sizeof(in);
    }
    if (a->family == ADDR_IPV6) {
        struct sockaddr_in6 in6 = {
            .sin6_family = AF_INET6, .sin6_port = htons(a->port), .sin6_scope_id = a->scope
        };
        memcpy(&in6.sin6_addr, a->ip, 16);
        memcpy(ss, &in6, sizeof(in6));
        return sizeof(in6);
    }
    return 0;
}

struct addr
addr_unmap(const struct addr *a)
{
    if (a->family != ADDR_IPV6 || memcmp(a->ip, addr_mapped, sizeof(addr_mapped)) != 0) {
        return *a;
    }
    return addr_ipv4(a->ip + sizeof(addr_mapped), a->port);
}

int
addr_parse_ip(const char *text, struct addr *out)
{
    uint8_t ip[16];
    if (inet_pton(AF_INET, text, ip) == 1) {
        *out = addr_ipv4(ip, 0);
        return 0;
    }
    if (inet_pton(AF_INET6, text, ip) == 1) {
        *out = addr_ipv6(ip, 0);
        return 0;
    }
    return -1;
}

/* 1..5 digits up to 65535 and nothing else. */
static int
addr_parse_port(const char *text, uint16_t *out)
{
    unsigned value = 0;
    size_t n = 0;
    for (; text[n] >= '0' && text[n] <= '9' && n < 5; n++) {
        value = value * 10 + (unsigned)(text[n] - '0');
    }
    if (n == 0 || text[n] != '\0' || value > UINT16_MAX) {
        return -1;
    }
    *out = (uint16_t)value;
    return 0;
}

int
addr_parse(const char *text, struct addr *out)
{
    char copy[ADDR_TEXT_MAX];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof(copy)) {
        return -1;
    }
    size_t len = (size_t)(colon - text);
    const bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    if (bracketed) {
        text++;
        len -= 2;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    struct addr a;
    /* Brackets belong to IPv6 and to nothing else: "::1:80" would be read in two ways. */
    if (addr_parse_ip(copy, &a) != 0 || bracketed != (a.family == ADDR_IPV6) ||
        addr_parse_port(colon + 1, &a.port) != 0) {
        return -1;
    }
    *out = a;
    return 0;
}

size_t
addr_format_ip(const struct addr *a, char text[ADDR_TEXT_MAX])
{
    text[0] = '\0';
    if (a->family == ADDR_NONE) {
        return 0;
    }
    const int family = a->family == ADDR_IPV4 ? AF_INET : AF_INET6;
    (void)inet_ntop(family, a->ip, text, ADDR_TEXT_MAX);
    return strlen(text);
}

size_t
addr_format(const struct addr *a, char text[ADDR_TEXT_MAX])
{
    char ip[ADDR_TEXT_MAX];
    text[0] = '\0';
    if (addr_format_ip(a, ip) == 0) {
        return 0;
    }
    const bool brackets = a->family == ADDR_IPV6;
    const int n = snprintf(text, ADDR_TEXT_MAX, "%s%.45s%s:%u", brackets ? "[" : "", ip,
        brackets ? "]" : "", (unsigned)a->port);
    return n > 0 && n < ADDR_TEXT_MAX ? (size_t)n : 0;
}

bool
addr_equal_ip(const struct addr *a, const struct addr *b)
{
    return a->family == b->family && a->scope == b->scope &&
           memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
    return a->port == b->port && addr_equal_ip(a, b);
}

bool
addr_is_zero(const struct addr *a)
{
    static const uint8_t zero[16];
    return a->family != ADDR_NONE && memcmp(a->ip, zero, sizeof(zero)) == 0;
}

static uint64_t
addr_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t
addr_hash_ip(const struct addr *a)
{
    uint64_t half[2];
    memcpy(half, a->ip, sizeof(half));
    return addr_mix(addr_mix(half[0] + a->family) + half[1]);
}
