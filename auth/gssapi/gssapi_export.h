/* SPDX-License-Identifier: ISC */
/*
 * From an established context of libgssapi to what lib/krb5msg needs of it: the lucid context.
 * Serves acceptor and initiator.
 */
#ifndef SP_AUTH_GSSAPI_EXPORT_H
#define SP_AUTH_GSSAPI_EXPORT_H

#include <gssapi/gssapi.h>
#include <stdint.h>

#include "auth/gssapi/gssapi_blob.h"
#include "lib/base/attr.h"

/* Exports and destroys the context (also when it fails): before any per-message call. flags are those
   its establishment gave. *end: when the ticket ends, wall clock seconds. NULL, or a word for the audit,
   constant, and then nothing is in out. The caller zeroes out. */
const char *gssapi_export(gss_ctx_id_t *context, uint32_t flags, struct gssapi_context *out,
    int64_t *end) SP_MUST_USE;

#endif
