/* SPDX-License-Identifier: ISC */
/*
 * SOCKS 4 and 4A sessions over real sockets: what the client gets and what the audit says. The rig's
 * teardown checks that each has one closing record and leaves nothing behind.
 */
#include "tests/unit/session_rig.h"

#include "lib/base/fd.h"
#include "lib/socks/socks4.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

/* A request for the rig's destination, by its address or by a name. */
static size_t
request_for(uint8_t out[SOCKS4_REQUEST_MAX], const char *name, const char *user)
{
    static const uint8_t ip[4] = { 127, 0, 0, 1 };
    struct addr here = addr_ipv4(ip, rig.port);
    size_t len = socks4_request_encode(SOCKS_CONNECT, &here, name, user, out);

    assert_true(len > 0);
    return len;
}

static struct addr
read_reply(int fd, uint8_t reply)
{
    uint8_t got[SOCKS4_REPLY_SIZE];
    struct socks4_answer answer;

    session_rig_read(fd, got, sizeof got);
    assert_int_equal(socks4_answer_decode(got, sizeof got, &answer), SOCKS_DONE);
    assert_int_equal(answer.reply, reply);
    return answer.bound;
}

/* The gateway's own end of the connection that `target` is the far end of. */
static struct addr
egress_of(int target)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;

    assert_int_equal(getpeername(target, (struct sockaddr *)&ss, &len), 0);
    return addr_from_sockaddr((struct sockaddr *)&ss, len);
}

static void
exchange(int from, int to, const char *text)
{
    char got[64];

    session_rig_send(from, text, strlen(text));
    session_rig_read(to, got, strlen(text));
    assert_memory_equal(got, text, strlen(text));
}

static void
test_pipelined(void **state)
{
    enum { PAYLOAD = 300000 };
    static uint8_t out[SOCKS4_REQUEST_MAX + PAYLOAD], got[PAYLOAD];
    struct unit_random random = UNIT_RANDOM_INIT;
    uint64_t id;
    int fd = session_rig_client(0, &id), target;
    size_t len = request_for(out, NULL, "fred");

    (void)state;
    unit_random_fill(&random, out + len, PAYLOAD);
    session_rig_send(fd, out, len + 1000);
    target = session_rig_accept();
    session_rig_send(fd, out + len + 1000, PAYLOAD - 1000);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    session_rig_read(target, got, PAYLOAD);
    assert_memory_equal(got, out + len, PAYLOAD);
    session_rig_read_end(target);
    struct addr bound = read_reply(fd, SOCKS4_GRANTED), egress = egress_of(target);

    assert_true(addr_equal(&bound, &egress));
    exchange(target, fd, "still open this way");
    fd_close(&target);
    session_rig_read_end(fd);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_int_equal(c.bytes_up, PAYLOAD);
    assert_int_equal(c.bytes_down, 19);
    assert_string_equal(c.protocol, "socks4");
    assert_string_equal(c.method, "none");
    assert_string_equal(c.claimed, "fred");
    assert_string_equal(c.start_claimed, "fred");
    assert_string_equal(c.user, "");
    assert_string_equal(c.rule, "here");
    assert_int_equal(c.reply, 90);
    fd_close(&fd);
}

static void
test_bytewise_name(void **state)
{
    uint8_t out[SOCKS4_REQUEST_MAX];
    char wanted[64];
    uint64_t id;
    int fd = session_rig_client(0, &id), target;
    size_t len = request_for(out, "HERE.test.", "");

    (void)state;
    for (size_t i = 0; i < len; i++) {
        session_rig_send(fd, out + i, 1);
        session_rig_turns(2);
    }
    target = session_rig_accept();
    (void)read_reply(fd, SOCKS4_GRANTED);
    exchange(fd, target, "up");
    assert_int_equal(shutdown(target, SHUT_WR), 0);
    session_rig_read_end(fd);
    exchange(fd, target, "and up again");
    fd_close(&fd);
    session_rig_read_end(target);
    fd_close(&target);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    (void)snprintf(wanted, sizeof wanted, "here.test:%u", rig.port);
    assert_string_equal(c.destination, wanted);
    assert_string_equal(c.protocol, "socks4a");
    assert_string_equal(c.claimed, "");
}

/* An address written as a 4A name is an address: no name rule sees it. */
static void
test_address_as_name(void **state)
{
    uint8_t out[SOCKS4_REQUEST_MAX];
    uint64_t id;
    int fd = session_rig_client(0, &id), target;

    (void)state;
    session_rig_send(fd, out, request_for(out, "127.0.0.1", "x\xff\ny"));
    target = session_rig_accept();
    (void)read_reply(fd, SOCKS4_GRANTED);
    fd_close(&target);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, EVENT_SESSION_END, "closed");

    assert_string_equal(c.protocol, "socks4a");
    assert_string_equal(c.claimed, "x\xff\ny"); /* raw: the renderer escapes */
}

