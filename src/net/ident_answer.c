/* SPDX-License-Identifier: ISC */
/*
 * The two lines of RFC 1413. Serves ident.c. The answer is whatever the client's host makes up: what
 * cannot be read to the letter names nobody.
 */
#include "src/net/ident.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/cursor.h"

#define PORT_DIGITS 5U

struct field {
    const uint8_t *at;
    size_t len;
};

static bool
is_white(uint8_t octet)
{
    return octet == ' ' || octet == '\t';
}

static struct field
trimmed(struct field f)
{
    while (f.len > 0 && is_white(*f.at)) {
        f.at++;
        f.len--;
    }
    while (f.len > 0 && is_white(f.at[f.len - 1]))
        f.len--;
    return f;
}

/* The octets before the next `end`, which is stepped over. Without one the cursor is short. */
static struct field
field_before(struct cursor *c, uint8_t end)
{
    struct field f = { cursor_bytes(c, 0), 0 };

    while (cursor_u8(c) != end && cursor_ok(c))
        f.len++;
    return trimmed(f);
}

static struct field
field_rest(struct cursor *c)
{
    size_t len = cursor_left(c);

    return trimmed((struct field) { cursor_bytes(c, len), len });
}

static bool
field_is(struct field f, const char *word)
{
    return f.len == strlen(word) && strncasecmp((const char *)f.at, word, f.len) == 0;
}

static bool
field_is_port(struct field f, uint16_t port)
{
    struct cursor c = cursor_init(f.at, f.len);
    uint32_t number = 0;

    if (f.len == 0 || f.len > PORT_DIGITS)
        return false;
    while (cursor_left(&c) > 0) {
        uint8_t octet = cursor_u8(&c);

        if (octet < '0' || octet > '9')
            return false;
        number = number * 10 + (octet - '0');
    }
    return number == port;
}

static const char *
error_word(struct field kind)
{
    static const struct {
        const char *kind, *word;
    } rows[] = {
        { "INVALID-PORT", "invalid-port" },
        { "NO-USER", "no-user" },
        { "HIDDEN-USER", "hidden-user" },
    };

    for (size_t i = 0; i < SP_COUNT(rows); i++)
        if (field_is(kind, rows[i].kind))
            return rows[i].word;
    return "unknown-error";
}

/* system [ "," charset ]. NULL, or why the user cannot be compared with a USERID's octets. */
static const char *
system_refused(struct field field)
{
    static const char *const like_ascii[] = { "", "US-ASCII", "UTF-8", "ISO-8859-1" };
    struct cursor c = cursor_init(field.at, field.len);
    struct field system = field_before(&c, ',');
    struct field charset = { field.at, 0 };

    if (cursor_ok(&c))
        charset = field_rest(&c);
    if (system.len == 0)
        return "malformed-answer";
    if (field_is(system, "OTHER"))
        return "no-user-name";
    for (size_t i = 0; i < SP_COUNT(like_ascii); i++)
        if (field_is(charset, like_ascii[i]))
            return NULL;
    return "other-charset";
}

static bool
is_user(struct field f)
{
    return f.len > 0 && f.len <= IDENT_USER_MAX && memchr(f.at, 0, f.len) == NULL
        && memchr(f.at, '\r', f.len) == NULL && memchr(f.at, '\n', f.len) == NULL;
}

/* NULL, or why there is no user. */
static const char *
read_answer(struct cursor *c, uint16_t client_port, uint16_t our_port, struct field *user)
{
    struct field theirs = field_before(c, ','), ours = field_before(c, ':');
    struct field type = field_before(c, ':');

    if (!cursor_ok(c))
        return "malformed-answer";
    if (!field_is_port(theirs, client_port) || !field_is_port(ours, our_port))
        return "wrong-ports";
    if (field_is(type, "ERROR"))
        return error_word(field_rest(c));
    struct field system = field_before(c, ':');

    if (!cursor_ok(c) || !field_is(type, "USERID"))
        return "malformed-answer";
    *user = field_rest(c);
    return is_user(*user) ? system_refused(system) : "malformed-answer";
}

void
ident_answer_parse(const void *line, size_t len, uint16_t client_port, uint16_t our_port,
    struct ident_answer *out)
{
    struct cursor c = cursor_init(line, len);
    struct field user = { NULL, 0 };

    *out = (struct ident_answer) { .detail = read_answer(&c, client_port, our_port, &user) };
    if (out->detail == NULL) {
        out->user = user.at;
        out->user_len = user.len;
    }
}

size_t
ident_query_encode(uint16_t client_port, uint16_t our_port, char out[IDENT_QUERY_MAX])
{
    int n = snprintf(out, IDENT_QUERY_MAX, "%u,%u\r\n", (unsigned)client_port, (unsigned)our_port);

    return n > 0 && n < (int)IDENT_QUERY_MAX ? (size_t)n : 0;
}
