/* SPDX-License-Identifier: ISC */
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t
start_idler(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        (void)pause();
}

static void
add_worker(struct rig *r, int i)
{
    struct place *place = &r->places[1 + i];
    struct process *p = &r->workers[i];
    int pair[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    *place = (struct place) { .m = &r->m, .role = IPC_WORKER, .number = (uint16_t)(i + 1),
        .process = p, .next_seq = 1 };
    assert_true(snprintf(place->label, sizeof place->label, "%d", i + 1) > 0);
    *p = (struct process) { .m = &r->m, .place = place, .capacity = 4,
        .incarnation = ++r->m.incarnations, .ring_data = -1, .ring_index = -1, .table_fd = -1, .accepted_fd = -1,
        .was_ready = true };
    p->peer = (struct ipc_peer) { pair[0], IPC_MASTER, IPC_WORKER, IPC_STARTING };
    r->theirs[i] = (struct ipc_peer) { pair[1], IPC_WORKER, IPC_MASTER, IPC_RUNNING };
    assert_true(snprintf(p->label, sizeof p->label, "%s", place->label) > 0);
    p->pid = start_idler();
    p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    for (size_t k = 0; k < MASTER_POOLS_MAX; k++)
        p->queues[k] = -1;
    process_set_phase(p, PROCESS_RUNNING);
    p->next = r->m.processes;
    r->m.processes = p;
    p->io.ready = process_readable;
    assert_int_equal(loop_io_add(r->m.loop, &p->io, pair[0], EPOLLIN), 0);
}

int
rig_setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);

    assert_non_null(r);
    *state = r;
    r->m.loop = loop_new();
    assert_non_null(r->m.loop);
    r->m.acceptor.reserve = -1;
    assert_int_equal(ring_create(1, &r->m.ring_data, &r->m.ring_index), 0);
    r->m.ring = ring_writer_open(r->m.ring_data, r->m.ring_index, -1);
    r->reader = ring_reader_open(r->m.ring_data, r->m.ring_index);
    assert_non_null(r->m.ring);
    assert_non_null(r->reader);
    assert_int_equal(sessions_init(&r->m.sessions, wall_read(), 100), 0);
    r->m.places = r->places;
    r->m.place_count = 1 + RIG_WORKERS;
    r->m.workers = &r->places[1];
    r->m.capacity.workers = RIG_WORKERS;
    r->m.serving = true;
    r->places[0] = (struct place) { .m = &r->m, .role = IPC_LOGGER };
    accept_init(&r->m);
    accept_resume(&r->m, PAUSE_START);
    dispatch_init(&r->m);
    for (int i = 0; i < RIG_WORKERS; i++)
        add_worker(r, i);
    return 0;
}

int
rig_setup_pool(void **state, const char *path)
{
    static const struct broker_kind row = { IPC_FILE_MODULE, IPC_AUTH, &file_rule_secret, NULL };

    if (rig_setup(state) != 0)
        return -1;
    struct rig *r = *state;
    struct brokered *f = &r->m.broker.files[0];

    for (int i = 0; i < RIG_WORKERS; i++) {
        r->places[1 + i].role = IPC_AUTH;
        r->workers[i].peer.other = IPC_AUTH;
        r->theirs[i].self = IPC_AUTH;
    }
    *f = (struct brokered) { .row = &row, .option = "keytab", .path = strdup(path),
        .current = memfd_sealed("old", "old", 3), .candidate = -1, .generation = 1,
        .current_generation = 1 };
    r->m.broker.count = 1;
    return f->path == NULL || f->current < 0 ? -1 : 0;
}

static void
remove_worker(struct rig *r, int i)
{
    struct process *p = &r->workers[i];

    process_kill(p, "test");
    process_signal(p, SIGKILL);
    (void)waitpid(p->pid, NULL, 0);
    loop_timer_cancel(r->m.loop, &p->limit);
    fd_close(&p->peer.fd);
    fd_close(&p->pidfd);
    fd_close(&r->theirs[i].fd);
}

