/* SPDX-License-Identifier: ISC */
/*
 * What the SOCKS codecs share. A decoder looks at the bytes that are there and answers one of three
 * things; it never reads, blocks, allocates or keeps state, so that any split of a message gives the
 * same result: call it again with the same bytes and more behind them.
 */
#ifndef SP_SOCKS_SOCKS_H
#define SP_SOCKS_SOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"

enum socks_result {
    SOCKS_MORE, /* a valid beginning; nothing was stored; ask again with more bytes */
    SOCKS_DONE, /* complete; the message took `used` bytes */
    SOCKS_BAD   /* can never become valid; the message's `error` says which field */
};

/* The first byte of a connection. */
enum socks_version { SOCKS_VERSION_4 = 4, SOCKS_VERSION_5 = 5 };

enum socks_command { SOCKS_CONNECT = 1, SOCKS_BIND = 2, SOCKS_UDP_ASSOCIATE = 3 };

/* Authentication methods, RFC 1928 section 3; 0x80..0xFE are private. */
enum socks_method {
    SOCKS_METHOD_NONE = 0x00,
    SOCKS_METHOD_GSSAPI = 0x01,
    SOCKS_METHOD_USERPASS = 0x02,
    SOCKS_METHOD_REFUSED = 0xFF
};

/* Replies, RFC 1928 section 6. */
enum socks5_reply {
    SOCKS5_SUCCEEDED = 0,
    SOCKS5_GENERAL_FAILURE = 1,
    SOCKS5_NOT_ALLOWED = 2,
    SOCKS5_NETWORK_UNREACHABLE = 3,
    SOCKS5_HOST_UNREACHABLE = 4,
    SOCKS5_CONNECTION_REFUSED = 5,
    SOCKS5_TTL_EXPIRED = 6,
    SOCKS5_COMMAND_NOT_SUPPORTED = 7,
    SOCKS5_ADDRESS_NOT_SUPPORTED = 8
};

#endif
