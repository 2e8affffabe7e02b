/* SPDX-License-Identifier: ISC */
/* Finding an address among the host's own; for the files of src/policy. */
#ifndef SP_POLICY_OWN_H
#define SP_POLICY_OWN_H

#include "src/policy/policy.h"

/* True when the address is the host's own, or carries one that is (NAT64, 6to4, ...): *range is the
   prefix of exactly the addresses that mean the same. own may be NULL: false. */
bool policy_own_range(const struct policy_own *own, const struct addr *address,
    struct addr_prefix *range);

/* Sorts the list; the order policy_own_range() needs. */
void policy_own_sort(struct policy_own *own);

#endif
