/* SPDX-License-Identifier: ISC */
/* src/config/config_set*.c: any bytes as a list file; what was taken is written, passes the check of an image
   and is found. */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "src/config/config_set.h"
#include "src/config/image_priv.h"

/* An image with one set and nothing else. */
static void *
write_set(struct config_set *s, size_t *size)
{
    struct config_builder b;
    struct image_set set = { .names = 0 };
    struct image_settings settings = { .workers = 1 };
    config_builder_init(&b);
    config_set_write_names(s, &b, &set);
    config_set_write_tries(s, &b, &set);
    settings.sets = config_builder_list(&b, &set, sizeof(set), 1);
    return config_builder_finish(&b, &settings, (struct image_list){ .off = 0 }, size);
}

static void
check_set(const struct image *image)
{
    const struct image_set *s = image_set(image, 0);
    const char *texts = (const char *)image->base + s->texts.off;
    struct addr_prefix p;
    struct addr_prefix found;
    uint32_t at = 0;
    uint32_t names = 0;
    uint32_t prefixes = 0;
    FUZZ_ASSERT(image_set_check(image, s) == NULL);
    for (size_t i = 0; i < s->texts.count; i += strlen(texts + i) + 1, names++) {
        char below[NAME_SIZE + 8] = "x";
        memcpy(below + 1, texts + i, strlen(texts + i) + 1);
        FUZZ_ASSERT(image_set_has_name(image, s, texts[i] == '.' ? below : texts + i));
    }
    FUZZ_ASSERT(names == s->names + s->suffixes);
    for (enum image_set_next next; (next = image_set_next(image, s, &at, &p)) != IMAGE_SET_END;) {
        if (next == IMAGE_SET_PREFIX) {
            const struct addr first = p.family == ADDR_IPV4 ? addr_ipv4(p.ip, 0) : addr_ipv6(p.ip, 0);
            FUZZ_ASSERT(image_set_longest(image, s, &first, &found));
            FUZZ_ASSERT(addr_prefix_within(&found, &p));
            FUZZ_ASSERT(image_set_shortest(image, s, &first, &found));
            FUZZ_ASSERT(addr_prefix_within(&p, &found));
            prefixes++;
        }
    }
    FUZZ_ASSERT(prefixes == s->prefixes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_set s = { .path = "list" };
    struct config_messages messages = { .text = BUFFER_INIT };
    size_t total = 0;
    struct image image = { .size = 0 };
    int fd = memfd_sealed("list", data, size);
    const bool good = fd >= 0 && config_set_read(&s, fd, &total, &messages);
    FUZZ_ASSERT(good == (messages.errors == 0));
    FUZZ_ASSERT(!good || total == size);
    void *base = good ? write_set(&s, &image.size) : NULL;
    FUZZ_ASSERT(good == (base != NULL));
    if (base != NULL) {
        image.base = base;
        check_set(&image);
    }
    free(base);
    config_set_free(&s);
    buffer_clear(&messages.text);
    fd_close(&fd);
    return 0;
}
