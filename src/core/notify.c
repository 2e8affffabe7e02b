/* SPDX-License-Identifier: ISC */
/* Tells the service manager how we stand. Serves the master. Failing is not fatal: it is reported. */
#include "src/core/notify.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The length of the address, or 0 with errno. '@' stands for the NUL of an abstract address. */
static socklen_t
notify_address(const char *path, struct sockaddr_un *sun)
{
    size_t len = strlen(path);

    if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof sun->sun_path) {
        errno = EINVAL;
        return 0;
    }
    memset(sun, 0, sizeof *sun);
    sun->sun_family = AF_UNIX;
    memcpy(sun->sun_path, path, len);
    if (path[0] == '@')
        sun->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] == '/'));
}

int
notify_send(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un sun;

    if (path == NULL || path[0] == '\0')
        return 0;
    socklen_t sun_len = notify_address(path, &sun);

    if (sun_len == 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    ssize_t n = sendto(
        fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&sun, sun_len);

    fd_close(&fd);
    return n < 0 ? -1 : 1;
}