/* ---- refusals ---- */

static const struct refusal {
    const char *bytes;
    size_t len;
    enum event_id event;
    const char *reason, *detail;
} refusals[] = {
    { "\x04\x00\x00\x50\x7f\x00\x00\x01u", 10, EVENT_REQUEST_FAILED, "command-not-supported",
        "command" },
    { "\x04\x03\x00\x50\x7f\x00\x00\x01u", 10, EVENT_REQUEST_FAILED, "command-not-supported",
        "command" },
    { "\x04\x09\x00\x50\x00\x00\x00\x01\x00", 10, EVENT_REQUEST_FAILED, "command-not-supported",
        "command" },
    { "\x04\x01\x00\x50\x00\x00\x00\x01u\x00", 11, EVENT_REQUEST_FAILED, "bad-name", "name" },
    { "\x04\x01\x00\x50\x00\x00\x00\xffu\x00" "127.1", 16, EVENT_REQUEST_FAILED, "bad-name", NULL },
    { "\x04\x01\x00\x50\x00\x00\x00\x01u\x00" "a b", 14, EVENT_REQUEST_FAILED, "bad-name", NULL },
    /* 0.0.0.0 announces no name: an address, which no rule opens */
    { "\x04\x01\x00\x50\x00\x00\x00\x00u", 10, EVENT_REQUEST_DENIED, "no-rule", "" },
    { "\x04\x01\x00\x50\x0a\x01\x02\x03u", 10, EVENT_REQUEST_DENIED, "rule", "" },
    { "\x04\x01\x00\x50\x00\x00\x00\x01\x00" "denied.test", 21, EVENT_REQUEST_DENIED, "rule", "" },
    { "\x04\x01\x00\x50\x00\x00\x00\x01\x00" "0.0.0.1", 17, EVENT_REQUEST_DENIED, "no-rule", "" },
    { "\x04\x01\x00\x01\x7f\x00\x00\x01u", 10, EVENT_REQUEST_FAILED, "connection-refused", "" },
};

static void
test_refusals(void **state)
{
    static const uint8_t noise[1000];

    (void)state;
    for (size_t i = 0; i < SP_COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        uint64_t id;
        int fd = session_rig_client(0, &id);

        session_rig_send(fd, r->bytes, r->len);
        session_rig_send(fd, noise, sizeof noise); /* unread, it would turn the reply into a reset */
        struct addr bound = read_reply(fd, SOCKS4_REFUSED);

        assert_true(addr_is_zero(&bound) && bound.port == 0);
        session_rig_read_end(fd);
        fd_close(&fd);
        struct session_closing c = session_rig_expect(id, r->event, r->reason);

        if (r->detail != NULL)
            assert_string_equal(c.detail, r->detail);
        assert_int_equal(c.reply, 91);
    }
}

static void
refused(uint16_t listener, const void *bytes, size_t len, enum event_id event, const char *reason,
    const char *detail)
{
    uint64_t id;
    int fd = session_rig_client(listener, &id);

    session_rig_send(fd, bytes, len);
    (void)read_reply(fd, SOCKS4_REFUSED);
    session_rig_read_end(fd);
    fd_close(&fd);
    struct session_closing c = session_rig_expect(id, event, reason);

    assert_string_equal(c.detail, detail);
    assert_string_equal(c.user, "");
    assert_true(strncmp(c.protocol, "socks4", 6) == 0);
}

/* The octet over the bound is refused, not waited behind. */
static void
test_too_long(void **state)
{
    uint8_t out[8 + 256 + 300] = { 4, 1, 0, 80, 0, 0, 0, 1 };

    (void)state;
    memset(out + 8, 'x', sizeof out - 8);
    refused(0, out, 8 + 256, EVENT_PROTOCOL_ERROR, "malformed-message", "user-id");
    refused(0, out, sizeof out, EVENT_PROTOCOL_ERROR, "malformed-message", "user-id");
    out[9] = 0;
    refused(0, out, 10 + 256, EVENT_PROTOCOL_ERROR, "malformed-message", "name");
    out[8 + 255] = 0; /* a name of 253 octets that is none */
    refused(0, out, 8 + 256, EVENT_REQUEST_FAILED, "bad-name", "label longer than 63 octets");
}

static void
test_listener_without(void **state)
{
    uint8_t out[SOCKS4_REQUEST_MAX];

    (void)state;
    refused(1, out, request_for(out, NULL, "root"), EVENT_PROTOCOL_ERROR, "no-acceptable-method", "");
}

static int
setup_disabled(void **state)
{
    (void)state;
    session_rig_begin("methods = { \"none\" }\nlisten \"127.0.0.1:1080\" {}\n"
                      "socks4 { enabled = false }\n"
                      "rule \"all\" { action = \"allow\" destination = { \"127.0.0.1/32\" } }\n");
    return 0;
}

