/* SPDX-License-Identifier: ISC */
/*
 * Finding protect faces. Serves the workers alone. Nothing is fatal here: the caller gets a text.
 */
#include "auth/builtin.h"

#include <string.h>

#include "auth/builtin_load.h"

#define AUTH_BUILTIN_PROTECT(name) extern const struct auth_protect_module auth_##name##_protect;
#include "auth/builtin.def"

static const struct auth_protect_module *const builtin[] = {
#define AUTH_BUILTIN_PROTECT(name) &auth_##name##_protect,
#include "auth/builtin.def"
    NULL
};

static int
protect_check(const struct auth_protect_module *m, const char *name, char *error, size_t size)
{
    if (!auth_version_fits(name, m->version, error, size))
        return -1;
    if (m->name == NULL || strcmp(m->name, name) != 0 || m->terms == NULL || m->terms_free == NULL ||
        m->import == NULL || m->free == NULL || m->agree == NULL || m->level == NULL ||
        m->plain_max == NULL || m->seal == NULL || m->open == NULL || m->use_datagrams == NULL) {
        auth_error(error, size, "module %s: its protect face is incomplete", name);
        return -1;
    }
    return 0;
}

const struct auth_protect_module *
auth_protect_find(const char *name, const char *dir, char *error, size_t size)
{
    for (size_t i = 0; builtin[i] != NULL; i++)
        if (strcmp(builtin[i]->name, name) == 0)
            return builtin[i];
    const struct auth_protect_module *m =
        auth_face_load(name, "protect", dir, AUTH_PROTECT_SYMBOL, error, size);

    return m != NULL && protect_check(m, name, error, size) == 0 ? m : NULL;
}
