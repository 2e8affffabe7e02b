/* SPDX-License-Identifier: ISC */
/* src/master/master_control*.c: a control socket with real clients, and a hundred thousand sessions in tables
   of three workers. */
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "src/config/config.h"
#include "src/core/ipc_reload.h"
#include "src/master/master_control_private.h"
#include "src/session/session.h"

#define MANY 100000U
#define ANSWER_MAX (64U << 20)

static char folder[64];
static char path[CONTROL_PATH_MAX];
static char config_text[1024];
static char *answer; /* room for a listing */

static int
open_text(const char *name, void *ctx)
{
    (void)name;
    (void)ctx;
    return memfd_sealed("config", config_text, strlen(config_text));
}

static void
compile(struct master *m, const char *more)
{
    const struct config_source source = { .open = open_text, .path = "/etc/test.conf", .cpus = 1 };
    struct config_messages messages = { .text = BUFFER_INIT };
    const char *why = NULL;
    size_t size = 0;

    assert_true(snprintf(config_text, sizeof config_text,
                    "methods = { \"none\" }\nlisten \"127.0.0.1:0\" { }\ncontrol { socket = \"%s\" }\n%s",
                    path, more) > 0);
    void *image = config_compile(&source, &messages, &size);

    assert_non_null(image);
    m->config.fd = memfd_sealed("image", image, size);
    m->config.image = image_open(m->config.fd, &why);
    assert_non_null(m->config.image);
    m->settings = image_settings(m->config.image);
    free(image);
    buffer_clear(&messages.text);
}

static int
setup(void **state)
{
    char error[512] = "";
    struct rig *r;

    assert_true(snprintf(folder, sizeof folder, "/tmp/sallyport-unit-XXXXXX") > 0);
    assert_non_null(mkdtemp(folder));
    assert_true(snprintf(path, sizeof path, "%s/control.sock", folder) > 0);
    answer = malloc(ANSWER_MAX);
    assert_non_null(answer);
    if (rig_setup(state) != 0)
        return -1;
    r = *state;
    r->m.started = wall_read();
    compile(&r->m, "");
    assert_int_equal(control_open(&r->m, error, sizeof error), 0);
    assert_string_equal(error, "");
    assert_non_null(r->m.control);
    return 0;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    control_close(&r->m);
    assert_int_equal(access(path, F_OK), -1);
    for (int i = 0; i < RIG_WORKERS; i++)
        fd_close(&r->workers[i].table_fd);
    image_close(&r->m.config.image);
    fd_close(&r->m.config.fd);
    assert_int_equal(rmdir(folder), 0);
    free(answer);
    return rig_teardown(state);
}

static int
dial(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void
say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Turns until the master has closed; all that it said. */
static size_t
hear(struct rig *r, int *fd, size_t *turns)
{
    size_t len = 0;

    for (size_t n = 0; n < 1000000; n++) {
        rig_turn(r);
        *turns += 1;
        ssize_t got = recv(*fd, answer + len, ANSWER_MAX - 1 - len, MSG_DONTWAIT);

        if (got == 0 || (got < 0 && errno == ECONNRESET))
            break;
        assert_true(got > 0 || errno == EAGAIN);
        len += got > 0 ? (size_t)got : 0;
    }
    fd_close(fd);
    answer[len] = '\0';
    return len;
}

static void
ask(struct rig *r, const char *request)
{
    int fd = dial();
    size_t turns = 0;

    say(fd, request);
    (void)hear(r, &fd, &turns);
}

static bool
ends_with(const char *end)
{
    size_t len = strlen(answer);

    return len >= strlen(end) && strcmp(answer + len - strlen(end), end) == 0;
}

static size_t
clients(const struct rig *r)
{
    size_t count = 0;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
        count += r->m.control->clients[i] != NULL;
    return count;
}

static void
test_status(void **state)
{
    ask(*state, "status\n");
    assert_true(ends_with("\n.ok\n"));
    assert_non_null(strstr(answer, "section=gateway\tversion=" PACKAGE_VERSION "\t"));
    assert_non_null(strstr(answer, "\nsection=workers\tconfigured=3\trunning=3\t"));
    assert_non_null(strstr(answer, "\nsection=sessions\tnow=0\t"));
    assert_int_equal(clients(*state), 0);
    ((struct rig *)*state)->workers[1].bypassed = true; /* it does not answer */
    ask(*state, "status\n");
    assert_non_null(strstr(answer, "\nsection=workers\tconfigured=3\trunning=2\t"));
}

static void
test_workers(void **state)
{
    ask(*state, "workers\n");
    assert_true(ends_with("\n.ok\n"));
    assert_non_null(strstr(answer, "role=worker\tnumber=3\tstate=running\tpid="));
}

static void
test_bad_requests(void **state)
{
    static const struct {
        const char *request, *error;
    } rows[] = {
        { "\n", "a bad request: an empty word" },
        { "nonsense\n", "no such command: nonsense" },
        { "status\tuser=x\n", "this command knows no such word: user" },
        { "kill\n", "which sessions? one of" },
        { "kill\tclient=here\n", "client: an address or a prefix" },
        { "sessions\tsession=xyz\n", "session: the id is wanted" },
        { "status\r\n", "a bad request: a control character" },
        { "GET / HTTP/1.0\n", "no such command: GET / HTTP/1.0" },
        { "\x16\x03\x01\x02\n", "a bad request: a control character" },
    };

    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        ask(*state, rows[i].request);
        assert_int_equal(strncmp(answer, ".error\t", 7), 0);
        assert_non_null(strstr(answer, rows[i].error));
        assert_true(ends_with("\n"));
    }
    assert_int_equal(clients(*state), 0);
}

