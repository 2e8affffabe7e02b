/* SPDX-License-Identifier: ISC */
/*
 * Computing password hashes. Serves the secret face. crypt(3) refuses what userpass_hash.c let
 * through only when memory runs out: then the login fails.
 */
#include "auth/userpass/userpass_crypt.h"

#include <crypt.h>
#include <sodium.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/secret.h"

struct userpass_crypt {
    struct crypt_data data;
    char password[USERPASS_PASSWORD_MAX + 1];
};

struct userpass_crypt *
userpass_crypt_new(void)
{
    return secret_alloc(sizeof(struct userpass_crypt));
}

void
userpass_crypt_free(struct userpass_crypt **crypt)
{
    secret_free(*crypt, sizeof **crypt);
    *crypt = NULL;
}

bool
userpass_crypt_matches(struct userpass_crypt *crypt, const char *hash, const uint8_t *password,
    size_t len)
{
    const size_t hash_len = strlen(hash);
    bool equal = false;

    if (len > USERPASS_PASSWORD_MAX)
        return false;
    memcpy(crypt->password, password, len);
    crypt->password[len] = '\0';
    const char *made = crypt_rn(crypt->password, hash, &crypt->data, (int)sizeof crypt->data);

    if (made != NULL && strlen(made) == hash_len)
        equal = secret_equal(made, hash, hash_len);
    explicit_bzero(crypt, sizeof *crypt);
    return equal;
}

/* Characters of the alphabet with even chances: all alphabets have 64, or a power of two. */
static void
random_text(const char *alphabet, char *out, size_t len)
{
    const uint32_t count = (uint32_t)strlen(alphabet);

    for (size_t i = 0; i < len; i++)
        out[i] = alphabet[randombytes_uniform(count)];
}

/* The hash's own prefix and parameters, another salt. */
static void
dummy_of(const struct userpass_row *row, const struct userpass_hash *hash, char *dummy)
{
    const struct userpass_salt *salt = userpass_salt_of(hash->scheme);
    char *at = dummy + hash->params_len;

    memcpy(dummy, row->hash, hash->params_len);
    random_text(salt->alphabet, at, salt->len);
    random_text(salt->last, at + salt->len - 1, 1);
    at[salt->len] = '$';
    at[salt->len + 1] = '\0';
    if (hash->scheme == USERPASS_BCRYPT) /* no '$' between salt and digest */
        at[salt->len] = '\0';
}

/* Microseconds of one hash, the better of two when it is quick: what the processor is busy with
   besides only makes it longer. */
static int64_t
measure(struct userpass_crypt *crypt, const char *setting)
{
    static const uint8_t password[16] = "measured, unused";
    int64_t best = INT64_MAX;

    for (int i = 0; i < 2 && best > 0; i++) {
        const struct mono begin = mono_read();

        (void)userpass_crypt_matches(crypt, setting, password, sizeof password);
        const int64_t took = mono_diff_us(mono_read(), begin);

        best = took < best ? took : best;
        if (took > 100 * CLOCK_MSEC_US)
            break;
    }
    return best;
}

void
userpass_dummy_make(struct userpass_crypt *crypt, const struct userpass_table *table,
    char dummy[USERPASS_HASH_MAX + 1])
{
    static const struct userpass_row preset = { .hash = "$y$j9T$" };
    static const struct userpass_hash preset_hash = { USERPASS_YESCRYPT, 0, 7 };
    char settings[USERPASS_SCHEMES][USERPASS_HASH_MAX + 1] = { { 0 } };
    size_t count = 0;
    size_t best = 0;
    int64_t longest = -1;

    for (int s = 0; s < USERPASS_SCHEMES; s++) {
        struct userpass_hash hash;
        const struct userpass_row *row =
            userpass_table_costliest(table, (enum userpass_scheme)s, &hash);

        if (row != NULL)
            dummy_of(row, &hash, settings[count++]);
    }
    if (count == 0)
        dummy_of(&preset, &preset_hash, settings[count++]);
    for (size_t i = 0; i < count && count > 1; i++) {
        const int64_t took = measure(crypt, settings[i]);

        best = took > longest ? i : best;
        longest = took > longest ? took : longest;
    }
    memcpy(dummy, settings[best], sizeof settings[best]);
}
