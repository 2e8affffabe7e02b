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
