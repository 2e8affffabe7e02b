/* SPDX-License-Identifier: ISC */
/*
 * SOCKS 4 and 4A (their memos): one request, one or two replies. Server and client side.
 */
#ifndef SP_SOCKS_SOCKS4_H
#define SP_SOCKS_SOCKS4_H

#include <stdbool.h>

#include "lib/socks/socks.h"

#define SOCKS4_TEXT_MAX 255U /* octets of USERID, and of a name, without their NUL */

enum socks4_reply {
    SOCKS4_GRANTED = 0x5A,
    SOCKS4_REFUSED = 0x5B,    /* refused, or failed */
    SOCKS4_NO_IDENTD = 0x5C,  /* the client's identd cannot be reached */
    SOCKS4_WRONG_USER = 0x5D  /* it says somebody else */
};

/*
 * VN CD DSTPORT DSTIP USERID NUL [NAME NUL]. DSTIP 0.0.0.x with x not 0 announces a name (4A). A wrong
 * VN is SOCKS_BAD at the first byte; a USERID or name over its bound is SOCKS_BAD as soon as it is over
 * ("user-id", "name"), an empty name is SOCKS_DONE with error set, as is an unknown CD: both deserve
 * SOCKS4_REFUSED.
 */
struct socks4_request {
    uint8_t command;   /* CD: 1 connect, 2 bind, as enum socks_command */
    bool named;        /* 4A */
    struct addr addr;  /* not named: address and port; else only the port is set */
    uint8_t user_len;  /* USERID, raw: a claim */
    uint8_t user[SOCKS4_TEXT_MAX];
    uint8_t name_len;  /* raw octets, not canonical */
    uint8_t name[SOCKS4_TEXT_MAX];
    const char *error; /* the field; NULL: well formed */
    size_t used;
};
#define SOCKS4_REQUEST_MAX (8U + 2U * (SOCKS4_TEXT_MAX + 1U))

enum socks_result socks4_request_decode(const void *data, size_t len, struct socks4_request *out);

/* VN=00 CD DSTPORT DSTIP. bound of a family other than IPv4 is 0.0.0.0:0. */
#define SOCKS4_REPLY_SIZE 8U
void socks4_reply_encode(enum socks4_reply reply, const struct addr *bound,
    uint8_t out[SOCKS4_REPLY_SIZE]);

/* The client's side. user and name: NUL-terminated; name NULL: addr. The port is addr's in both cases.
   Returns the length, 0 when a text is over its bound, the name is empty, or addr is needed and is not
   IPv4 or is 0.0.0.x with x not 0, which would announce a name. */
size_t socks4_request_encode(enum socks_command command, const struct addr *addr, const char *name,
    const char *user, uint8_t out[SOCKS4_REQUEST_MAX]);

struct socks4_answer {
    uint8_t reply;     /* enum socks4_reply, or what the server has made up */
    struct addr bound;
    size_t used;
    const char *error; /* with SOCKS_BAD: "version" (VN is not 00) */
};
enum socks_result socks4_answer_decode(const void *data, size_t len, struct socks4_answer *out);

#endif
