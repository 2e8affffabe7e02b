/* SPDX-License-Identifier: ISC */
/*
 * What the files of the client share. One session in one process: it dials, logs in, asks, joins;
 * each of the four answers CLIENT_OK or the status to end with, after client_fail() has said why.
 */
#ifndef SP_CLIENT_CLIENT_PRIVATE_H
#define SP_CLIENT_CLIENT_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "auth/auth_module.h"
#include "auth/gssapi/gssapi_protect.h"
#include "lib/base/attr.h"
#include "lib/base/clock.h"
#include "lib/base/name.h"
#include "lib/socks/socks4.h"
#include "lib/socks/socks5.h"
#include "lib/socks/udp.h"

/* Exit statuses; sallyport(1) has them. */
enum client_status {
    CLIENT_OK = 0,          /* joined, and both sides ended; datagrams: all sent */
    CLIENT_USAGE = 1,       /* wrong command line */
    CLIENT_UNREACHABLE = 2, /* no gateway there */
    CLIENT_LOGIN = 3,       /* no credentials, or they were refused, or too little protection */
    CLIENT_REFUSED = 4,     /* the gateway says no to the request */
    CLIENT_BROKEN = 5       /* the connection broke, or its protection was violated */
};

#define CLIENT_PORT 1080
#define CLIENT_TIMEOUT 60
#define CLIENT_TIMEOUT_MAX 86400
#define CLIENT_WAIT 1
#define CLIENT_HOST_SIZE 256 /* a host as typed, NUL included */

enum client_version { CLIENT_SOCKS5, CLIENT_SOCKS4, CLIENT_SOCKS4A };

struct client_options {
    enum socks_command command;
    enum client_version version; /* SOCKS 4: auth is none, user the USERID */
    char host[CLIENT_HOST_SIZE]; /* the gateway as typed, without brackets */
    uint16_t port;
    enum socks_method auth; /* the one method that is offered */
    enum auth_protection protection;
    bool nec;
    const char *service;
    const char *user;          /* NULL: SALLYPORT_USER, or the login name */
    const char *password_file; /* NULL: SALLYPORT_PASSWORD, or asked for */
    unsigned timeout;          /* seconds until joined; bind: until the gateway listens */
    bool lines;                /* udp: a datagram per line, without its newline */
    unsigned wait;             /* udp: seconds for another answer after the end of input */
    struct socks5_target target;
    char name[NAME_SIZE];             /* canonical, where target.name points */
    char target_text[NAME_SIZE + 16]; /* "host:port" as typed, for messages */
};

/* --- client_options.c --- */

enum client_options_result { CLIENT_OPTIONS_RUN, CLIENT_OPTIONS_DONE, CLIENT_OPTIONS_USAGE };

/* Reads the command line; what is wrong with it, and what --help and --version ask for, has been
   printed. The texts borrow from argv. */
enum client_options_result client_options_read(struct client_options *o, int argc, char **argv);

/* Values of options (client_options_value.c): 0, or -1 after client_fail(). */
int client_value_via(struct client_options *o, const char *text);
int client_value_auth(struct client_options *o, const char *text);
int client_value_protection(struct client_options *o, const char *text);
int client_value_seconds(const char *option, const char *text, long min, unsigned *out);
int client_value_text(const char **out, const char *option, const char *text);
/* From min to 65535. 0, or -1: nothing was said. */
int client_value_port(const char *text, long min, uint16_t *out);

/* --- client_text.c --- */

/* "sallyport: ..." on standard error, one line; returns status. */
enum client_status client_fail(enum client_status status, const char *fmt, ...) SP_PRINTF(2, 3);
/* "sallyport: ..." on standard error, one line, of what is going on. */
void client_note(const char *fmt, ...) SP_PRINTF(1, 2);
/* What a person is told about a reply other than SOCKS5_SUCCEEDED to that command; SOCKS 4's too. */
const char *client_reply_text(enum socks_command command, uint8_t reply);
const char *client_method_text(uint8_t method);
const char *client_level_text(enum auth_protection level);

/* --- client_wire.c: the connection to the gateway --- */

/*
 * data[start..end) has been received and not been consumed. Once sealed, the message at start may
 * be open: plain points into it, and it is consumed when plain is used up.
 */
struct client_wire {
    int fd;                         /* non-blocking; -1: none */
    struct mono deadline;           /* of fill() and send(), until joined */
    struct gssapi_protect *protect; /* owned; NULL: none */
    bool sealed;
    uint8_t *data;
    size_t start, end;
    uint8_t *plain;
    size_t plain_len;
    size_t opened; /* bytes of the message that plain is in; 0: none is open */
    uint8_t *out;  /* CLIENT_OUT_SIZE bytes: one message to send, with room for sealing */
};

/* Room for several of the longest messages, so that one read fills them. */
#define CLIENT_IN_SIZE (256U * 1024U)
#define CLIENT_OUT_HEAD 64U
#define CLIENT_OUT_PLAIN 65536U
#define CLIENT_OUT_SIZE (CLIENT_OUT_HEAD + CLIENT_OUT_PLAIN + 64U)

