/* SPDX-License-Identifier: ISC */
/*
 * What one association has written to: each destination is judged once, and who may answer is looked
 * up here. Bounded: the one written to longest ago makes room. No I/O.
 */
#ifndef SP_SESSION_UDP_DESTINATIONS_H
#define SP_SESSION_UDP_DESTINATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"

#define UDP_DESTINATIONS_MAX 1024U

enum udp_verdict { UDP_UNJUDGED, UDP_ALLOWED, UDP_REFUSED };

struct udp_destination {
    struct addr addr; /* with its port */
    enum udp_verdict verdict; /* asked for as an address */
    bool written;
    bool told; /* in the audit */
    uint32_t epoch;        /* of the host when that was found */
    uint16_t newer, older; /* 1 + index; 0: none */
    uint16_t next;         /* in its chain; 1 + index */
};

/* All zero: empty. */
struct udp_destinations {
    struct udp_destination *list; /* owned, size of them, count used */
    uint16_t *chains;             /* owned, size of them: 1 + index */
    uint16_t size, count;
    uint16_t newest, oldest;      /* 1 + index */
};

/* The entry of address and port, made where there is none; it becomes the newest. NULL: no memory. The
   pointer lasts until the next call. */
struct udp_destination *udp_destinations_take(struct udp_destinations *t, const struct addr *addr);
/* The next entry that was written to behind `after` (NULL: the first one): of this address and port, or with
   any_port of this address. NULL: no more. */
struct udp_destination *udp_destinations_written(const struct udp_destinations *t,
    const struct addr *addr, bool any_port, const struct udp_destination *after);
/* The one used last, or NULL. */
struct udp_destination *udp_destinations_newest(const struct udp_destinations *t);
void udp_destinations_free(struct udp_destinations *t);

#endif
