/* SPDX-License-Identifier: ISC */
/* src/session/udp_up.c, udp_down.c and udp_fragments.c: what passes through an association. */
#include "tests/unit/udp_rig.h"

#include "lib/base/fd.h"
#include "src/core/loop_private.h"
#include "src/session/udp_association.h"

#include <stdio.h>
#include <sys/socket.h>

static struct udp_client client;

static void
test_both_ways(void **state)
{
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);

    (void)state;
    udp_rig_associate(&client);
    udp_rig_say(&client, &target, "ping");
    udp_rig_expect(fd, &from, "ping");
    udp_rig_send(fd, &from, "ponged", 6);
    udp_rig_hear(&client, &target, "ponged");
    udp_rig_say(&client, &target, "");
    udp_rig_expect(fd, &from, "");
    fd_close(&fd);
    struct session_closing c = udp_rig_end(&client);

    assert_int_equal(c.starts, 1);
    assert_int_equal(c.told, 1);
    assert_int_equal(c.reply, 0);
    assert_int_equal(c.datagrams_up, 2);
    assert_int_equal(c.datagrams_down, 1);
    assert_int_equal(c.datagrams_dropped, 0);
    assert_int_equal(c.bytes_up, 4);
    assert_int_equal(c.bytes_down, 6);
    assert_string_equal(c.rule, "here");
}

/* More than one batch at once, and not one lost. */
static void
test_many(void **state)
{
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);
    char text[16];

    (void)state;
    udp_rig_associate(&client);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(snprintf(text, sizeof text, "n%u", i) > 0);
        udp_rig_say(&client, &target, text);
    }
    for (unsigned i = 0; i < 100; i++) {
        assert_true(snprintf(text, sizeof text, "n%u", i) > 0);
        udp_rig_expect(fd, &from, text);
    }
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_up, 100);
}

static void
test_largest(void **state)
{
    static uint8_t out[SOCKS_UDP_DATAGRAM_MAX], got[70000], payload[SOCKS_UDP_DATAGRAM_MAX];
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);
    size_t most = SOCKS_UDP_DATAGRAM_MAX - SOCKS_UDP_HEADER_IPV4;

    (void)state;
    memset(payload, 'x', sizeof payload);
    udp_rig_associate(&client);
    udp_rig_send(client.fd, &client.relay, out, udp_rig_datagram(&target, 0, payload, most, out));
    assert_int_equal(udp_rig_read(fd, got, sizeof got, &from), most);
    assert_memory_equal(got, payload, most);
    udp_rig_send(fd, &from, payload, most + 1); /* with its header it fits no datagram */
    udp_rig_send(fd, &from, payload, most);
    struct addr relay;

    assert_int_equal(udp_rig_read(client.fd, got, sizeof got, &relay), SOCKS_UDP_DATAGRAM_MAX);
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 1);
}

static int
setup_ipv6(void **state)
{
    (void)state;
    session_rig_begin(UDP_CONFIG("",
        UDP_RULES "rule \"six\" { action = \"allow\" destination = { \"::1/128\" } }\n"));
    return 0;
}

/* Both families through one association. */
static void
test_ipv6(void **state)
{
    static const uint8_t one[16] = { [15] = 1 };
    struct addr target, six = addr_ipv6(one, 0), from, relay;
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(&six, &ss);
    uint8_t got[64], want[64];
    int fd = udp_rig_socket(1, &target);
    int fd6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)state;
    assert_int_equal(bind(fd6, (struct sockaddr *)&ss, len), 0);
    len = sizeof ss;
    assert_int_equal(getsockname(fd6, (struct sockaddr *)&ss, &len), 0);
    six = addr_from_sockaddr((struct sockaddr *)&ss, len);
    udp_rig_associate(&client);
    udp_rig_say(&client, &target, "four");
    udp_rig_say(&client, &six, "six");
    udp_rig_expect(fd, &from, "four");
    udp_rig_expect(fd6, &from, "six");
    udp_rig_send(fd6, &from, "back", 4);
    size_t size = udp_rig_datagram(&six, 0, "back", 4, want);

    assert_int_equal(size, SOCKS_UDP_HEADER_IPV6 + 4);
    assert_int_equal(udp_rig_read(client.fd, got, sizeof got, &relay), size);
    assert_memory_equal(got, want, size);
    fd_close(&fd);
    fd_close(&fd6);
    (void)udp_rig_end(&client);
}

/* An IPv4 address in IPv6 clothes is judged, written to and told as what it is. */
static void
test_mapped(void **state)
{
    uint8_t ip[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);
    struct addr mapped = addr_ipv6(ip, target.port);

    (void)state;
    udp_rig_associate(&client);
    udp_rig_say(&client, &mapped, "mapped");
    udp_rig_expect(fd, &from, "mapped");
    udp_rig_send(fd, &from, "back", 4);
    udp_rig_hear(&client, &target, "back");
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 0);
}

