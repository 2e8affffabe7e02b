/* SPDX-License-Identifier: ISC */
/* One request and its answer, over the control socket. Serves every command that asks a gateway. */
#include "src/ctl/ctl_private.h"

#include "lib/base/fd.h"
#include "src/core/control_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define ANSWER_SECONDS 120 /* a reload takes its time */
#define READ_SIZE 65536U
#define LINE_MAX_OCTETS (16U * 1024U * 1024U)

void
ctl_request_add(struct ctl_request *request, const char *name, const char *value)
{
    if (value != NULL && request->count < CTL_WORDS_MAX)
        request->words[request->count++] = (struct control_field) { name, value };
}

static int
connect_to(const char *path, int seconds)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval limit = { .tv_sec = seconds };
    size_t len = strlen(path);

    if (len >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, len + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0
        && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0
            || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0
            || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0))
        fd_close(&fd);
    return fd;
}

/* 0, or -1 when it is too long. */
static int
write_request(const struct ctl_request *request, struct buffer *out)
{
    struct control_writer w = { .to = out, .limit = CONTROL_REQUEST_MAX };

    control_put_word(&w, request->command);
    for (size_t i = 0; i < request->count; i++)
        control_put(&w, request->words[i].name, request->words[i].value);
    control_put_end(&w);
    return w.failed ? -1 : 0;
}

static int
send_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            /* It may have answered and closed already: then what it said is worth more. */
            return errno == EPIPE || errno == ECONNRESET ? 0 : -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

enum ctl_status
ctl_ask_quietly(const char *socket, const struct ctl_request *request, struct ctl_answer *a, int seconds)
{
    struct buffer line = BUFFER_INIT;
    enum ctl_status status = CTL_OK;

    memset(a, 0, sizeof *a);
    a->passed = -1;
    a->fd = connect_to(socket, seconds);
    if (a->fd < 0) {
        a->error = strerror(errno);
        return CTL_UNREACHABLE;
    }
    if (write_request(request, &line) < 0) {
        a->error = "the request is too long";
        status = CTL_USAGE;
    } else if (send_all(a->fd, buffer_head(&line), buffer_len(&line)) < 0) {
        a->error = strerror(errno);
        status = CTL_UNREACHABLE;
    }
    buffer_clear(&line);
    if (status != CTL_OK)
        ctl_answer_close(a);
    return status;
}

enum ctl_status
ctl_ask(const struct ctl *ctl, const struct ctl_request *request, struct ctl_answer *a)
{
    char path[CONTROL_PATH_MAX];

    memset(a, 0, sizeof *a);
    a->fd = a->passed = -1;
    if (ctl_socket_find(ctl->socket, path, sizeof path) < 0)
        return CTL_UNREACHABLE;
    enum ctl_status status = ctl_ask_quietly(path, request, a, ANSWER_SECONDS);

    if (status == CTL_UNREACHABLE)
        return ctl_fail(status, "no gateway answers at %s: %s", path, a->error);
    return status == CTL_OK ? CTL_OK : ctl_fail(status, "%s", a->error);
}

/* ---- the answer ---- */

