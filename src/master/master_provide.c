/* SPDX-License-Identifier: ISC */
/*
 * What a pool needs besides files: its user, and the folders its module's options name. Serves
 * master_main.c and master_check.c, whose failures these are.
 */
#include "src/master/master_private.h"

#include <stdio.h>
#include <unistd.h>

int
pool_user(const struct master *m, const struct image *image, const struct image_module *module,
    struct user *out, char *error, size_t size)
{
    const char *own = image_string(image, module->user);

    *out = m->users.auth;
    if (!m->users.privileged || own[0] == '\0')
        return 0;
    return user_find(image_string(image, module->name), own, out, error, size);
}

static int
provide_folder(const struct master *m, const struct image *image, const struct image_module *module,
    const struct image_option *o, bool make, char *error, size_t size)
{
    const char *path = image_string(image, o->value);
    struct user user;
    char key[128];

    if (o->kind != IMAGE_OPTION_FOLDER || path[0] == '\0')
        return 0;
    if (pool_user(m, image, module, &user, error, size) < 0)
        return -1;
    (void)snprintf(key, sizeof key, "%s { %s }", image_string(image, module->name),
        image_string(image, o->key));
    const struct folder_rule rule = {
        .key = key,
        .run_dir = RUNDIR,
        .owner = m->users.privileged ? user.uid : geteuid(),
        .group = m->users.privileged ? user.gid : getegid(),
        .privileged = m->users.privileged,
    };

    return make ? folder_make(&rule, path, error, size) : folder_check(&rule, path, error, size);
}

int
folders_provide(
    const struct master *m, const struct image *image, bool make, char *error, size_t size)
{
    for (uint32_t i = 0; i < image_settings(image)->modules.count; i++) {
        const struct image_module *module = image_module(image, i);

        for (uint32_t k = 0; module->has_secret && k < module->options.count; k++) {
            const struct image_option *o =
                IMAGE_AT(image, module->options, struct image_option, k);

            if (provide_folder(m, image, module, o, make, error, size) < 0)
                return -1;
        }
    }
    return 0;
}
