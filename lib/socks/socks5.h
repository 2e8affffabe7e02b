/* SPDX-License-Identifier: ISC */
/*
 * SOCKS 5 (RFC 1928): method negotiation, request, reply. Server and client side, since the system
 * tests and the client speak through the same tables.
 */
#ifndef SP_SOCKS_SOCKS5_H
#define SP_SOCKS_SOCKS5_H

#include <stdbool.h>

#include "lib/socks/socks.h"

/* VER NMETHODS METHODS (RFC 1928 section 3). NMETHODS may be 0. */
struct socks5_hello {
    uint8_t offered[32]; /* bit set of the 256 methods, see socks5_hello_offers */
    uint8_t count;       /* NMETHODS */
    size_t used;
    const char *error; /* set with SOCKS_BAD: "version" */
};
#define SOCKS5_HELLO_MAX 257

enum socks_result socks5_hello_decode(const void *data, size_t len, struct socks5_hello *out);
bool socks5_hello_offers(const struct socks5_hello *hello, uint8_t method);

/* VER METHOD, 2 bytes. */
#define SOCKS5_CHOICE_SIZE 2
void socks5_choice_encode(uint8_t method, uint8_t out[SOCKS5_CHOICE_SIZE]);

enum socks5_atyp { SOCKS5_IPV4 = 1, SOCKS5_NAME = 3, SOCKS5_IPV6 = 4 };

/*
 * VER CMD RSV ATYP DST.ADDR DST.PORT (RFC 1928 section 4). A wrong VER is SOCKS_BAD at the first
 * byte. Everything that can be answered is SOCKS_DONE with reply != 0: an unknown CMD (7; the whole
 * message is still awaited when its ATYP tells the length), an unknown ATYP (8, at the 4th byte,
 * since its length is unknown), RSV not 0 (1), an empty name (1). The command is checked before the
 * address type.
 */
struct socks5_request {
    uint8_t command;
    uint8_t atyp;
    enum socks5_reply reply; /* 0: well formed; else the reply it deserves */
    const char *error;       /* with SOCKS_BAD or reply != 0: the field */
    struct addr addr;        /* atyp IPv4 or IPv6, port included; else only the port is set */
    uint8_t name_len;        /* atyp name: the raw octets, not canonical, maybe with NULs */
    uint8_t name[255];
    size_t used;
};
#define SOCKS5_REQUEST_MAX 262

enum socks_result socks5_request_decode(const void *data, size_t len, struct socks5_request *out);

/* VER REP RSV ATYP BND.ADDR BND.PORT (section 6). bound of family ADDR_NONE is 0.0.0.0:0.
   Returns the length, 10 or 22. */
#define SOCKS5_REPLY_MAX 22
size_t socks5_reply_encode(enum socks5_reply reply, const struct addr *bound,
    uint8_t out[SOCKS5_REPLY_MAX]);

/*
 * The client's side. VER NMETHODS METHODS with count methods, 0..255. Returns the length, 2 + count.
 */
size_t socks5_hello_encode(const uint8_t *methods, uint8_t count, uint8_t out[SOCKS5_HELLO_MAX]);

/* VER METHOD. A wrong VER is SOCKS_BAD at the first byte. */
struct socks5_choice {
    uint8_t method; /* SOCKS_METHOD_REFUSED: none of those offered */
    size_t used;
    const char *error; /* with SOCKS_BAD: "version" */
};
enum socks_result socks5_choice_decode(const void *data, size_t len, struct socks5_choice *out);

/* Where a request goes: the address, or the name when addr's family is ADDR_NONE. */
struct socks5_target {
    struct addr addr; /* its port is not looked at */
    const char *name; /* 1..255 bytes; a borrow */
    uint16_t port;
};
/* Returns the length, or 0 for a name of no bytes or of more than 255. */
size_t socks5_request_encode(enum socks_command command, const struct socks5_target *target,
    uint8_t out[SOCKS5_REQUEST_MAX]);

/*
 * VER REP RSV ATYP BND.ADDR BND.PORT. A wrong VER, an unknown ATYP and an empty name are SOCKS_BAD; REP
 * may be any octet, RSV is not looked at.
 */
struct socks5_answer {
    uint8_t reply; /* enum socks5_reply, or what the server has made up */
    uint8_t atyp;
    struct addr bound;   /* atyp IPv4 or IPv6, port included; else only the port is set */
    uint8_t name_len;    /* atyp name: the raw octets */
    uint8_t name[255];
    size_t used;
    const char *error; /* with SOCKS_BAD: the field */
};
#define SOCKS5_ANSWER_MAX SOCKS5_REQUEST_MAX /* bytes: a server may send a name */
enum socks_result socks5_answer_decode(const void *data, size_t len, struct socks5_answer *out);

/* A constant phrase per reply code: "succeeded", "not allowed by ruleset", ... */
const char *socks5_reply_text(enum socks5_reply reply);

#endif
