/* SPDX-License-Identifier: ISC */
/*
 * Finding wire faces. Serves the workers and the configuration's compiler, which link no secret
 * face. Nothing is fatal here: the caller gets a text.
 */
#include "auth/builtin.h"

#include <string.h>

#include "auth/builtin_load.h"

#define AUTH_BUILTIN_WIRE(name) extern const struct auth_wire_module auth_##name##_wire;
#include "auth/builtin.def"

static const struct auth_wire_module *const builtin[] = {
#define AUTH_BUILTIN_WIRE(name) &auth_##name##_wire,
#include "auth/builtin.def"
    NULL
};

static void
unknown(const char *name, const char *dir, char *error, size_t size)
{
    char names[256] = "";
    size_t used = 0;

    for (size_t i = 0; builtin[i] != NULL && used < sizeof names - 1; i++) {
        auth_error(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ", builtin[i]->name);
        used = strlen(names);
    }
    auth_error(error, size, "no authentication method \"%s\"; built in: %s; others are modules in %s",
        name, used > 0 ? names : "none at all", dir);
}

/* A pool's wire face without these could not speak; one that is too big could not be held. */
static int
wire_check(const struct auth_wire_module *m, const char *name, char *error, size_t size)
{
    if (!auth_version_fits(name, m->version, error, size))
        return -1;
    if (m->name == NULL || strcmp(m->name, name) != 0 || m->method == 0xFF ||
        m->config.options == NULL || m->message_max > AUTH_TOKEN_MAX ||
        (m->needs_pool &&
            (m->config.pool == NULL || m->config.pool->step_seconds == 0 || m->frame == NULL || m->answer == NULL || m->refuse == NULL || m->message_max == 0))) {
        auth_error(error, size, "module %s: its wire face is incomplete", name);
        return -1;
    }
    return 0;
}

const struct auth_wire_module *
auth_wire_find(const char *name, const char *dir, char *error, size_t size)
{
    bool missing = false;

    for (size_t i = 0; builtin[i] != NULL; i++)
        if (strcmp(builtin[i]->name, name) == 0)
            return builtin[i];
    if (!auth_name_valid(name)) {
        unknown(name, dir, error, size);
        return NULL;
    }
    const struct auth_wire_module *m =
        auth_object_load(name, "wire", dir, AUTH_WIRE_SYMBOL, &missing, error, size);

    if (m == NULL && missing)
        unknown(name, dir, error, size);
    return m != NULL && wire_check(m, name, error, size) == 0 ? m : NULL;
}
