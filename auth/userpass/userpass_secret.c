/* SPDX-License-Identifier: ISC */
/*
 * Method 0x02 in its pool: one message, one verdict. Serves the auth processes. Every error is a
 * failed login; what opening finds wrong is a text for the administrator.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/userpass/userpass_crypt.h"
#include "auth/userpass/userpass_options.h"
#include "auth/userpass/userpass_remember.h"
#include "auth/userpass/userpass_table.h"
#include "lib/base/clock.h"
#include "lib/base/cursor.h"

struct userpass {
    struct userpass_table *table;
    struct userpass_crypt *crypt;
    struct userpass_remember *remember;
    char dummy[USERPASS_HASH_MAX + 1];
};

static void
userpass_close(void *module)
{
    struct userpass *u = module;

    if (u == NULL)
        return;
    userpass_table_free(&u->table);
    userpass_crypt_free(&u->crypt);
    userpass_remember_free(&u->remember);
    free(u);
}

static void *
open_failed(struct userpass *u, char *error, size_t size, const char *text)
{
    userpass_close(u);
    if (text != NULL)
        (void)snprintf(error, size, "%s", text);
    return NULL;
}

static void *
userpass_open(const struct auth_config *config, const struct auth_files *files, char *error,
    size_t size)
{
    const char *where = config->value(config->ctx, USERPASS_FILE_OPTION, 0);
    size_t len = 0;
    const void *data = files->content(files->ctx, USERPASS_FILE_OPTION, &len);
    struct userpass *u = calloc(1, sizeof *u);

    if (u == NULL)
        return open_failed(u, error, size, "out of memory");
    if (data == NULL)
        return open_failed(u, error, size, "the password file did not arrive");
    if (sodium_init() < 0)
        return open_failed(u, error, size, "libsodium found no random numbers");
    u->table = userpass_table_load(data, len, true, where != NULL ? where : "password file", error,
        size);
    if (u->table == NULL)
        return open_failed(u, error, size, NULL);
    u->crypt = userpass_crypt_new();
    u->remember = userpass_remember_new(userpass_remember_seconds(config));
    if (u->crypt == NULL || u->remember == NULL)
        return open_failed(u, error, size, "out of memory");
    userpass_dummy_make(u->crypt, u->table, u->dummy);
    return u;
}

/* ---- one login ---- */

static bool
has_control(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] == 0x7f)
            return true;
    return false;
}

/* ULEN UNAME PLEN PASSWD, nothing behind it. No name in a table is empty or has a control character,
   and crypt(3) takes text: such a login cannot succeed. */
static int
credentials_read(const void *in, size_t len, struct userpass_login *out)
{
    struct cursor c = cursor_init(in, len);

    *out = (struct userpass_login) { .user_len = cursor_u8(&c) };
    out->user = cursor_bytes(&c, out->user_len);
    out->password_len = cursor_u8(&c);
    out->password = cursor_bytes(&c, out->password_len);
    if (!cursor_ok(&c) || cursor_left(&c) != 0)
        return -1;
    if (out->user_len == 0 || has_control(out->user, out->user_len))
        return -1;
    return out->password_len > 0 && memchr(out->password, '\0', out->password_len) == NULL ? 0 : -1;
}

/* NULL when the password is right, else the word for the audit. Each way out has cost one hash, but
   for a remembered success. */
static const char *
password_verdict(struct userpass *u, struct userpass_login *login, const struct userpass_row *row)
{
    uint8_t digest[USERPASS_DIGEST_SIZE];
    const char *reason = NULL;

    login->hash = row->hash;
    login->hash_len = row->hash_len;
    userpass_remember_digest(u->remember, login, digest);
    if (userpass_remember_has(u->remember, digest, mono_read())) {
        explicit_bzero(digest, sizeof digest);
        return NULL;
    }
    if (!userpass_crypt_matches(u->crypt, row->hash, login->password, login->password_len))
        reason = "wrong-password";
    /* bcrypt stops reading at 72 bytes: two passwords that differ behind them would both do. */
    if (row->scheme == USERPASS_BCRYPT && login->password_len > USERPASS_BCRYPT_PASSWORD_MAX)
        reason = "password-too-long";
    if (reason == NULL)
        userpass_remember_add(u->remember, digest, mono_read());
    explicit_bzero(digest, sizeof digest);
    return reason;
}

static const char *
login_verdict(struct userpass *u, struct userpass_login *login)
{
    const struct userpass_row *row = userpass_table_find(u->table, login->user, login->user_len);

    if (row != NULL)
        return password_verdict(u, login, row);
    (void)userpass_crypt_matches(u->crypt, u->dummy, login->password, login->password_len);
    return "unknown-user";
}

static void
userpass_step(void *module, void *state, const struct auth_opening *opening, const void *in,
    size_t len, struct auth_step *out)
{
    struct userpass_login login;

    (void)state;
    out->outcome = AUTH_FAILURE;
    if (opening->initiator) {
        out->reason = "unsupported-role";
        return;
    }
    if (credentials_read(in, len, &login) != 0) {
        out->reason = "malformed-credentials";
        return;
    }
    memcpy(out->identity->user, login.user, login.user_len);
    out->identity->user[login.user_len] = '\0';
    out->reason = login_verdict(module, &login);
    if (out->reason == NULL)
        out->outcome = AUTH_SUCCESS;
}

AUTH_SECRET_MODULE(userpass) = {
    .version = AUTH_MODULE_VERSION,
    .name = "userpass",
    .method = USERPASS_METHOD,
    .state_size = 0,
    .config = {
        .pool = &userpass_pool,
        .options = userpass_options,
        .check = userpass_check,
        .check_file = userpass_check_file,
    },
    .open = userpass_open,
    .close = userpass_close,
    .step = userpass_step,
};
