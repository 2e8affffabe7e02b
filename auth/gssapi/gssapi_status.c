/* SPDX-License-Identifier: ISC */
/*
 * Status codes in words. libgssapi passes the codes of libkrb5 on as minor status; the major one is
 * for what has no code there. Serves acceptor and initiator. Nothing fails here.
 */
#include "auth/gssapi/gssapi_status.h"

#include <errno.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5/krb5.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/base/attr.h"

struct status_row {
    OM_uint32 code;
    const char *reason;
};

/* clang-format off */
static const struct status_row minors[] = {
    { (OM_uint32)KRB5KRB_AP_ERR_TKT_EXPIRED, "ticket-expired" },
    { (OM_uint32)KRB5KRB_AP_ERR_TKT_NYV, "ticket-not-yet-valid" },
    { (OM_uint32)KRB5KRB_AP_ERR_TKT_INVALID, "ticket-not-yet-valid" },
    { (OM_uint32)KRB5KRB_AP_ERR_SKEW, "clock-skew" },
    { (OM_uint32)KRB5KRB_AP_ERR_REPEAT, "replayed-token" },
    /* No key of that principal, and one of it with another version: different mistakes. */
    { (OM_uint32)KRB5KRB_AP_WRONG_PRINC, "key-not-found" },
    { (OM_uint32)KRB5KRB_AP_ERR_NOT_US, "key-not-found" },
    { (OM_uint32)KRB5KRB_AP_ERR_NOKEY, "key-not-found" },
    { (OM_uint32)KRB5_KT_NOTFOUND, "key-not-found" },
    { (OM_uint32)KRB5KRB_AP_ERR_BADKEYVER, "key-version-not-found" },
    { (OM_uint32)KRB5_KT_KVNONOTFOUND, "key-version-not-found" },
    { (OM_uint32)KRB5_NOPERM_ETYPE, "enctype-not-allowed" },
    { (OM_uint32)KRB5_BAD_ENCTYPE, "enctype-not-allowed" },
    { (OM_uint32)KRB5_PROG_ETYPE_NOSUPP, "enctype-not-allowed" },
    { (OM_uint32)KRB5KDC_ERR_ETYPE_NOSUPP, "enctype-not-allowed" },
    { (OM_uint32)KRB5KRB_AP_ERR_BAD_INTEGRITY, "bad-token" },
    { (OM_uint32)KRB5KRB_AP_ERR_MODIFIED, "bad-token" },
    { (OM_uint32)KRB5KRB_AP_ERR_BADMATCH, "bad-token" },
    { (OM_uint32)KRB5KRB_AP_ERR_BADVERSION, "malformed-token" },
    { (OM_uint32)KRB5KRB_AP_ERR_MSG_TYPE, "malformed-token" },
    { (OM_uint32)KRB5_RC_IO, "replay-cache-failed" },
    { (OM_uint32)KRB5_RC_IO_PERM, "replay-cache-failed" },
    { (OM_uint32)KRB5_RC_IO_SPACE, "replay-cache-failed" },
    { (OM_uint32)KRB5_RC_IO_IO, "replay-cache-failed" },
    { (OM_uint32)KRB5_RC_IO_UNKNOWN, "replay-cache-failed" },
    { (OM_uint32)KRB5_RC_IO_EOF, "replay-cache-failed" },
    { (OM_uint32)KRB5_RC_IO_MALLOC, "out-of-memory" },
    { (OM_uint32)KRB5_KT_IOERR, "keytab-unreadable" },
    { (OM_uint32)KRB5_KT_FORMAT, "keytab-unreadable" },
    { (OM_uint32)KRB5_KEYTAB_BADVNO, "keytab-unreadable" },
    /* The keytab is a descriptor of ours: what the system refuses is the cache's file. */
    { ENOENT, "replay-cache-failed" },
    { EACCES, "replay-cache-failed" },
    { EPERM, "replay-cache-failed" },
    { EROFS, "replay-cache-failed" },
    { ENOSPC, "replay-cache-failed" },
    { EDQUOT, "replay-cache-failed" },
    { EIO, "replay-cache-failed" },
    { EMFILE, "out-of-descriptors" },
    { ENFILE, "out-of-descriptors" },
    { ENOMEM, "out-of-memory" },
};

static const struct status_row majors[] = {
    { GSS_S_DEFECTIVE_TOKEN, "malformed-token" },
    { GSS_S_BAD_MECH, "wrong-mechanism" },
    { GSS_S_NO_CRED, "wrong-mechanism" },
    { GSS_S_DUPLICATE_TOKEN, "replayed-token" },
    { GSS_S_OLD_TOKEN, "replayed-token" },
    { GSS_S_BAD_BINDINGS, "wrong-channel-binding" },
    { GSS_S_CREDENTIALS_EXPIRED, "ticket-expired" },
};
/* clang-format on */

static const char *
row_find(const struct status_row *rows, size_t count, OM_uint32 code)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].code == code)
            return rows[i].reason;
    return NULL;
}

const char *
gssapi_status_reason(OM_uint32 major, OM_uint32 minor)
{
    const char *reason = row_find(minors, SP_COUNT(minors), minor);

    if (reason == NULL)
        reason = row_find(majors, SP_COUNT(majors), GSS_ROUTINE_ERROR(major));
    return reason != NULL ? reason : "bad-token";
}

/* The first text of one code; false when there is none. */
static bool
status_put(OM_uint32 code, int type, gss_OID mechanism, char *out, size_t size)
{
    OM_uint32 ignored;
    OM_uint32 more = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    const OM_uint32 major = gss_display_status(&ignored, code, type, mechanism, &more, &text);
    const bool there = major == GSS_S_COMPLETE && text.length > 0;

    if (there)
        (void)snprintf(out, size, "%.*s", (int)text.length, (const char *)text.value);
    (void)gss_release_buffer(&ignored, &text);
    return there;
}

void
gssapi_status_text(const char *what, OM_uint32 major, OM_uint32 minor, char *error, size_t size)
{
    const int n = snprintf(error, size, "%s: ", what);

    if (n < 0 || (size_t)n >= size)
        return;
    if (minor != 0 &&
        status_put(minor, GSS_C_MECH_CODE, (gss_OID)gss_mech_krb5, error + n, size - (size_t)n))
        return;
    (void)status_put(major, GSS_C_GSS_CODE, GSS_C_NO_OID, error + n, size - (size_t)n);
}
