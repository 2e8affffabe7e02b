/* SPDX-License-Identifier: ISC */
/*
 * Opens policy images and reads them. Serves every role. An image that is not sound is refused at
 * the door with a reason; behind it a bad reference is our own bug.
 */
#include "src/config/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/fd.h"
#include "src/config/image_priv.h"

#define IMAGE_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Maps fd into *image. False with *why and errno. */
static bool
image_map(struct image *image, int fd, const char **why)
{
    const off_t size = memfd_check(fd, IMAGE_SEALS);
    if (size < 0) {
        *why = "not a memfd sealed against every change";
        return false;
    }
    if ((size_t)size < sizeof(struct image_header) || (size_t)size > IMAGE_SIZE_MAX) {
        *why = "size out of bounds";
        errno = EINVAL;
        return false;
    }
    void *base = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        *why = "cannot be mapped";
        return false;
    }
    image->base = base;
    image->size = (size_t)size;
    return true;
}

static struct image *
image_take(int fd, bool lists, const char **why)
{
    struct image *image = calloc(1, sizeof(*image));
    *why = "out of memory";
    if (image == NULL) {
        return NULL;
    }
    if (!image_map(image, fd, why)) {
        const int error = errno;
        free(image);
        errno = error;
        return NULL;
    }
    if (!image_check(image, lists, why)) {
        image_close(&image);
        errno = EINVAL;
    }
    return image;
}

struct image *
image_open(int fd, const char **why)
{
    return image_take(fd, true, why);
}

struct image *
image_adopt(int fd, const char **why)
{
    return image_take(fd, false, why);
}

void
image_close(struct image **image)
{
    if (*image != NULL) {
        munmap((void *)(uintptr_t)(*image)->base, (*image)->size);
        free(*image);
        *image = NULL;
    }
}

const struct image_header *
image_header(const struct image *image)
{
    return (const struct image_header *)(const void *)image->base;
}

const struct image_settings *
image_settings(const struct image *image)
{
    return &image_header(image)->settings;
}

const char *
image_string(const struct image *image, struct image_text text)
{
    return text.len == 0 ? "" : (const char *)image->base + text.off;
}

const void *
image_at(const struct image *image, struct image_list list, size_t size, uint32_t i)
{
    if (i >= list.count) {
        abort();
    }
    return image->base + list.off + size * i;
}

const struct image_listener *
image_listener(const struct image *image, uint32_t i)
{
    return IMAGE_AT(image, image_settings(image)->listeners, struct image_listener, i);
}

const struct image_module *
image_module(const struct image *image, uint32_t i)
{
    return IMAGE_AT(image, image_settings(image)->modules, struct image_module, i);
}

const struct image_rule *
image_rule(const struct image *image, uint32_t i)
{
    return IMAGE_AT(image, image_header(image)->rules, struct image_rule, i);
}

const struct image_module *
image_module_by_method(const struct image *image, uint8_t method)
{
    const uint32_t count = image_settings(image)->modules.count;
    for (uint32_t i = 0; i < count; i++) {
        const struct image_module *m = image_module(image, i);
        if (m->method == method) {
            return m;
        }
    }
    return NULL;
}

/* Row i of key in a list, NULL when there are not so many; *found when there is any row of it. */
static const char *
option_in(const struct image *image, struct image_list rows, const char *key, unsigned i, bool *found)
{
    unsigned seen = 0;
    for (uint32_t at = 0; at < rows.count; at++) {
        const struct image_option *o = IMAGE_AT(image, rows, struct image_option, at);
        if (strcmp(image_string(image, o->key), key) != 0) {
            continue;
        }
        *found = true;
        if (o->kind != IMAGE_OPTION_EMPTY && seen++ == i) {
            return image_string(image, o->value);
        }
    }
    return NULL;
}

const char *
image_option(const struct image *image, const struct image_listener *listener,
    const struct image_module *m, const char *key, unsigned i)
{
    bool has = false;
    bool replaced = false;
    const char *value = option_in(image, m->options, key, i, &has);
    const char *own = has && listener != NULL
                          ? option_in(image, listener->overrides, key, i, &replaced)
                          : NULL;
    return replaced ? own : value;
}