static void
test_disabled(void **state)
{
    uint8_t out[SOCKS4_REQUEST_MAX];

    (void)state;
    refused(0, out, request_for(out, NULL, "fred"), EVENT_PROTOCOL_ERROR, "unsupported-protocol", "");
    struct session_closing c = session_rig_closing(rig.next_id - 1);

    assert_string_equal(c.claimed, "fred");
}

static int
setup_useless(void **state)
{
    (void)state;
    session_rig_begin("methods = { \"none\", \"userpass\" }\nlisten \"127.0.0.1:1080\" {}\n"
                      "userpass { file = \"/nonexistent/users\" }\n"
                      "rule \"users\" { action = \"allow\" method = { \"userpass\" } }\n"
                      "rule \"others\" { action = \"allow\" client = { \"10.0.0.0/8\" } }\n");
    return 0;
}

/* The listener has none, but no rule accepts it from this client. */
static void
test_useless(void **state)
{
    uint8_t out[SOCKS4_REQUEST_MAX];

    (void)state;
    refused(0, out, request_for(out, NULL, "fred"), EVENT_PROTOCOL_ERROR, "no-acceptable-method", "");
}

/* ---- clients that do not finish ---- */

static void
test_missing_nul(void **state)
{
    (void)state;
    refused(0, "\x04\x01\x00\x50\x7f\x00\x00\x01" "fred", 12, EVENT_PROTOCOL_ERROR, "client-timeout",
        "");
    refused(0, "\x04", 1, EVENT_PROTOCOL_ERROR, "client-timeout", "");
}

static void
test_gone(void **state)
{
    uint8_t out[SOCKS4_REQUEST_MAX];
    uint64_t id[3];
    int fd = session_rig_client(0, &id[0]);

    (void)state;
    session_rig_send(fd, "\x04\x01\x00\x50", 4);
    session_rig_turns(3);
    session_rig_reset(&fd);
    (void)session_rig_expect(id[0], EVENT_PROTOCOL_ERROR, "client-reset");
    fd = session_rig_client(0, &id[1]);
    session_rig_send(fd, "\x04\x01\x00\x50", 4);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    (void)session_rig_expect(id[1], EVENT_PROTOCOL_ERROR, "client-gone");
    session_rig_read_end(fd);
    fd_close(&fd);
    fd = session_rig_client(0, &id[2]);
    session_rig_send(fd, out, request_for(out, "asked.test", "fred"));
    session_rig_turns(5);
    session_rig_reset(&fd); /* while the name is looked up */
    struct session_closing c = session_rig_expect(id[2], EVENT_PROTOCOL_ERROR, "client-gone");

    assert_true(c.reply == UINT64_MAX);
    assert_string_equal(c.claimed, "fred");
}

/* ---- IPv6 behind a name ---- */

static int
setup_six(void **state)
{
    (void)state;
    session_rig_begin("methods = { \"none\" }\nlisten \"127.0.0.1:1080\" {}\n"
                      "rule \"six\" { action = \"allow\" destination = { \"::1/128\" } }\n");
    return 0;
}

static void
test_ipv6(void **state)
{
    static const char *const names[] = { "six.test", "::1" };
    struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    socklen_t len = sizeof sin6;

    (void)state;
    fd_close(&rig.listener);
    rig.listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(rig.listener, (struct sockaddr *)&sin6, sizeof sin6), 0);
    assert_int_equal(listen(rig.listener, 4), 0);
    assert_int_equal(getsockname(rig.listener, (struct sockaddr *)&sin6, &len), 0);
    rig.port = ntohs(sin6.sin6_port);
    for (size_t i = 0; i < SP_COUNT(names); i++) {
        uint8_t out[SOCKS4_REQUEST_MAX];
        uint64_t id;
        int fd = session_rig_client(0, &id), target;

        session_rig_send(fd, out, request_for(out, names[i], ""));
        target = session_rig_accept();
        struct addr bound = read_reply(fd, SOCKS4_GRANTED);

        assert_true(addr_is_zero(&bound) && bound.port == 0);
        exchange(fd, target, "six");
        fd_close(&fd);
        fd_close(&target);
        (void)session_rig_expect(id, EVENT_SESSION_END, "closed");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pipelined, session_rig_setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_bytewise_name, session_rig_setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_address_as_name, session_rig_setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_refusals, session_rig_setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_too_long, session_rig_setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_listener_without, session_rig_setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_disabled, setup_disabled, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_useless, setup_useless, session_rig_teardown),
        cmocka_unit_test_setup_teardown(
            test_missing_nul, session_rig_setup_short, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_gone, session_rig_setup, session_rig_teardown),
        cmocka_unit_test_setup_teardown(test_ipv6, setup_six, session_rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