int
rig_teardown(void **state)
{
    struct rig *r = *state;

    for (int i = 0; i < RIG_WORKERS; i++)
        remove_worker(r, i);
    while (r->m.dispatch.waiting.count > 0) {
        struct session *s = r->m.dispatch.waiting.head;

        session_list_remove(&r->m.dispatch.waiting, s);
        fd_close(&s->fd);
    }
    while (r->peer_count > 0)
        fd_close(&r->peers[--r->peer_count]);
    loop_timer_cancel(r->m.loop, &r->m.dispatch.retry);
    accept_close(&r->m);
    ring_writer_close(&r->m.ring);
    ring_reader_close(&r->reader);
    fd_close(&r->m.ring_data);
    fd_close(&r->m.ring_index);
    sessions_free(&r->m.sessions);
    broker_close(&r->m);
    loop_free(&r->m.loop);
    free(r);
    return 0;
}

struct session *
rig_session(struct rig *r)
{
    struct session *s = sessions_issue(&r->m.sessions);
    int pair[2];

    assert_non_null(s);
    assert_true(r->peer_count < SP_COUNT(r->peers));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    s->fd = fd_take(&pair[0]);
    r->peers[r->peer_count++] = fd_take(&pair[1]);
    return s;
}

bool
rig_receive(struct rig *r, int i, struct ipc_message *out)
{
    const char *why = NULL;
    enum ipc_result result = ipc_recv(&r->theirs[i], out, &why);

    if (result == IPC_AGAIN)
        return false;
    assert_int_equal(result, IPC_OK);
    for (size_t k = 0; k < out->fd_count; k++)
        fd_close(&out->fds[k]);
    return true;
}

void
rig_say(struct rig *r, int i, enum ipc_type type, const void *body, size_t len)
{
    assert_int_equal(ipc_send(&r->theirs[i], type, body, len, NULL, 0), 0);
}

void
rig_say_ended(struct rig *r, int i, uint64_t id)
{
    uint8_t body[16];
    size_t len = ipc_ended_encode(&id, 1, body, sizeof body);

    rig_say(r, i, IPC_ENDED, body, len);
}

void
rig_turn(struct rig *r)
{
    assert_int_equal(loop_turn(r->m.loop, 0), 0);
}

void
rig_fill(struct rig *r, int i)
{
    uint8_t body[8];
    size_t len = ipc_u32_encode(1, body, sizeof body);

    while (ipc_send(&r->workers[i].peer, IPC_PING, body, len, NULL, 0) == 0)
        ;
    assert_int_equal(errno, EAGAIN);
}

void
rig_drain(struct rig *r, int i)
{
    struct ipc_message message;

    while (rig_receive(r, i, &message))
        ;
}

bool
rig_was_killed(struct rig *r, int i)
{
    return r->workers[i].phase == PROCESS_KILLED && r->workers[i].reason != NULL;
}

size_t
rig_events(struct rig *r, enum event_id id)
{
    uint8_t record[EVENT_RECORD_MAX];
    struct event_view view;
    size_t found = 0;
    ssize_t len;

    for (size_t n = 0; (len = ring_peek(r->reader, n, record, sizeof record)) > 0; n++) {
        assert_int_equal(event_decode(record, (size_t)len, &view), 0);
        found += view.id == id;
    }
    return found;
}

void
rig_assert_file(struct rig *r, int i, uint32_t generation)
{
    struct ipc_message m;
    struct ipc_file file;

    assert_true(rig_receive(r, i, &m));
    assert_int_equal(m.type, IPC_FILE);
    assert_int_equal(ipc_file_decode(&m, &file), 0);
    assert_string_equal(file.option, "keytab");
    assert_int_equal(file.generation, generation);
    assert_false(rig_receive(r, i, &m));
}

void
rig_answer_file(struct rig *r, int i, uint32_t generation, bool accepted)
{
    struct ipc_file_result result = {
        .file = { .kind = IPC_FILE_MODULE, .generation = generation, .option = "keytab" },
        .accepted = accepted,
    };
    uint8_t body[IPC_BODY_MAX];

    if (!accepted)
        assert_true(snprintf(result.error, sizeof result.error, "/etc/keytab: truncated") > 0);
    rig_say(r, i, IPC_FILE_RESULT, body, ipc_file_result_encode(&result, body, sizeof body));
    rig_turn(r);
}
