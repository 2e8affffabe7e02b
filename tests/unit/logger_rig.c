/* SPDX-License-Identifier: ISC */
/* Rings, a log daemon's socket and a master for the logger's tests. */
#include "tests/unit/logger_rig.h"

#include "lib/base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static char folder[64];

void
rig_must(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "rig: %s (%s)\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* ---- files ---- */

void
rig_folder_make(void)
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(folder, sizeof folder, "%s/sallyport-XXXXXX", tmp != NULL ? tmp : "/tmp");

    RIG_MUST(n > 0 && (size_t)n < sizeof folder && mkdtemp(folder) != NULL);
}

void
rig_folder_remove(void)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    RIG_MUST(dir != NULL);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
    (void)rmdir(folder);
}

const char *
rig_path(const char *name)
{
    static char path[96];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);

    RIG_MUST(n > 0 && (size_t)n < sizeof path);
    return path;
}

/* ---- rings ---- */

void
rig_ring_open(struct rig_ring *r, int wake_fd)
{
    RIG_MUST(ring_create(1, &r->data_fd, &r->index_fd) == 0);
    r->writer = ring_writer_open(r->data_fd, r->index_fd, wake_fd);
    RIG_MUST(r->writer != NULL);
}

void
rig_ring_close(struct rig_ring *r)
{
    ring_writer_close(&r->writer);
    fd_close(&r->data_fd);
    fd_close(&r->index_fd);
}

uint64_t
rig_write(struct rig_ring *r, unsigned count, size_t detail_len)
{
    static char detail[EVENT_RECORD_MAX];
    struct addr client = addr_ipv4((const uint8_t[]) { 192, 0, 2, 1 }, 4444);
    uint64_t seq = 0;
    struct event e;

    memset(detail, 'd', sizeof detail);
    for (unsigned i = 0; i < count; i++) {
        event_begin(&e, EVENT_REQUEST_DENIED, 0x18c5b3f0001, wall_read());
        event_text(&e, FIELD_LISTENER, "0.0.0.0:1080");
        event_addr(&e, FIELD_CLIENT, &client);
        event_text(&e, FIELD_PROTOCOL, "socks5");
        event_text(&e, FIELD_DESTINATION, "www.example.com:443");
        event_number(&e, FIELD_REPLY, 2);
        event_seconds(&e, FIELD_DURATION, 1234);
        event_bytes(&e, FIELD_DETAIL, detail, detail_len);
        seq = event_commit(r->writer, &e);
    }
    return seq;
}

void
rig_ring_spoil(struct rig_ring *r, size_t after)
{
    struct ring_reader *reader = ring_reader_open(r->data_fd, r->index_fd);
    uint8_t record[EVENT_RECORD_MAX];
    const size_t header = 4096;
    size_t from = 0;

    RIG_MUST(reader != NULL);
    for (size_t i = 0; i < after; i++)
        from += ((size_t)ring_peek(reader, i, record, sizeof record) + 7) & ~(size_t)7;
    ring_reader_close(&reader);
    uint8_t *map = mmap(
        NULL, header + RING_DATA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, r->data_fd, 0);

    RIG_MUST(map != MAP_FAILED);
    memset(map + header + from, 0xff, RING_DATA_SIZE - from);
    (void)munmap(map, header + RING_DATA_SIZE);
}

/* ---- a log daemon ---- */

