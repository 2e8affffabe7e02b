/* SPDX-License-Identifier: ISC */
/*
 * The shapes of password hashes, after crypt(5). Serves both faces. A hash that is not accepted is
 * an answer; nothing here is fatal.
 */
#include "auth/userpass/userpass_hash.h"

#include <ctype.h>
#include <string.h>

/* The order is the digits' value in the encoding of everybody but bcrypt, which has its own. */
#define CRYPT64 "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define BCRYPT64 "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* Bounds of cost: a login must end within seconds (userpass_secret.c declares how many). */
#define YESCRYPT_N_MAX 18 /* log2; what mkpasswd -R 11 writes, 1 GiB */
#define YESCRYPT_R_MAX 32
#define BCRYPT_MIN 4
#define BCRYPT_MAX 17 /* htpasswd -C */
#define SHA_ROUNDS_PRESET 5000
#define SHA_ROUNDS_MIN 1000
#define SHA_ROUNDS_MAX 10000000

/* What is left of a hash's text. */
struct rest {
    const char *at;
    size_t len;
};

static void
rest_skip(struct rest *r, size_t n)
{
    r->at += n;
    r->len -= n;
}

/* The text before the next '$', which is stepped over. 0, or -1 when there is none. */
static int
rest_field(struct rest *r, struct rest *field)
{
    const char *end = memchr(r->at, '$', r->len);

    if (end == NULL)
        return -1;
    *field = (struct rest) { r->at, (size_t)(end - r->at) };
    rest_skip(r, field->len + 1);
    return 0;
}

/* Position in the alphabet, or -1. */
static int
digit_of(const char *alphabet, char c)
{
    const char *p = c != '\0' ? strchr(alphabet, c) : NULL;

    return p != NULL ? (int)(p - alphabet) : -1;
}

static int
all_of(const char *alphabet, struct rest r)
{
    for (size_t i = 0; i < r.len; i++)
        if (digit_of(alphabet, r.at[i]) < 0)
            return -1;
    return 0;
}

/* Whole octets only: the bits of the last digit that no octet uses are zero. */
static int
yescrypt_salt(struct rest salt)
{
    if (salt.len == 0 || salt.len > 86 || salt.len % 4 == 1 || all_of(CRYPT64, salt) != 0)
        return -1;
    const int last = digit_of(CRYPT64, salt.at[salt.len - 1]);

    return salt.len % 4 == 0 || last < (salt.len % 4 == 2 ? 4 : 16) ? 0 : -1;
}

/* "jNr$SALT$": j is yescrypt's own flavour, N and r one digit each, as crypt_gensalt() writes. */
static const char *
read_yescrypt(struct rest *r, struct userpass_hash *out)
{
    struct rest params;
    struct rest salt;

    if (rest_field(r, &params) != 0 || params.len != 3 || params.at[0] != 'j')
        return "yescrypt parameters other than what mkpasswd writes (like j9T)";
    const int n = digit_of(CRYPT64, params.at[1]) + 1;
    const int block = digit_of(CRYPT64, params.at[2]) + 1;

    if (n < 10 || n > YESCRYPT_N_MAX || block < 1 || block > YESCRYPT_R_MAX)
        return "yescrypt cost outside 1..11 of mkpasswd -R";
    out->cost = (UINT64_C(1) << n) * (uint64_t)block;
    out->params_len += params.len + 1;
    if (rest_field(r, &salt) != 0 || yescrypt_salt(salt) != 0)
        return "damaged yescrypt salt";
    return NULL;
}

/* "NN$SALT22": crypt(3) writes the salt's last digit with its unused bits zero, so another one could
   never match. */
static const char *
read_bcrypt(struct rest *r, struct userpass_hash *out)
{
    struct rest cost;

    if (rest_field(r, &cost) != 0 || cost.len != 2 || !isdigit((unsigned char)cost.at[0]) ||
        !isdigit((unsigned char)cost.at[1]))
        return "bcrypt cost that is not two digits";
    out->cost = (uint64_t)((cost.at[0] - '0') * 10 + (cost.at[1] - '0'));
    if (out->cost < BCRYPT_MIN || out->cost > BCRYPT_MAX)
        return "bcrypt cost outside 04..17";
    out->params_len += 3;
    const struct rest salt = { r->at, r->len < 22 ? r->len : 22 };

    if (salt.len != 22 || all_of(BCRYPT64, salt) != 0 || digit_of(".Oeu", salt.at[21]) < 0)
        return "damaged bcrypt salt";
    rest_skip(r, salt.len);
    return NULL;
}

/* Decimal digits without a leading zero, at most 9 of them. 0 when it is something else. */
static uint64_t
decimal(struct rest text)
{
    uint64_t value = 0;

    if (text.len == 0 || text.len > 9 || text.at[0] == '0')
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!isdigit((unsigned char)text.at[i]))
            return 0;
        value = value * 10 + (uint64_t)(text.at[i] - '0');
    }
    return value;
}