static void
test_flood(void **state)
{
    struct rig *r = *state;
    char block[8192];
    int fd = dial();
    size_t turns = 0;

    memset(block, 'a', sizeof block);
    for (int i = 0; i < 100; i++) {
        (void)send(fd, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT);
        rig_turn(r);
    }
    (void)hear(r, &fd, &turns);
    assert_non_null(strstr(answer, "longer than 4096 octets"));
    assert_int_equal(clients(r), 0);
    ask(r, "status\nstatus\nmore than is asked");
    assert_true(ends_with("\n.ok\n"));
}

/* The client's time is over. */
static void
too_late(struct control_client *c)
{
    loop_timer_cancel(c->m->loop, &c->timer);
    c->timer.expired(&c->timer);
}

static void
test_silence_and_half_a_line(void **state)
{
    static const char *const said[] = { "", "stat" };
    struct rig *r = *state;

    for (size_t i = 0; i < SP_COUNT(said); i++) {
        int fd = dial();
        size_t turns = 0;

        say(fd, said[i]);
        rig_turn(r);
        rig_turn(r);
        assert_int_equal(clients(r), 1);
        struct control_client *c = r->m.control->clients[0];

        assert_true(loop_timer_armed(&c->timer));
        assert_true(mono_diff_us(c->timer.deadline, loop_now(r->m.loop))
            <= CONTROL_REQUEST_SECONDS * CLOCK_SECOND_US);
        too_late(c);
        (void)hear(r, &fd, &turns);
        assert_string_equal(answer, ".error\tno request within 10 seconds\n");
        assert_int_equal(clients(r), 0);
    }
    int fd = dial();

    say(fd, "stat");
    rig_turn(r);
    fd_close(&fd);
    rig_turn(r);
    rig_turn(r);
    assert_int_equal(clients(r), 0);
}

static void
test_sixty_four(void **state)
{
    struct rig *r = *state;
    int fds[CONTROL_CLIENTS_MAX];
    size_t turns = 0;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        fds[i] = dial();
        rig_turn(r);
    }
    for (int i = 0; i < 20; i++)
        rig_turn(r);
    assert_int_equal(clients(r), CONTROL_CLIENTS_MAX);
    int more = dial();

    (void)hear(r, &more, &turns);
    assert_string_equal(answer, ".error\ttoo many control clients; try again\n");
    say(fds[7], "status\n");
    (void)hear(r, &fds[7], &turns);
    assert_true(ends_with("\n.ok\n"));
    ask(r, "status\n");
    assert_true(ends_with("\n.ok\n"));
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
        fd_close(&fds[i]);
    rig_turn(r);
    rig_turn(r);
    assert_int_equal(clients(r), 0);
}

static void
test_image(void **state)
{
    struct rig *r = *state;
    int fd = dial();
    char text[256];
    struct iovec iov = { text, sizeof text };
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
        .msg_controllen = sizeof control.space };
    const char *why = NULL;
    int passed = -1;

    say(fd, "image\n");
    for (int i = 0; i < 5; i++)
        rig_turn(r);
    assert_true(recvmsg(fd, &msg, MSG_CMSG_CLOEXEC) > 0);
    assert_non_null(CMSG_FIRSTHDR(&msg));
    memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof passed);
    struct image *image = image_open(passed, &why);

    assert_non_null(image);
    assert_int_equal(image_settings(image)->listeners.count, 1);
    image_close(&image);
    fd_close(&passed);
    fd_close(&fd);
}

