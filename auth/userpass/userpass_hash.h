/* SPDX-License-Identifier: ISC */
/*
 * Which password hashes are accepted, told from their text alone, so that the side that checks a
 * configuration needs no libcrypt. What crypt(3) would answer with a failure, or could never match, is
 * refused here: at load, and not as a login that silently fails.
 */
#ifndef SP_AUTH_USERPASS_HASH_H
#define SP_AUTH_USERPASS_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"

#define USERPASS_HASH_MAX 383 /* bytes, the most crypt(3) makes */
#define USERPASS_BCRYPT_PASSWORD_MAX 72

enum userpass_scheme {
    USERPASS_YESCRYPT, /* $y$ */
    USERPASS_GOST,     /* $gy$ */
    USERPASS_BCRYPT,   /* $2b$ $2y$ */
    USERPASS_SHA512,   /* $6$ */
    USERPASS_SHA256,   /* $5$ */
    USERPASS_SCHEMES
};

struct userpass_hash {
    enum userpass_scheme scheme;
    uint64_t cost;     /* comparable within the scheme */
    size_t params_len; /* bytes of prefix and parameters, before the salt */
};

/* 0; or -1 and *why names the kind that is not accepted, or what is wrong with an accepted kind. */
int userpass_hash_read(const char *hash, size_t len, struct userpass_hash *out, const char **why)
    SP_MUST_USE;

/* What a fresh salt of the scheme looks like: length, characters, and those the last one may be. */
struct userpass_salt {
    unsigned len;
    const char *alphabet; /* 64 characters */
    const char *last;
};
const struct userpass_salt *userpass_salt_of(enum userpass_scheme scheme);

#endif
