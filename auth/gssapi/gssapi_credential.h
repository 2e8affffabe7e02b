/* SPDX-License-Identifier: ISC */
/* The acceptor's credential: one for each generation of the keytab. */
#ifndef SP_AUTH_GSSAPI_CREDENTIAL_H
#define SP_AUTH_GSSAPI_CREDENTIAL_H

#include <gssapi/gssapi.h>
#include <stddef.h>

#include "auth/auth_module.h"
#include "lib/base/attr.h"

struct gssapi_credential {
    gss_cred_id_t cred;
    int fd; /* of its keytab; libkrb5 opens it anew, by name, for each token */
};

/* A credential for any usable key of the keytab, with the section's mechanisms and replay cache, and
   the enctypes of lib/krb5msg alone. 0, or -1 with error filled. */
int gssapi_credential_open(struct gssapi_credential *out, const void *keytab, size_t len,
    const struct auth_config *config, char *error, size_t size) SP_MUST_USE;
void gssapi_credential_close(struct gssapi_credential *credential);

#endif
