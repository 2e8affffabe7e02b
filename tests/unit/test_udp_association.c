/* SPDX-License-Identifier: ISC */
/* src/session/phase_associate.c, udp_association.c and udp_socket.c: how an association begins and ends. */
#include "tests/unit/udp_rig.h"

#include "lib/base/fd.h"
#include "lib/socks/socks5.h"

#include <stdio.h>
#include <sys/socket.h>

static struct udp_client client;

static void
refused(uint8_t reply, enum event_id event, const char *reason)
{
    assert_int_equal(udp_rig_ask(&client), reply);
    session_rig_read_end(client.tcp);
    fd_close(&client.tcp);
    assert_int_equal(session_rig_expect(client.id, event, reason).reply, reply);
}

static int
setup_disabled(void **state)
{
    (void)state;
    session_rig_begin(UDP_CONFIG("udp { enabled = false }", UDP_RULES));
    return 0;
}

static void
test_disabled(void **state)
{
    (void)state;
    refused(SOCKS5_COMMAND_NOT_SUPPORTED, EVENT_REQUEST_FAILED, "command-not-supported");
}

static int
setup_no_rule(void **state)
{
    (void)state;
    session_rig_begin(UDP_CONFIG("", "rule \"tcp\" { action = \"allow\" command = { \"connect\" } }\n"));
    return 0;
}

static void
test_no_rule(void **state)
{
    (void)state;
    refused(SOCKS5_NOT_ALLOWED, EVENT_REQUEST_DENIED, "no-rule");
}

/* One port: the second association finds none. */
static void
test_port_range(void **state)
{
    char config[1024];
    struct addr at, target, from;
    int holder = udp_rig_socket(1, &at), fd = udp_rig_socket(1, &target);
    struct udp_client first;

    (void)state;
    assert_true(snprintf(config, sizeof config,
                    UDP_CONFIG("udp { port-min = %u port-max = %u advertise = \"192.0.2.9\" }",
                        UDP_RULES),
                    at.port - 1U, at.port) > 0);
    session_rig_begin(config);
    rig.descriptors -= 2;
    assert_int_equal(udp_rig_ask(&first), SOCKS5_SUCCEEDED);
    assert_int_equal(first.relay.ip[0], 192); /* as advertised */
    assert_int_equal(first.relay.port, at.port - 1);
    fd_close(&holder);
    first.fd = udp_rig_socket(1, &first.at);
    memcpy(first.relay.ip, at.ip, 4);
    udp_rig_say(&first, &target, "from the last port");
    udp_rig_expect(fd, &from, "from the last port");
    assert_int_equal(from.port, at.port);
    refused(SOCKS5_GENERAL_FAILURE, EVENT_REQUEST_FAILED, "no-source-address");
    fd_close(&fd);
    (void)udp_rig_end(&first);
}

/* The address to tell is one of the other family: the client hears of where its datagrams do arrive. */
static void
test_advertised_family(void **state)
{
    (void)state;
    session_rig_begin(UDP_CONFIG("udp { advertise = \"2001:db8::9\" }", UDP_RULES));
    udp_rig_associate(&client);
    (void)udp_rig_end(&client);
}

/* No port towards destinations: it is not looked for again with each datagram, but later. */
static void
test_ports_run_out(void **state)
{
    char config[1024];
    struct addr at, target;
    int holder = udp_rig_socket(1, &at), fd = udp_rig_socket(1, &target);
    uint8_t got[16];

    (void)state;
    assert_true(snprintf(config, sizeof config, UDP_CONFIG("udp { port-min = %u port-max = %u }", UDP_RULES),
                    at.port - 1U, (unsigned)at.port) > 0);
    session_rig_begin(config);
    rig.descriptors -= 2;
    udp_rig_associate(&client);
    assert_int_equal(client.relay.port, at.port - 1);
    struct mono begin = mono_read();

    udp_rig_say(&client, &target, "no port");
    udp_rig_quiet(fd);
    fd_close(&holder);
    udp_rig_say(&client, &target, "too soon");
    session_rig_turns(3);
    bool sent = recv(fd, got, sizeof got, 0) >= 0;

    assert_false(sent && mono_before(mono_read(), mono_add_seconds(begin, 1)));
    RIG_UNTIL(recv(fd, got, sizeof got, 0) == 5) {
        udp_rig_say(&client, &target, "later");
    }
    fd_close(&fd);
    (void)udp_rig_end(&client);
}

/* The rest of the descriptors is for connections. */
static void
test_descriptors_run_out(void **state)
{
    struct addr target;
    int fd = udp_rig_socket(1, &target);

    (void)state;
    udp_rig_associate(&client);
    rig.host.udp_descriptors = 1;
    udp_rig_say(&client, &target, "no socket for it");
    udp_rig_quiet(fd);
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 1);
    refused(SOCKS5_GENERAL_FAILURE, EVENT_REQUEST_FAILED, "internal-error");
}

static void
test_connection_ends(void **state)
{
    (void)state;
    udp_rig_associate(&client);
    session_rig_send(client.tcp, "means nothing", 13);
    session_rig_turns(5);
    assert_false(session_rig_ended(client.id));
    assert_int_equal(shutdown(client.tcp, SHUT_WR), 0);
    session_rig_read_end(client.tcp);
    (void)udp_rig_end(&client);
    udp_rig_associate(&client);
    session_rig_reset(&client.tcp);
    fd_close(&client.fd);
    (void)session_rig_expect(client.id, EVENT_SESSION_END, "client-reset");
}

static int
setup_short(void **state)
{
    (void)state;
    session_rig_begin(UDP_CONFIG("timeouts { udp = 1 }", UDP_RULES));
    return 0;
}

static void
test_idle(void **state)
{
    (void)state;
    udp_rig_associate(&client);
    session_rig_read_end(client.tcp);
    fd_close(&client.fd);
    fd_close(&client.tcp);
    (void)session_rig_expect(client.id, EVENT_SESSION_END, "idle-timeout");
}

#define TEST(test, setup) cmocka_unit_test_setup_teardown(test, setup, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_disabled, setup_disabled),
        TEST(test_no_rule, setup_no_rule),
        TEST(test_port_range, NULL),
        TEST(test_advertised_family, NULL),
        TEST(test_ports_run_out, NULL),
        TEST(test_descriptors_run_out, udp_rig_setup),
        TEST(test_connection_ends, udp_rig_setup),
        TEST(test_idle, setup_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
