/* SPDX-License-Identifier: ISC */
/* src/client/client_options.c: the command line. What is printed is for
 * tests/system/test_client.py. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "src/client/client_private.h"

static struct client_options o;

/* words, separated by single spaces, behind the program's name; '~' stands for an empty one. */
static enum client_options_result
read_line(const char *words)
{
    char text[600];
    char *argv[40] = { text };
    int argc = 1;

    assert_true(snprintf(text, sizeof text, "sallyport %s", words) < (int)sizeof text);
    for (char *at = strchr(text, ' '); at != NULL; at = strchr(at, ' ')) {
        *at++ = '\0';
        argv[argc++] = at;
    }
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "~") == 0)
            argv[i][0] = '\0';
    return client_options_read(&o, argc, argv);
}

static void
presets(void **state)
{
    (void)state;
    assert_int_equal(
        read_line("connect --via gw.example.com host.example.net 22"), CLIENT_OPTIONS_RUN);
    assert_string_equal(o.host, "gw.example.com");
    assert_int_equal(o.port, 1080);
    assert_int_equal(o.auth, SOCKS_METHOD_GSSAPI);
    assert_int_equal(o.protection, AUTH_PROTECTION_CONFIDENTIALITY);
    assert_false(o.nec);
    assert_string_equal(o.service, "rcmd");
    assert_null(o.user);
    assert_null(o.password_file);
    assert_int_equal(o.timeout, 60);
    assert_int_equal(o.command, SOCKS_CONNECT);
    assert_int_equal(o.version, CLIENT_SOCKS5);
    assert_int_equal(o.wait, 1);
    assert_false(o.lines);
    assert_int_equal(o.target.port, 22);
    assert_string_equal(o.target.name, "host.example.net");
    assert_int_equal(o.target.addr.family, ADDR_NONE);
    assert_string_equal(o.target_text, "host.example.net:22");
}

static void
every_option(void **state)
{
    (void)state;
    assert_int_equal(
        read_line("connect t 1 --via=gw:9 --protection selective --service socks --nec "
                  "--timeout 5"),
        CLIENT_OPTIONS_RUN);
    assert_int_equal(o.port, 9);
    assert_int_equal(o.protection, AUTH_PROTECTION_SELECTIVE);
    assert_string_equal(o.service, "socks");
    assert_true(o.nec);
    assert_int_equal(o.timeout, 5);
    assert_int_equal(
        read_line("connect --via gw --auth userpass --user alice --password-file /x t 1"),
        CLIENT_OPTIONS_RUN);
    assert_int_equal(o.auth, SOCKS_METHOD_USERPASS);
    assert_string_equal(o.user, "alice");
    assert_string_equal(o.password_file, "/x");
    assert_int_equal(read_line("connect --via gw --auth none t 1"), CLIENT_OPTIONS_RUN);
    assert_int_equal(o.auth, SOCKS_METHOD_NONE);
    assert_int_equal(read_line("--version"), CLIENT_OPTIONS_DONE);
    assert_int_equal(read_line("connect -h"), CLIENT_OPTIONS_DONE);
}

static void
forms(void **state)
{
    (void)state;
    assert_int_equal(read_line("bind --via gw --auth none 0.0.0.0 0"), CLIENT_OPTIONS_RUN);
    assert_int_equal(o.command, SOCKS_BIND);
    assert_int_equal(o.target.addr.family, ADDR_IPV4);
    assert_true(addr_is_zero(&o.target.addr));
    assert_int_equal(o.target.port, 0);
    assert_int_equal(read_line("bind --via gw :: 0"), CLIENT_OPTIONS_RUN);
    assert_int_equal(o.target.addr.family, ADDR_IPV6);
    assert_int_equal(
        read_line("--nec udp --lines --wait 0 --via gw dns.example.com 53"), CLIENT_OPTIONS_RUN);
    assert_int_equal(o.command, SOCKS_UDP_ASSOCIATE);
    assert_int_equal(o.auth, SOCKS_METHOD_GSSAPI);
    assert_true(o.lines);
    assert_int_equal(o.wait, 0);
    assert_string_equal(o.target.name, "dns.example.com");
}

