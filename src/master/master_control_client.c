/* SPDX-License-Identifier: ISC */
/*
 * One control client from its request to its last line. Serves master_control.c. What it sends, how slowly,
 * and what it leaves unread costs the master a bounded buffer and a timer.
 */
#include "src/master/master_control_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define OUTPUT_FULL 65536U              /* no more is made before this is taken */
#define OUTPUT_MAX (8U * 1024U * 1024U) /* one piece of an answer may go so far beyond */

static void client_ready(struct loop_io *io, uint32_t events);
static void client_late(struct loop_timer *timer);

/* ---- begin and end ---- */

static void
set_limit(struct control_client *c, int64_t seconds)
{
    /* Moving a timer that is armed cannot fail. */
    if (loop_timer_set(c->m->loop, &c->timer, mono_add_seconds(loop_now(c->m->loop), seconds)) < 0)
        c->timer.deadline = MONO_NEVER;
}

int
control_client_new(struct control *control, int fd, const struct ucred *who)
{
    struct control_client *c = calloc(1, sizeof *c);
    size_t i = 0;

    while (i < CONTROL_CLIENTS_MAX && control->clients[i] != NULL)
        i++;
    if (c != NULL && i < CONTROL_CLIENTS_MAX) {
        c->control = control;
        c->m = control->m;
        c->pass_fd = -1;
        c->fd = fd;
        c->uid = who->uid;
        c->pid = who->pid;
        c->w = (struct control_writer) { .to = &c->out, .limit = OUTPUT_MAX };
        c->io.ready = client_ready;
        c->timer.expired = client_late;
        if (loop_timer_set(c->m->loop, &c->timer,
                mono_add_seconds(loop_now(c->m->loop), CONTROL_REQUEST_SECONDS)) == 0
            && loop_io_add(c->m->loop, &c->io, fd, EPOLLIN) == 0) {
            control->clients[i] = c;
            return 0;
        }
        loop_timer_cancel(c->m->loop, &c->timer);
    }
    free(c);
    fd_close(&fd);
    return -1;
}

static void
free_state(struct control_client *c)
{
    if (c->state_free != NULL)
        c->state_free(c);
    c->state_free = NULL;
    c->state = NULL;
}

void
control_client_free(struct control_client *c)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (c->control->clients[i] == c)
            c->control->clients[i] = NULL;
    }
    free_state(c);
    loop_io_del(c->m->loop, &c->io, c->fd);
    loop_timer_cancel(c->m->loop, &c->timer);
    fd_close(&c->fd);
    fd_close(&c->pass_fd);
    buffer_clear(&c->out);
    free(c);
}

void
control_finish(struct control_client *c, const char *error)
{
    if (c->w.failed && error == NULL)
        error = "the answer is too long, or memory is out";
    /* Room for the last line there is, whatever did not fit before. */
    if (c->w.begun)
        buffer_clear(&c->out);
    c->w = (struct control_writer) { .to = &c->out, .limit = OUTPUT_MAX + CONTROL_REQUEST_MAX };
    control_put_last(&c->w, error);
    c->finished = true;
    c->waiting = false;
    c->more = NULL;
    free_state(c);
    control_wake(c);
}

/* ---- the request ---- */

static bool
known_key(const struct control_command *command, const char *key)
{
    for (size_t i = 0; i < SP_COUNT(command->keys) && command->keys[i] != NULL; i++) {
        if (strcmp(command->keys[i], key) == 0)
            return true;
    }
    return false;
}

static void
refuse(struct control_client *c, const char *what, const char *word)
{
    char text[256];

    if (snprintf(text, sizeof text, "%s%s%.100s", what, word[0] == '\0' ? "" : ": ", word) < 0)
        text[0] = '\0';
    control_finish(c, text);
}

/* So that the audit tells who changed something: the command and its words. */
static void
tell(const struct control_client *c)
{
    char words[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < c->request.count; i++) {
        int n = snprintf(words + used, sizeof words - used, " %s=%.120s", c->request.fields[i].name,
            c->request.fields[i].value);

        used += n > 0 && (size_t)n < sizeof words - used ? (size_t)n : 0;
    }
    log_info("control socket: %s%s, by user %u (process %d)", c->request.word, words, (unsigned)c->uid,
        (int)c->pid);
}

