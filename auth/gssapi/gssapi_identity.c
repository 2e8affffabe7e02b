/* SPDX-License-Identifier: ISC */
/*
 * Principal -> account -> groups. A database that cannot be asked fails the login: without the
 * groups a rule that denies one of them would not match. Serves the acceptor.
 */
#include "auth/gssapi/gssapi_identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cursor.h"

#define SCRATCH_MIN 4096U
#define SCRATCH_MAX (4U * 1024U * 1024U) /* a group's record lists its members */
#define GROUPS_FIRST 64
#define NO_GROUP "no group of this name" /* useradd allows no blank in one */
#define GROUPS_COUNT_MAX 65536 /* what the kernel allows a process */

int
gssapi_identities_open(struct gssapi_identities *ids, char *error, size_t size)
{
    *ids = (struct gssapi_identities) { .scratch_size = SCRATCH_MIN };
    ids->groups = malloc(GSSAPI_GROUPS_MAX);
    ids->scratch = malloc(ids->scratch_size);
    if (ids->groups == NULL || ids->scratch == NULL) {
        (void)snprintf(error, size, "out of memory");
        return -1;
    }
    const krb5_error_code code = krb5_init_context(&ids->krb5);

    if (code == 0)
        return 0;
    const char *text = krb5_get_error_message(NULL, code);

    (void)snprintf(error, size, "Kerberos: %s (see krb5.conf)", text);
    krb5_free_error_message(NULL, text);
    return -1;
}

void
gssapi_identities_close(struct gssapi_identities *ids)
{
    if (ids->krb5 != NULL)
        krb5_free_context(ids->krb5);
    free(ids->groups);
    free(ids->scratch);
    *ids = (struct gssapi_identities) { .krb5 = NULL };
}

/* ---- names ---- */

/* libkrb5 writes some octets as \n, \t, \b and \0, others as they are. A name with any of them is
   nobody's: as a C string it ends early (root\0x would have root's account), and an '@' inside a realm
   would pass for another realm in a rule for "*@REALM". */
static bool
name_sound(const char *text)
{
    bool realm = false;

    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
        if (*at == '@')
            realm = true;
        if (*at != '\\')
            continue;
        at++;
        if (*at == '\0' || strchr("ntb0", *at) != NULL || (realm && *at == '@'))
            return false;
    }
    return realm;
}

const char *
gssapi_identity_name(gss_name_t name, char *out, size_t size)
{
    OM_uint32 minor;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    const char *reason = NULL;

    out[0] = '\0';
    if (gss_display_name(&minor, name, &text, NULL) != GSS_S_COMPLETE || text.length == 0)
        reason = "no-name";
    else if (text.length >= size)
        reason = "name-too-long";
    else if (memchr(text.value, '\0', text.length) != NULL)
        reason = "bad-name";
    if (reason == NULL) {
        memcpy(out, text.value, text.length);
        out[text.length] = '\0';
        if (!name_sound(out)) {
            reason = "bad-name";
            out[0] = '\0';
        }
    }
    (void)gss_release_buffer(&minor, &text);
    return reason;
}

const char *
gssapi_identity_service(const struct gssapi_identities *ids, const char *name, char *out,
    size_t size)
{
    krb5_principal principal = NULL;
    const char *reason = "no-name";

    out[0] = '\0';
    if (krb5_parse_name(ids->krb5, name, &principal) != 0)
        return reason;
    if (principal->length > 0 && principal->data[0].length < size) {
        memcpy(out, principal->data[0].data, principal->data[0].length);
        out[principal->data[0].length] = '\0';
        reason = NULL;
    }
    krb5_free_principal(ids->krb5, principal);
    return reason;
}

/* ---- the account ---- */

/* The account the rules (auth_to_local) give, or "": a principal that none fits has none. */
static const char *
account_map(const struct gssapi_identities *ids, struct auth_identity *identity)
{
    krb5_principal principal = NULL;

    identity->account[0] = '\0';
    if (krb5_parse_name(ids->krb5, identity->user, &principal) != 0)
        return "bad-name";
    const krb5_error_code code = krb5_aname_to_localname(ids->krb5, principal,
        (int)sizeof identity->account, identity->account);

    krb5_free_principal(ids->krb5, principal);
    if (code == 0)
        return NULL;
    identity->account[0] = '\0';
    if (code == KRB5_LNAME_NOTRANS || code == KRB5_NO_LOCALNAME)
        return NULL;
    return code == KRB5_CONFIG_NOTENUFSPACE ? "account-name-too-long" : "account-unavailable";
}

