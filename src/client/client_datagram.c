/* SPDX-License-Identifier: ISC */
/*
 * The datagrams of an association: one socket connected to where the gateway takes them, the header
 * of RFC 1928 section 7 around each, sealed as the connection is. Serves client_udp.c. A datagram
 * that is no good is dropped and counted; whoever can send one must not be able to end it.
 */
#include "src/client/client_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/fd.h"

/* From the address that the connection comes from: the gateway takes them from no other. */
static void
socket_bind(int fd, const struct client_wire *w, sa_family_t family)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;

    if (getsockname(w->fd, (struct sockaddr *)&ss, &len) != 0 || ss.ss_family != family)
        return;
    struct addr own = addr_from_sockaddr((const struct sockaddr *)&ss, len);

    own.port = 0;
    len = addr_to_sockaddr(&own, &ss);
    (void)bind(fd, (const struct sockaddr *)&ss, len);
}

static enum client_status
socket_open(struct client_datagram *d, const struct addr *relay)
{
    struct sockaddr_storage ss;
    const socklen_t len = addr_to_sockaddr(relay, &ss);

    if (len == 0 || relay->port == 0)
        return client_fail(CLIENT_BROKEN, "the gateway's reply names no address for datagrams");
    d->fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (d->fd >= 0)
        socket_bind(d->fd, d->w, ss.ss_family);
    if (d->fd >= 0 && connect(d->fd, (const struct sockaddr *)&ss, len) == 0)
        return CLIENT_OK;
    return client_fail(CLIENT_BROKEN, "no way to the gateway for datagrams: %s", strerror(errno));
}

/* RSV RSV FRAG ATYP DST.ADDR DST.PORT: from its fourth octet on it is that of a request. */
static size_t
header_encode(const struct socks5_target *target, uint8_t out[SOCKS5_REQUEST_MAX])
{
    const size_t len = socks5_request_encode(SOCKS_UDP_ASSOCIATE, target, out);

    memset(out, 0, 3);
    return len;
}

static size_t
payload_max(const struct client_wire *w, size_t header_len)
{
    const size_t around = w->sealed ? auth_gssapi_protect.head + auth_gssapi_protect.tail : 0;
    const size_t datagram = SOCKS_UDP_DATAGRAM_MAX - around;
    const size_t message = client_wire_room(w);

    return (datagram < message ? datagram : message) - header_len;
}

enum client_status
client_datagram_open(struct client_datagram *d, struct client_wire *w,
    const struct client_options *o, const struct socks5_answer *answer)
{
    const struct addr relay = client_bound(w, answer);

    *d = (struct client_datagram){ .fd = -1, .w = w };
    d->header_len = header_encode(&o->target, d->header);
    d->room = payload_max(w, d->header_len);
    if (w->sealed && auth_gssapi_protect.use_datagrams(w->protect) != 0)
        return client_fail(CLIENT_BROKEN, "out of memory");
    return socket_open(d, &relay);
}

void
client_datagram_close(struct client_datagram *d)
{
    fd_close(&d->fd);
}

static enum client_status
drop(struct client_datagram *d, const char *why)
{
    d->dropped++;
    d->why = why;
    return CLIENT_OK;
}

/* A refusal is the answer to an earlier datagram; this one has not been sent. */
enum client_status
client_datagram_send(struct client_datagram *d, const uint8_t *data, size_t len)
{
    uint8_t *out = d->w->out + CLIENT_OUT_HEAD;
    struct auth_sealed message;

    memcpy(out, d->header, d->header_len);
    memcpy(out + d->header_len, data, len);
    if (client_wire_seal(d->w, d->header_len + len, &message) != 0)
        return client_fail(CLIENT_BROKEN, "a datagram cannot be sealed");
    for (int tries = 0; tries < 3; tries++) {
        if (send(d->fd, message.data, message.len, 0) >= 0)
            return CLIENT_OK;
        if (errno != EINTR && errno != ECONNREFUSED)
            return client_fail(CLIENT_BROKEN, "a datagram cannot be sent: %s", strerror(errno));
    }
    return drop(d, "refused-by-the-gateway");
}

/* Opens in place what must be one whole message. NULL, or the word for it. */
static const char *
datagram_unseal(struct client_datagram *d, uint8_t **data, size_t *len)
{
    struct auth_opened opened;

    if (!d->w->sealed)
        return NULL;
    const enum auth_frame result = auth_gssapi_protect.open(d->w->protect, *data, *len, &opened);

    if (result == AUTH_FRAME_BAD)
        return opened.error;
    if (result != AUTH_FRAME_READY || opened.used != *len)
        return "length";
    *data = opened.plain;
    *len = opened.plain_len;
    return NULL;
}

enum client_status
client_datagram_receive(
    struct client_datagram *d, uint8_t *room, size_t size, uint8_t **data, size_t *len)
{
    const ssize_t n = recv(d->fd, room, size, MSG_DONTWAIT);
    struct socks_udp_header header;

    *data = NULL;
    if (n < 0 && errno == ECONNREFUSED)
        return drop(d, "refused-by-the-gateway");
    if (n < 0)
        return errno == EAGAIN || errno == EINTR
                   ? CLIENT_OK
                   : client_fail(CLIENT_BROKEN, "the datagrams broke: %s", strerror(errno));
    uint8_t *plain = room;
    size_t plain_len = (size_t)n;
    const char *why = datagram_unseal(d, &plain, &plain_len);

    if (why == NULL && !socks_udp_decode(plain, plain_len, &header))
        why = header.error;
    if (why == NULL && header.fragment != 0)
        why = "fragment";
    if (why != NULL)
        return drop(d, why);
    *data = plain + header.used;
    *len = plain_len - header.used;
    return CLIENT_OK;
}
