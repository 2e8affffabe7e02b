/* SPDX-License-Identifier: ISC */
/* src/session/udp_names.c: datagrams to names. */
#include "tests/unit/udp_rig.h"

#include "lib/base/fd.h"

#include <stdio.h>

static struct udp_client client;

static void
test_names(void **state)
{
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);

    (void)state;
    udp_rig_associate(&client);
    udp_rig_say_name(&client, "Here.Test.", target.port, "one");
    udp_rig_say_name(&client, "here.test", target.port, "two");
    udp_rig_expect(fd, &from, "one");
    udp_rig_expect(fd, &from, "two");
    udp_rig_say_name(&client, "here.test", target.port, "three"); /* remembered */
    udp_rig_expect(fd, &from, "three");
    udp_rig_say_name(&client, "127.0.0.1", target.port, "four");
    udp_rig_expect(fd, &from, "four");
    udp_rig_send(fd, &from, "back", 4);
    udp_rig_hear(&client, &target, "back"); /* from the address, not the name */
    udp_rig_say_name(&client, "denied.test", target.port, "resolves to what is closed");
    udp_rig_say_name(&client, "bad..name", target.port, "no name");
    udp_rig_quiet(fd);
    fd_close(&fd);
    struct session_closing c = udp_rig_end(&client);

    assert_int_equal(c.datagrams_up, 4);
    assert_int_equal(c.datagrams_dropped, 2);
}

static void
say_long_name(const char *name, uint16_t port, uint8_t mark)
{
    static uint8_t out[40000], data[30000];

    memset(data, mark, sizeof data);
    udp_rig_send(client.fd, &client.relay, out, udp_rig_named(name, port, data, sizeof data, out));
}

static void
expect_long(int fd, uint8_t mark)
{
    static uint8_t got[40000];
    struct addr from;

    assert_int_equal(udp_rig_read(fd, got, sizeof got, &from), 30000);
    assert_int_equal(got[29999], mark);
}

/* What waits for a name is bounded in octets too, and that room comes back; each port is a name of its
   own. */
static void
test_names_held_octets(void **state)
{
    struct addr target, other_at;
    int fd = udp_rig_socket(1, &target), other = udp_rig_socket(1, &other_at);

    (void)state;
    udp_rig_associate(&client);
    for (uint8_t i = 1; i <= 3; i++)
        say_long_name("here.test", target.port, i);
    expect_long(fd, 1);
    expect_long(fd, 2);
    udp_rig_quiet(fd);
    for (uint8_t i = 4; i <= 5; i++)
        say_long_name("here.test", other_at.port, i);
    expect_long(other, 4);
    expect_long(other, 5);
    udp_rig_quiet(fd);
    fd_close(&fd);
    fd_close(&other);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 1);
}

/* More names than are remembered: the one used longest ago goes. */
static void
test_names_many(void **state)
{
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);

    (void)state;
    udp_rig_associate(&client);
    for (uint16_t port = 1; port <= 80; port++) {
        udp_rig_say_name(&client, "here.test", port, "nobody");
        session_rig_turns(3);
    }
    udp_rig_say_name(&client, "here.test", target.port, "one more");
    udp_rig_expect(fd, &from, "one more");
    fd_close(&fd);
    struct session_closing c = udp_rig_end(&client);

    assert_int_equal(c.datagrams_dropped, 0);
    assert_int_equal(c.told, 81);
}

/* The name server never answers: so many wait and no more, and the session ends with them. */
static void
test_names_waiting(void **state)
{
    struct addr target;
    int fd = udp_rig_socket(1, &target);
    char name[32];

    (void)state;
    udp_rig_associate(&client);
    for (unsigned i = 0; i < 40; i++)
        udp_rig_say_name(&client, "slow.test", target.port, "waits");
    for (unsigned i = 0; i < 40; i++) {
        assert_true(snprintf(name, sizeof name, "n%u.test", i) > 0);
        udp_rig_say_name(&client, name, target.port, "waits");
    }
    udp_rig_say(&client, &target, "not behind them");
    struct addr from;

    udp_rig_expect(fd, &from, "not behind them");
    fd_close(&fd);
    struct session_closing c = udp_rig_end(&client);

    assert_int_equal(c.datagrams_up, 1);
    assert_int_equal(c.datagrams_dropped, 80 - 16);
}