/* A text that cannot be made is said, and given back. */
static void
test_metrics(void **state)
{
    struct rig *r = *state;

    r->m.metrics.listen_fd = -1;
    for (unsigned i = 0; i < METRICS_FORMAT_COUNT; i++)
        r->m.metrics.kept[i].fd = -1;
    metrics_init(&r->m);
    r->m.metrics.limit = 10000;
    ask(r, "metrics\n");
    assert_string_equal(answer, ".error\tNo buffer space available\n");
    assert_int_equal(clients(r), 0);
    r->m.metrics.limit = METRICS_TEXT_MAX;
    ask(r, "metrics\n");
    assert_int_equal(strncmp(answer, "text=# TYPE sallyport_", 22), 0);
    assert_true(ends_with("\ntext=# EOF\n.ok\n"));
    metrics_free(&r->m);
}

/* ---- many sessions ---- */

static bool first_claims; /* the first session's user is a claim */

/* Worker i's table, with the sessions first .. first + count - 1. */
static void
fill_table(struct rig *r, int i, uint64_t first, uint32_t count)
{
    struct process *p = &r->workers[i];

    p->table_fd = table_create(count + 1000);
    struct table *writer = table_open_writer(p->table_fd);

    assert_non_null(writer);
    for (uint32_t n = 0; n < count; n++) {
        struct table_slot *slot = table_take(writer, first + n);

        assert_non_null(slot);
        slot->phase = SESSION_RELAY;
        slot->client = addr_ipv4((const uint8_t[]) { 10, 0, (uint8_t)i, (uint8_t)n }, 1000);
        slot->accepted = wall_read();
        slot->bytes_up = n;
        slot->claims = first_claims && n == 0;
        table_text(slot->user, sizeof slot->user, n % 2 == 0 ? "alice" : "bob", n % 2 == 0 ? 5 : 3);
        table_text(slot->rule, sizeof slot->rule, "web\tx", 5);
        table_text(slot->destination, sizeof slot->destination, "www.example.com", 15);
    }
    table_close(&writer);
}

static size_t
count_lines(const char *begin)
{
    size_t count = 0;

    for (const char *at = answer; at != NULL; at = strchr(at, '\n')) {
        at += *at == '\n';
        count += strncmp(at, begin, strlen(begin)) == 0;
    }
    return count;
}

