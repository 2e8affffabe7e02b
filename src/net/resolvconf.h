/* SPDX-License-Identifier: ISC */
/* The name servers of a resolv.conf, from the master's copy of its text. */
#ifndef SP_NET_RESOLVCONF_H
#define SP_NET_RESOLVCONF_H

#include <stddef.h>

#include "lib/base/addr.h"

/*
 * Fills out with the addresses of the "nameserver" lines, port 53, in their order, max at most (and
 * max at least 1). Everything else in the file is ignored, as are addresses with a scope
 * ("fe80::1%eth0") and what is no address. None left: 127.0.0.1. Returns how many, never 0.
 */
size_t resolvconf_parse(const void *text, size_t len, struct addr *out, size_t max);

#endif
