/* SPDX-License-Identifier: ISC */
/*
 * Reading a keytab of MIT's format 0502: entry after entry, holes left out. Borrows into the
 * bytes given; keys are never looked at, only measured and copied. Serves the check of the configuration and
 * the pool before it hands the file to libkrb5.
 */
#ifndef SP_AUTH_GSSAPI_KEYTAB_H
#define SP_AUTH_GSSAPI_KEYTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"
#include "lib/base/cursor.h"

#define GSSAPI_KEYTAB_COMPONENTS 16U /* of the longest principal */

struct gssapi_text {
    const uint8_t *data;
    size_t len;
};

struct gssapi_keytab_entry {
    struct gssapi_text realm;
    struct gssapi_text components[GSSAPI_KEYTAB_COMPONENTS];
    unsigned count; /* of components, at least 1 */
    uint32_t kvno;
    int32_t enctype;
    size_t key_len;
    struct gssapi_text raw; /* all of it, its size in front */
};

struct gssapi_keytab {
    const uint8_t *start;
    struct cursor cursor;
    const char *error; /* what is wrong, once something is */
    size_t at;         /* octets into the file where the entry that is wrong begins */
};

/* 0, or -1 with keytab->error: not a file of this format. */
int gssapi_keytab_begin(struct gssapi_keytab *keytab, const void *data, size_t len) SP_MUST_USE;
/* 1 with the next entry, 0 at the end, -1 with keytab->error and keytab->at. */
int gssapi_keytab_next(struct gssapi_keytab *keytab, struct gssapi_keytab_entry *out) SP_MUST_USE;

/* A sealed memfd (lib/base/fd.h) with those entries alone that are usable: a ticket under another key,
   weaker than any session may be, finds none. -1 with errno. */
int gssapi_keytab_usable(const void *data, size_t len) SP_MUST_USE;

/* "rcmd/host@REALM", cut where it does not fit; what is not printable becomes '?'. */
void gssapi_keytab_principal(const struct gssapi_keytab_entry *entry, char *out, size_t size);
/* Whether the principal's first component is this one. */
bool gssapi_keytab_is_service(const struct gssapi_keytab_entry *entry, const char *service);
/* Whether lib/krb5msg can use a session under this key: enctype and length. */
bool gssapi_keytab_is_usable(const struct gssapi_keytab_entry *entry);

#endif
