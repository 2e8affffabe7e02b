/* SPDX-License-Identifier: ISC */
/*
 * What an administrator is told about a keytab that cannot serve: which file, what it lacks, what it
 * holds instead, what is allowed. Serves -t, the start and every new generation of the file. Lists in
 * messages end in "..." where they do not fit.
 */
#include "auth/gssapi/gssapi_options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/gssapi/gssapi_enctype.h"
#include "auth/gssapi/gssapi_keytab.h"

#define LIST_MAX 240      /* bytes of a list inside a message */
#define PRINCIPAL_MAX 160 /* bytes of a principal inside a message */

/* Things named once each, separated by commas. */
struct list {
    char text[LIST_MAX];
    size_t len;
    bool cut;
};

struct check {
    const struct auth_config *config;
    const char *where;
    char *error;
    size_t size;
    unsigned keys;         /* in the file */
    unsigned service_keys; /* of services that are accepted */
    unsigned usable;       /* of those: with an enctype that is allowed */
    struct list principals, enctypes;
};

static int check_fail(const struct check *c, const char *fmt, ...) SP_PRINTF(2, 3);

static int
check_fail(const struct check *c, const char *fmt, ...)
{
    va_list args;
    const int n = snprintf(c->error, c->size, "%s: ", c->where);

    if (n < 0 || (size_t)n >= c->size)
        return -1;
    va_start(args, fmt);
    const int m = vsnprintf(c->error + n, c->size - (size_t)n, fmt, args);
    va_end(args);
    if (m < 0)
        c->error[n] = '\0';
    return -1;
}

static bool
list_has(const struct list *l, const char *text)
{
    const size_t len = strlen(text);

    for (const char *at = l->text; (at = strstr(at, text)) != NULL; at += len)
        if ((at == l->text || at[-1] == ' ') && (at[len] == '\0' || at[len] == ','))
            return true;
    return false;
}

static void
list_add(struct list *l, const char *text)
{
    const char *mark = l->len > 0 ? ", " : "";
    const size_t wanted = strlen(mark) + strlen(text);

    if (l->cut || list_has(l, text))
        return;
    l->cut = wanted + sizeof ", ..." > sizeof l->text - l->len;
    const int n = snprintf(l->text + l->len, sizeof l->text - l->len, "%s%s", mark,
        l->cut ? "..." : text);

    if (n > 0)
        l->len += (size_t)n;
}

/* ---- looking ---- */

/* Without a list every service is accepted. */
static bool
is_accepted(const struct auth_config *config, const struct gssapi_keytab_entry *entry)
{
    const char *service = config->value(config->ctx, GSSAPI_SERVICE_OPTION, 0);

    if (service == NULL)
        return true;
    for (unsigned i = 0;
         (service = config->value(config->ctx, GSSAPI_SERVICE_OPTION, i)) != NULL; i++)
        if (gssapi_keytab_is_service(entry, service))
            return true;
    return false;
}

static void
enctype_add(struct list *l, const struct gssapi_keytab_entry *entry)
{
    const char *name = gssapi_enctype_name(entry->enctype);
    char text[96];
    int n;

    if (gssapi_enctype_key_len(entry->enctype) != 0)
        n = snprintf(text, sizeof text, "%s with a key of %zu bytes", name, entry->key_len);
    else if (name != NULL)
        n = snprintf(text, sizeof text, "%s", name);
    else
        n = snprintf(text, sizeof text, "number %d", (int)entry->enctype);
    if (n > 0)
        list_add(l, text);
}

static void
entry_look(struct check *c, const struct gssapi_keytab_entry *entry)
{
    char principal[PRINCIPAL_MAX];

    gssapi_keytab_principal(entry, principal, sizeof principal);
    c->keys++;
    list_add(&c->principals, principal);
    if (!is_accepted(c->config, entry))
        return;
    c->service_keys++;
    if (gssapi_keytab_is_usable(entry))
        c->usable++;
    else
        enctype_add(&c->enctypes, entry);
}

static int
file_look(struct check *c, const void *data, size_t len)
{
    struct gssapi_keytab keytab;
    struct gssapi_keytab_entry entry;
    int more;

    if (gssapi_keytab_begin(&keytab, data, len) != 0)
        return check_fail(c, "%s", keytab.error);
    while ((more = gssapi_keytab_next(&keytab, &entry)) > 0)
        entry_look(c, &entry);
    if (more < 0)
        return check_fail(c, "entry %u, at octet %zu: %s", c->keys + 1, keytab.at, keytab.error);
    return 0;
}

/* ---- judging ---- */

/* The services accepted, for a message. */
static void
services_list(const struct auth_config *config, struct list *out)
{
    const char *service;

    *out = (struct list) { .len = 0 };
    for (unsigned i = 0;
         (service = config->value(config->ctx, GSSAPI_SERVICE_OPTION, i)) != NULL; i++)
        list_add(out, service);
}

int
gssapi_check_file(const struct auth_config *config, const char *name, const char *where,
    const void *data, size_t len, char *error, size_t size)
{
    struct check c = { .config = config, .where = where, .error = error, .size = size };
    struct list services;

    (void)name; /* there is one file option */
    if (file_look(&c, data, len) != 0)
        return -1;
    services_list(config, &services);
    if (c.keys == 0)
        return check_fail(&c,
            "the keytab holds no key; put one in with: kadmin -q \"ktadd -k %s %s/HOST\"", where,
            services.len > 0 ? config->value(config->ctx, GSSAPI_SERVICE_OPTION, 0) : "rcmd");
    if (c.service_keys == 0)
        return check_fail(&c, "no key for service %s; the keytab holds %s", services.text,
            c.principals.text);
    if (c.usable == 0)
        return check_fail(&c,
            "the keys for %s have only encryption types that are not accepted: %s; "
            "allowed: " GSSAPI_ENCTYPES_ALLOWED,
            services.len > 0 ? services.text : "its services", c.enctypes.text);
    return 0;
}
