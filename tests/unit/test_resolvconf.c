/* SPDX-License-Identifier: ISC */
/* src/net/resolvconf.c */
#include "src/net/resolvconf.h"

#include "tests/unit/unit.h"

#include <stdio.h>

static const char *
servers_of(const void *text, size_t len)
{
    static char line[512];
    struct addr found[3];
    size_t count = resolvconf_parse(text, len, found, SP_COUNT(found));
    size_t at = 0;

    assert_in_range(count, 1, SP_COUNT(found));
    line[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char one[ADDR_TEXT_MAX];

        addr_format(&found[i], one);
        at += (size_t)snprintf(line + at, sizeof line - at, "%s%s", i > 0 ? " " : "", one);
    }
    return line;
}

static void
test_texts(void **state)
{
    static const struct {
        const char *text;
        const char *servers;
    } cases[] = {
        { "", "127.0.0.1:53" },
        { "nameserver 192.0.2.1\n", "192.0.2.1:53" },
        { "nameserver\t192.0.2.1  \r\nnameserver 2001:db8::1", "192.0.2.1:53 [2001:db8::1]:53" },
        { "search example.test\noptions ndots:5 timeout:1\nnameserver 192.0.2.1 # it\n",
            "192.0.2.1:53" },
        { "#nameserver 192.0.2.1\n;nameserver 192.0.2.2\n nameserver 192.0.2.3\n", "127.0.0.1:53" },
        { "nameserver\nnameserver \nnameservers 192.0.2.1\nnameserver192.0.2.1\n", "127.0.0.1:53" },
        { "nameserver fe80::1%eth0\nnameserver dns.test\nnameserver 192.0.2\n", "127.0.0.1:53" },
        { "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n",
            "192.0.2.1:53 192.0.2.2:53 192.0.2.3:53" },
        { "nameserver 1111111111111111111111111111111111111111111111111111111111111111111111111111\n"
          "nameserver 192.0.2.1\n",
            "192.0.2.1:53" },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(cases); i++)
        assert_string_equal(servers_of(cases[i].text, strlen(cases[i].text)), cases[i].servers);
    assert_string_equal(servers_of(NULL, 0), "127.0.0.1:53");
}

/* Every beginning of a text is a text: nothing is read past its end. */
static void
test_every_beginning(void **state)
{
    static const char text[] = "nameserver 192.0.2.1\nnameserver 2001:db8::1\n";

    (void)state;
    for (size_t len = 0; len < sizeof text; len++) {
        uint8_t *copy = unit_copy(text, len);

        assert_non_null(servers_of(copy, len));
        free(copy);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_every_beginning),
    };

    return cmocka_run_group_tests_name("resolvconf", tests, NULL, NULL);
}
