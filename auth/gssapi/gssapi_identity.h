/* SPDX-License-Identifier: ISC */
/*
 * Who a principal is on this machine: the local account Kerberos' rules map it to, and that
 * account's groups. Serves the acceptor, in the pool's processes, where the files are. For one thread.
 */
#ifndef SP_AUTH_GSSAPI_IDENTITY_H
#define SP_AUTH_GSSAPI_IDENTITY_H

#include <gssapi/gssapi.h>
#include <krb5/krb5.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/auth_module.h"
#include "lib/base/attr.h"

#define GSSAPI_GROUPS_MAX (64U * 1024U) /* bytes of all group names with their NULs */

struct gssapi_identities {
    krb5_context krb5;
    uint8_t *groups; /* GSSAPI_GROUPS_MAX; what the last identity borrows */
    char *scratch;   /* for the database's records; grows */
    size_t scratch_size;
};

/* 0, or -1 with error filled. Free in any case. */
int gssapi_identities_open(struct gssapi_identities *ids, char *error, size_t size) SP_MUST_USE;
void gssapi_identities_close(struct gssapi_identities *ids);

/* Each of these: NULL, or a word for the audit, constant. */

/* The name with its realm, as libkrb5 writes it; never cut. "" with an error. */
const char *gssapi_identity_name(gss_name_t name, char *out, size_t size) SP_MUST_USE;
/* The first component of a name written so. */
const char *gssapi_identity_service(const struct gssapi_identities *ids, const char *name, char *out,
    size_t size) SP_MUST_USE;
/* identity's account and groups from its user. No account and an account that is in no database are
   fine. groups is a borrow until the next call. */
const char *gssapi_identity_account(struct gssapi_identities *ids,
    struct auth_identity *identity) SP_MUST_USE;

#endif
