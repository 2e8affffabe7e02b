/* SPDX-License-Identifier: ISC */
/* src/session/udp_up.c, udp_down.c and udp_destinations.c: what does not pass through an association. */
#include "tests/unit/udp_rig.h"

#include "lib/base/fd.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static struct udp_client client;

static void
test_strangers(void **state)
{
    struct addr target, from, stranger_at, other_at;
    int fd = udp_rig_socket(1, &target), stranger = udp_rig_socket(2, &stranger_at);
    int other = udp_rig_socket(1, &other_at);
    uint8_t out[64];
    size_t len = udp_rig_datagram(&target, 0, "spoofed", 7, out);

    (void)state;
    udp_rig_associate(&client);
    udp_rig_send(stranger, &client.relay, out, len); /* another address, before and after */
    udp_rig_send(other, &client.relay, "\0\0\0", 3); /* not well-formed: fixes no port */
    udp_rig_say(&client, &target, "mine");
    udp_rig_expect(fd, &from, "mine");
    udp_rig_send(stranger, &client.relay, out, len);
    udp_rig_send(other, &client.relay, out, len); /* the port is fixed */
    udp_rig_quiet(fd);
    udp_rig_send(fd, &from, "answer", 6);
    udp_rig_hear(&client, &target, "answer");
    udp_rig_quiet(other);
    fd_close(&fd);
    fd_close(&stranger);
    fd_close(&other);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 4);
}

static void
test_malformed(void **state)
{
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);
    uint8_t out[64];
    size_t len;

    (void)state;
    udp_rig_associate(&client);
    len = udp_rig_datagram(&target, 0, "x", 1, out);
    for (size_t n = 0; n < SOCKS_UDP_HEADER_IPV4; n++)
        udp_rig_send(client.fd, &client.relay, out, n);
    out[1] = 1;
    udp_rig_send(client.fd, &client.relay, out, len);
    out[1] = 0;
    out[3] = 2;
    udp_rig_send(client.fd, &client.relay, out, len);
    target.port = 0;
    udp_rig_say(&client, &target, "to port 0");
    udp_rig_quiet(fd);
    fd_close(&fd);
    fd = udp_rig_socket(1, &target);
    udp_rig_say(&client, &target, "good");
    udp_rig_expect(fd, &from, "good");
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, SOCKS_UDP_HEADER_IPV4 + 3);
}

/* Refused ones among allowed ones: a rule, no rule, a special destination; nothing ends. */
static void
test_refused(void **state)
{
    struct addr target, from, other_at;
    int fd = udp_rig_socket(1, &target), other = udp_rig_socket(2, &other_at);
    const uint8_t closed[4] = { 10, 1, 2, 3 }, every[4] = { 255, 255, 255, 255 };
    struct addr ten = addr_ipv4(closed, 9), broadcast = addr_ipv4(every, 9);

    (void)state;
    udp_rig_associate(&client);
    for (unsigned i = 0; i < 3; i++) {
        udp_rig_say(&client, &ten, "closed");
        udp_rig_say(&client, &other_at, "no rule");
        udp_rig_say(&client, &broadcast, "special");
        udp_rig_say(&client, &target, "open");
        udp_rig_expect(fd, &from, "open");
    }
    udp_rig_quiet(other);
    fd_close(&fd);
    fd_close(&other);
    struct session_closing c = udp_rig_end(&client);

    assert_int_equal(c.datagrams_up, 3);
    assert_int_equal(c.datagrams_dropped, 9);
}

/* Nobody listens there: the error that comes back ends nothing. */
static void
test_unreachable(void **state)
{
    struct addr target, gone, from;
    int fd = udp_rig_socket(1, &target), closed = udp_rig_socket(1, &gone);

    (void)state;
    fd_close(&closed);
    udp_rig_associate(&client);
    for (unsigned i = 0; i < 10; i++) {
        udp_rig_say(&client, &gone, "lost");
        udp_rig_say(&client, &target, "found");
        udp_rig_expect(fd, &from, "found");
    }
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_up, 20);
}

/* Many destinations: the table is bounded, and what was written to last still answers. */
static void
test_flood(void **state)
{
    struct addr target, from, many;
    int fd = udp_rig_socket(1, &target);

    (void)state;
    udp_rig_associate(&client);
    many = client.at;
    for (unsigned i = 0; i < 3000; i++) {
        many.port = (uint16_t)(20000 + i);
        if (many.port == target.port || many.port == client.at.port || many.port == client.relay.port)
            continue;
        udp_rig_say(&client, &many, "flood");
        if (i % 16 == 0)
            session_rig_turns(1);
    }
    session_rig_turns(20);
    udp_rig_say(&client, &target, "last");
    do {
        char got[16];

        assert_true(udp_rig_read(fd, got, sizeof got, &from) > 0);
        if (memcmp(got, "last", 4) == 0)
            break;
    } while (true);
    udp_rig_send(fd, &from, "answer", 6);
    udp_rig_hear(&client, &target, "answer");
    fd_close(&fd);
    (void)udp_rig_end(&client);
}

