/* SPDX-License-Identifier: ISC */
/*
 * The client's login, on libgssapi with the person's own tickets. Serves src/client. Errors are texts
 * that say what to do next; nothing is fatal here.
 */
#include "auth/gssapi/gssapi_initiator.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5/krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/gssapi/gssapi_blob.h"
#include "auth/gssapi/gssapi_enctype.h"
#include "auth/gssapi/gssapi_export.h"
#include "auth/gssapi/gssapi_status.h"

#define ROUNDS_MAX 8
#define TARGET_SIZE 320 /* service@host with its NUL: a word and a name of 253 */

/* RFC 1961 section 3 wants these of a client; delegation is never among them. */
#define FLAGS_WANTED                                                                               \
    (GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG)
/* Without these there is nothing to go on with. */
#define FLAGS_NEEDED (GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG)

struct gssapi_initiator {
    char target[TARGET_SIZE];
    gss_name_t name;
    gss_cred_id_t cred;
    gss_ctx_id_t context;
    gss_buffer_desc token; /* the last one to send, libgssapi's */
    OM_uint32 flags;
    unsigned rounds;
    bool established;
};

/* ---- what a person is told ---- */

struct complaint {
    OM_uint32 code;
    const char *format; /* the only argument: service@host */
};

#define NO_TICKET "no Kerberos ticket: run kinit"
#define EXPIRED "the Kerberos ticket has expired: run kinit"
#define NO_SERVICE                                                                                 \
    "the KDC knows no service %s: is the gateway's name right, and does it have a keytab?"
#define NO_KDC "no KDC of the realm can be reached: see krb5.conf and the network"
#define CLOCKS "the clocks of this machine and of the KDC differ too much"

/* clang-format off */
static const struct complaint by_minor[] = {
    { (OM_uint32)KRB5_CC_NOTFOUND, NO_TICKET },
    { (OM_uint32)KRB5_FCC_NOFILE, NO_TICKET },
    { (OM_uint32)KRB5_CC_END, NO_TICKET },
    { (OM_uint32)KRB5KRB_AP_ERR_TKT_EXPIRED, EXPIRED },
    { (OM_uint32)KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, NO_SERVICE },
    { (OM_uint32)KRB5_KDC_UNREACH, NO_KDC },
    { (OM_uint32)KRB5_REALM_UNKNOWN, NO_KDC },
    { (OM_uint32)KRB5_REALM_CANT_RESOLVE, NO_KDC },
    { (OM_uint32)KRB5KRB_AP_ERR_SKEW, CLOCKS },
    { (OM_uint32)KRB5_KDCREP_SKEW, CLOCKS },
};
static const struct complaint by_major[] = {
    { GSS_S_NO_CRED, NO_TICKET },
    { GSS_S_CREDENTIALS_EXPIRED, EXPIRED },
    { GSS_S_DEFECTIVE_TOKEN, "the gateway answered with a token that makes no sense" },
};
/* clang-format on */

static const struct complaint *
complaint_find(const struct complaint *rows, size_t count, OM_uint32 code)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}

/* Writes the format, in which %s stands for the target. */
static void
complaint_write(const char *format, const char *target, char *error, size_t size)
{
    const char *place = strstr(format, "%s");

    if (place == NULL)
        (void)snprintf(error, size, "%s", format);
    else
        (void)snprintf(error, size, "%.*s%s%s", (int)(place - format), format, target, place + 2);
}

static void
complain(const struct gssapi_initiator *i, OM_uint32 major, OM_uint32 minor, char *error,
    size_t size)
{
    const struct complaint *found = complaint_find(by_minor, SP_COUNT(by_minor), minor);

    if (found == NULL)
        found = complaint_find(by_major, SP_COUNT(by_major), GSS_ROUTINE_ERROR(major));
    if (found != NULL)
        complaint_write(found->format, i->target, error, size);
    else
        gssapi_status_text("Kerberos", major, minor, error, size);
}

/* ---- the beginning ---- */

static int
name_import(struct gssapi_initiator *i, const char *service, const char *host, char *error,
    size_t size)
{
    OM_uint32 minor;
    const int n = snprintf(i->target, sizeof i->target, "%s@%s", service, host);

    if (n < 0 || (size_t)n >= sizeof i->target || service[0] == '\0' || host[0] == '\0') {
        (void)snprintf(error, size, "\"%.64s@%.64s\" names no service", service, host);
        return -1;
    }
    gss_buffer_desc text = { (size_t)n, i->target };
    const OM_uint32 major =
        gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &i->name);

    if (major == GSS_S_COMPLETE)
        return 0;
    complain(i, major, minor, error, size);
    return -1;
}

static void
cache_complain(krb5_context krb5, krb5_error_code code, char *error, size_t size)
{
    const char *text = krb5_get_error_message(krb5, code);

    if (code == KRB5_FCC_NOFILE || code == KRB5_CC_NOTFOUND)
        (void)snprintf(error, size, NO_TICKET);
    else
        (void)snprintf(error, size, "no Kerberos ticket: %s; run kinit", text);
    krb5_free_error_message(krb5, text);
}

/* Where the first of the person's caches cannot be read libkrb5 1.20 frees a name that it never had
   (krb5_cccol_have_content) and crashes: so we look before it does. Without any cache it is fine. */
