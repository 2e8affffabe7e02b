/* SPDX-License-Identifier: ISC */
/*
 * The section gssapi { } and its checks. Serves the configuration's compiler through the wire
 * object, the worker's protect face and the pool. Nothing is fatal here: the caller gets a text.
 */
#include "auth/gssapi/gssapi_options.h"

#include <stdio.h>
#include <string.h>

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif
#ifndef RUNDIR
#define RUNDIR "/run/sallyport"
#endif

/* A service's first component is a word such as rcmd; no keytab has longer ones. */
#define SERVICE_MAX 255

/* The order of enum auth_protection. */
static const char *const protections[] = { "none", "integrity", "confidentiality", "selective",
    NULL };
static const char *const mechanisms[] = { "krb5", "spnego", NULL };

/* An acceptor asks no KDC: what a step waits for is the replay cache's disk at most. */
const struct auth_pool gssapi_pool = { .step_seconds = 30 };

const struct auth_option gssapi_options[] = {
    {
        .name = GSSAPI_KEYTAB_OPTION,
        .type = AUTH_OPTION_FILE,
        .change = AUTH_CHANGE_RESPAWN,
        .preset = SYSCONFDIR "/sallyport/krb5.keytab",
        .sentence = "Keytab with the keys of the gateway's services, of enctypes "
                    "aes256-cts-hmac-sha1-96, aes128-cts-hmac-sha1-96, aes256-cts-hmac-sha384-192 "
                    "and aes128-cts-hmac-sha256-128; a changed one is adopted within seconds.",
    },
    {
        .name = GSSAPI_SERVICE_OPTION,
        .type = AUTH_OPTION_LIST,
        .change = AUTH_CHANGE_RESPAWN,
        .preset = "rcmd socks",
        .sentence = "Services accepted, the part of a principal before the slash; an empty list "
                    "means any key in the keytab.",
    },
    {
        .name = GSSAPI_PROTECTION_OPTION,
        .type = AUTH_OPTION_LIST,
        .change = AUTH_CHANGE_RELOAD,
        .preset = "confidentiality integrity",
        .words = protections,
        .sentence = "Message protection that may be agreed, best first; a client that asks for "
                    "another one is offered the first.",
    },
    {
        .name = GSSAPI_NEC_OPTION,
        .type = AUTH_OPTION_BOOLEAN,
        .change = AUTH_CHANGE_RELOAD,
        .preset = "false",
        .sentence = "Accept the NEC form of the protection message, a bare octet.",
    },
    {
        .name = GSSAPI_MECHANISMS_OPTION,
        .type = AUTH_OPTION_LIST,
        .change = AUTH_CHANGE_RESPAWN,
        .preset = "krb5",
        .words = mechanisms,
        .sentence = "Mechanisms accepted; spnego means Kerberos negotiated inside SPNEGO.",
    },
    {
        .name = GSSAPI_REPLAY_OPTION,
        .type = AUTH_OPTION_FOLDER,
        .change = AUTH_CHANGE_RESPAWN,
        .preset = RUNDIR "/rcache",
        .sentence = "Folder of the replay cache; empty for none, and then a token that was "
                    "overheard can be used again.",
    },
    {
        .name = GSSAPI_END_OPTION,
        .type = AUTH_OPTION_BOOLEAN,
        .change = AUTH_CHANGE_RESPAWN,
        .preset = "true",
        .sentence = "End a session when its ticket ends.",
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

/* ---- reading ---- */

bool
gssapi_option_lists(const struct auth_config *config, const char *name, const char *value)
{
    const char *present;

    for (unsigned i = 0; (present = config->value(config->ctx, name, i)) != NULL; i++)
        if (strcmp(present, value) == 0)
            return true;
    return false;
}

bool
gssapi_option_is(const struct auth_config *config, const char *name)
{
    const char *text = config->value(config->ctx, name, 0);

    return text != NULL && strcmp(text, "true") == 0;
}

int
gssapi_level_of(const char *word)
{
    for (int i = 0; protections[i] != NULL; i++)
        if (strcmp(protections[i], word) == 0)
            return i;
    return -1;
}

/* ---- checks ---- */

static bool
service_sound(const char *name)
{
    const size_t len = strlen(name);

    if (len == 0 || len > SERVICE_MAX || strpbrk(name, "/@\\ ") != NULL)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    return true;
}

static int
services_check(const struct auth_config *config, char *error, size_t size)
{
    const char *name;

    for (unsigned i = 0;
         (name = config->value(config->ctx, GSSAPI_SERVICE_OPTION, i)) != NULL; i++) {
        if (service_sound(name))
            continue;
        (void)snprintf(error, size,
            "service: \"%s\" is no service name; write the part before the slash, such as \"rcmd\"",
            name);
        return -1;
    }
    return 0;
}

/* A list that must have something in it. */
static int
list_check(const struct auth_config *config, const char *name, const char *allowed, char *error,
    size_t size)
{
    if (config->value(config->ctx, name, 0) != NULL)
        return 0;
    (void)snprintf(error, size, "%s is an empty list; allowed: %s", name, allowed);
    return -1;
}

static int
path_check(const struct auth_config *config, const char *name, bool may_be_empty, char *error,
    size_t size)
{
    const char *path = config->value(config->ctx, name, 0);

    if (path == NULL)
        path = "";
    if (path[0] == '/' || (path[0] == '\0' && may_be_empty))
        return 0;
    (void)snprintf(error, size, "%s = \"%s\" is no absolute path%s", name, path,
        may_be_empty ? "; \"\" for none" : "; name the keytab file");
    return -1;
}

int
gssapi_check(const struct auth_config *config, char *error, size_t size)
{
    if (path_check(config, GSSAPI_KEYTAB_OPTION, false, error, size) != 0 ||
        path_check(config, GSSAPI_REPLAY_OPTION, true, error, size) != 0 ||
        services_check(config, error, size) != 0)
        return -1;
    if (list_check(config, GSSAPI_PROTECTION_OPTION,
            "\"none\", \"integrity\", \"confidentiality\", \"selective\"", error, size) != 0)
        return -1;
    return list_check(config, GSSAPI_MECHANISMS_OPTION, "\"krb5\", \"spnego\"", error, size);
}