static void
socks4(void **state)
{
    (void)state;
    assert_int_equal(read_line("connect --via gw --socks4 192.0.2.1 80"), CLIENT_OPTIONS_RUN);
    assert_int_equal(o.version, CLIENT_SOCKS4);
    assert_int_equal(o.auth, SOCKS_METHOD_NONE);
    assert_null(o.user);
    assert_int_equal(
        read_line("bind --via gw --socks4a --auth none --user me t 0"), CLIENT_OPTIONS_RUN);
    assert_int_equal(o.version, CLIENT_SOCKS4A);
    assert_int_equal(o.command, SOCKS_BIND);
    assert_string_equal(o.user, "me");
    assert_string_equal(o.target.name, "t");
}

static void
longest_userid(void **state)
{
    (void)state;
    char line[600];
    char user[SOCKS4_TEXT_MAX + 2];

    memset(user, 'u', sizeof user);
    user[SOCKS4_TEXT_MAX] = '\0';
    assert_true(
        snprintf(line, sizeof line, "connect --via gw --socks4a --user %s t 1", user) > 0);
    assert_int_equal(read_line(line), CLIENT_OPTIONS_RUN);
    assert_string_equal(o.user, user);
    user[SOCKS4_TEXT_MAX] = 'u';
    user[SOCKS4_TEXT_MAX + 1] = '\0';
    assert_true(
        snprintf(line, sizeof line, "connect --via gw --socks4a --user %s t 1", user) > 0);
    assert_int_equal(read_line(line), CLIENT_OPTIONS_USAGE);
}

static void
gateways(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *host; /* NULL: refused */
        unsigned port;
    } rows[] = {
        { "gw", "gw", 1080 },
        { "gw:1", "gw", 1 },
        { "gw:65535", "gw", 65535 },
        { "192.0.2.1:81", "192.0.2.1", 81 },
        { "[::1]:81", "::1", 81 },
        { "[2001:db8::1]", "2001:db8::1", 1080 },
        { "2001:db8::1", "2001:db8::1", 1080 },
        { "::1", "::1", 1080 },
        { "gw:", NULL, 0 },
        { "gw:0", NULL, 0 },
        { "gw:65536", NULL, 0 },
        { "gw:x", NULL, 0 },
        { "gw:+1", NULL, 0 },
        { "gw:1x", NULL, 0 },
        { "gw:99999999999999999999", NULL, 0 },
        { "[::1]81", NULL, 0 },
        { "[]:81", NULL, 0 },
        { ":81", NULL, 0 },
        { "~", NULL, 0 },
    };

    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char line[200];

        assert_true(snprintf(line, sizeof line, "connect --via %s t 1", rows[i].text) > 0);
        if (rows[i].host == NULL) {
            assert_int_equal(read_line(line), CLIENT_OPTIONS_USAGE);
            continue;
        }
        assert_int_equal(read_line(line), CLIENT_OPTIONS_RUN);
        assert_string_equal(o.host, rows[i].host);
        assert_int_equal(o.port, rows[i].port);
    }
}

static void
longest_gateway(void **state)
{
    (void)state;
    char line[600];
    char host[300];

    memset(host, 'h', sizeof host);
    host[CLIENT_HOST_SIZE - 1] = '\0';
    assert_true(snprintf(line, sizeof line, "connect --via %s:2 t 1", host) > 0);
    assert_int_equal(read_line(line), CLIENT_OPTIONS_RUN);
    assert_string_equal(o.host, host);
    host[CLIENT_HOST_SIZE - 1] = 'h';
    host[CLIENT_HOST_SIZE] = '\0';
    assert_true(snprintf(line, sizeof line, "connect --via %s:2 t 1", host) > 0);
    assert_int_equal(read_line(line), CLIENT_OPTIONS_USAGE);
}

