/* SPDX-License-Identifier: ISC */
/*
 * The lucid export. Its recv_seq is the one the peer began with, whatever was unwrapped since: so it
 * comes right after the context stands. Serves acceptor and initiator. Every error is a word.
 */
#include "auth/gssapi/gssapi_export.h"

#include <gssapi/gssapi_krb5.h>
#include <string.h>

#include "auth/gssapi/gssapi_enctype.h"

#define LUCID_VERSION 1
#define PROTOCOL_CFX 1 /* RFC 4121; 0 is the older format of RFC 1964 */

static const char *
key_take(const gss_krb5_lucid_key_t *key, struct gssapi_context *out)
{
    const size_t wanted = gssapi_enctype_key_len((int32_t)key->type);

    if (wanted == 0)
        return "enctype-not-allowed";
    if (key->length != wanted || wanted > sizeof out->key)
        return "bad-context";
    out->enctype = (int32_t)key->type;
    out->key_len = wanted;
    memcpy(out->key, key->data, wanted);
    return NULL;
}

static const char *
lucid_take(const gss_krb5_lucid_context_v1_t *lucid, struct gssapi_context *out)
{
    if (lucid->version != LUCID_VERSION)
        return "bad-context";
    if (lucid->protocol != PROTOCOL_CFX)
        return "enctype-not-allowed"; /* only the old enctypes have the old format */
    out->role = lucid->initiate != 0 ? KRB5MSG_INITIATOR : KRB5MSG_ACCEPTOR;
    out->acceptor_subkey = lucid->cfx_kd.have_acceptor_subkey != 0;
    out->send_seq = lucid->send_seq;
    out->recv_seq = lucid->recv_seq;
    return key_take(
        out->acceptor_subkey ? &lucid->cfx_kd.acceptor_subkey : &lucid->cfx_kd.ctx_key, out);
}

const char *
gssapi_export(gss_ctx_id_t *context, uint32_t flags, struct gssapi_context *out, int64_t *end)
{
    OM_uint32 minor;
    void *exported = NULL;
    const char *reason = "export-failed";

    *out = (struct gssapi_context) { .flags = flags };
    *end = 0;
    if (gss_krb5_export_lucid_sec_context(&minor, context, LUCID_VERSION, &exported) ==
        GSS_S_COMPLETE) {
        const gss_krb5_lucid_context_v1_t *lucid = exported;

        *end = lucid->endtime;
        reason = lucid_take(lucid, out);
        /* Zeroes its keys. */
        (void)gss_krb5_free_lucid_sec_context(&minor, exported);
    }
    if (*context != GSS_C_NO_CONTEXT)
        (void)gss_delete_sec_context(&minor, context, GSS_C_NO_BUFFER);
    if (reason != NULL)
        explicit_bzero(out, sizeof *out);
    return reason;
}
