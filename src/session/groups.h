/* SPDX-License-Identifier: ISC */
/*
 * The groups of authenticated users, one copy a worker of each different set: as names, for images to come,
 * and as bits over the settings.groups of the image in force, which the policy reads. Serves the sessions.
 * Whatever cannot be kept whole is refused; asking for bits never fails.
 */
#ifndef SP_SESSION_GROUPS_H
#define SP_SESSION_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"
#include "src/config/image.h"

#define GROUPS_SET_MAX (64U * 1024U) /* octets of names in a set */

struct group_set;

/* All zero: no sets, no image. */
struct groups {
    struct group_set **chains; /* owned, size of them */
    uint32_t size, count;
    const struct image *image;
    uint32_t epoch;  /* counts images */
    uint32_t words;  /* of the image's bits */
    uint64_t *spare; /* owned, words of them: for a set that finds no memory for its own */
};

/*
 * A reference to the set with these names, each NUL-terminated, one behind the other. NULL with errno: E2BIG,
 * EINVAL (a name without its end), ENOMEM.
 */
struct group_set *groups_take(struct groups *g, const void *names, size_t len) SP_MUST_USE;
/* Leaves NULL; NULL is fine. */
void groups_release(struct groups *g, struct group_set **set);

/* Memory groups_adopt() wants for this image. NULL: there is none. */
uint64_t *groups_spare(const struct image *image) SP_MUST_USE;
/* This image is in force. Takes the memory over. */
void groups_adopt(struct groups *g, const struct image *image, uint64_t **spare);

/* As policy_query wants it, NULL for no set; good until the next call. */
const uint64_t *groups_bits(struct groups *g, struct group_set *set);

/* No set is left. */
void groups_free(struct groups *g);

#endif