/* A name that is refused now, and one that was and is not any more. */
static void
test_names_by_another_policy(void **state)
{
    static const char refused[] = UDP_CONFIG("",
        "rule \"not so\" { action = \"deny\" destination = { \"here.test\", \"127.0.0.2/32\" } }\n"
        "rule \"here\" { action = \"allow\" destination = { \"127.0.0.0/8\" } }\n");
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);
    struct rig other;

    (void)state;
    udp_rig_associate(&client);
    udp_rig_say_name(&client, "here.test", target.port, "one");
    udp_rig_expect(fd, &from, "one");
    rig_good(&other, refused);
    session_rig_commit(other.image, 0);
    udp_rig_say_name(&client, "here.test", target.port, "two");
    udp_rig_quiet(fd);
    session_rig_commit(rig.config.image, 0);
    rig_free(&other);
    udp_rig_say_name(&client, "here.test", target.port, "three");
    udp_rig_expect(fd, &from, "three");
    udp_rig_send(fd, &from, "answer", 6);
    udp_rig_hear(&client, &target, "answer");
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 1);
}

/* The session ends between the question and its answer, which reaches nobody. */
static void
test_names_ended_before(void **state)
{
    struct addr target;
    int fd = udp_rig_socket(1, &target);

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        udp_rig_associate(&client);
        udp_rig_say_name(&client, "here.test", target.port, "too late");
        session_rig_turns(i % 2);
        (void)udp_rig_end(&client);
        session_rig_turns(3);
    }
    fd_close(&fd);
}

/* A name that rules refuse leads nowhere, though its address is allowed when asked for as such. */
static void
test_names_judged_as_names(void **state)
{
    struct addr target, from;

    (void)state;
    session_rig_begin(UDP_CONFIG("",
        "rule \"far\" { action = \"allow\" destination = { \"192.0.2.0/24\" } }\n"
        "rule \"not so\" { action = \"deny\" destination = { \"here.test\" } }\n"
        "rule \"here\" { action = \"allow\" destination = { \"127.0.0.1/32\" } }\n"));
    int fd = udp_rig_socket(1, &target);

    udp_rig_associate(&client);
    udp_rig_say_name(&client, "here.test", target.port, "refused");
    udp_rig_quiet(fd);
    udp_rig_say(&client, &target, "open");
    udp_rig_expect(fd, &from, "open");
    udp_rig_say_name(&client, "here.test", target.port, "refused");
    udp_rig_quiet(fd);
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 2);
}

/* Nobody is asked about names that no address could help: they take no place of others. */
static void
test_names_refused_early(void **state)
{
    struct addr target, from;
    char name[32];

    (void)state;
    session_rig_begin(UDP_CONFIG("",
        "rule \"never\" { action = \"deny\" destination = { \"*.never\" } }\n" UDP_RULES));
    int fd = udp_rig_socket(1, &target);

    udp_rig_associate(&client);
    for (unsigned i = 0; i < 12; i++) {
        assert_true(snprintf(name, sizeof name, "n%u.never", i) > 0);
        udp_rig_say_name(&client, name, target.port, "refused");
    }
    udp_rig_say_name(&client, "here.test", target.port, "asked");
    udp_rig_expect(fd, &from, "asked");
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 12);
}

#define TEST(test, setup) cmocka_unit_test_setup_teardown(test, setup, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names, udp_rig_setup),
        TEST(test_names_held_octets, udp_rig_setup),
        TEST(test_names_many, udp_rig_setup),
        TEST(test_names_waiting, udp_rig_setup),
        TEST(test_names_by_another_policy, udp_rig_setup),
        TEST(test_names_ended_before, udp_rig_setup),
        TEST(test_names_judged_as_names, NULL),
        TEST(test_names_refused_early, NULL),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
