/* SPDX-License-Identifier: ISC */
/*
 * Sending the packets of a conversation, and descriptors with them. Serves both sides. Errors are the
 * caller's to judge: each concerns one login.
 */
#include "src/authlink/conversation.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/fd.h"

#define PASSED_MAX 4U /* taken out of one packet, to be closed; the kernel closes what is above it */

/* ---- sending ---- */

/* As sendmsg. */
static ssize_t
packet_pass(int fd, const void *packet, size_t len, int passed)
{
    struct iovec iov = { (void *)(uintptr_t)packet, len };
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { .room = { 0 } };
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = sizeof control.room,
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof passed);
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
    return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t
packet_send(int fd, const void *packet, size_t len, int passed)
{
    return passed != -1 ? packet_pass(fd, packet, len, passed)
                        : send(fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int
conversation_send_passing(int fd, const void *packet, size_t len, int passed)
{
    const int room = 2 * (int)CONVERSATION_MAX;

    if (packet_send(fd, packet, len, passed) >= 0)
        return 0;
    /* A system whose socket buffers are smaller than our longest packet: a larger one, once. */
    if (errno != EMSGSIZE || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room) != 0)
        return -1;
    return packet_send(fd, packet, len, passed) >= 0 ? 0 : -1;
}

int
conversation_send(int fd, const void *packet, size_t len)
{
    return conversation_send_passing(fd, packet, len, -1);
}

/* ---- receiving ---- */

/* MSG_TRUNC: n is the packet's own length, so that a longer one is seen. */
static ssize_t
checked(ssize_t n, size_t size)
{
    if (n <= (ssize_t)size)
        return n;
    errno = EMSGSIZE;
    return -1;
}

ssize_t
conversation_receive(int fd, void *packet, size_t size)
{
    return checked(recv(fd, packet, size, MSG_DONTWAIT | MSG_TRUNC), size);
}

/* The first descriptor that came with a message; any other is closed. -1: none came. */
static int
descriptor_of(struct msghdr *msg)
{
    int found = -1;

    for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h != NULL; h = CMSG_NXTHDR(msg, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
            if (found == -1)
                found = fd_take(&fd);
            fd_close(&fd);
        }
    }
    return found;
}

ssize_t
conversation_receive_passed(int fd, void *packet, size_t size, int *passed)
{
    struct iovec iov = { packet, size };
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(PASSED_MAX * sizeof(int))];
    } control;
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = sizeof control.room,
    };
    const ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);

    *passed = n >= 0 ? descriptor_of(&msg) : -1;
    return checked(n, size);
}
