/* SPDX-License-Identifier: ISC */
/* src/config/image_check.c, image_set_check.c: any bytes behind a header as an image with one list. What
   passes the check can be asked anything: every walk stays inside and has an end. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/config/image_priv.h"
#include "src/config/image_set.h"

static struct addr
address(const uint8_t *data, size_t size, size_t at)
{
    struct addr a = { .family = at % 2 == 0 ? ADDR_IPV4 : ADDR_IPV6 };
    for (size_t i = 0; i < (a.family == ADDR_IPV4 ? 4U : 16U) && at + i < size; i++) {
        a.ip[i] = data[at + i];
    }
    return a;
}

static void
ask(const struct image *image, const uint8_t *data, size_t size)
{
    const struct image_set *s = image_set(image, 0);
    struct addr_prefix p;
    uint32_t at = 0;
    uint32_t steps = 0;
    for (size_t i = 0; i < size; i++) {
        char name[64] = "a.b";
        const struct addr a = address(data, size, i);
        for (size_t n = 0; n < sizeof(name) - 1 && i + n < size; n++) {
            name[n] = (char)(data[i + n] != 0 ? data[i + n] : '.');
        }
        (void)image_set_has_name(image, s, name);
        (void)image_set_longest(image, s, &a, &p);
        (void)image_set_shortest(image, s, &a, &p);
    }
    while (image_set_next(image, s, &at, &p) != IMAGE_SET_END) {
        FUZZ_ASSERT(++steps <= size);
    }
}

/* The set's own fields come last, as the compiler writes them. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t head = sizeof(struct image_header);
    if (size < sizeof(struct image_set) || size > 65536) {
        return 0;
    }
    uint8_t *base = calloc(1, head + size);
    FUZZ_ASSERT(base != NULL);
    struct image_header *h = (void *)base;
    const struct image image = { base, head + size };
    h->magic = IMAGE_MAGIC;
    h->version = IMAGE_VERSION;
    h->size = image.size;
    h->settings.sets = (struct image_list){ .off = (uint32_t)(head + (size - sizeof(struct image_set)) / 8 * 8), .count = 1 };
    memcpy(base + head, data, size);
    if (image_set_check(&image, image_set(&image, 0)) == NULL) {
        ask(&image, data, size);
    }
    free(base);
    return 0;
}
