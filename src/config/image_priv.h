/* SPDX-License-Identifier: ISC */
/* Shared by image.c (access) and image_check.c (what is looked at when an image is opened). */
#ifndef SP_CONFIG_IMAGE_PRIV_H
#define SP_CONFIG_IMAGE_PRIV_H

#include "src/config/image.h"

struct image {
    const uint8_t *base; /* mapped read-only; begins with the header */
    size_t size;
};

/* lists: also the insides of list files. True when every offset, count, text, index and word of the image
   is sound; else *why. The size has been seen to hold a header. */
bool image_check(const struct image *image, bool lists, const char **why);

/* Whether a list of elements of this size lies inside; an empty one at 0 does. */
bool image_list_inside(const struct image *image, struct image_list list, size_t size);

/* Why a list file's part of the image is not sound, its path apart; NULL when it is (image_set_check.c). */
struct image_set;
const char *image_set_check(const struct image *image, const struct image_set *set);

#endif