static ssize_t
receive(struct ctl_answer *a)
{
    struct iovec iov = { a->data + a->len, a->size - a->len - 1 };
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
        .msg_controllen = sizeof control.space };
    ssize_t n;

    do {
        n = recvmsg(a->fd, &msg, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    struct cmsghdr *cmsg = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

    if (cmsg != NULL && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS) {
        fd_close(&a->passed);
        memcpy(&a->passed, CMSG_DATA(cmsg), sizeof a->passed);
    }
    return n;
}

static int
make_room(struct ctl_answer *a)
{
    if (a->at > 0) {
        memmove(a->data, a->data + a->at, a->len - a->at);
        a->len -= a->at;
        a->at = 0;
    }
    if (a->len + READ_SIZE / 2 < a->size)
        return 0;
    size_t size = a->size == 0 ? READ_SIZE : 2 * a->size;
    char *data = size > LINE_MAX_OCTETS ? NULL : realloc(a->data, size);

    if (data == NULL)
        return -1;
    a->data = data;
    a->size = size;
    return 0;
}

static int
broken(struct ctl_answer *a, const char *why)
{
    a->truncated = true;
    (void)snprintf(a->why, sizeof a->why, "%s", why);
    a->error = a->why;
    return -1;
}

/* The end of the next line, read from the socket as long as it is not there; NULL: told in a->error. */
static char *
line_end(struct ctl_answer *a)
{
    for (;;) {
        char *end = a->len > a->at ? memchr(a->data + a->at, '\n', a->len - a->at) : NULL;

        if (end != NULL)
            return end;
        if (make_room(a) < 0) {
            (void)broken(a, "the answer is too long");
            return NULL;
        }
        ssize_t n = receive(a);

        if (n <= 0) {
            (void)broken(a, n == 0 ? "the gateway closed the connection in the middle of its answer"
                    : errno == EAGAIN ? "the gateway does not answer" : strerror(errno));
            return NULL;
        }
        a->len += (size_t)n;
    }
}

int
ctl_next(struct ctl_answer *a)
{
    char *end = line_end(a);
    const char *why = NULL;

    if (end == NULL)
        return -1;
    char *begin = a->data + a->at;

    a->at = (size_t)(end - a->data) + 1;
    *end = '\0';
    if (strncmp(begin, CONTROL_ERROR "\t", sizeof CONTROL_ERROR) == 0) {
        a->error = begin + sizeof CONTROL_ERROR;
        return control_unescape(begin + sizeof CONTROL_ERROR) == 0 ? -1
                                                                   : broken(a, "an answer that is none");
    }
    if (control_line_parse(begin, (size_t)(end - begin), &a->line, &why) < 0)
        return broken(a, "an answer that is none");
    return strcmp(a->line.word, CONTROL_OK) == 0 ? 0 : 1;
}

void
ctl_answer_close(struct ctl_answer *a)
{
    fd_close(&a->fd);
    fd_close(&a->passed);
    free(a->data);
    a->data = NULL;
    a->len = a->size = a->at = 0;
}

enum ctl_status
ctl_end(struct ctl_answer *a, int result)
{
    enum ctl_status status = CTL_OK;

    if (result < 0)
        status = ctl_fail(a->truncated ? CTL_UNREACHABLE : CTL_FAILED, "%s", a->error);
    ctl_answer_close(a);
    return ctl_flush(status);
}

enum ctl_status
ctl_do(const struct ctl *ctl, const struct ctl_request *request)
{
    struct ctl_answer a;
    enum ctl_status status = ctl_ask(ctl, request, &a);
    int result = 1;

    while (status == CTL_OK && result > 0)
        result = ctl_next(&a);
    return status == CTL_OK ? ctl_end(&a, result) : status;
}

enum ctl_status
ctl_collect(struct ctl_answer *a, ctl_writer *write, const void *ctx)
{
    char *text = NULL;
    size_t size = 0;
    FILE *all = open_memstream(&text, &size);
    int result = all == NULL ? -1 : write(all, a, ctx);
    bool lost = all == NULL || ferror(all) != 0;

    if (all != NULL && fclose(all) != 0)
        lost = true;
    if (lost) {
        a->error = "no memory for the answer";
        result = -1;
    }
    if (result == 0)
        (void)fwrite(text, 1, size, stdout);
    free(text);
    return ctl_end(a, result);
}

enum ctl_status
ctl_show(const struct ctl *ctl, const struct ctl_request *request, ctl_writer *write, const void *ctx)
{
    struct ctl_answer a;
    enum ctl_status status = ctl_ask(ctl, request, &a);

    return status == CTL_OK ? ctl_collect(&a, write, ctx) : status;
}

const char *
ctl_field(const struct control_line *line, const char *name)
{
    const char *value = control_line_get(line, name);

    return value == NULL ? "" : value;
}

double
ctl_number(const struct control_line *line, const char *name)
{
    return strtod(ctl_field(line, name), NULL);
}
