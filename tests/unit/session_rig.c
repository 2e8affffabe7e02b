/* SPDX-License-Identifier: ISC */
/* A session host in the test's process; see session_rig.h. */
#include "tests/unit/session_rig.h"

#include "auth/builtin.h"
#include "lib/base/fd.h"
#include "lib/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define TABLE_SLOTS 64
#define PIPES 2
#define PIPE_SIZE 65536

struct session_rig rig;

/* ---- sockets ---- */

static int
loopback(int type, uint16_t *port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof sin;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 64), 0);
    *port = ntohs(sin.sin_port);
    return fd;
}

int
session_rig_client(uint16_t listener, uint64_t *id)
{
    static const uint8_t ip[4] = { 127, 0, 0, 1 };
    static const int on = 1;
    struct sockaddr_in sin = { .sin_family = AF_INET };
    uint16_t port;
    int door = loopback(SOCK_STREAM, &port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (rig.receive_buffer > 0)
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rig.receive_buffer,
            sizeof rig.receive_buffer), 0);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sin.sin_port = htons(port);
    assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    assert_int_equal(fd_set_nonblock(fd), 0);
    struct ipc_session from = {
        .id = rig.next_id++,
        .listener = listener,
        .client = addr_ipv4(ip, 4711),
        .local = addr_ipv4(ip, port),
    };
    int near_fd = accept4(door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    assert_true(near_fd >= 0);
    dial_tune(near_fd, 0); /* as the master's listeners are */
    fd_close(&door);
    *id = from.id;
    session_new(&rig.host, &from, fd_take(&near_fd));
    return fd;
}