static void
targets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned family;
        const char *shown;
    } rows[] = {
        { "192.0.2.1 80", ADDR_IPV4, "192.0.2.1:80" },
        { "2001:db8::1 80", ADDR_IPV6, "[2001:db8::1]:80" },
        { "[2001:db8::1] 80", ADDR_IPV6, "[2001:db8::1]:80" },
        { "WWW.Example.COM. 80", ADDR_NONE, "WWW.Example.COM.:80" },
    };

    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char line[200];

        assert_true(snprintf(line, sizeof line, "connect --via gw %s", rows[i].text) > 0);
        assert_int_equal(read_line(line), CLIENT_OPTIONS_RUN);
        assert_int_equal(o.target.addr.family, rows[i].family);
        assert_int_equal(o.target.port, 80);
        assert_string_equal(o.target_text, rows[i].shown);
    }
    assert_string_equal(o.target.name, "www.example.com");
}

static void
nonsense_is_usage(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "~",
        "listen --via gw t 1",
        "connect",
        "connect --via gw",
        "connect --via gw t",
        "connect --via gw t 1 2",
        "connect t 1",
        "connect --via gw t 0",
        "connect --via gw t ssh",
        "connect --via gw t 65536",
        "connect --via gw ~ 1",
        "connect --via gw a..b 1",
        "connect --via gw 127.1 1",
        "connect --via gw [name] 1",
        "connect --via gw --auth ~ t 1",
        "connect --via gw --auth GSSAPI t 1",
        "connect --via gw --protection 2 t 1",
        "connect --via gw --service ~ t 1",
        "connect --via gw --timeout 0 t 1",
        "connect --via gw --timeout 86401 t 1",
        "connect --via gw --timeout 1.5 t 1",
        "connect --via gw --nec=yes t 1",
        "connect --via gw --nonsense t 1",
        "connect --via gw -x t 1",
        "connect t 1 --via",
        /* what would have no effect */
        "connect --via gw --auth none --protection none t 1",
        "connect --via gw --auth userpass --service rcmd t 1",
        "connect --via gw --auth none --nec t 1",
        "connect --via gw --user alice t 1",
        "connect --via gw --auth none --password-file /x t 1",
        "connect --via gw --lines t 1",
        "bind --via gw --wait 1 t 1",
        /* other forms */
        "bind --via gw t",
        "bind --via gw t 65536",
        "bind --via gw t -1",
        "bind t 0",
        "udp --via gw t 0",
        "udp --via gw --lines=yes t 1",
        "udp --via gw --wait -1 t 1",
        "udp --via gw --wait 86401 t 1",
        /* SOCKS 4 */
        "connect --via gw --socks4 t 1",
        "connect --via gw --socks4 ::1 1",
        "connect --via gw --socks4a ::1 1",
        "connect --via gw --socks4 --auth gssapi 192.0.2.1 1",
        "connect --via gw --socks4 --auth userpass --user a 192.0.2.1 1",
        "connect --via gw --socks4 --user a --password-file /x 192.0.2.1 1",
        "connect --via gw --socks4 --service rcmd 192.0.2.1 1",
        "udp --via gw --socks4 192.0.2.1 1",
    };

    for (size_t i = 0; i < SP_COUNT(lines); i++)
        assert_int_equal(read_line(lines[i]), CLIENT_OPTIONS_USAGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets),
        cmocka_unit_test(every_option),
        cmocka_unit_test(forms),
        cmocka_unit_test(socks4),
        cmocka_unit_test(longest_userid),
        cmocka_unit_test(gateways),
        cmocka_unit_test(longest_gateway),
        cmocka_unit_test(targets),
        cmocka_unit_test(nonsense_is_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