static void
begin(struct control_client *c, size_t len)
{
    const char *why = NULL;

    c->asked = true;
    if (loop_io_mod(c->m->loop, &c->io, c->fd, 0) < 0) {
        control_finish(c, strerror(errno));
        return;
    }
    set_limit(c, CONTROL_STALL_SECONDS);
    if (control_line_parse(c->in, len, &c->request, &why) < 0) {
        refuse(c, "a bad request", why);
        return;
    }
    const struct control_command *command = control_command_find(c->request.word);

    if (command == NULL) {
        refuse(c, "no such command", c->request.word);
        return;
    }
    for (size_t i = 0; i < c->request.count; i++) {
        if (!known_key(command, c->request.fields[i].name)) {
            refuse(c, "this command knows no such word", c->request.fields[i].name);
            return;
        }
    }
    if (command->acts)
        tell(c);
    command->begin(c);
    control_wake(c);
}

const char *
control_value(const struct control_client *c, const char *key)
{
    return control_line_get(&c->request, key);
}

/* True: it is gone. */
static bool
read_request(struct control_client *c)
{
    ssize_t n = recv(c->fd, c->in + c->in_len, CONTROL_REQUEST_MAX - c->in_len, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        control_client_free(c);
        return true;
    }
    const char *end = memchr(c->in + c->in_len, '\n', (size_t)n);

    c->in_len += (size_t)n;
    if (end != NULL)
        begin(c, (size_t)(end - c->in));
    else if (c->in_len == CONTROL_REQUEST_MAX) {
        c->asked = true;
        refuse(c, "a bad request", "longer than 4096 octets");
    }
    return false;
}

/* ---- the answer ---- */

bool
control_has_work(const struct control_client *c)
{
    return !c->blocked && (buffer_len(&c->out) > 0 || c->more != NULL || c->finished);
}

static ssize_t
send_some(struct control_client *c)
{
    struct iovec iov = { buffer_data(&c->out), buffer_len(&c->out) };
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (c->pass_fd >= 0) {
        memset(&control, 0, sizeof control);
        msg.msg_control = control.space;
        msg.msg_controllen = sizeof control.space;
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof c->pass_fd);
        memcpy(CMSG_DATA(cmsg), &c->pass_fd, sizeof c->pass_fd);
    }
    ssize_t n = sendmsg(c->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0)
        fd_close(&c->pass_fd);
    return n;
}

/* False: it is gone. */
static bool
push(struct control_client *c)
{
    ssize_t n = send_some(c);

    if (n > 0) {
        buffer_consume(&c->out, (size_t)n);
        set_limit(c, CONTROL_STALL_SECONDS);
        return true;
    }
    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && errno == EAGAIN && loop_io_mod(c->m->loop, &c->io, c->fd, EPOLLOUT) == 0) {
        c->blocked = true;
        return true;
    }
    control_client_free(c);
    return false;
}

static void
make_some(struct control_client *c, struct mono deadline)
{
    while (c->more != NULL && !c->w.failed && buffer_len(&c->out) < OUTPUT_FULL) {
        if (!c->more(c))
            c->more = NULL;
        loop_refresh(c->m->loop);
        if (!mono_before(loop_now(c->m->loop), deadline))
            return;
    }
    if (c->more != NULL && c->w.failed)
        control_finish(c, NULL);
}

bool
control_serve(struct control_client *c, struct mono deadline)
{
    do {
        make_some(c, deadline);
        if (buffer_len(&c->out) > 0 && !push(c))
            return false;
        if (c->blocked)
            return true;
        loop_refresh(c->m->loop);
    } while (control_has_work(c) && (c->more != NULL || buffer_len(&c->out) > 0)
        && mono_before(loop_now(c->m->loop), deadline));
    if (c->finished && buffer_len(&c->out) == 0) {
        control_client_free(c);
        return false;
    }
    return true;
}

/* ---- the loop's calls ---- */

static void
client_ready(struct loop_io *io, uint32_t events)
{
    struct control_client *c = CONTAINER(io, struct control_client, io);

    if (!c->asked && (events & EPOLLIN) != 0) {
        if (read_request(c))
            return;
    } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
        control_client_free(c);
        return;
    }
    if (c->blocked && (events & EPOLLOUT) != 0 && loop_io_mod(c->m->loop, io, c->fd, 0) == 0) {
        c->blocked = false;
        control_wake(c);
    }
}

static void
client_late(struct loop_timer *timer)
{
    struct control_client *c = CONTAINER(timer, struct control_client, timer);

    if (!c->asked) {
        c->asked = true;
        set_limit(c, CONTROL_STALL_SECONDS);
        refuse(c, "no request within 10 seconds", "");
    } else if (c->waiting) { /* not for the client */
        set_limit(c, CONTROL_STALL_SECONDS);
    } else {
        control_client_free(c);
    }
}
