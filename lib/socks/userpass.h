/* SPDX-License-Identifier: ISC */
/* User name and password sub-negotiation (RFC 1929). */
#ifndef SP_SOCKS_USERPASS_H
#define SP_SOCKS_USERPASS_H

#include "lib/socks/socks.h"

#define USERPASS_VERSION 0x01
#define USERPASS_SUCCESS 0x00
#define USERPASS_FAILURE 0x01
#define USERPASS_MESSAGE_MAX 513

/*
 * VER ULEN UNAME PLEN PASSWD. A VER other than 01 is SOCKS_BAD. Zero lengths are SOCKS_DONE with
 * the length 0: the caller refuses them as a failed login (status 01). user and password are
 * borrows into data, raw octets without NUL at the end, maybe with NULs inside.
 */
struct userpass_message {
    const uint8_t *user;
    const uint8_t *password;
    uint8_t user_len;
    uint8_t password_len;
    size_t used;
    const char *error;
};

enum socks_result userpass_decode(const void *data, size_t len, struct userpass_message *out);

/* VER STATUS, 2 bytes. */
#define USERPASS_STATUS_SIZE 2
void userpass_status_encode(uint8_t status, uint8_t out[USERPASS_STATUS_SIZE]);

/* The client's side: its message, the caller's secret to zero. Returns the length, or 0 where a length
   is not 1..255. */
size_t userpass_encode(const char *user, size_t user_len, const char *password, size_t password_len,
    uint8_t out[USERPASS_MESSAGE_MAX]);

struct userpass_status {
    uint8_t status; /* USERPASS_SUCCESS, or anything else: refused */
    size_t used;
    const char *error; /* with SOCKS_BAD: "version" */
};
enum socks_result userpass_status_decode(const void *data, size_t len, struct userpass_status *out);

#endif
