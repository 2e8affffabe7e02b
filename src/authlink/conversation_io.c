/* SPDX-License-Identifier: ISC */
/*
 * Sending the packets of a conversation. Serves both sides. Errors are the caller's to judge: each
 * concerns one login.
 */
#include "src/authlink/conversation.h"

#include <errno.h>
#include <sys/socket.h>

int
conversation_send(int fd, const void *packet, size_t len)
{
    const int room = 2 * (int)CONVERSATION_MAX;

    if (send(fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return 0;
    /* A system whose socket buffers are smaller than our longest packet: a larger one, once. */
    if (errno != EMSGSIZE || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room) != 0)
        return -1;
    return send(fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ? 0 : -1;
}

ssize_t
conversation_receive(int fd, void *packet, size_t size)
{
    /* MSG_TRUNC: the packet's own length, so that a longer one is seen. */
    const ssize_t n = recv(fd, packet, size, MSG_DONTWAIT | MSG_TRUNC);

    if (n <= (ssize_t)size)
        return n;
    errno = EMSGSIZE;
    return -1;
}
