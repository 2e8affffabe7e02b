/* SPDX-License-Identifier: ISC */
/* What libgssapi's status codes mean: a word for the audit, or a text for a person. */
#ifndef SP_AUTH_GSSAPI_STATUS_H
#define SP_AUTH_GSSAPI_STATUS_H

#include <gssapi/gssapi.h>
#include <stddef.h>

/* Why a token was not accepted: constant, never NULL. */
const char *gssapi_status_reason(OM_uint32 major, OM_uint32 minor);

/* What the library itself says, into error behind what was tried ("WHAT: TEXT"). */
void gssapi_status_text(const char *what, OM_uint32 major, OM_uint32 minor, char *error,
    size_t size);

#endif
