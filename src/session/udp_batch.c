/* SPDX-License-Identifier: ISC */
/* Datagrams in batches; see udp_batch.h. Serves the associations of a worker. */
#include "src/session/udp_batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
outbox_init(struct udp_outbox *o)
{
    for (unsigned i = 0; i < UDP_BATCH; i++)
        o->messages[i].msg_hdr = (struct msghdr) { .msg_name = &o->to[i], .msg_iov = &o->iov[i],
            .msg_iovlen = 1 };
    o->count = 0;
}

struct udp_shared *
udp_shared_new(void)
{
    struct udp_shared *b = malloc(sizeof *b); /* the rooms' pages come when they are used */

    if (b == NULL)
        return NULL;
    for (unsigned i = 0; i < UDP_BATCH; i++) {
        b->iov[i] = (struct iovec) { b->rooms[i] + UDP_HEAD, UDP_DATA };
        b->messages[i].msg_hdr = (struct msghdr) { .msg_name = &b->from[i], .msg_iov = &b->iov[i],
            .msg_iovlen = 1 };
    }
    outbox_init(&b->out[UDP_IPV4]);
    outbox_init(&b->out[UDP_IPV6]);
    return b;
}

unsigned
udp_batch_receive(struct udp_shared *b, int fd)
{
    int n;

    for (unsigned i = 0; i < UDP_BATCH; i++)
        b->messages[i].msg_hdr.msg_namelen = sizeof b->from[i];
    n = recvmmsg(fd, b->messages, UDP_BATCH, MSG_DONTWAIT, NULL);
    return n > 0 ? (unsigned)n : 0;
}

bool
udp_batch_take(struct udp_shared *b, unsigned i, struct udp_incoming *out)
{
    const struct mmsghdr *m = &b->messages[i];

    out->data = b->rooms[i] + UDP_HEAD;
    out->len = m->msg_len;
    out->from = addr_from_sockaddr(&b->from[i].sa, m->msg_hdr.msg_namelen);
    return out->from.family != ADDR_NONE && out->from.port != 0 &&
        (m->msg_hdr.msg_flags & MSG_TRUNC) == 0;
}

void
udp_outbox_add(struct udp_outbox *o, const struct addr *to, uint8_t *data, size_t len, size_t payload)
{
    unsigned i = o->count++;
    struct sockaddr_storage ss;
    socklen_t size = addr_to_sockaddr(to, &ss);

    memcpy(&o->to[i], &ss, size);
    o->messages[i].msg_hdr.msg_namelen = size;
    o->iov[i] = (struct iovec) { data, len };
    o->payload[i] = payload;
}

static void
count_sent(const struct udp_outbox *o, unsigned from, unsigned to, struct udp_sent *sent)
{
    for (unsigned i = from; i < to; i++) {
        sent->datagrams++;
        sent->payload += o->payload[i];
        sent->wire += o->iov[i].iov_len;
    }
}

/* sendmmsg stops at the first that fails: without that one it goes on. A full buffer drops the rest, as
   a router would. */
void
udp_outbox_send(struct udp_outbox *o, int fd, struct udp_sent *sent)
{
    unsigned at = 0;

    while (at < o->count) {
        int n = sendmmsg(fd, o->messages + at, o->count - at, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0) {
            count_sent(o, at, at + (unsigned)n, sent);
            at += (unsigned)n;
        } else if (n < 0 && errno == EAGAIN) {
            sent->dropped += o->count - at;
            break;
        } else {
            sent->dropped++;
            at++;
        }
    }
    o->count = 0;
}