/* Writes to a destination, which answers, and so do another of its ports and another address. Which of
   these reach the client. */
static void
answers(const char *filtering, bool same_address, bool anybody)
{
    char config[1024];
    struct addr target, other_at, stranger_at, from;

    assert_true(snprintf(config, sizeof config, UDP_CONFIG("udp { filtering = \"%s\" }", UDP_RULES),
                    filtering) > 0);
    session_rig_begin(config);
    int fd = udp_rig_socket(1, &target), other = udp_rig_socket(1, &other_at);
    int stranger = udp_rig_socket(2, &stranger_at);

    udp_rig_associate(&client);
    udp_rig_say(&client, &target, "hello");
    udp_rig_expect(fd, &from, "hello");
    udp_rig_send(other, &from, "port", 4);
    if (same_address)
        udp_rig_hear(&client, &other_at, "port");
    udp_rig_send(stranger, &from, "host", 4);
    if (anybody)
        udp_rig_hear(&client, &stranger_at, "host");
    udp_rig_send(fd, &from, "right", 5);
    udp_rig_hear(&client, &target, "right");
    fd_close(&fd);
    fd_close(&other);
    fd_close(&stranger);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, !same_address + !anybody);
}

static void
test_filtering_endpoint(void **state)
{
    (void)state;
    answers("endpoint", false, false);
}

static void
test_filtering_address(void **state)
{
    (void)state;
    answers("address", true, false);
}

static void
test_filtering_none(void **state)
{
    (void)state;
    answers("none", true, true);
}

/* Asked for and never sent to: it may not answer. */
static void
test_port_zero_opens_nothing(void **state)
{
    struct addr target, from, nowhere, other_at;

    (void)state;
    session_rig_begin(UDP_CONFIG("udp { filtering = \"address\" }",
        "rule \"here\" { action = \"allow\" destination = { \"127.0.0.0/8\" } }\n"));
    int fd = udp_rig_socket(1, &target), other = udp_rig_socket(2, &other_at);

    udp_rig_associate(&client);
    udp_rig_say(&client, &target, "hello");
    udp_rig_expect(fd, &from, "hello");
    nowhere = other_at;
    nowhere.port = 0;
    udp_rig_say(&client, &nowhere, "to port 0");
    session_rig_turns(3);
    udp_rig_send(other, &from, "never asked", 11);
    udp_rig_quiet(client.fd);
    fd_close(&fd);
    fd_close(&other);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 2);
}

/* An address of this host; false: it has none but loopback. */
static bool
own_address(struct addr *out)
{
    struct ifaddrs *all = NULL;

    out->family = ADDR_NONE;
    assert_int_equal(getifaddrs(&all), 0);
    for (const struct ifaddrs *i = all; i != NULL && out->family == ADDR_NONE; i = i->ifa_next) {
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
            continue;
        *out = addr_from_sockaddr(i->ifa_addr, sizeof(struct sockaddr_in));
        if (addr_special(out, NULL) != NULL)
            out->family = ADDR_NONE;
    }
    freeifaddrs(all);
    return out->family != ADDR_NONE;
}

/* It is not among those the worker read at its start, and yet nothing is sent to it. */
static void
test_late_own_address(void **state)
{
    struct sockaddr_storage ss;
    struct addr own;
    socklen_t len = sizeof ss;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)state;
    if (!own_address(&own)) {
        print_message("this host has no address but loopback: not tested\n");
        skip();
    }
    session_rig_begin(UDP_CONFIG("", "rule \"all\" { action = \"allow\" }\n"));
    rig.own.count = 0;
    len = addr_to_sockaddr(&own, &ss);
    assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
    own = addr_from_sockaddr((struct sockaddr *)&ss, len);
    udp_rig_associate(&client);
    udp_rig_say(&client, &own, "to the gateway itself");
    udp_rig_quiet(fd);
    rig.descriptors -= 1;
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 1);
}

#define TEST(test, setup) cmocka_unit_test_setup_teardown(test, setup, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_strangers, udp_rig_setup),
        TEST(test_malformed, udp_rig_setup),
        TEST(test_refused, udp_rig_setup),
        TEST(test_unreachable, udp_rig_setup),
        TEST(test_flood, udp_rig_setup),
        TEST(test_filtering_endpoint, NULL),
        TEST(test_filtering_address, NULL),
        TEST(test_filtering_none, NULL),
        TEST(test_port_zero_opens_nothing, NULL),
        TEST(test_late_own_address, NULL),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
