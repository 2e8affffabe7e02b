/* SPDX-License-Identifier: ISC */
/*
 * The hosts file: names with addresses that the administrator wrote down. Parsed from text (the
 * master's copy of the file); looked up without a system call.
 */
#ifndef SP_NET_HOSTS_H
#define SP_NET_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"

struct hosts;

#define HOSTS_NAMES_MAX (1U << 20) /* further ones are left out */

/*
 * "ADDRESS NAME ALIAS..." a line, '#' begins a comment. Lines without an address, addresses with a
 * scope and words that are no canonical name are left out, as the C library does. NULL with ENOMEM;
 * the caller owns it. The text is not needed afterwards.
 */
struct hosts *hosts_parse(const void *text, size_t len) SP_MUST_USE;
void hosts_free(struct hosts **hosts);

/* True when the canonical name stands in the file, with whatever address. hosts may be NULL. */
bool hosts_has(const struct hosts *hosts, const char *name);

/* Copies the name's addresses of that family (port 0), in the order of the file, max at most.
   Returns how many. hosts may be NULL. */
size_t hosts_find(const struct hosts *hosts, const char *name, enum addr_family family,
    struct addr *out, size_t max);

#endif