int
rig_daemon_start(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    RIG_MUST(fd >= 0 && strlen(path) < sizeof at.sun_path);
    memcpy(at.sun_path, path, strlen(path));
    (void)unlink(path);
    RIG_MUST(bind(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

void
rig_daemon_stop(int *fd, const char *path)
{
    fd_close(fd);
    (void)unlink(path);
}

size_t
rig_daemon_read(int fd, char *out, size_t size, int ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    out[0] = '\0';
    if (poll(&p, 1, ms) != 1)
        return 0;
    ssize_t n = recv(fd, out, size - 1, MSG_DONTWAIT | MSG_TRUNC);

    RIG_MUST(n >= 0 && (size_t)n < size);
    out[n] = '\0';
    return (size_t)n;
}

uint64_t
rig_seq_of(const char *line)
{
    const char *at = strstr(line, " seq=");

    if (at != NULL)
        return strtoull(at + 5, NULL, 10);
    at = strstr(line, "\"seq\":");
    return at == NULL ? 0 : strtoull(at + 6, NULL, 10);
}

/* ---- a master ---- */

int
rig_image(enum image_log_target target, enum image_log_format format, const char *path)
{
    struct {
        struct image_header header;
        struct image_zone zone;
        char path[128];
    } image = { .header = { .magic = IMAGE_MAGIC, .version = IMAGE_VERSION, .size = sizeof image } };
    struct image_settings *s = &image.header.settings;
    size_t len = strlen(path);

    RIG_MUST(len < sizeof image.path);
    s->workers = 1;
    image.zone.from = INT64_MIN;
    s->zone = (struct image_list) { offsetof(__typeof__(image), zone), 1 };
    s->log.target = target;
    s->log.format = format;
    s->log.facility = LOG_LOCAL0;
    memcpy(image.path, path, len);
    if (len > 0)
        s->log.path = (struct image_text) { offsetof(__typeof__(image), path), (uint32_t)len };
    int fd = memfd_sealed("image", &image, sizeof image);

    RIG_MUST(fd >= 0);
    return fd;
}

static void
run_program(int channel, int stderr_fd)
{
    const char *build = getenv("top_builddir");
    char path[512];

    (void)snprintf(path, sizeof path, "%s/sallyport-logger", build != NULL ? build : "build");
    if (stderr_fd >= 0)
        (void)dup2(stderr_fd, STDERR_FILENO);
    if (channel == 3)
        (void)fcntl(3, F_SETFD, 0);
    else
        (void)dup2(channel, 3);
    execl(path, path, (char *)NULL);
    fprintf(stderr, "rig: %s: %s\n", path, strerror(errno));
    _exit(127);
}

static void
send_init(struct rig_master *m)
{
    struct ipc_init init = { .role = IPC_LOGGER, .number = 1, .incarnation = ++m->incarnation,
        .label = "logger" };
    uint8_t body[IPC_BODY_MAX];
    size_t len = ipc_init_encode(&init, body, sizeof body);
    const int fds[] = { m->image_fd, m->wake_fd };

    RIG_MUST(ipc_send(&m->peer, IPC_INIT, body, len, fds, 2) == 0);
}

void
rig_master_start(struct rig_master *m, int image_fd, int stderr_fd)
{
    int pair[2];
    struct ipc_message message;

    m->image_fd = image_fd;
    RIG_MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    m->pid = fork();
    RIG_MUST(m->pid >= 0);
    if (m->pid == 0)
        run_program(pair[1], stderr_fd);
    fd_close(&pair[1]);
    m->peer = (struct ipc_peer) { pair[0], IPC_MASTER, IPC_LOGGER, IPC_STARTING };
    send_init(m);
    rig_receive(m, &message, IPC_READY);
    ipc_message_close(&message);
    ipc_set_state(&m->peer, IPC_RUNNING);
}

static void
ring_add(struct rig_master *m, const struct rig_ring *r, uint32_t id, const char *label, pid_t writer,
    int accepted_fd)
{
    struct ipc_ring ring = { .ring = id };
    uint8_t body[IPC_BODY_MAX];
    int pidfd = (int)syscall(SYS_pidfd_open, writer, 0);
    const int fds[] = { r->data_fd, r->index_fd, pidfd, accepted_fd };

    RIG_MUST(pidfd >= 0);
    (void)snprintf(ring.label, sizeof ring.label, "%s", label);
    size_t len = ipc_ring_encode(&ring, body, sizeof body);

    RIG_MUST(ipc_send(&m->peer, IPC_RING_ADD, body, len, fds, accepted_fd < 0 ? 3 : 4) == 0);
    fd_close(&pidfd);
}

void
rig_ring_add(struct rig_master *m, const struct rig_ring *r, uint32_t id, const char *label,
    pid_t writer)
{
    ring_add(m, r, id, label, writer, -1);
}

void
rig_ring_add_waiting(struct rig_master *m, const struct rig_ring *r, uint32_t id, const char *label,
    int accepted_fd)
{
    ring_add(m, r, id, label, getpid(), accepted_fd);
}

void
rig_send_u32(struct rig_master *m, enum ipc_type type, uint32_t value)
{
    uint8_t body[4];
    size_t len = ipc_u32_encode(value, body, sizeof body);

    RIG_MUST(ipc_send(&m->peer, type, body, len, NULL, 0) == 0);
    if (type == IPC_STOP)
        ipc_set_state(&m->peer, IPC_STOPPING);
}

void
rig_send_file(struct rig_master *m, int fd)
{
    struct ipc_file file = { .kind = IPC_FILE_LOG, .generation = 1 };
    uint8_t body[IPC_BODY_MAX];
    size_t len = ipc_file_encode(&file, body, sizeof body);

    RIG_MUST(ipc_send(&m->peer, IPC_FILE, body, len, &fd, 1) == 0);
}

static void
note_audit(struct rig_master *m, const struct ipc_message *message)
{
    if (message->type != IPC_AUDIT_STATE)
        return;
    m->audit_count++;
    RIG_MUST(ipc_audit_state_decode(message, &m->audit) == 0);
}

bool
rig_quiet(struct rig_master *m, int ms)
{
    struct pollfd p = { .fd = m->peer.fd, .events = POLLIN };
    struct ipc_message message;
    const char *why = "";

    while (poll(&p, 1, ms) == 1) {
        if (ipc_recv(&m->peer, &message, &why) != IPC_OK || message.type != IPC_AUDIT_STATE)
            return false;
        note_audit(m, &message);
        ms = 0;
    }
    return true;
}

void
rig_receive(struct rig_master *m, struct ipc_message *message, enum ipc_type wanted)
{
    struct pollfd p = { .fd = m->peer.fd, .events = POLLIN };
    const char *why = "";

    do {
        RIG_MUST(poll(&p, 1, PATIENCE_MS) == 1);
        enum ipc_result result = ipc_recv(&m->peer, message, &why);

        rig_must(result == IPC_OK, why);
        note_audit(m, message);
    } while (message->type == IPC_AUDIT_STATE && wanted != IPC_AUDIT_STATE);
    RIG_MUST(message->type == wanted);
}

void
rig_master_vanish(struct rig_master *m)
{
    fd_close(&m->peer.fd);
}

int
rig_reap(struct rig_master *m)
{
    int pidfd = (int)syscall(SYS_pidfd_open, m->pid, 0);
    struct pollfd p = { .fd = pidfd, .events = POLLIN };
    int status = 0;

    RIG_MUST(pidfd >= 0 && poll(&p, 1, PATIENCE_MS) == 1);
    RIG_MUST(waitpid(m->pid, &status, 0) == m->pid);
    fd_close(&pidfd);
    fd_close(&m->peer.fd);
    return status;
}

void
rig_kill(struct rig_master *m)
{
    RIG_MUST(kill(m->pid, SIGKILL) == 0);
    (void)rig_reap(m);
}
