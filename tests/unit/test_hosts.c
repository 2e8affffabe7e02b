/* SPDX-License-Identifier: ISC */
/* src/net/hosts.c */
#include "src/net/hosts.h"

#include "tests/unit/unit.h"

#include <stdio.h>

static struct hosts *
parse(const char *text)
{
    struct hosts *h = hosts_parse(text, strlen(text));

    assert_non_null(h);
    return h;
}

/* The name's addresses as text, separated by blanks. */
static const char *
find(const struct hosts *h, const char *name, enum addr_family family)
{
    static char line[512];
    struct addr found[4];
    size_t count = hosts_find(h, name, family, found, SP_COUNT(found));
    size_t len = 0;

    line[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char text[ADDR_TEXT_MAX];

        addr_format_ip(&found[i], text);
        assert_int_equal(found[i].port, 0);
        len += (size_t)snprintf(line + len, sizeof line - len, "%s%s", i > 0 ? " " : "", text);
    }
    return line;
}

static void
test_lines(void **state)
{
    struct hosts *h = parse("# comment\n"
                            "127.0.0.1\tlocalhost\n"
                            "::1 localhost ip6-localhost\n"
                            "\n"
                            "  192.0.2.1   WWW.Example.Test. www # www2\n"
                            "192.0.2.2 www.example.test\r\n"
                            "192.0.2.3#nothing\n"
                            "2001:db8::1 www");

    (void)state;
    assert_string_equal(find(h, "localhost", ADDR_IPV4), "127.0.0.1");
    assert_string_equal(find(h, "localhost", ADDR_IPV6), "::1");
    assert_string_equal(find(h, "ip6-localhost", ADDR_IPV6), "::1");
    assert_string_equal(find(h, "ip6-localhost", ADDR_IPV4), "");
    assert_string_equal(find(h, "www.example.test", ADDR_IPV4), "192.0.2.1 192.0.2.2");
    assert_string_equal(find(h, "www", ADDR_IPV4), "192.0.2.1");
    assert_string_equal(find(h, "www", ADDR_IPV6), "2001:db8::1");
    assert_true(hosts_has(h, "ip6-localhost"));
    assert_false(hosts_has(h, "www2"));
    assert_false(hosts_has(h, "nothing"));
    assert_false(hosts_has(h, ""));
    hosts_free(&h);
    assert_null(h);
}

static void
test_left_out(void **state)
{
    struct hosts *h = parse("fe80::1%eth0 scoped\n"
                            "192.0.2 short\n"
                            "name 192.0.2.1\n"
                            "192.0.2.1 a..b bad/na\\me 127.1 good\n"
                            "192.0.2.4\n"
                            "192.0.2.222222222222222222222222222222222222222222222222222222222222222222 x\n"
                            "::ffff:192.0.2.5 mapped\n");

    (void)state;
    assert_false(hosts_has(h, "scoped"));
    assert_false(hosts_has(h, "short"));
    assert_false(hosts_has(h, "a..b"));
    assert_false(hosts_has(h, "bad/na\\me"));
    assert_false(hosts_has(h, "127.1"));
    assert_false(hosts_has(h, "192.0.2.1"));
    assert_false(hosts_has(h, "x"));
    assert_true(hosts_has(h, "good"));
    assert_string_equal(find(h, "mapped", ADDR_IPV4), "192.0.2.5");
    hosts_free(&h);
}

static void
test_nothing(void **state)
{
    struct hosts *h = hosts_parse(NULL, 0);

    (void)state;
    assert_non_null(h);
    assert_false(hosts_has(h, "localhost"));
    hosts_free(&h);
    hosts_free(&h);
    assert_false(hosts_has(NULL, "localhost"));
    assert_string_equal(find(NULL, "localhost", ADDR_IPV4), "");
}

static void
test_bytes_that_are_no_text(void **state)
{
    static const char text[] = "192.0.2.1 a\0b c\n\0\xff\n192.0.2.2 d\n";
    struct hosts *h = hosts_parse(text, sizeof text - 1);

    (void)state;
    assert_non_null(h);
    assert_false(hosts_has(h, "a"));
    assert_string_equal(find(h, "c", ADDR_IPV4), "192.0.2.1");
    assert_string_equal(find(h, "d", ADDR_IPV4), "192.0.2.2");
    hosts_free(&h);
}

static void
test_bounded_answer(void **state)
{
    struct hosts *h = parse("192.0.2.1 x\n192.0.2.2 x\n192.0.2.3 x\n192.0.2.4 x\n192.0.2.5 x\n");

    (void)state;
    assert_string_equal(find(h, "x", ADDR_IPV4), "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
    hosts_free(&h);
}

static void
test_many_names(void **state)
{
    enum { COUNT = 20000 };
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    char name[64];
    char address[32];

    (void)state;
    assert_non_null(out);
    for (int i = 0; i < COUNT; i++)
        fprintf(out, "10.0.%d.%d host%d.example.test\n", i / 256, i % 256, i);
    fclose(out);
    struct hosts *h = hosts_parse(text, len);

    free(text);
    assert_non_null(h);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "host%d.example.test", i);
        snprintf(address, sizeof address, "10.0.%d.%d", i / 256, i % 256);
        assert_string_equal(find(h, name, ADDR_IPV4), address);
    }
    assert_false(hosts_has(h, "host20000.example.test"));
    hosts_free(&h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_bytes_that_are_no_text),
        cmocka_unit_test(test_bounded_answer),
        cmocka_unit_test(test_many_names),
    };

    return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}