/* "rounds=N$", which may be absent, then "SALT$". */
static const char *
read_sha(struct rest *r, struct userpass_hash *out)
{
    static const char rounds[] = "rounds=";
    struct rest field;

    out->cost = SHA_ROUNDS_PRESET;
    if (rest_field(r, &field) != 0)
        return "no salt";
    if (field.len >= sizeof rounds - 1 && memcmp(field.at, rounds, sizeof rounds - 1) == 0) {
        out->params_len += field.len + 1;
        rest_skip(&field, sizeof rounds - 1);
        out->cost = decimal(field);
        if (out->cost < SHA_ROUNDS_MIN || out->cost > SHA_ROUNDS_MAX)
            return "rounds outside 1000..10000000";
        if (rest_field(r, &field) != 0)
            return "no salt";
    }
    if (field.len == 0 || field.len > 16)
        return "salt that is not 1..16 characters";
    for (size_t i = 0; i < field.len; i++)
        if (field.at[i] <= ' ' || field.at[i] > '~' || digit_of("!;:*\\", field.at[i]) >= 0)
            return "salt with a character that crypt(3) refuses";
    return NULL;
}

struct scheme_row {
    const char *prefix;
    enum userpass_scheme scheme;
    const char *(*read)(struct rest *r, struct userpass_hash *out); /* up to the digest */
    const char *alphabet;
    size_t digest;
};

static const struct scheme_row scheme_rows[] = {
    { "$y$", USERPASS_YESCRYPT, read_yescrypt, CRYPT64, 43 },
    { "$gy$", USERPASS_GOST, read_yescrypt, CRYPT64, 43 },
    { "$2b$", USERPASS_BCRYPT, read_bcrypt, BCRYPT64, 31 },
    { "$2y$", USERPASS_BCRYPT, read_bcrypt, BCRYPT64, 31 },
    { "$6$", USERPASS_SHA512, read_sha, CRYPT64, 86 },
    { "$5$", USERPASS_SHA256, read_sha, CRYPT64, 43 },
};

static const struct {
    const char *prefix;
    const char *why;
} refused_rows[] = {
    { "$apr1$", "Apache's MD5 ($apr1$) is not accepted" },
    { "{SHA}", "unsalted SHA-1 ({SHA}) is not accepted" },
    { "{SSHA}", "salted SHA-1 ({SSHA}) is not accepted" },
    { "$1$", "MD5 ($1$) is not accepted" },
    { "$2a$", "bcrypt of the ambiguous kind $2a$ is not accepted" },
    { "$2x$", "bcrypt of the faulty kind $2x$ is not accepted" },
    { "$3$", "the NT hash ($3$) is not accepted" },
    { "$7$", "scrypt ($7$) is not accepted" },
    { "$md5", "Sun's MD5 ($md5) is not accepted" },
    { "$sha1$", "SHA-1 ($sha1$) is not accepted" },
    { "_", "DES (extended) is not accepted" },
    { "$", "this kind of hash is not known" },
};

static int
starts(const char *hash, size_t len, const char *prefix)
{
    const size_t n = strlen(prefix);

    return len >= n && memcmp(hash, prefix, n) == 0;
}

static const char *
refusal_of(const char *hash, size_t len)
{
    if (len == 0)
        return "there is no password hash";
    for (size_t i = 0; i < SP_COUNT(refused_rows); i++)
        if (starts(hash, len, refused_rows[i].prefix))
            return refused_rows[i].why;
    if (len == 13 && all_of(CRYPT64, (struct rest) { hash, len }) == 0)
        return "DES is not accepted";
    return "a password in plain text, or an unknown hash, is not accepted";
}

int
userpass_hash_read(const char *hash, size_t len, struct userpass_hash *out, const char **why)
{
    for (size_t i = 0; i < SP_COUNT(scheme_rows); i++) {
        const struct scheme_row *row = &scheme_rows[i];
        struct rest r = { hash, len };

        if (!starts(hash, len, row->prefix))
            continue;
        rest_skip(&r, strlen(row->prefix));
        *out = (struct userpass_hash) { .scheme = row->scheme, .params_len = strlen(row->prefix) };
        *why = row->read(&r, out);
        if (*why == NULL && (r.len != row->digest || all_of(row->alphabet, r) != 0))
            *why = "the hash is cut short, too long or damaged";
        return *why == NULL && len <= USERPASS_HASH_MAX ? 0 : -1;
    }
    *why = refusal_of(hash, len);
    return -1;
}

const struct userpass_salt *
userpass_salt_of(enum userpass_scheme scheme)
{
    static const struct userpass_salt yescrypt = { 22, CRYPT64, "./01" };
    static const struct userpass_salt bcrypt = { 22, BCRYPT64, ".Oeu" };
    static const struct userpass_salt sha = { 16, CRYPT64, CRYPT64 };

    if (scheme == USERPASS_YESCRYPT || scheme == USERPASS_GOST)
        return &yescrypt;
    return scheme == USERPASS_BCRYPT ? &bcrypt : &sha;
}
