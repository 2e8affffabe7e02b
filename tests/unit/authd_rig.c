/* SPDX-License-Identifier: ISC */
/* The stage of test_authd: see authd_rig.h. */
#include "tests/unit/authd_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "src/config/config.h"
#include "src/core/child.h"
#include "src/core/ipc_reload.h"
#include "src/core/ring.h"

static const char *config_text;

static int
open_text(const char *path, void *ctx)
{
    (void)path;
    (void)ctx;
    return memfd_sealed("config", config_text, strlen(config_text));
}

static const char *
build_dir(void)
{
    const char *dir = getenv("top_builddir");

    return dir != NULL ? dir : "build";
}

/* A policy image with the module's section. */
static int
image_make(const struct rig_how *how)
{
    static char text[2048];
    char modules[1024];
    struct config_messages messages = { .text = BUFFER_INIT };
    struct config_source source = { .open = open_text, .path = "/rig.conf", .module_dir = modules,
        .cpus = 1 };
    size_t size = 0;

    assert_true(snprintf(modules, sizeof modules, "%s/modules", build_dir()) < (int)sizeof modules);
    assert_true(snprintf(text, sizeof text,
                    "methods = { \"%s\" }\nlisten \"" RIG_LISTENER "\" { }\n%s\n"
                    "rule \"all\" { action = \"allow\" }\n",
                    how->module, how->section) < (int)sizeof text);
    config_text = text;
    void *image = config_compile(&source, &messages, &size);

    if (image == NULL)
        fail_msg("%.*s", (int)buffer_len(&messages.text), (const char *)buffer_head(&messages.text));
    const int fd = memfd_sealed("image", image, size);

    buffer_clear(&messages.text);
    free(image);
    assert_true(fd >= 0);
    return fd;
}

static void
child_exec(int channel, int errors, unsigned descriptors)
{
    char path[1024];
    char name[] = "sallyport-auth";
    char *argv[] = { name, NULL };
    const struct rlimit limit = { descriptors, descriptors };

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (snprintf(path, sizeof path, "%s/sallyport-auth", build_dir()) >= (int)sizeof path ||
        dup2(errors, STDERR_FILENO) < 0)
        _exit(98);
    if (channel == CHILD_CONTROL_FD ? fd_set_cloexec(channel, 0) != 0
                                    : dup2(channel, CHILD_CONTROL_FD) < 0)
        _exit(98);
    if (descriptors != 0 && setrlimit(RLIMIT_NOFILE, &limit) != 0)
        _exit(98);
    (void)execv(path, argv);
    (void)dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
    _exit(99);
}

static void
send_init(struct rig *r, const struct rig_how *how)
{
    struct ipc_init init = { .role = IPC_AUTH, .number = 1, .incarnation = 7, .out_of_tree = true };
    const int fds[] = { r->image_fd, r->data_fd, r->index_fd, r->wake_fd };
    uint8_t body[IPC_BODY_MAX];

    assert_true(snprintf(init.label, sizeof init.label, "%s-1", how->module) > 0);
    assert_true(snprintf(init.module, sizeof init.module, "%s", how->module) > 0);
    const size_t len = ipc_init_encode(&init, body, sizeof body);

    assert_int_equal(ipc_send(&r->peer, IPC_INIT, body, len, fds, 4), 0);
}