static int64_t
cpu_us(void)
{
    struct timespec t;

    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void
test_a_hundred_thousand(void **state)
{
    struct rig *r = *state;
    size_t len = 0, slices = 0;
    int64_t longest = 0;
    int fd;

    for (int i = 0; i < RIG_WORKERS; i++)
        fill_table(r, i, 1 + (uint64_t)i * MANY, i == 0 ? MANY - 66000 : 33000);
    fd = dial();
    say(fd, "sessions\n");
    for (ssize_t got = -1; got != 0; slices++) {
        int64_t begin = cpu_us();

        rig_turn(r);
        begin = cpu_us() - begin;
        longest = begin > longest ? begin : longest;
        got = recv(fd, answer + len, ANSWER_MAX - 1 - len, MSG_DONTWAIT);
        assert_true(got >= 0 || errno == EAGAIN);
        len += got > 0 ? (size_t)got : 0;
    }
    fd_close(&fd);
    answer[len] = '\0';
    assert_true(ends_with("\n.ok\n"));
    assert_int_equal(count_lines("session="), MANY);
    assert_non_null(strstr(answer, "\tphase=relay\n"));
    assert_non_null(strstr(answer, "\trule=web\\tx\t"));
    print_message("100,000 sessions: %zu octets in %zu turns, the longest %" PRId64 " us\n", len, slices,
        longest);
    assert_true(slices > 30);
    /* A slice is a millisecond; sending 64 KiB and, with sanitizers, everything, takes its time as well. */
    assert_true(longest < (UNIT_ASAN ? 100000 : 10000));
    ask(r, "status\n");
    assert_non_null(strstr(answer, "\nsection=phase\tname=relay\tsessions=100000\n"));
    ask(r, "sessions\tuser=ali*\tclient=10.0.1.0/24\n");
    assert_int_equal(count_lines("session="), 16500);
}

static void
test_slow_reader(void **state)
{
    struct rig *r = *state;
    int fd;

    fill_table(r, 0, 1, 20000);
    fd = dial();
    say(fd, "sessions\n");
    for (int i = 0; i < 200; i++)
        rig_turn(r);
    struct control_client *c = r->m.control->clients[0];

    assert_non_null(c);
    assert_true(c->blocked && !control_has_work(c));
    assert_true(buffer_len(&c->out) < 200000);
    ask(r, "status\n"); /* nobody else waits */
    assert_true(ends_with("\n.ok\n"));
    too_late(c);
    assert_int_equal(clients(r), 0);
    fd_close(&fd);
}

static void
test_changing_slot(void **state)
{
    struct rig *r = *state;

    fill_table(r, 1, 1, 3);
    struct table *writer = table_open_writer(r->workers[1].table_fd);
    struct table_slot *slot = table_take(writer, 77);

    /* That writer began anew with the first slot. */
    table_change_begin(slot);
    ask(r, "sessions\n");
    assert_non_null(strstr(answer, "session=?\tworker=2\n"));
    assert_int_equal(count_lines("session="), 1);
    table_change_end(slot);
    table_close(&writer);
}

/* Whatever a worker writes into its table, the answer is lines of the protocol. */
static void
test_hostile_table(void **state)
{
    struct rig *r = *state;
    struct unit_random random = UNIT_RANDOM_INIT;
    const size_t size = 4096 + 200 * sizeof(struct table_slot);
    size_t lines = 0;

    r->workers[0].table_fd = table_create(200);
    uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->workers[0].table_fd, 0);

    assert_ptr_not_equal(map, MAP_FAILED);
    for (int round = 0; round < 30; round++) {
        unit_random_fill(&random, map, size);
        memset(map + 12, round % 3 == 0 ? 0xff : 0x40, 4); /* how many were used, it says */
        for (size_t i = 0; i < 200; i++)
            map[4096 + i * sizeof(struct table_slot)] &= 0xfe; /* not changing */
        ask(r, "sessions\n");
        assert_true(ends_with("\n.ok\n"));
        for (char *at = answer, *end; *at != '\0'; at = end + 1) {
            struct control_line line;
            const char *why = NULL;

            end = strchr(at, '\n');
            assert_non_null(end);
            assert_int_equal(control_line_parse(at, (size_t)(end - at), &line, &why), 0);
            lines++;
        }
        ask(r, "status\n");
        assert_true(ends_with("\n.ok\n"));
        ask(r, "kill\tuser=*\n");
        assert_string_equal(answer, "killed=0\n.ok\n");
    }
    assert_true(lines > 1000);
    assert_int_equal(munmap(map, size), 0);
}

/* The ids that worker i was told to end. */
static size_t
killed(struct rig *r, int i, uint64_t *ids, size_t most)
{
    struct ipc_message m;
    struct ipc_kill kill;
    size_t count = 0;

    while (rig_receive(r, i, &m)) {
        assert_int_equal(m.type, IPC_KILL);
        assert_int_equal(ipc_kill_decode(&m, &kill), 0);
        for (size_t n = 0; n < kill.count && count < most; n++)
            ids[count++] = kill.ids[n];
    }
    return count;
}

/* A session of worker i that the table has in slot n of fill_table(). */
static uint64_t
issue(struct rig *r, int i, uint32_t n)
{
    struct session *s = sessions_issue(&r->m.sessions);

    assert_non_null(s);
    s->worker = &r->workers[i];
    s->client = addr_ipv4((const uint8_t[]) { 10, 0, (uint8_t)i, (uint8_t)n }, 1000);
    session_list_push(&r->workers[i].sessions, s);
    return s->id;
}