/* No connection yet. CLIENT_OK, or no memory. */
enum client_status client_wire_open(struct client_wire *w);
void client_wire_close(struct client_wire *w); /* zeroes what held plaintext and keys */

/* The timeout of poll() until then; -1: for ever. */
int client_wait_ms(struct mono until);
/* Waits for more bytes; no message may be open. phase is for the message ("the login"), status
   what the end of the stream means there. */
enum client_status client_wire_fill(
    struct client_wire *w, enum client_status status, const char *phase);
/* Reads what is there without waiting; no message may be open. Bytes, 0 at the end of the stream,
 * -1 with errno. */
ssize_t client_wire_receive(struct client_wire *w);
/* Sends all of it before the deadline. */
enum client_status client_wire_send(
    struct client_wire *w, const void *data, size_t len, const char *phase);
/* The raw bytes received, and how to be rid of them. */
uint8_t *client_wire_raw(struct client_wire *w, size_t *len);
void client_wire_consume(struct client_wire *w, size_t len);

/* Opens the next message when none is open: AUTH_FRAME_READY with plain, plain_len (may be 0) set,
   AUTH_FRAME_MORE, AUTH_FRAME_BAD with *error. Not sealed: plain is all there is. */
enum auth_frame client_wire_next(struct client_wire *w, const char **error);
/* The first len bytes of plain were used. */
void client_wire_used(struct client_wire *w, size_t len);
/* Seals what stands at out + CLIENT_OUT_HEAD when that was agreed. What to send: a borrow. */
int client_wire_seal(struct client_wire *w, size_t len, struct auth_sealed *out) SP_MUST_USE;
/* Plaintext that fits one message of ours. */
size_t client_wire_room(const struct client_wire *w);

/* --- the steps --- */

/* client_dial.c: resolves the gateway and connects to the first address that answers. */
enum client_status client_dial(struct client_wire *w, const struct client_options *o);
/* A non-blocking descriptor that is connected, or -1 with errno (of the last address that failed).
 */
struct addrinfo;
int client_dial_list(const struct addrinfo *list, struct mono deadline) SP_MUST_USE;
/* client_negotiate.c: the greeting, then the login of the one method offered. */
struct client_secret;
enum client_status client_negotiate(
    struct client_wire *w, const struct client_options *o, const struct client_secret *secret);
/* client_userpass.c, client_gssapi.c */
enum client_status client_userpass(struct client_wire *w, const struct client_secret *secret);
enum client_status client_gssapi(struct client_wire *w, const struct client_options *o);
/* True when an answer of level will do for whom asked for wanted. */
bool client_level_will_do(enum auth_protection wanted, enum auth_protection level);
/* client_request.c: the command and its reply; *answer is a success. A reply of SOCKS 4 is given as
   one of SOCKS 5: granted is SOCKS5_SUCCEEDED, the others keep their octets. */
enum client_status client_request(
    struct client_wire *w, const struct client_options *o, struct socks5_answer *answer);
/* The next reply, whatever it says. phase is for messages. */
enum client_status client_answer(struct client_wire *w, const struct client_options *o,
    struct socks5_answer *answer, const char *phase);
/* The address of a reply; where the gateway leaves it open, the one that it was reached at. Family
   ADDR_NONE: a name, or none. */
struct addr client_bound(const struct client_wire *w, const struct socks5_answer *answer);
/* client_join.c: standard input and output, until both directions ended. */
enum client_status client_join(struct client_wire *w);
/* client_bind.c: says where the gateway listens and who came, waiting for the second reply. */
enum client_status client_bind(
    struct client_wire *w, const struct client_options *o, const struct socks5_answer *first);
/* client_udp.c: datagrams from standard input and to standard output, until both are done. */
enum client_status client_udp(
    struct client_wire *w, const struct client_options *o, const struct socks5_answer *answer);

/* --- client_datagram.c: the datagrams of an association, sealed when that was agreed --- */

struct client_datagram {
    int fd; /* connected to the gateway; -1: none */
    struct client_wire *w;
    uint8_t header[SOCKS5_REQUEST_MAX]; /* of all that go out */
    size_t header_len;
    size_t room; /* longest payload */
    unsigned long dropped;
    const char *why; /* the last one that was dropped */
};

/* After the reply to UDP ASSOCIATE. Close also after a failure. */
enum client_status client_datagram_open(struct client_datagram *d, struct client_wire *w,
    const struct client_options *o, const struct socks5_answer *answer);
void client_datagram_close(struct client_datagram *d);
/* One datagram to the target, len at most room. */
enum client_status client_datagram_send(struct client_datagram *d, const uint8_t *data, size_t len);
/* One datagram, if there is a good one: *data inside the size bytes of room, else NULL. */
enum client_status client_datagram_receive(
    struct client_datagram *d, uint8_t *room, size_t size, uint8_t **data, size_t *len);

/* --- client_password.c --- */

/* Name and password of userpass, in memory of lib/base/secret.h. */
struct client_secret {
    char user[256];
    size_t user_len;
    char password[257];
    size_t password_len;
};

/* From the options, the environment (which it zeroes) or the terminal. NULL after client_fail(). */
struct client_secret *client_secret_get(const struct client_options *o) SP_MUST_USE;
void client_secret_free(struct client_secret **secret);

#endif