void
rig_start(struct rig *r, const struct rig_how *how)
{
    int pair[2];
    int errors[2];

    memset(r, 0, sizeof *r);
    r->status = -1;
    r->image_fd = image_make(how);
    r->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(ring_create(1, &r->data_fd, &r->index_fd), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(pipe2(errors, O_CLOEXEC), 0);
    r->loop = loop_new();
    assert_non_null(r->loop);
    for (size_t i = 0; i < RIG_WORKERS; i++)
        authlink_init(&r->workers[i], r->loop, AUTHLINK_PAIRS_MAX);
    fflush(NULL);
    r->pid = fork();
    assert_true(r->pid >= 0);
    if (r->pid == 0)
        child_exec(pair[1], errors[1], how->descriptors);
    fd_close(&pair[1]);
    fd_close(&errors[1]);
    r->stderr_fd = errors[0];
    r->peer = (struct ipc_peer) { .fd = pair[0], .self = IPC_MASTER, .other = IPC_AUTH,
        .state = IPC_STARTING };
    send_init(r, how);
}

static void
read_text(struct rig *r)
{
    size_t len = 0;
    ssize_t n;

    while ((n = read(r->stderr_fd, r->text + len, sizeof r->text - 1 - len)) > 0)
        len += (size_t)n;
    r->text[len] = '\0';
}

int
rig_wait_exit(struct rig *r)
{
    int status = 0;

    if (r->status >= 0)
        return r->status;
    read_text(r); /* until the process closes it */
    assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
    r->status = WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
    return r->status;
}

void
rig_end(struct rig *r)
{
    if (r->pid <= 0)
        return; /* it did not come so far; 0 would be all of our group */
    if (r->status < 0)
        (void)kill(r->pid, SIGKILL);
    (void)rig_wait_exit(r);
    for (size_t i = 0; i < RIG_WORKERS; i++)
        authlink_close(&r->workers[i]);
    loop_free(&r->loop);
    fd_close(&r->peer.fd);
    fd_close(&r->image_fd);
    fd_close(&r->data_fd);
    fd_close(&r->index_fd);
    fd_close(&r->wake_fd);
    fd_close(&r->stderr_fd);
}

/* ---- the master's side ---- */

void
rig_prepare(struct rig *r, uint64_t generation, const struct rig_how *how, bool ok)
{
    struct ipc_prepare prepare = { .generation = generation };
    struct ipc_prepared answer;
    struct ipc_message m;
    uint8_t body[IPC_BODY_MAX];
    int fd = image_make(how);
    size_t len = ipc_prepare_encode(&prepare, body, sizeof body);

    assert_int_equal(ipc_send(&r->peer, IPC_PREPARE, body, len, &fd, 1), 0);
    fd_close(&fd);
    rig_receive(r, IPC_PREPARED, &m);
    assert_int_equal(ipc_prepared_decode(&m, &answer), 0);
    ipc_message_close(&m);
    assert_int_equal(answer.generation, generation);
    assert_string_equal(answer.error, ok ? "" : answer.error);
    assert_int_equal(answer.ok, ok);
}

void
rig_commit(struct rig *r, uint64_t generation)
{
    uint8_t body[16];
    size_t len = ipc_generation_encode(generation, body, sizeof body);

    assert_int_equal(ipc_send(&r->peer, IPC_COMMIT, body, len, NULL, 0), 0);
}

void
rig_send_file(struct rig *r, const char *option, const char *text, bool sealed)
{
    struct ipc_file file = { .kind = IPC_FILE_MODULE, .generation = ++r->generation };
    uint8_t body[IPC_BODY_MAX];
    int fd = sealed ? memfd_sealed("users", text, strlen(text))
                    : memfd_create("users", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_true(fd >= 0);
    if (!sealed)
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    assert_true(snprintf(file.option, sizeof file.option, "%s", option) > 0);
    const size_t len = ipc_file_encode(&file, body, sizeof body);

    assert_int_equal(ipc_send(&r->peer, IPC_FILE, body, len, &fd, 1), 0);
    fd_close(&fd);
}

void
rig_send_queue(struct rig *r, unsigned i)
{
    int pair[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    rig_send_queue_of(r, i, pair);
}

void
rig_send_queue_of(struct rig *r, unsigned i, int pair[2])
{
    const struct ipc_queue_receive q = { i + 1, 100 + i };
    uint8_t body[IPC_BODY_MAX];
    const size_t len = ipc_queue_receive_encode(&q, body, sizeof body);

    assert_int_equal(authlink_set_queue(&r->workers[i], 0, pair[0]), 0);
    assert_int_equal(ipc_send(&r->peer, IPC_QUEUE_RECEIVE, body, len, &pair[1], 1), 0);
    fd_close(&pair[1]);
}

void
rig_close_queue(struct rig *r, unsigned i)
{
    fd_close(&r->workers[i].queues[0].fd);
}

void
rig_send_stop(struct rig *r, uint32_t seconds)
{
    uint8_t body[4];
    const size_t len = ipc_u32_encode(seconds, body, sizeof body);

    assert_int_equal(ipc_send(&r->peer, IPC_STOP, body, len, NULL, 0), 0);
    ipc_set_state(&r->peer, IPC_STOPPING);
}

/* False at the end of the channel. */
static bool
receive_any(struct rig *r, struct ipc_message *out)
{
    struct pollfd p = { .fd = r->peer.fd, .events = POLLIN };
    const char *why = NULL;
    const int n = poll(&p, 1, RIG_DEADLINE_MS);

    if (n <= 0)
        fail_msg("no message within %d ms", RIG_DEADLINE_MS);
    switch (ipc_recv(&r->peer, out, &why)) {
    case IPC_OK:
        return true;
    case IPC_EOF:
        return false;
    default:
        fail_msg("%s", why != NULL ? why : strerror(errno));
    }
    return false;
}

bool
rig_ready(struct rig *r)
{
    struct ipc_message m;

    if (!receive_any(r, &m))
        return false;
    assert_int_equal(m.type, IPC_READY);
    ipc_set_state(&r->peer, IPC_RUNNING);
    return true;
}

void
rig_receive(struct rig *r, enum ipc_type type, struct ipc_message *out)
{
    do {
        assert_true(receive_any(r, out));
    } while (out->type == IPC_PONG && type != IPC_PONG);
    assert_string_equal(ipc_type_name(out->type), ipc_type_name(type));
}

void
rig_settle(struct rig *r)
{
    struct ipc_message m;
    uint8_t body[4];

    assert_int_equal(
        ipc_send(&r->peer, IPC_PING, body, ipc_u32_encode(1, body, sizeof body), NULL, 0), 0);
    rig_receive(r, IPC_PONG, &m);
}

void
rig_receive_result(struct rig *r, struct ipc_auth_result *out)
{
    struct ipc_message m;

    rig_receive(r, IPC_AUTH_RESULT, &m);
    assert_int_equal(ipc_auth_result_decode(&m, out), 0);
}

void
rig_receive_file(struct rig *r, struct ipc_file_result *out)
{
    struct ipc_message m;

    rig_receive(r, IPC_FILE_RESULT, &m);
    assert_int_equal(ipc_file_result_decode(&m, out), 0);
    assert_int_equal(out->file.generation, r->generation);
}

/* ---- the workers' side ---- */

static void
answered(struct authlink_conversation *c, const struct conversation_result *result, const char *why)
{
    struct rig_login *l = (struct rig_login *)((char *)c - offsetof(struct rig_login, c));

    l->answers++;
    if (result == NULL) {
        assert_non_null(why);
        l->lost = true;
        return;
    }
    l->outcome = result->outcome;
    (void)snprintf(l->user, sizeof l->user, "%s", result->user);
    (void)snprintf(l->mechanism, sizeof l->mechanism, "%s", result->mechanism);
    (void)snprintf(l->reason, sizeof l->reason, "%s", result->reason);
    assert_true(result->answer_len <= sizeof l->answer);
    l->answer_len = result->answer_len;
    if (result->answer_len > 0)
        memcpy(l->answer, result->answer, result->answer_len);
}

void
rig_open_on(struct rig *r, unsigned i, struct rig_login *l, const char *listener, uint64_t session,
    uint8_t method, const void *bytes, size_t len, uint32_t deadline_ms)
{
    const struct conversation_open open = {
        .session = session,
        .method = method,
        .listener = listener,
        .client = addr_ipv4((const uint8_t[4]) { 192, 0, 2, 1 }, 40000),
        .local = addr_ipv4((const uint8_t[4]) { 192, 0, 2, 9 }, 1080),
        .deadline_ms = deadline_ms,
        .bytes = bytes,
        .len = len,
    };

    memset(l, 0, sizeof *l);
    l->c.answered = answered;
    assert_int_equal(authlink_open(&r->workers[i], 0, &l->c, &open), 0);
}

void
rig_open(struct rig *r, unsigned i, struct rig_login *l, uint64_t session, uint8_t method,
    const void *bytes, size_t len, uint32_t deadline_ms)
{
    rig_open_on(r, i, l, RIG_LISTENER, session, method, bytes, len, deadline_ms);
}

void
rig_log_in(struct rig *r, unsigned i, struct rig_login *l, uint64_t session, const char *user,
    const char *password)
{
    uint8_t message[512];
    const size_t user_len = strlen(user);
    const size_t len = strlen(password);

    assert_true(user_len < 256 && len < 256);
    message[0] = (uint8_t)user_len;
    memcpy(message + 1, user, user_len);
    message[1 + user_len] = (uint8_t)len;
    memcpy(message + 2 + user_len, password, len);
    rig_open(r, i, l, session, 2, message, 2 + user_len + len, RIG_DEADLINE_MS);
    explicit_bzero(message, sizeof message);
}

void
rig_wait(struct rig *r, bool (*done)(void *ctx), void *ctx)
{
    const struct mono end = mono_add_us(mono_read(), RIG_DEADLINE_MS * CLOCK_MSEC_US);

    while (!done(ctx)) {
        if (!mono_before(mono_read(), end))
            fail_msg("nothing within %d ms", RIG_DEADLINE_MS);
        assert_int_equal(loop_turn(r->loop, 100), 0);
    }
}

struct answer_wait {
    const struct rig_login *login;
    unsigned before;
};

static bool
has_answered(void *ctx)
{
    const struct answer_wait *w = ctx;

    return w->login->answers > w->before;
}

void
rig_wait_answer(struct rig *r, struct rig_login *l)
{
    /* answers is reset by rig_open: the first answer may be there already. */
    struct answer_wait w = { l, l->answers };

    rig_wait(r, has_answered, &w);
}
