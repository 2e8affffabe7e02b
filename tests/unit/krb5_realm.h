/* SPDX-License-Identifier: ISC */
/*
 * A throwaway Kerberos realm for tests and measurements: a real KDC on a free port of loopback,
 * with everything it has in a folder of its own under TMPDIR, and security contexts of libgssapi
 * made with it in this process. The KDC ends with realm_stop(), and with this process at the
 * latest.
 */
#ifndef SP_TESTS_UNIT_KRB5_REALM_H
#define SP_TESTS_UNIT_KRB5_REALM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <gssapi/gssapi.h>

#include "lib/krb5msg/krb5msg.h"

struct realm {
    char folder[256];
    pid_t kdc;
    gss_cred_id_t client; /* of alice, with a ticket */
    gss_cred_id_t server; /* of rcmd/gateway, from a keytab */
    gss_name_t service;
};

/* False after having said on standard error what is missing. Sets KRB5_CONFIG and its like. */
bool realm_start(struct realm *r);
void realm_stop(struct realm *r);

/* More of a realm. Each is false after having said on standard error what failed. */

/* One query of kadmin.local: "addprinc -randkey socks/gateway". */
bool realm_admin(const struct realm *r, const char *query);
/* The path of a file in the realm's folder. */
bool realm_path(const struct realm *r, const char *name, char *out, size_t size);
/* A ticket of principal (its password is its name) in the credential cache, by its type and name. */
bool realm_login(const char *principal, const char *ccache);
/* As if the KDC were down. */
void realm_end_kdc(struct realm *r);

/* The two ends of a context with this enctype; without mutual there is no acceptor subkey. */
struct realm_pair {
    gss_ctx_id_t initiator;
    gss_ctx_id_t acceptor;
};

bool realm_pair_make(const struct realm *r, int32_t enctype, bool mutual, struct realm_pair *out);
void realm_pair_free(struct realm_pair *pair);

/* What the gateway does: exports the end, which is gone afterwards, into a context of ours. */
bool realm_import(gss_ctx_id_t *end, struct krb5msg **out, struct krb5msg_import *seen);

#endif
