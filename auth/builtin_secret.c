/* SPDX-License-Identifier: ISC */
/*
 * Finding secret faces. Serves the auth processes, which link no wire face. Nothing is fatal here:
 * the caller gets a text.
 */
#include "auth/builtin.h"

#include <string.h>

#include "auth/builtin_load.h"

#define AUTH_BUILTIN_SECRET(name) extern const struct auth_secret_module auth_##name##_secret;
#include "auth/builtin.def"

static const struct auth_secret_module *const builtin[] = {
#define AUTH_BUILTIN_SECRET(name) &auth_##name##_secret,
#include "auth/builtin.def"
    NULL
};

static int
secret_check(const struct auth_secret_module *m, const char *name, char *error, size_t size)
{
    if (!auth_version_fits(name, m->version, error, size))
        return -1;
    if (m->name == NULL || strcmp(m->name, name) != 0 || m->method == 0xFF || m->open == NULL ||
        m->close == NULL || m->step == NULL || m->config.pool == NULL || m->config.options == NULL) {
        auth_error(error, size, "module %s: its secret face is incomplete", name);
        return -1;
    }
    return 0;
}

const struct auth_secret_module *
auth_secret_find(const char *name, const char *dir, char *error, size_t size)
{
    for (size_t i = 0; builtin[i] != NULL; i++)
        if (strcmp(builtin[i]->name, name) == 0)
            return builtin[i];
    const struct auth_secret_module *m =
        auth_face_load(name, "secret", dir, AUTH_SECRET_SYMBOL, error, size);

    return m != NULL && secret_check(m, name, error, size) == 0 ? m : NULL;
}
