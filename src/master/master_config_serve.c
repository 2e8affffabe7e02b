/* SPDX-License-Identifier: ISC */
/*
 * What the child that compiles the configuration asks for and says: files and lists, as sealed copies, its
 * complaints, its last word. Serves master_config.c. A file that cannot be had is an answer; a child that
 * says anything else is nonsense.
 */
#include "src/master/master_config.h"

#include "src/master/master_parts.h"

#include "lib/base/fd.h"
#include "src/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#define COMPILE_OPENS_MAX (4 * CONFIG_INCLUDES_MAX + CONFIG_LISTS_MAX)
#define COMPILE_LIST_STEP (512U * 1024U) /* octets copied in one turn */
#define COMPILE_OUTPUT_MAX (1024U * 1024U)

/* A sealed copy, so that the child never holds the file itself. The main file may be a symbolic
   link; what it includes, or what a module names, may not. */
static int
copy_for_child(struct compilation *c, const char *path)
{
    bool main_file = c->opened == 0; /* it is asked for first, and relative to our own folder */
    char *whole = main_file ? strdup(path) : path_beside(c->options->config, path);
    struct stat st = { 0 };

    if (whole == NULL)
        return -1;
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (main_file ? 0 : O_NOFOLLOW);
    int fd = open(whole, flags);
    int copy = -1;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        copy = memfd_copy("sallyport-config", fd, CONFIG_FILE_MAX);
    else if (fd >= 0)
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    int saved = errno;

    fd_close(&fd);
    config_files_add(&c->out.files, (struct config_file) { .path = whole, .st = st });
    errno = saved;
    return copy;
}

static int
serve_open(struct compilation *c, const char *path)
{
    int fd = copy_for_child(c, path);
    int error = fd < 0 ? errno : 0;
    int result = compile_answer(c->channel, error, fd);

    fd_close(&fd);
    return result;
}

int
compile_list_step(struct compilation *c)
{
    int more = list_copy_step(&c->list, COMPILE_LIST_STEP);
    int error = more < 0 ? errno : 0;

    if (more > 0)
        return c->loop == NULL ? 0 : loop_timer_set(c->loop, &c->list_timer, loop_now(c->loop));
    int result = compile_answer(c->channel, error, more < 0 ? -1 : c->list.to);

    list_copy_end(&c->list);
    return result;
}

/* A list lies beside the main file, like an include; never before that was asked for. */
static int
serve_list(struct compilation *c, const char *path)
{
    char *whole = c->opened > 0 ? path_beside(c->options->config, path) : NULL;

    if (c->opened == 0)
        return -1;
    if (whole == NULL || list_copy_begin(&c->list, whole) < 0) {
        int result = compile_answer(c->channel, errno, -1);

        if (whole != NULL)
            config_files_add(&c->out.files, (struct config_file) { .path = whole, .list = true });
        return result;
    }
    config_files_add(&c->out.files,
        (struct config_file) { .path = whole, .st = c->list.before, .list = true });
    int result = compile_list_step(c);

    while (result == 0 && c->loop == NULL && c->list.from >= 0)
        result = compile_list_step(c);
    return result;
}

/* One at a time: the answer comes first. */
static int
serve_question(struct compilation *c, const char *packet, size_t len)
{
    if (strlen(packet) != len || c->list.from >= 0 || c->opened >= COMPILE_OPENS_MAX)
        return -1;
    int result = packet[0] == COMPILE_LIST ? serve_list(c, packet + 1) : serve_open(c, packet + 1);

    c->opened++;
    return result;
}

static int
serve_text(struct compilation *c, const char *text, size_t len)
{
    c->written += len;
    if (c->written > COMPILE_OUTPUT_MAX)
        return -1;
    c->text(c, text, len);
    return 0;
}

/* One packet of the child. packet has a NUL behind it. 0, or -1 when it makes no sense. */
static int
serve(struct compilation *c, const char *packet, size_t len)
{
    if (len < 2)
        return -1;
    switch (packet[0]) {
    case COMPILE_OPEN:
    case COMPILE_LIST:
        return serve_question(c, packet, len);
    case COMPILE_TEXT:
        return serve_text(c, packet + 1, len - 1);
    case COMPILE_DONE:
        if (len != 1 + sizeof c->errors)
            return -1;
        memcpy(&c->errors, packet + 1, sizeof c->errors);
        c->done = true;
        return 0;
    default:
        return -1;
    }
}

enum compile_served
compile_serve(struct compilation *c)
{
    char packet[COMPILE_PACKET_MAX + 1];
    ssize_t n = recv(c->channel, packet, COMPILE_PACKET_MAX, MSG_DONTWAIT);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return COMPILE_NOTHING;
    if (n <= 0)
        return COMPILE_END;
    packet[n] = '\0';
    return serve(c, packet, (size_t)n) < 0 ? COMPILE_NONSENSE : COMPILE_SERVED;
}