static void
test_kill(void **state)
{
    struct rig *r = *state;
    uint64_t first = issue(r, 0, 0);
    uint64_t ids[8];
    char request[128];

    for (uint32_t n = 1; n < 4; n++)
        assert_int_equal(issue(r, 0, n), first + n);
    first_claims = true;
    fill_table(r, 0, first, 6);     /* two of them were never given to it */
    fill_table(r, 1, first + 1, 2); /* nor these to worker 2 */
    first_claims = false;
    ask(r, "kill\tuser=*\tclient=10.0.0.0\n");
    assert_string_equal(answer, "killed=0\n.ok\n"); /* a claim is no user */
    ask(r, "kill\tuser=bob\n");
    assert_string_equal(answer, "killed=2\n.ok\n");
    assert_int_equal(killed(r, 0, ids, 8), 2);
    assert_int_equal(ids[0], first + 1);
    assert_int_equal(ids[1], first + 3);
    assert_int_equal(killed(r, 1, ids, 8), 0);
    assert_true(snprintf(request, sizeof request, "kill\tsession=%016" PRIx64 "\n", first + 2) > 0);
    ask(r, request);
    assert_string_equal(answer, "killed=1\n.ok\n");
    assert_true(snprintf(request, sizeof request, "kill\tsession=%" PRIx32 "\n", (uint32_t)first) > 0);
    ask(r, request);
    assert_string_equal(answer, "killed=1\n.ok\n");
    assert_int_equal(killed(r, 0, ids, 8), 2);
    ask(r, "kill\tclient=10.0.0.0/30\tuser=alice\n");
    assert_string_equal(answer, "killed=1\n.ok\n");
    ask(r, "kill\trule=web*\n");
    assert_string_equal(answer, "killed=4\n.ok\n");
    ask(r, "kill\trule=other\n");
    assert_string_equal(answer, "killed=0\n.ok\n");
    for (struct session *s; (s = r->workers[0].sessions.head) != NULL;) {
        session_list_remove(&r->workers[0].sessions, s);
        sessions_end(&r->m.sessions, s);
    }
}

/* A worker goes while its sessions are listed. */
static void
test_worker_ends_meanwhile(void **state)
{
    struct rig *r = *state;
    size_t turns = 0;
    int fd;

    fill_table(r, 0, 1, 5000);
    fill_table(r, 2, 10000, 50000); /* the newest: it comes first */
    fd = dial();
    say(fd, "sessions\n");
    rig_turn(r);
    rig_turn(r);
    process_kill(&r->workers[2], "test");
    (void)hear(r, &fd, &turns);
    assert_true(ends_with("\n.ok\n"));
    assert_true(count_lines("session=") >= 5000 && count_lines("session=") < 55000);
}

/* ---- the place ---- */

static void
test_places(void **state)
{
    struct rig *r = *state;
    struct control other = { .m = &r->m, .fd = -1, .folder_fd = -1 };
    char error[512] = "";

    memcpy(other.path, path, sizeof path);
    assert_int_equal(control_listen(&other, error, sizeof error), -1);
    assert_non_null(strstr(error, "another gateway answers there"));
    control_close(&r->m);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_int_equal(control_listen(&other, error, sizeof error), -1);
    assert_non_null(strstr(error, "no socket"));
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(unlink(path), 0);
    fd_close(&fd);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(control_listen(&other, error, sizeof error), -1);
    assert_non_null(strstr(error, "mode 0777"));
    assert_int_equal(chmod(folder, 0755), 0);
    /* One left behind: bound, and nobody listens. */
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    fd_close(&fd);
    assert_int_equal(control_listen(&other, error, sizeof error), 0);
    control_unlisten(&other);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(control_open(&r->m, error, sizeof error), 0);
}

static void
test_phases(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SESSION_PHASE_COUNT; i++)
        assert_string_not_equal(control_phase_name(i), "?");
    for (unsigned i = SESSION_PHASE_COUNT; i < 256; i++)
        assert_string_equal(control_phase_name(i), "?");
}

static void
test_groups(void **state)
{
    struct rig *r = *state;
    char error[512] = "";

    image_close(&r->m.config.image);
    fd_close(&r->m.config.fd);
    control_close(&r->m);
    compile(&r->m, "");
    struct control c = { .m = &r->m };

    assert_int_equal(control_group_find(&c, error, sizeof error), 0);
    assert_false(c.has_group);
    assert_int_equal(control_check(&r->m, error, sizeof error), 0);
    assert_int_equal(control_open(&r->m, error, sizeof error), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_status),
        TEST(test_workers),
        TEST(test_bad_requests),
        TEST(test_flood),
        TEST(test_silence_and_half_a_line),
        TEST(test_sixty_four),
        TEST(test_image),
        TEST(test_metrics),
        TEST(test_a_hundred_thousand),
        TEST(test_slow_reader),
        TEST(test_changing_slot),
        TEST(test_hostile_table),
        TEST(test_kill),
        TEST(test_worker_ends_meanwhile),
        TEST(test_places),
        TEST(test_groups),
        TEST(test_phases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