int
session_rig_accept(void)
{
    int fd = -1;

    RIG_UNTIL((fd = accept4(rig.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0);
    return fd;
}

void
session_rig_reset(int *fd)
{
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };

    assert_int_equal(setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    fd_close(fd);
}

void
session_rig_send(int fd, const void *data, size_t len)
{
    size_t at = 0;

    RIG_UNTIL(at == len) {
        ssize_t n = send(fd, (const uint8_t *)data + at, len - at, MSG_NOSIGNAL);

        assert_true(n >= 0 || errno == EAGAIN);
        at += n > 0 ? (size_t)n : 0;
    }
}

void
session_rig_read(int fd, void *out, size_t len)
{
    size_t at = 0;

    RIG_UNTIL(at == len) {
        ssize_t n = recv(fd, (uint8_t *)out + at, len - at, 0);

        if (n == 0 || (n < 0 && errno != EAGAIN))
            fail_msg("%zu of %zu bytes, then %s", at, len, n == 0 ? "the end" : strerror(errno));
        at += n > 0 ? (size_t)n : 0;
    }
}

void
session_rig_read_end(int fd)
{
    uint8_t byte;
    ssize_t n = -1;

    RIG_UNTIL((n = recv(fd, &byte, 1, 0)) >= 0 || errno != EAGAIN);
    if (n != 0)
        fail_msg("no end of file: %s", n > 0 ? "a byte" : strerror(errno));
}

/* ---- turns ---- */

struct mono
session_rig_patience(void)
{
    return mono_add_us(mono_read(), RIG_PATIENCE_MS * CLOCK_MSEC_US);
}

void
session_rig_turn(struct mono end, const char *condition)
{
    assert_int_equal(loop_turn(rig.host.loop, 5), 0);
    if (mono_before(end, mono_read()))
        fail_msg("in vain: %s", condition);
}

void
session_rig_turns(unsigned n)
{
    while (n-- > 0)
        assert_int_equal(loop_turn(rig.host.loop, 1), 0);
}

/* ---- what the sessions said ---- */

static void
host_ended(struct session_host *host, uint64_t id, struct table_slot *slot)
{
    assert_true(rig.ended_count < RIG_ENDED_MAX);
    assert_int_equal(slot->version & 1, 0);
    rig.ended[rig.ended_count].id = id;
    rig.ended[rig.ended_count].start_seq = slot->start_seq;
    rig.ended[rig.ended_count].close_seq = slot->close_seq;
    memcpy(rig.ended[rig.ended_count].user, slot->user, sizeof slot->user);
    rig.ended_count++;
    table_give(host->table, slot);
}

bool
session_rig_ended(uint64_t id)
{
    for (unsigned i = 0; i < rig.ended_count; i++)
        if (rig.ended[i].id == id)
            return true;
    return false;
}

static void
keep_text(char *out, size_t size, const struct event_value *v)
{
    assert_true(v->text_len < size);
    memcpy(out, v->text, v->text_len);
    out[v->text_len] = '\0';
}

static void
keep_value(struct session_closing *c, const struct event_value *v)
{
    switch (v->field) {
    case FIELD_REASON: keep_text(c->reason, sizeof c->reason, v); break;
    case FIELD_DETAIL: keep_text(c->detail, sizeof c->detail, v); break;
    case FIELD_USER: keep_text(c->user, sizeof c->user, v); break;
    case FIELD_CLAIMED: keep_text(c->claimed, sizeof c->claimed, v); break;
    case FIELD_PROTOCOL: keep_text(c->protocol, sizeof c->protocol, v); break;
    case FIELD_METHOD: keep_text(c->method, sizeof c->method, v); break;
    case FIELD_DESTINATION: keep_text(c->destination, sizeof c->destination, v); break;
    case FIELD_RULE: keep_text(c->rule, sizeof c->rule, v); break;
    case FIELD_MECHANISM: keep_text(c->mechanism, sizeof c->mechanism, v); break;
    case FIELD_ENCTYPE: keep_text(c->enctype, sizeof c->enctype, v); break;
    case FIELD_PROTECTION: keep_text(c->protection, sizeof c->protection, v); break;
    case FIELD_ACCOUNT: keep_text(c->account, sizeof c->account, v); break;
    case FIELD_WIRE_UP: c->wire_up = v->number; break;
    case FIELD_WIRE_DOWN: c->wire_down = v->number; break;
    case FIELD_REPLY: c->reply = v->number; break;
    case FIELD_BYTES_UP: c->bytes_up = v->number; break;
    case FIELD_STRANGERS: c->strangers = v->number; break;
    case FIELD_COMMAND: keep_text(c->command, sizeof c->command, v); break;
    case FIELD_ADDRESS: c->address = v->addr; break;
    case FIELD_EGRESS: c->egress = v->addr; break;
    case FIELD_BYTES_DOWN: c->bytes_down = v->number; break;
    case FIELD_DATAGRAMS_UP: c->datagrams_up = v->number; break;
    case FIELD_DATAGRAMS_DOWN: c->datagrams_down = v->number; break;
    case FIELD_DATAGRAMS_DROPPED: c->datagrams_dropped = v->number; break;
    default: break;
    }
}

struct session_closing
session_rig_closing(uint64_t id)
{
    struct session_closing c = {
        .reply = UINT64_MAX, .wire_up = UINT64_MAX, .wire_down = UINT64_MAX
    };
    uint8_t record[EVENT_RECORD_MAX];
    struct event_view view;
    ssize_t len;

    for (size_t n = 0; (len = ring_peek(rig.reader, n, record, sizeof record)) > 0; n++) {
        assert_int_equal(event_decode(record, (size_t)len, &view), 0);
        if (view.session != id)
            continue;
        if (view.id == EVENT_SESSION_START) {
            c.starts++;
            c.start_seq = view.seq;
            for (size_t i = 0; i < view.count; i++)
                if (view.values[i].field == FIELD_CLAIMED)
                    keep_text(c.start_claimed, sizeof c.start_claimed, &view.values[i]);
            continue;
        }
        if (view.id == EVENT_SESSION_DESTINATION) {
            c.told++;
            continue;
        }
        if (view.id == EVENT_AUTH_SUCCESS) {
            c.logins++;
        } else {
            c.count++;
            c.event = view.id;
            c.seq = view.seq;
        }
        for (size_t i = 0; i < view.count; i++)
            keep_value(&c, &view.values[i]);
    }
    assert_true(len == 0);
    return c;
}

struct session_closing
session_rig_expect(uint64_t id, enum event_id event, const char *reason)
{
    RIG_UNTIL(session_rig_ended(id));
    struct session_closing c = session_rig_closing(id);

    assert_string_equal(c.reason, reason);
    assert_int_equal(c.event, event);
    return c;
}

/* ---- the pool ---- */

int
session_rig_pool_open(uint8_t method, void *first, size_t *len)
{
    uint8_t packet[4096];
    struct conversation_open open;
    char listener[256];
    ssize_t n;
    int fd;

    RIG_UNTIL((n = conversation_receive_passed(rig.pool, packet, sizeof packet, &fd)) > 0)
        ;
    assert_true(fd >= 0);
    if (n == 1) /* OPEN found no room in the queue */
        n = conversation_receive(fd, packet, sizeof packet);
    assert_true(n > 0);
    assert_int_equal(conversation_open_decode(packet, (size_t)n, &open, listener), 0);
    assert_int_equal(open.method, method);
    assert_true(open.len <= *len && open.deadline_ms > 0);
    memcpy(first, open.bytes, open.len);
    *len = open.len;
    return fd;
}

int
session_rig_pool_take(char login[512])
{
    size_t len = 511;

    memset(login, 0, 512);
    return session_rig_pool_open(2, login, &len);
}

void
session_rig_pool_result(int fd, const struct conversation_result *result)
{
    static uint8_t packet[CONVERSATION_MAX];
    size_t len = conversation_result_encode(result, packet, sizeof packet);

    assert_true(len > 0);
    assert_int_equal(conversation_send(fd, packet, len), 0);
}

void
session_rig_pool_answer(int fd, enum auth_outcome outcome, const char *user, const char *reason)
{
    struct conversation_result result = { .outcome = outcome, .user = user, .reason = reason,
        .mechanism = "", .enctype = "", .account = "" };

    session_rig_pool_result(fd, &result);
}

/* ---- beginning and end ---- */

static void
find_faces(uint32_t i, const char *name)
{
    char error[256];
    const struct auth_protect_module *protect;

    rig.host.modules[i] = auth_wire_find(name, "/nonexistent", error, sizeof error);
    assert_non_null(rig.host.modules[i]);
    if (!rig.host.modules[i]->protects)
        return;
    protect = auth_protect_find(name, "/nonexistent", error, sizeof error);
    assert_non_null(protect);
    assert_int_equal(protect->start(error, sizeof error), 0);
    rig.host.protect[i] = protect;
}

void
session_rig_commit(const struct image *image, uint16_t first)
{
    uint32_t count = image_settings(image)->listeners.count;
    uint16_t numbers[256];
    char error[256];

    for (uint32_t i = 0; i < count; i++)
        numbers[i] = (uint16_t)(first + i);
    struct session_adoption *a =
        session_prepare(&rig.host, image, numbers, count, error, sizeof error);

    if (a == NULL)
        fail_msg("%s", error);
    session_commit(&rig.host, &a);
}

static void
make_link(void)
{
    uint32_t count = image_settings(rig.config.image)->modules.count;
    int pair[2];

    authlink_init(&rig.link, rig.host.loop, AUTHLINK_PAIRS_MAX);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    for (uint32_t i = 0; i < count; i++) {
        const char *name =
            image_string(rig.config.image, image_module(rig.config.image, i)->name);

        find_faces(i, name);
        if (rig.host.modules[i]->needs_pool)
            assert_int_equal(authlink_set_queue(&rig.link, i, fd_take(&pair[0])), 0);
    }
    rig.pool = pair[1];
    fd_close(&pair[0]);
    session_rig_commit(rig.config.image, 0);
}

static void
make_audit(void)
{
    int table = table_create(TABLE_SLOTS);

    assert_true(table >= 0);
    rig.host.table = table_open_writer(table);
    assert_non_null(rig.host.table);
    fd_close(&table);
    assert_int_equal(ring_create(1, &rig.ring_data, &rig.ring_index), 0);
    rig.host.ring = ring_writer_open(rig.ring_data, rig.ring_index, -1);
    rig.reader = ring_reader_open(rig.ring_data, rig.ring_index);
    assert_non_null(rig.host.ring);
    assert_non_null(rig.reader);
    rig.accepted = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(
        audit_waits_open(&rig.host.audit, rig.host.loop, rig.host.ring, rig.accepted), 0);
}

static void
make_resolver(void)
{
    struct resolver_settings settings = { .timeout_ms = 20000, .attempts = 1, .hosts = true };
    static const uint8_t ip[4] = { 127, 0, 0, 1 };
    static const char hosts[] = "127.0.0.1 here.test\n10.9.8.7 denied.test\n::1 six.test\n";
    uint16_t port;

    rig.name_server = loopback(SOCK_DGRAM, &port);
    struct addr server = addr_ipv4(ip, port);

    rig.host.resolver = resolver_new(rig.host.loop, &settings);
    assert_non_null(rig.host.resolver);
    assert_int_equal(resolver_set_servers(rig.host.resolver, &server, 1), 0);
    assert_int_equal(resolver_set_hosts(rig.host.resolver, hosts, sizeof hosts - 1), 0);
}

/* A master that only listens. */
static int
host_ask(struct session_host *host, const struct ipc_budget_ask *ask)
{
    (void)host;
    if (rig.ask_errno != 0) {
        errno = rig.ask_errno;
        return -1;
    }
    rig.asks[rig.ask_count++ % RIG_ASKS_MAX] = *ask;
    return 0;
}

static void
make_host(void)
{
    rig.host.loop = loop_new();
    assert_non_null(rig.host.loop);
    rig.host.own = &rig.own;
    rig.host.authlink = &rig.link;
    rig.host.ended = host_ended;
    budgets_open(&rig.host.budgets, &rig.host, host_ask);
    rig.host.scratch = malloc(SESSION_SCRATCH_SIZE);
    rig.host.secret_scratch = secret_alloc(SESSION_SETUP_READ);
    assert_non_null(rig.host.scratch);
    assert_non_null(rig.host.secret_scratch);
    for (unsigned i = 0; i < PIPES; i++) {
        int ends[2];

        assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
        assert_int_equal(pipes_add(&rig.host.pipes, ends[0], ends[1], PIPE_SIZE), 0);
    }
}

void
session_rig_begin(const char *config)
{
    memset(&rig, 0, sizeof rig);
    rig.next_id = 100;
    rig.descriptors = fd_count_open();
    rig_later(&rig.config, config);
    make_host();
    make_link();
    make_audit();
    make_resolver();
    rig.listener = loopback(SOCK_STREAM, &rig.port);
}

static void
begin(const char *timeouts)
{
    static char text[2048];

    assert_true(snprintf(text, sizeof text,
                    "methods = { \"none\", \"userpass\" }\n"
                    "listen \"127.0.0.1:1080\" { methods = { \"none\" } }\n"
                    "listen \"127.0.0.1:1081\" { methods = { \"userpass\" } }\n"
                    "userpass { file = \"/nonexistent/users\" }\ntimeouts { %s }\n"
                    "rule \"closed\" { action = \"deny\" destination = { \"10.0.0.0/8\" } }\n"
                    "rule \"here\" { action = \"allow\" destination = { \"127.0.0.1/32\" } }\n"
                    "rule \"names\" { action = \"allow\" destination = { \"*.test\" } }\n",
                    timeouts) < (int)sizeof text);
    session_rig_begin(text);
}

int
session_rig_setup(void **state)
{
    (void)state;
    begin("negotiate = 30");
    return 0;
}

int
session_rig_setup_short(void **state)
{
    (void)state;
    begin("negotiate = 1 connect = 1 idle = 1 half-closed = 1");
    return 0;
}

static void
check_records(void)
{
    assert_int_equal(rig.host.count, 0);
    assert_null(rig.host.first);
    assert_int_equal(rig.ended_count, rig.next_id - 100);
    for (unsigned i = 0; i < rig.ended_count; i++) {
        struct session_closing c = session_rig_closing(rig.ended[i].id);

        assert_int_equal(c.count, 1);
        assert_true(c.starts <= 1);
        assert_int_equal(c.event == EVENT_SESSION_END, c.starts == 1);
        assert_int_equal(rig.ended[i].close_seq, c.seq);
        assert_int_equal(rig.ended[i].start_seq, c.start_seq);
    }
}

int
session_rig_teardown(void **state)
{
    (void)state;
    session_end_all(&rig.host, REASON_SHUTDOWN);
    check_records();
    for (size_t i = 0; i < SESSION_SETUP_READ; i++)
        assert_int_equal(rig.host.secret_scratch[i], 0);
    assert_int_equal(rig.host.pipes.free_count, PIPES);
    pipes_free(&rig.host.pipes);
    resolver_free(&rig.host.resolver);
    authlink_close(&rig.link);
    audit_waits_close(&rig.host.audit);
    budgets_close(&rig.host.budgets);
    fd_close(&rig.accepted);
    ring_reader_close(&rig.reader);
    ring_writer_close(&rig.host.ring);
    table_close(&rig.host.table);
    session_host_free(&rig.host);
    loop_free(&rig.host.loop);
    secret_free(rig.host.secret_scratch, SESSION_SETUP_READ);
    free(rig.host.scratch);
    free(rig.host.udp);
    fd_close(&rig.ring_data);
    fd_close(&rig.ring_index);
    fd_close(&rig.pool);
    fd_close(&rig.listener);
    fd_close(&rig.name_server);
    rig_free(&rig.config);
    assert_int_equal(fd_count_open(), rig.descriptors);
    return 0;
}
