/* SPDX-License-Identifier: ISC */
/* src/master/master_listeners.c: numbers that stay, listeners that come and go, and a reload that fails. */
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/fd.h"

static char path[64];

/* The image of a configuration with these listen sections. */
static struct compiled
load(const char *listen)
{
    static struct master_options options = { .config = path };
    struct compiled out = { .fd = -1 };
    char text[1024];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_true(snprintf(text, sizeof text,
                    "methods = { \"none\" }\n%s\nlog { target = \"stderr\" }\n"
                    "rule \"all\" { action = \"allow\" }\n", listen) < (int)sizeof text);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    fd_close(&fd);
    assert_int_equal(config_load(&options, &out), 0);
    return out;
}

static int
setup(void **state)
{
    if (rig_setup(state) != 0)
        return -1;
    struct rig *r = *state;

    assert_true(snprintf(path, sizeof path, "/tmp/sallyport-unit-%ld.conf", (long)getpid()) > 0);
    r->m.config = load("listen \"127.0.0.1:0\" { }\nlisten \"127.0.0.2:0\" { }");
    r->m.settings = image_settings(r->m.config.image);
    limits_init(&r->m);
    return listeners_open(&r->m);
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    listeners_free(&r->m);
    limits_close(&r->m);
    compiled_free(&r->m.config);
    (void)unlink(path);
    return rig_teardown(state);
}

static void
adopt(struct rig *r, const char *listen)
{
    struct compiled next = load(listen);
    char error[256];

    assert_int_equal(listeners_prepare(&r->m, next.image, error, sizeof error), 0);
    listeners_adopt(&r->m, next.image);
    compiled_free(&r->m.config);
    r->m.config = next;
    r->m.settings = image_settings(next.image);
}

static void
assert_numbers(struct rig *r, size_t count, uint16_t first, uint16_t second)
{
    struct ipc_listeners numbers;

    listeners_numbers(&r->m, false, &numbers);
    assert_int_equal(numbers.count, count);
    assert_int_equal(numbers.numbers[0], first);
    if (count > 1)
        assert_int_equal(numbers.numbers[1], second);
}

static void
in_the_order_of_the_image(void **state)
{
    assert_numbers(*state, 2, 0, 1);
}

static void
a_number_stays_wherever_it_stands(void **state)
{
    struct rig *r = *state;
    int fd = r->m.listeners.by_number[1]->fd;

    adopt(r, "listen \"127.0.0.2:0\" { }\nlisten \"127.0.0.3:0\" { }\n");
    assert_numbers(r, 2, 1, 2);
    assert_int_equal(r->m.listeners.by_number[1]->fd, fd);
    assert_true(r->m.listeners.by_number[2]->polled);
    assert_string_equal(master_listener_name(&r->m, 2), "127.0.0.3:0");
    assert_null(r->m.listeners.by_number[0]); /* nobody needs it any more */
}

static void
one_that_goes_is_known_until_its_last_session(void **state)
{
    struct rig *r = *state;

    listener_use(r->m.listeners.by_number[0]);
    adopt(r, "listen \"127.0.0.2:0\" { }\n");
    assert_numbers(r, 1, 1, 0);
    assert_true(listener_gone(&r->m, 0));
    assert_int_equal(r->m.listeners.by_number[0]->fd, -1);
    assert_string_equal(master_listener_name(&r->m, 0), "127.0.0.1:0");
    /* The address comes back before that: another listener. */
    adopt(r, "listen \"127.0.0.2:0\" { }\nlisten \"127.0.0.1:0\" { }\n");
    assert_numbers(r, 2, 1, 2);
    listener_drop(&r->m, 0);
    assert_null(r->m.listeners.by_number[0]);
    assert_string_equal(master_listener_name(&r->m, 0), "");
    assert_false(listener_gone(&r->m, 1));
}

/* A connection that the kernel has accepted, with something to read. */
static int
connected(const struct listener *l)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(&l->bound, &ss);
    int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
    assert_int_equal(send(fd, "\x05", 1, MSG_NOSIGNAL), 1);
    return fd;
}

/* Whoever has connected to one that goes, and was not accepted yet, is served. */
static void
one_that_goes_takes_its_backlog(void **state)
{
    struct rig *r = *state;
    int going = connected(r->m.listeners.by_number[0]), staying = connected(r->m.listeners.by_number[1]);
    struct compiled next = load("listen \"127.0.0.2:0\" { }\n");
    char error[256];

    assert_int_equal(listeners_prepare(&r->m, next.image, error, sizeof error), 0);
    listeners_last_call(&r->m);
    assert_int_equal(sessions_count(&r->m.sessions), 1);
    assert_int_equal(r->m.listeners.by_number[0]->sessions, 1);
    int late = connected(r->m.listeners.by_number[0]);

    listeners_adopt(&r->m, next.image);
    assert_int_equal(sessions_count(&r->m.sessions), 2);
    assert_int_equal(r->m.listeners.by_number[0]->sessions, 2);
    compiled_free(&next);
    fd_close(&going);
    fd_close(&staying);
    fd_close(&late);
}

