/* SPDX-License-Identifier: ISC */
/*
 * The configuration, seen from the child that compiles it: no privileges, no descriptors but stdio,
 * the channel and the image to be written. Serves master_config.c. Every failure ends the child; the
 * master sees the status.
 */
#include "src/master/master_private.h"

#include "auth/builtin.h"
#include "lib/base/fd.h"
#include "src/config/config.h"
#include "src/core/log.h"
#include "src/core/log_event.h"
#include "src/core/sandbox.h"
#include "src/core/title.h"

#include <errno.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOBODY_ID 65534

/* Everything but stdio and these two. */
static void
close_others(int a, int b)
{
    int low = a < b ? a : b;
    int high = a < b ? b : a;

    for (int fd = STDERR_FILENO + 1; fd < high; fd++) {
        if (fd != low)
            (void)close(fd);
    }
    sandbox_close_from(high + 1);
}

static void
drop_privileges(void)
{
    uid_t uid = NOBODY_ID;
    gid_t gid = NOBODY_ID;

    if (geteuid() != 0) {
        if (sandbox_no_new_privs() < 0)
            log_fatal("no_new_privs: %s", strerror(errno));
        return;
    }
    const struct passwd *nobody = getpwnam("nobody");

    if (nobody != NULL && nobody->pw_uid != 0 && nobody->pw_gid != 0) {
        uid = nobody->pw_uid;
        gid = nobody->pw_gid;
    }
    if (sandbox_drop(uid, gid) < 0)
        log_fatal("cannot become nobody: %s", strerror(errno));
}

int
compile_answer(int channel, int error, int fd)
{
    struct iovec iov = { &error, sizeof error };
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        msg.msg_control = control.space;
        msg.msg_controllen = sizeof control.space;
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
    }
    /* One answer is under way at a time: a channel that does not take it is misused. */
    return sendmsg(channel, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
}

static int
receive_answer(int channel, int *error)
{
    struct iovec iov = { error, sizeof *error };
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
        .msg_controllen = sizeof control.space };
    int fd = -1;

    if (recvmsg(channel, &msg, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof *error)
        log_fatal("the master does not answer");
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

    if (cmsg != NULL && cmsg->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(cmsg), sizeof fd);
    return fd;
}

/* A copy of a file, as the letter says. */
static int
ask_master(char letter, const char *path, void *ctx)
{
    const int *channel = ctx;
    char packet[COMPILE_PACKET_MAX];
    size_t len = strlen(path);
    int error = 0;

    if (len == 0 || len > sizeof packet - 1) {
        errno = len == 0 ? ENOENT : ENAMETOOLONG;
        return -1;
    }
    packet[0] = letter;
    memcpy(packet + 1, path, len);
    if (send(*channel, packet, len + 1, MSG_NOSIGNAL) < 0)
        log_fatal("the master is gone");
    int fd = receive_answer(*channel, &error);

    if (fd < 0)
        errno = error != 0 ? error : EMFILE;
    return fd;
}

/* struct config_source's open and open_list. */
static int
open_through_master(const char *path, void *ctx)
{
    return ask_master(COMPILE_OPEN, path, ctx);
}

static int
list_through_master(const char *path, void *ctx)
{
    return ask_master(COMPILE_LIST, path, ctx);
}

static void
send_complaints(int channel, const struct config_messages *messages)
{
    const uint8_t *text = buffer_head(&messages->text);
    size_t left = buffer_len(&messages->text);
    char packet[COMPILE_PACKET_MAX];

    packet[0] = COMPILE_TEXT;
    while (left > 0) {
        size_t n = left < sizeof packet - 1 ? left : sizeof packet - 1;

        memcpy(packet + 1, text, n);
        if (send(channel, packet, n + 1, MSG_NOSIGNAL) < 0)
            log_fatal("the master is gone");
        text += n;
        left -= n;
    }
}

static void
send_done(int channel, uint32_t errors)
{
    char packet[1 + sizeof errors];

    packet[0] = COMPILE_DONE;
    memcpy(packet + 1, &errors, sizeof errors);
    if (send(channel, packet, sizeof packet, MSG_NOSIGNAL) < 0)
        log_fatal("the master is gone");
}

static unsigned
cpu_count(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) < 0 || CPU_COUNT(&set) < 1)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

void
compile_child(const struct master_options *o, int channel, int image_fd)
{
    bool privileged = geteuid() == 0;
    struct config_source source = {
        .open = open_through_master,
        .open_list = list_through_master,
        .ctx = &channel,
        .path = o->config,
        .module_dir = auth_module_dir(), /* looked for before the drop */
        .check_files = o->check || !o->print, /* what passes -t also starts, and the other way */
        .privileged = privileged,
        .cpus = cpu_count(),
    };
    struct config_messages messages = { .text = BUFFER_INIT };
    size_t size = 0;

    log_to_ring(NULL); /* it is our parent's */
    title_set("reading the configuration");
    close_others(channel, image_fd);
    drop_privileges();
    void *image = config_compile(&source, &messages, &size);

    send_complaints(channel, &messages);
    if (image != NULL && fd_write_all(image_fd, image, size) < 0)
        log_fatal("cannot write the compiled configuration: %s", strerror(errno));
    send_done(channel, image == NULL && messages.errors == 0 ? 1 : messages.errors);
    free(image);
    buffer_clear(&messages.text);
    _exit(EXIT_SUCCESS);
}
