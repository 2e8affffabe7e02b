/* SPDX-License-Identifier: ISC */
/* The policy image, and the pool's method in it. Serves the start and reloads, whose failures these are. */
#include "src/authd/authd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct image_module *
module_of(const struct image *image, const char *name)
{
    const uint32_t count = image_settings(image)->modules.count;

    for (uint32_t i = 0; i < count; i++) {
        const struct image_module *m = image_module(image, i);

        if (strcmp(image_string(image, m->name), name) == 0)
            return m;
    }
    return NULL;
}

struct authd_image *
authd_image_open(const struct authd *a, int fd, char *error, size_t size)
{
    const char *name = a->child.init.module;
    struct authd_image *in = calloc(1, sizeof *in);
    const char *why = NULL;

    if (in == NULL) {
        (void)snprintf(error, size, "out of memory");
        return NULL;
    }
    in->users = 1;
    in->image = image_adopt(fd, &why);
    if (in->image == NULL) {
        (void)snprintf(error, size, "policy image: %s", why != NULL ? why : strerror(errno));
        free(in);
        return NULL;
    }
    in->settings = module_of(in->image, name);
    in->view = (struct authd_view) { .authd = a, .image = in };
    in->config = (struct auth_config) { .ctx = &in->view, .value = authd_option };
    if (in->settings == NULL) {
        (void)snprintf(error, size, "the policy image knows no method \"%s\"", name);
        authd_image_drop(&in);
    }
    return in;
}

struct authd_image *
authd_image_use(struct authd_image *image)
{
    image->users++;
    return image;
}

void
authd_image_drop(struct authd_image **image)
{
    struct authd_image *in = *image;

    *image = NULL;
    if (in == NULL || --in->users > 0)
        return;
    image_close(&in->image);
    free(in);
}
