/* SPDX-License-Identifier: ISC */
/*
 * The section userpass { } and its checks. Serves the configuration's compiler through the wire
 * object and the pool through the secret one. Nothing is fatal here: the caller gets a text.
 */
#include "auth/userpass/userpass_options.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/userpass/userpass_table.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

#define REMEMBER_PRESET 60
#define REMEMBER_MAX 86400

static const char *const backends[] = { "file", NULL };
static const char *const backends_reserved[] = { "pam", "krb5", NULL };

/* A bcrypt cost of 17 takes seven seconds on a machine of today. */
const struct auth_pool userpass_pool = { .step_seconds = 60 };

const struct auth_option userpass_options[] = {
    {
        .name = "backend",
        .type = AUTH_OPTION_TEXT,
        .change = AUTH_CHANGE_RESPAWN,
        .preset = "file",
        .words = backends,
        .reserved = backends_reserved,
        .sentence = "Where names and passwords are looked up.",
    },
    {
        .name = USERPASS_FILE_OPTION,
        .type = AUTH_OPTION_FILE,
        .change = AUTH_CHANGE_RESPAWN,
        .preset = SYSCONFDIR "/sallyport/users",
        .sentence = "Password file: lines name:hash with hashes $y$ $gy$ $2b$ $2y$ $6$ $5$, as "
                    "htpasswd -B, mkpasswd -m yescrypt and openssl passwd -6 write them.",
    },
    {
        .name = "remember",
        .type = AUTH_OPTION_NUMBER,
        .change = AUTH_CHANGE_RESPAWN,
        .preset = "60",
        .min = 0,
        .max = REMEMBER_MAX,
        .sentence = "Seconds a success is remembered (as a keyed hash, in memory, forgotten when "
                    "the file changes); 0 for never.",
    },
    {
        .name = "processes",
        .type = AUTH_OPTION_NUMBER,
        .change = AUTH_CHANGE_RESTART,
        .preset = "0",
        .min = 0,
        .max = 256,
        .sentence = "Processes of the pool; 0 for half as many as workers, at least 2.",
    },
    { .name = NULL },
};

int
userpass_check(const struct auth_config *config, char *error, size_t size)
{
    const char *file = config->value(config->ctx, USERPASS_FILE_OPTION, 0);

    if (file != NULL && file[0] == '/')
        return 0;
    (void)snprintf(error, size, "file = \"%s\" is no absolute path; name the password file",
        file != NULL ? file : "");
    return -1;
}

int
userpass_check_file(const struct auth_config *config, const char *name, const char *where,
    const void *data, size_t len, char *error, size_t size)
{
    (void)config;
    (void)name; /* there is one file option */
    struct userpass_table *table = userpass_table_load(data, len, false, where, error, size);

    if (table == NULL)
        return -1;
    userpass_table_free(&table);
    return 0;
}

unsigned
userpass_remember_seconds(const struct auth_config *config)
{
    const char *text = config->value(config->ctx, "remember", 0);
    char *end = NULL;

    if (text == NULL)
        return REMEMBER_PRESET;
    const long value = strtol(text, &end, 10);

    /* The configuration's compiler has checked it already. */
    if (end == text || *end != '\0' || value < 0 || value > REMEMBER_MAX)
        return REMEMBER_PRESET;
    return (unsigned)value;
}