static int
caches_look(krb5_context krb5, char *error, size_t size)
{
    krb5_cccol_cursor cursor;
    krb5_ccache first = NULL;
    krb5_principal name = NULL;
    krb5_error_code code = 0;

    if (krb5_cccol_cursor_new(krb5, &cursor) != 0)
        return 0;
    if (krb5_cccol_cursor_next(krb5, cursor, &first) == 0 && first != NULL) {
        code = krb5_cc_get_principal(krb5, first, &name);
        if (code != 0)
            cache_complain(krb5, code, error, size);
        krb5_free_principal(krb5, code == 0 ? name : NULL);
        (void)krb5_cc_close(krb5, first);
    }
    (void)krb5_cccol_cursor_free(krb5, &cursor);
    return code == 0 ? 0 : -1;
}

/* A keytab of the client's own makes tickets; then libgssapi looks into no cache before. */
static bool
client_keytab(krb5_context krb5)
{
    krb5_keytab keytab;

    if (krb5_kt_client_default(krb5, &keytab) != 0)
        return false;
    const bool there = krb5_kt_have_content(krb5, keytab) == 0;

    (void)krb5_kt_close(krb5, keytab);
    return there;
}

/* What is wrong with krb5.conf libgssapi will say itself. */
static int
caches_check(char *error, size_t size)
{
    krb5_context krb5 = NULL;

    if (krb5_init_context(&krb5) != 0)
        return 0;
    const int result = client_keytab(krb5) ? 0 : caches_look(krb5, error, size);

    krb5_free_context(krb5);
    return result;
}

static int
credential_find(struct gssapi_initiator *i, char *error, size_t size)
{
    krb5_enctype enctypes[GSSAPI_ENCTYPES];
    gss_OID_set_desc krb5 = { 1, (gss_OID)gss_mech_krb5 };
    OM_uint32 minor;

    if (caches_check(error, size) != 0)
        return -1;
    OM_uint32 major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &krb5,
        GSS_C_INITIATE, &i->cred, NULL, NULL);

    for (size_t at = 0; at < GSSAPI_ENCTYPES; at++)
        enctypes[at] = gssapi_enctypes[at];
    if (major == GSS_S_COMPLETE)
        major = gss_krb5_set_allowable_enctypes(&minor, i->cred, GSSAPI_ENCTYPES, enctypes);
    if (major == GSS_S_COMPLETE)
        return 0;
    complain(i, major, minor, error, size);
    return -1;
}

struct gssapi_initiator *
gssapi_initiator_new(const char *service, const char *host, char *error, size_t size)
{
    struct gssapi_initiator *i = calloc(1, sizeof *i);

    if (i == NULL) {
        (void)snprintf(error, size, "out of memory");
        return NULL;
    }
    if (name_import(i, service, host, error, size) != 0 || credential_find(i, error, size) != 0)
        gssapi_initiator_free(&i);
    return i;
}

void
gssapi_initiator_free(struct gssapi_initiator **initiator)
{
    struct gssapi_initiator *i = *initiator;
    OM_uint32 minor;

    *initiator = NULL;
    if (i == NULL)
        return;
    (void)gss_release_buffer(&minor, &i->token);
    if (i->context != GSS_C_NO_CONTEXT)
        (void)gss_delete_sec_context(&minor, &i->context, GSS_C_NO_BUFFER);
    if (i->cred != GSS_C_NO_CREDENTIAL)
        (void)gss_release_cred(&minor, &i->cred);
    if (i->name != GSS_C_NO_NAME)
        (void)gss_release_name(&minor, &i->name);
    free(i);
}

/* ---- rounds ---- */

static int
established(struct gssapi_initiator *i, char *error, size_t size)
{
    if ((i->flags & FLAGS_NEEDED) != FLAGS_NEEDED) {
        (void)snprintf(error, size, "the gateway did not prove who it is, or cannot protect messages");
        return -1;
    }
    i->established = true;
    return 1;
}

int
gssapi_initiator_step(struct gssapi_initiator *initiator, const void *in, size_t len,
    const void **out, size_t *out_len, char *error, size_t size)
{
    struct gssapi_initiator *i = initiator;
    gss_buffer_desc token = { len, (void *)(uintptr_t)in };
    OM_uint32 minor;

    *out = NULL;
    *out_len = 0;
    (void)gss_release_buffer(&minor, &i->token);
    if (i->established || ++i->rounds > ROUNDS_MAX) {
        (void)snprintf(error, size, "the gateway goes on where the login should have ended");
        return -1;
    }
    const OM_uint32 major = gss_init_sec_context(&minor, i->cred, &i->context, i->name,
        (gss_OID)gss_mech_krb5, FLAGS_WANTED, 0, GSS_C_NO_CHANNEL_BINDINGS,
        in != NULL ? &token : GSS_C_NO_BUFFER, NULL, &i->token, &i->flags, NULL);

    if (GSS_ERROR(major)) {
        complain(i, major, minor, error, size);
        return -1;
    }
    *out = i->token.value;
    *out_len = i->token.length;
    return (major & GSS_S_CONTINUE_NEEDED) != 0 ? 0 : established(i, error, size);
}

size_t
gssapi_initiator_export(struct gssapi_initiator *initiator, uint8_t *blob, size_t blob_size,
    char *error, size_t size)
{
    struct gssapi_context context = { .key_len = 0 };
    int64_t end;
    const char *reason = "not established";
    size_t len = 0;

    if (initiator->established)
        reason = gssapi_export(&initiator->context, initiator->flags, &context, &end);
    initiator->established = false;
    if (reason == NULL)
        len = gssapi_blob_encode(&context, blob, blob_size);
    explicit_bzero(&context, sizeof context);
    if (len == 0)
        (void)snprintf(error, size, "the Kerberos session cannot be used: %s",
            reason != NULL ? reason : "no room for it");
    return len;
}
