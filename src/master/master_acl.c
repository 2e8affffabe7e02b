/* SPDX-License-Identifier: ISC */
/*
 * Who an access control list lets read a secret file; mode bits do not tell. Serves master_files.c.
 * What cannot be read is taken for no list: the mode bits then hold by themselves.
 */
#include "src/master/master_parts.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

#define ENTRIES_MAX 1024

struct acl {
    struct posix_acl_xattr_header header;
    struct posix_acl_xattr_entry entries[ENTRIES_MAX];
};

/* The number of entries; 0: there is no list. */
static size_t
acl_read(int fd, struct acl *acl)
{
    ssize_t n = fgetxattr(fd, "system.posix_acl_access", acl, sizeof *acl);

    if (n < (ssize_t)sizeof acl->header
        || le32toh(acl->header.a_version) != POSIX_ACL_XATTR_VERSION)
        return 0;
    return ((size_t)n - sizeof acl->header) / sizeof acl->entries[0];
}

/* Whether the entry names this user, or a group of his, and its permissions. */
static bool
entry_lets_read(const struct posix_acl_xattr_entry *e, const struct outsider *o)
{
    if ((le16toh(e->e_perm) & ACL_READ) == 0)
        return false;
    if (le16toh(e->e_tag) == ACL_USER)
        return le32toh(e->e_id) == o->uid;
    return le16toh(e->e_tag) == ACL_GROUP && outsider_is_member(o, le32toh(e->e_id));
}

static bool
acl_lets_read(const struct acl *acl, size_t count, const struct outsider *o)
{
    bool named = false;
    bool masked = false;

    for (size_t i = 0; i < count; i++) {
        const struct posix_acl_xattr_entry *e = &acl->entries[i];

        named = named || entry_lets_read(e, o);
        masked = masked || (le16toh(e->e_tag) == ACL_MASK && (le16toh(e->e_perm) & ACL_READ) == 0);
    }
    return named && !masked;
}

const struct outsider *
users_acl_reader(const struct users *u, int fd)
{
    struct acl acl;
    size_t count = u == NULL || u->outsider_count == 0 ? 0 : acl_read(fd, &acl);

    for (size_t i = 0; count > 0 && i < u->outsider_count; i++) {
        if (acl_lets_read(&acl, count, &u->outsiders[i]))
            return &u->outsiders[i];
    }
    return NULL;
}
