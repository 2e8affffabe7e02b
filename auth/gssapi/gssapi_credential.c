/* SPDX-License-Identifier: ISC */
/*
 * libkrb5 takes names, not descriptors: a sealed copy of the keytab is /proc/self/fd/N of a
 * descriptor that lives as long as the credential. Mechanisms are listed, or a client would reach
 * SPNEGO before it is anybody. Serves the pool; every error is a text.
 */
#include "auth/gssapi/gssapi_credential.h"

#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth/gssapi/gssapi_enctype.h"
#include "auth/gssapi/gssapi_keytab.h"
#include "auth/gssapi/gssapi_options.h"
#include "auth/gssapi/gssapi_status.h"
#include "lib/base/fd.h"

#define KEYTAB_NAME_MAX 64
#define CACHE_NAME "tokens" /* the replay cache's file, shared by the pool */

static char spnego_oid[] = "\x2b\x06\x01\x05\x05\x02";
static gss_OID_desc spnego = { sizeof spnego_oid - 1, spnego_oid };

/* The replay cache as libkrb5 names it, "none:" without one. */
static int
cache_name(const struct auth_config *config, char *out, size_t room, char *error, size_t size)
{
    const char *folder = config->value(config->ctx, GSSAPI_REPLAY_OPTION, 0);
    int n;

    if (folder == NULL || folder[0] == '\0') {
        n = snprintf(out, room, "none:");
    } else if (access(folder, R_OK | W_OK | X_OK) != 0) {
        (void)snprintf(error, size, "replay-cache %s: %s", folder, strerror(errno));
        return -1;
    } else {
        n = snprintf(out, room, "file2:%s/" CACHE_NAME, folder);
    }
    if (n > 0 && (size_t)n < room)
        return 0;
    (void)snprintf(error, size, "replay-cache: the path is too long");
    return -1;
}

static gss_OID_set_desc
mechanism_set(const struct auth_config *config, gss_OID_desc room[2])
{
    gss_OID_set_desc set = { 0, room };

    if (gssapi_option_lists(config, GSSAPI_MECHANISMS_OPTION, "krb5"))
        room[set.count++] = *gss_mech_krb5;
    if (gssapi_option_lists(config, GSSAPI_MECHANISMS_OPTION, "spnego"))
        room[set.count++] = spnego;
    return set;
}

static int
credential_acquire(gss_cred_id_t *out, int fd, const struct auth_config *config, char *error,
    size_t size)
{
    char cache[PATH_MAX + 32];
    char keytab[KEYTAB_NAME_MAX];
    gss_key_value_element_desc elements[] = { { "keytab", keytab }, { "rcache", cache } };
    const gss_key_value_set_desc store = { SP_COUNT(elements), elements };
    gss_OID_desc room[2];
    gss_OID_set_desc mechanisms = mechanism_set(config, room);
    OM_uint32 minor;
    const int n = snprintf(keytab, sizeof keytab, "FILE:/proc/self/fd/%d", fd);

    if (n < 0 || (size_t)n >= sizeof keytab ||
        cache_name(config, cache, sizeof cache, error, size) != 0)
        return -1;
    const OM_uint32 major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE,
        &mechanisms, GSS_C_ACCEPT, &store, out, NULL, NULL);

    if (major == GSS_S_COMPLETE)
        return 0;
    gssapi_status_text("the keytab gives no credential", major, minor, error, size);
    return -1;
}

/* Only enctypes a worker can seal with, and nothing but Kerberos inside SPNEGO. */
static int
credential_restrict(gss_cred_id_t cred, const struct auth_config *config, char *error, size_t size)
{
    krb5_enctype enctypes[GSSAPI_ENCTYPES];
    gss_OID_set_desc krb5 = { 1, (gss_OID)gss_mech_krb5 };
    OM_uint32 minor;

    for (size_t i = 0; i < GSSAPI_ENCTYPES; i++)
        enctypes[i] = gssapi_enctypes[i];
    OM_uint32 major = gss_krb5_set_allowable_enctypes(&minor, cred, GSSAPI_ENCTYPES, enctypes);

    if (major != GSS_S_COMPLETE) {
        gssapi_status_text("restricting encryption types", major, minor, error, size);
        return -1;
    }
    if (!gssapi_option_lists(config, GSSAPI_MECHANISMS_OPTION, "spnego"))
        return 0;
    major = gss_set_neg_mechs(&minor, cred, &krb5);
    if (major == GSS_S_COMPLETE)
        return 0;
    gssapi_status_text("restricting SPNEGO to Kerberos", major, minor, error, size);
    return -1;
}

int
gssapi_credential_open(struct gssapi_credential *out, const void *keytab, size_t len,
    const struct auth_config *config, char *error, size_t size)
{
    *out = (struct gssapi_credential) {
        .cred = GSS_C_NO_CREDENTIAL,
        .fd = gssapi_keytab_usable(keytab, len),
    };
    if (out->fd < 0) {
        (void)snprintf(error, size, "keytab: %s", strerror(errno));
        return -1;
    }
    if (credential_acquire(&out->cred, out->fd, config, error, size) == 0 &&
        credential_restrict(out->cred, config, error, size) == 0)
        return 0;
    gssapi_credential_close(out);
    return -1;
}

void
gssapi_credential_close(struct gssapi_credential *credential)
{
    OM_uint32 minor;

    if (credential->cred != GSS_C_NO_CREDENTIAL)
        (void)gss_release_cred(&minor, &credential->cred);
    fd_close(&credential->fd);
}