static void
one_that_cannot_be_had_leaves_all_as_it_was(void **state)
{
    struct rig *r = *state;
    struct compiled next = load("listen \"127.0.0.3:0\" { }\nlisten \"192.0.2.1:1080\" { }\n");
    char error[256];

    assert_int_equal(listeners_prepare(&r->m, next.image, error, sizeof error), -1);
    assert_non_null(strstr(error, "listen \"192.0.2.1:1080\": "));
    assert_numbers(r, 2, 0, 1);
    assert_null(r->m.listeners.by_number[2]);
    compiled_free(&next);
}

static void
a_reload_given_up_closes_what_it_opened(void **state)
{
    struct rig *r = *state;
    struct compiled next = load("listen \"127.0.0.2:0\" { }\nlisten \"127.0.0.3:0\" { }\n");
    struct ipc_listeners numbers;
    char error[256];

    assert_int_equal(listeners_prepare(&r->m, next.image, error, sizeof error), 0);
    listeners_numbers(&r->m, true, &numbers);
    assert_int_equal(numbers.count, 2);
    assert_int_equal(numbers.numbers[0], 1);
    assert_int_equal(numbers.numbers[1], 2);
    assert_false(r->m.listeners.by_number[2]->polled);
    listeners_abandon(&r->m);
    assert_null(r->m.listeners.by_number[2]);
    assert_numbers(r, 2, 0, 1);
    compiled_free(&next);
}

/* The listener that the last record of the event names. */
static void
assert_last_names(struct rig *r, enum event_id id, const char *name)
{
    uint8_t record[EVENT_RECORD_MAX];
    struct event_view view;
    char last[64] = "none";
    ssize_t len;

    for (size_t n = 0; (len = ring_peek(r->reader, n, record, sizeof record)) > 0; n++) {
        assert_int_equal(event_decode(record, (size_t)len, &view), 0);
        if (view.id != id)
            continue;
        last[0] = '\0';
        for (size_t i = 0; i < view.count; i++) {
            const struct event_value *v = &view.values[i];

            if (v->field == FIELD_LISTENER)
                assert_true(snprintf(last, sizeof last, "%.*s", (int)v->text_len, (const char *)v->text) >= 0);
        }
    }
    assert_string_equal(last, name);
}

/* What was counted of its refusals names it, and not who has its number then; a login judged late nobody. */
static void
one_that_goes_is_named_before(void **state)
{
    struct rig *r = *state;
    struct addr from = addr_ipv4((const uint8_t[]) { 192, 0, 2, 1 }, 4000);
    struct session *s = rig_session(r);
    struct ipc_auth_result failure = { .worker = 1, .incarnation = r->workers[0].incarnation,
        .session = s->id };

    r->m.limits.penalties.rules = (struct penalty_rules) { .failures = 1, .window = 60, .seconds = 60 };
    s->client = from;
    s->worker = &r->workers[0];
    fd_close(&s->fd);
    listener_use(r->m.listeners.by_number[0]);
    session_over(&r->m, s);
    for (int i = 0; i < 3; i++)
        limits_refuse(&r->m, LIMIT_PENALTY, &from, 0, limits_client(&r->m, &from));
    assert_int_equal(rig_events(r, EVENT_LIMIT_REACHED), 1);
    adopt(r, "listen \"127.0.0.2:0\" { }\n");
    assert_int_equal(rig_events(r, EVENT_LIMIT_REACHED), 2);
    assert_last_names(r, EVENT_LIMIT_REACHED, "127.0.0.1:0");
    adopt(r, "listen \"127.0.0.2:0\" { }\nlisten \"127.0.0.3:0\" { }\n");
    assert_string_equal(master_listener_name(&r->m, 0), "127.0.0.3:0");
    limits_login_late(&r->m, &failure);
    assert_last_names(r, EVENT_LIMIT_PENALTY, "");
}

/* The whole host in place of one address of it, and back: for a moment both listen. */
/* Nobody has it at any address, and it is none that the kernel gives to tests beside this one. */
static uint16_t
free_port(void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    uint16_t port = (uint16_t)(10000 + getpid() % 20000);
    int fd, taken;

    do {
        sin.sin_port = htons(++port);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        taken = bind(fd, (struct sockaddr *)&sin, sizeof sin);
        (void)close(fd);
    } while (taken != 0 && port < 32000);
    return port;
}

static void
an_address_that_overlaps_one_that_goes(void **state)
{
    struct rig *r = *state;
    const char *hosts[] = { "127.0.0.1", "0.0.0.0", "127.0.0.1" };
    uint16_t port = free_port();
    char listen[128], name[64];

    listener_drop(&r->m, 7); /* nobody's */
    adopt(r, "listen \"127.0.0.2:0\" { }\n");
    for (size_t i = 0; i < SP_COUNT(hosts); i++) {
        assert_true(snprintf(name, sizeof name, "%s:%u", hosts[i], port) > 0);
        assert_true(snprintf(listen, sizeof listen, "listen \"%s\" { }\n", name) > 0);
        adopt(r, listen);
        assert_string_equal(r->m.listeners.all->name, name);
        assert_null(r->m.listeners.all->next);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(in_the_order_of_the_image),
        TEST(a_number_stays_wherever_it_stands),
        TEST(one_that_goes_is_known_until_its_last_session),
        TEST(one_that_goes_takes_its_backlog),
        TEST(one_that_cannot_be_had_leaves_all_as_it_was),
        TEST(a_reload_given_up_closes_what_it_opened),
        TEST(one_that_goes_is_named_before),
        TEST(an_address_that_overlaps_one_that_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