/* ---- the groups ---- */

/* Makes room for a record that did not fit. */
static bool
scratch_grow(struct gssapi_identities *ids)
{
    const size_t size = ids->scratch_size * 2;
    char *larger = size <= SCRATCH_MAX ? realloc(ids->scratch, size) : NULL;

    if (larger == NULL)
        return false;
    ids->scratch = larger;
    ids->scratch_size = size;
    return true;
}

/* A name that no source of nsswitch.conf has is no error in glibc, whatever getpwnam(3) lists for it: an errno
   is that of a source which could not be asked, and with ENOENT or EPERM too a directory may be down. */
/* The account's own group. 1, 0 when nobody knows the account, -1 when that cannot be found out. */
static int
account_group(struct gssapi_identities *ids, const char *account, gid_t *gid)
{
    struct passwd record;
    struct passwd *found = NULL;
    int error;

    do
        error = getpwnam_r(account, &record, ids->scratch, ids->scratch_size, &found);
    while (error == ERANGE && scratch_grow(ids));
    if (found == NULL)
        return error == 0 ? 0 : -1;
    *gid = record.pw_gid;
    return 1;
}

/* The group's name, or "" for one without. NULL when that cannot be found out. */
static const char *
group_name(struct gssapi_identities *ids, gid_t gid)
{
    struct group record;
    struct group *found = NULL;
    int error;

    do
        error = getgrgid_r(gid, &record, ids->scratch, ids->scratch_size, &found);
    while (error == ERANGE && scratch_grow(ids));
    if (found == NULL)
        return error == 0 ? "" : NULL;
    return record.gr_name;
}

static const char *
groups_write(struct gssapi_identities *ids, const gid_t *gids, int count,
    struct auth_identity *identity)
{
    struct writer w = writer_init(ids->groups, GSSAPI_GROUPS_MAX);

    for (int i = 0; i < count; i++) {
        const char *name = group_name(ids, gids[i]);

        if (name == NULL)
            return "groups-unavailable";
        if (name[0] != '\0')
            writer_bytes(&w, name, strlen(name) + 1);
    }
    if (!writer_ok(&w))
        return "too-many-groups";
    identity->groups = ids->groups;
    identity->groups_len = writer_len(&w);
    return NULL;
}

/* The ids of all groups of the account, the caller's to free; NULL with *count too large or no
   memory. */
static gid_t *
groups_list(const char *account, gid_t gid, int *count)
{
    gid_t *gids = NULL;
    int room = GROUPS_FIRST;

    do {
        gid_t *larger = reallocarray(gids, (size_t)room, sizeof *gids);

        if (larger == NULL)
            break;
        gids = larger;
        *count = room;
        if (getgrouplist(account, gid, gids, count) >= 0)
            return gids;
        room = *count > room ? *count : room * 2;
    } while (room <= GROUPS_COUNT_MAX);
    free(gids);
    return NULL;
}

/*
 * getgrouplist(3) passes over a source that fails, as if the user were in none of its groups. A search that
 * goes through to the last source says what became of that one: true when it could be asked. Of those before
 * it nothing can be told, nor of a failure that is over by now.
 */
static bool
groups_answered(struct gssapi_identities *ids)
{
    struct group record;
    struct group *found = NULL;
    int error;

    do
        error = getgrnam_r(NO_GROUP, &record, ids->scratch, ids->scratch_size, &found);
    while (error == ERANGE && scratch_grow(ids));
    return error == 0;
}

const char *
gssapi_identity_account(struct gssapi_identities *ids, struct auth_identity *identity)
{
    gid_t gid = 0;
    int count = 0;
    const char *reason = account_map(ids, identity);

    identity->groups = NULL;
    identity->groups_len = 0;
    if (reason != NULL || identity->account[0] == '\0')
        return reason;
    const int known = account_group(ids, identity->account, &gid);

    if (known <= 0)
        return known == 0 ? NULL : "groups-unavailable";
    gid_t *gids = groups_list(identity->account, gid, &count);

    if (gids == NULL)
        return "too-many-groups";
    if (!groups_answered(ids)) {
        free(gids);
        return "groups-unavailable";
    }
    reason = groups_write(ids, gids, count, identity);
    free(gids);
    return reason;
}