/* Another policy: what the old one allowed is judged anew, and answers from there are strangers'. */
static void
test_another_policy(void **state)
{
    static const char nothing[] =
        UDP_CONFIG("", "rule \"none\" { action = \"deny\" destination = { \"0.0.0.0/0\" } }\n");
    struct rig other;
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);

    (void)state;
    udp_rig_associate(&client);
    udp_rig_say(&client, &target, "before");
    udp_rig_expect(fd, &from, "before");
    rig_good(&other, nothing);
    session_rig_commit(other.image, 0);
    udp_rig_say(&client, &target, "after");
    session_rig_turns(5);
    udp_rig_send(fd, &from, "answer", 6);
    udp_rig_quiet(fd);
    udp_rig_quiet(client.fd);
    fd_close(&fd);
    struct session_closing c = udp_rig_end(&client);

    assert_int_equal(c.datagrams_up, 1);
    assert_int_equal(c.datagrams_dropped, 2);
    rig_free(&other);
}

/* Another policy that allows the same: answers pass without another question, to a name too, and the rule
   shown is the new one. */
static void
test_same_by_another_policy(void **state)
{
    static const char same[] = UDP_CONFIG("",
        "rule \"new\" { action = \"allow\" destination = { \"127.0.0.1/32\" } }\n");
    struct addr target, by_name, from;
    int fd = udp_rig_socket(1, &target), named = udp_rig_socket(1, &by_name);
    struct rig other;

    (void)state;
    udp_rig_associate(&client);
    udp_rig_say(&client, &target, "address");
    udp_rig_expect(fd, &from, "address");
    udp_rig_say_name(&client, "here.test", by_name.port, "name");
    udp_rig_expect(named, &from, "name");
    rig_good(&other, same);
    session_rig_commit(other.image, 0);
    session_rejudge(&rig.host, 2, false);
    session_rig_turns(3);
    udp_rig_send(fd, &from, "one", 3);
    udp_rig_hear(&client, &target, "one");
    udp_rig_send(named, &from, "two", 3);
    udp_rig_hear(&client, &by_name, "two");
    udp_rig_say_name(&client, "here.test", by_name.port, "again");
    udp_rig_expect(named, &from, "again");
    fd_close(&fd);
    fd_close(&named);
    struct session_closing c = udp_rig_end(&client);

    assert_string_equal(c.rule, "new");
    assert_int_equal(c.datagrams_dropped, 0);
    rig_free(&other);
}

static void
say_fragment(const struct addr *to, uint8_t fragment, const char *text)
{
    uint8_t out[64];

    udp_rig_send(
        client.fd, &client.relay, out, udp_rig_datagram(to, fragment, text, strlen(text), out));
}

static void
test_fragments(void **state)
{
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);

    (void)state;
    udp_rig_associate(&client);
    say_fragment(&target, 1, "one ");
    udp_rig_say(&client, &target, "whole"); /* stands alone and disturbs nothing */
    say_fragment(&target, 2, "two ");
    say_fragment(&target, 0x83, "three");
    udp_rig_expect(fd, &from, "whole");
    udp_rig_expect(fd, &from, "one two three");
    say_fragment(&target, 0x81, "");
    udp_rig_expect(fd, &from, "");
    say_fragment(&target, 1, "kept to the end");
    session_rig_turns(3);
    fd_close(&fd);
    assert_true(loop_timer_wait(rig.host.loop) >= 0);
    struct session_closing c = udp_rig_end(&client);

    assert_true(loop_timer_wait(rig.host.loop) < 0); /* its timer went with it */

    assert_int_equal(c.datagrams_up, 3);
    assert_int_equal(c.bytes_up, 5 + 13);
}

/* The timer takes what never becomes whole, and what comes then does not belong to it. */
static void
test_fragments_late(void **state)
{
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);

    (void)state;
    udp_rig_associate(&client);
    say_fragment(&target, 1, "a");
    say_fragment(&target, 2, "b");
    struct mono begun = mono_read();

    RIG_UNTIL(rig.host.first->udp->fragments != NULL && rig.host.first->udp->fragments->highest == 2);
    RIG_UNTIL(rig.host.first->udp->fragments->highest == 0);
    assert_true(mono_diff_us(mono_read(), begun) >= (UDP_FRAGMENT_SECONDS - 1) * CLOCK_SECOND_US);
    say_fragment(&target, 0x83, "c");
    udp_rig_say(&client, &target, "whole");
    udp_rig_expect(fd, &from, "whole");
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 3);
}

static int
setup_no_fragments(void **state)
{
    (void)state;
    session_rig_begin(UDP_CONFIG("udp { fragments = false }", UDP_RULES));
    return 0;
}

static void
test_fragments_off(void **state)
{
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);

    (void)state;
    udp_rig_associate(&client);
    say_fragment(&target, 1, "a");
    say_fragment(&target, 0x82, "b");
    udp_rig_say(&client, &target, "whole");
    udp_rig_expect(fd, &from, "whole");
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 2);
}

#define TEST(test, setup) cmocka_unit_test_setup_teardown(test, setup, session_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_both_ways, udp_rig_setup),
        TEST(test_many, udp_rig_setup),
        TEST(test_largest, udp_rig_setup),
        TEST(test_ipv6, setup_ipv6),
        TEST(test_mapped, udp_rig_setup),
        TEST(test_another_policy, udp_rig_setup),
        TEST(test_same_by_another_policy, udp_rig_setup),
        TEST(test_fragments, udp_rig_setup),
        TEST(test_fragments_late, udp_rig_setup),
        TEST(test_fragments_off, setup_no_fragments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
