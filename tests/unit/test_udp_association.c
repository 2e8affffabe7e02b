/* SPDX-License-Identifier: ISC */
/* src/session/phase_associate.c and udp_*.c: associations of a client without protection. */
#include "tests/unit/udp_rig.h"

#include "lib/base/fd.h"
#include "lib/socks/socks5.h"
#include "src/core/loop_private.h"
#include "src/session/udp_association.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static struct udp_client client;

static int
setup(void **state)
{
    (void)state;
    session_rig_begin(UDP_CONFIG("",
        UDP_RULES "rule \"names\" { action = \"allow\" destination = { \"*.test\" } }\n"));
    return 0;
}

/* ---- what passes ---- */

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

static void
say_name(const char *name, uint16_t port, const char *text)
{
    uint8_t out[600];

    udp_rig_send(client.fd, &client.relay, out, udp_rig_named(name, port, text, strlen(text), out));
}

static void
test_names(void **state)
{
    struct addr target, from;
    int fd = udp_rig_socket(1, &target);

    (void)state;
    udp_rig_associate(&client);
    say_name("Here.Test.", target.port, "one");
    say_name("here.test", target.port, "two");
    udp_rig_expect(fd, &from, "one");
    udp_rig_expect(fd, &from, "two");
    say_name("here.test", target.port, "three"); /* remembered */
    udp_rig_expect(fd, &from, "three");
    say_name("127.0.0.1", target.port, "four");
    udp_rig_expect(fd, &from, "four");
    udp_rig_send(fd, &from, "back", 4);
    udp_rig_hear(&client, &target, "back"); /* from the address, not the name */
    say_name("denied.test", target.port, "resolves to what is closed");
    say_name("bad..name", target.port, "no name");
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
        say_name("here.test", port, "nobody");
        session_rig_turns(3);
    }
    say_name("here.test", target.port, "one more");
    udp_rig_expect(fd, &from, "one more");
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 0);
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
        say_name("slow.test", target.port, "waits");
    for (unsigned i = 0; i < 40; i++) {
        assert_true(snprintf(name, sizeof name, "n%u.test", i) > 0);
        say_name(name, target.port, "waits");
    }
    udp_rig_say(&client, &target, "not behind them");
    struct addr from;

    udp_rig_expect(fd, &from, "not behind them");
    fd_close(&fd);
    struct session_closing c = udp_rig_end(&client);

    assert_int_equal(c.datagrams_up, 1);
    assert_int_equal(c.datagrams_dropped, 80 - 16);
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
    say_name("here.test", by_name.port, "name");
    udp_rig_expect(named, &from, "name");
    rig_good(&other, same);
    session_rig_commit(other.image, 0);
    session_rejudge(&rig.host, 2, false);
    session_rig_turns(3);
    udp_rig_send(fd, &from, "one", 3);
    udp_rig_hear(&client, &target, "one");
    udp_rig_send(named, &from, "two", 3);
    udp_rig_hear(&client, &by_name, "two");
    say_name("here.test", by_name.port, "again");
    udp_rig_expect(named, &from, "again");
    fd_close(&fd);
    fd_close(&named);
    struct session_closing c = udp_rig_end(&client);

    assert_string_equal(c.rule, "new");
    assert_int_equal(c.datagrams_dropped, 0);
    rig_free(&other);
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
    say_name("here.test", target.port, "one");
    udp_rig_expect(fd, &from, "one");
    rig_good(&other, refused);
    session_rig_commit(other.image, 0);
    say_name("here.test", target.port, "two");
    udp_rig_quiet(fd);
    session_rig_commit(rig.config.image, 0);
    rig_free(&other);
    say_name("here.test", target.port, "three");
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
        say_name("here.test", target.port, "too late");
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
    say_name("here.test", target.port, "refused");
    udp_rig_quiet(fd);
    udp_rig_say(&client, &target, "open");
    udp_rig_expect(fd, &from, "open");
    say_name("here.test", target.port, "refused");
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
        say_name(name, target.port, "refused");
    }
    say_name("here.test", target.port, "asked");
    udp_rig_expect(fd, &from, "asked");
    fd_close(&fd);
    assert_int_equal(udp_rig_end(&client).datagrams_dropped, 12);
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

/* ---- what does not ---- */

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

/* ---- filtering ---- */

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
    if (!own_address(&own))
        skip();
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

/* ---- fragments ---- */

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

/* ---- beginning and end ---- */

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
        TEST(test_both_ways, setup),
        TEST(test_many, setup),
        TEST(test_largest, setup),
        TEST(test_ipv6, setup_ipv6),
        TEST(test_another_policy, setup),
        TEST(test_same_by_another_policy, setup),
        TEST(test_names_by_another_policy, setup),
        TEST(test_names, setup),
        TEST(test_names_ended_before, setup),
        TEST(test_names_judged_as_names, NULL),
        TEST(test_names_refused_early, NULL),
        TEST(test_mapped, setup),
        TEST(test_names_held_octets, setup),
        TEST(test_names_many, setup),
        TEST(test_names_waiting, setup),
        TEST(test_strangers, setup),
        TEST(test_malformed, setup),
        TEST(test_refused, setup),
        TEST(test_unreachable, setup),
        TEST(test_flood, setup),
        TEST(test_filtering_endpoint, NULL),
        TEST(test_filtering_address, NULL),
        TEST(test_filtering_none, NULL),
        TEST(test_port_zero_opens_nothing, NULL),
        TEST(test_late_own_address, NULL),
        TEST(test_fragments, setup),
        TEST(test_fragments_late, setup),
        TEST(test_fragments_off, setup_no_fragments),
        TEST(test_disabled, setup_disabled),
        TEST(test_no_rule, setup_no_rule),
        TEST(test_port_range, NULL),
        TEST(test_advertised_family, NULL),
        TEST(test_ports_run_out, NULL),
        TEST(test_descriptors_run_out, setup),
        TEST(test_connection_ends, setup),
        TEST(test_idle, setup_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
