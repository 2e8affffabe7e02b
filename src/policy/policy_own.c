/* SPDX-License-Identifier: ISC */
/*
 * The addresses of the gateway host itself. Serves the worker, which reads them before it shuts
 * itself in, and the verdict. Not being able to read them is the caller's to judge.
 */
#include "src/policy/policy_own.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static int
own_compare(const void *x, const void *y)
{
    const struct addr *a = x;
    const struct addr *b = y;
    const int family = (int)a->family - (int)b->family;
    return family != 0 ? family : memcmp(a->ip, b->ip, sizeof(a->ip));
}

void
policy_own_sort(struct policy_own *own)
{
    qsort(own->list, own->count, sizeof(own->list[0]), own_compare);
}

static bool
own_has(const struct policy_own *own, const struct addr *address)
{
    return bsearch(address, own->list, own->count, sizeof(own->list[0]), own_compare) != NULL;
}

bool
policy_own_range(
    const struct policy_own *own, const struct addr *address, struct addr_prefix *range)
{
    const struct addr plain = addr_unmap(address);
    struct addr inner;
    if (own == NULL || own->count == 0) {
        return false;
    }
    if (own_has(own, &plain)) {
        *range = (struct addr_prefix){ .family = plain.family,
            .bits = plain.family == ADDR_IPV4 ? 32 : 128 };
        memcpy(range->ip, plain.ip, sizeof(range->ip));
        return true;
    }
    return addr_embedded(&plain, &inner, range) && own_has(own, &inner);
}

static socklen_t
own_sockaddr_len(const struct sockaddr *sa)
{
    return sa->sa_family == AF_INET    ? sizeof(struct sockaddr_in)
           : sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                       : 0;
}

int
policy_own_read(struct policy_own *own)
{
    struct ifaddrs *all = NULL;
    int result = 0;
    memset(own, 0, sizeof(*own));
    if (getifaddrs(&all) != 0) {
        return -1;
    }
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        const socklen_t len = i->ifa_addr != NULL ? own_sockaddr_len(i->ifa_addr) : 0;
        if (len == 0) {
            continue;
        }
        if (own->count == SP_COUNT(own->list)) {
            errno = ENOBUFS;
            result = -1;
            break;
        }
        own->list[own->count] = addr_from_sockaddr(i->ifa_addr, len);
        own->list[own->count].port = 0;
        own->count++;
    }
    freeifaddrs(all);
    policy_own_sort(own);
    return result;
}
