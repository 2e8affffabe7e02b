/* SPDX-License-Identifier: ISC */
/*
 * Memory for passwords and keys: locked against swapping, left out of cores, zeroed when freed.
 * Comes from regions of mmap + mlock + MADV_DONTDUMP + MADV_WIPEONFORK carved into size classes.
 * Where the limit of locked memory (RLIMIT_MEMLOCK) is reached the region stays unlocked and
 * secret_all_locked() says so; the program warns once. For one thread. After fork() the child finds
 * its parent's blocks zeroed and unlocked: it asks for new ones.
 */
#ifndef SP_BASE_SECRET_H
#define SP_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/attr.h"

#define SECRET_MAX (1024U * 1024U)

/* size zeroed bytes (1..SECRET_MAX), 16-byte aligned, or NULL with ENOMEM/EINVAL.
   The caller owns them. */
void *secret_alloc(size_t size) SP_MUST_USE;

/* Zeroes and frees; NULL is fine. size is the one given to secret_alloc, or its secret_usable(). */
void secret_free(void *p, size_t size);

/* Bytes usable in a block allocated with size (its size class), at least size. */
size_t secret_usable(size_t size);

/* False once a region could not be locked. */
bool secret_all_locked(void);

/* Compares in a time that depends on len alone. */
bool secret_equal(const void *a, const void *b, size_t len);

/* Keeps this process out of cores and from ptrace by others: PR_SET_DUMPABLE 0, RLIMIT_CORE 0.
   0, or -1 with errno. */
int secret_process(void) SP_MUST_USE;

#endif
