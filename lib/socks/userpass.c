/* SPDX-License-Identifier: ISC */
/*
 * User name and password (RFC 1929). Serves the userpass module's wire face and the client. Bytes that are wrong
 * are an answer; nothing here is fatal. Nothing is copied: the password stays in the caller's
 * secret buffer.
 */
#include "lib/socks/userpass.h"

#include "lib/base/cursor.h"

enum socks_result
userpass_decode(const void *data, size_t len, struct userpass_message *out)
{
    struct cursor c = cursor_init(data, len);
    const uint8_t version = cursor_u8(&c);
    if (cursor_ok(&c) && version != USERPASS_VERSION) {
        out->error = "version";
        return SOCKS_BAD;
    }
    struct userpass_message m = { .user_len = cursor_u8(&c) };
    m.user = cursor_bytes(&c, m.user_len);
    m.password_len = cursor_u8(&c);
    m.password = cursor_bytes(&c, m.password_len);
    if (!cursor_ok(&c)) {
        return SOCKS_MORE;
    }
    m.used = cursor_used(&c, data);
    *out = m;
    return SOCKS_DONE;
}

void
userpass_status_encode(uint8_t status, uint8_t out[USERPASS_STATUS_SIZE])
{
    struct writer w = writer_init(out, USERPASS_STATUS_SIZE);
    writer_u8(&w, USERPASS_VERSION);
    writer_u8(&w, status);
}

size_t
userpass_encode(const char *user, size_t user_len, const char *password, size_t password_len,
    uint8_t out[USERPASS_MESSAGE_MAX])
{
    struct writer w = writer_init(out, USERPASS_MESSAGE_MAX);
    if (user_len < 1 || user_len > 255 || password_len < 1 || password_len > 255) {
        return 0;
    }
    writer_u8(&w, USERPASS_VERSION);
    writer_u8(&w, (uint8_t)user_len);
    writer_bytes(&w, user, user_len);
    writer_u8(&w, (uint8_t)password_len);
    writer_bytes(&w, password, password_len);
    return writer_len(&w);
}

enum socks_result
userpass_status_decode(const void *data, size_t len, struct userpass_status *out)
{
    struct cursor c = cursor_init(data, len);
    const uint8_t version = cursor_u8(&c);
    if (cursor_ok(&c) && version != USERPASS_VERSION) {
        out->error = "version";
        return SOCKS_BAD;
    }
    const struct userpass_status status = { .status = cursor_u8(&c), .used = USERPASS_STATUS_SIZE };
    if (!cursor_ok(&c)) {
        return SOCKS_MORE;
    }
    *out = status;
    return SOCKS_DONE;
}
