/* SPDX-License-Identifier: ISC */
/* auth/userpass/userpass_file.c and userpass_table.c */
#include "tests/unit/unit.h"

#include "auth/userpass/userpass_table.h"
#include "tests/unit/userpass_samples.h"

#include <stdio.h>

#include "lib/base/secret.h"

static char error[512];

/* From a copy that is gone afterwards, when the table keeps its own. */
static struct userpass_table *
load(const char *text, size_t len, bool keep)
{
    uint8_t *copy = unit_copy(text, len);
    struct userpass_table *t;

    memset(error, 0, sizeof error);
    t = userpass_table_load(copy, len, keep, "/etc/users", error, sizeof error);
    if (keep || t == NULL) {
        memset(copy, 'x', len);
        free(copy);
        return t;
    }
    userpass_table_free(&t);
    free(copy);
    return NULL;
}

static void
refused(const char *text, size_t len, const char *complaint)
{
    for (int keep = 0; keep < 2; keep++) {
        assert_null(load(text, len, keep));
        if (strstr(error, complaint) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error, complaint);
        /* The hash itself is nobody's business. */
        assert_null(strstr(error, "HSpZ329OM6obwEVPKVZUc0"));
    }
}

#define REFUSED(text, complaint) refused(text, sizeof(text) - 1, complaint)

static void
test_loads(void **state)
{
    static const char text[] = "# users of the gateway\n"
                               "\n"
                               "alice:" SAMPLE_BCRYPT_2Y "\n"
                               "bob:" SAMPLE_SHA512 "\n"
                               "#carol:" SAMPLE_APR1 "\n"
                               "with space:" SAMPLE_YESCRYPT "\n"
                               "j\xc3\xbcrgen@EXAMPLE.COM:" SAMPLE_GOST; /* no newline at the end */
    struct userpass_table *t = load(text, sizeof text - 1, true);
    const struct userpass_row *row;

    (void)state;
    assert_non_null(t);
    assert_int_equal(userpass_table_count(t), 4);
    row = userpass_table_find(t, "alice", 5);
    assert_non_null(row);
    assert_string_equal(row->hash, SAMPLE_BCRYPT_2Y);
    assert_int_equal(row->hash_len, strlen(SAMPLE_BCRYPT_2Y));
    assert_int_equal(row->scheme, USERPASS_BCRYPT);
    assert_string_equal(userpass_table_find(t, "with space", 10)->hash, SAMPLE_YESCRYPT);
    assert_string_equal(userpass_table_find(t, "j\xc3\xbcrgen@EXAMPLE.COM", 19)->hash, SAMPLE_GOST);
    assert_null(userpass_table_find(t, "Alice", 5));
    assert_null(userpass_table_find(t, "alic", 4));
    assert_null(userpass_table_find(t, "alice\0", 6));
    assert_null(userpass_table_find(t, "", 0));
    assert_null(userpass_table_find(t, "#carol", 6));
    userpass_table_free(&t);
    assert_null(t);
    userpass_table_free(&t);
}

static void
test_empty(void **state)
{
    struct userpass_table *t = load("", 0, true);

    (void)state;
    assert_non_null(t);
    assert_int_equal(userpass_table_count(t), 0);
    assert_null(userpass_table_find(t, "alice", 5));
    userpass_table_free(&t);
    assert_null(load("# nobody\n", 9, false));
    assert_string_equal(error, "");
}

static void
test_refuses_kinds(void **state)
{
    (void)state;
    REFUSED("# first\nalice:" SAMPLE_APR1 "\n",
        "/etc/users:2: user \"alice\": Apache's MD5 ($apr1$) is not accepted; make a good one with: "
        "htpasswd -B /etc/users 'alice' (or mkpasswd -m yescrypt, or openssl passwd -6)");
    REFUSED("alice:" SAMPLE_SHA1 "\n", "/etc/users:1: user \"alice\": unsalted SHA-1 ({SHA})");
    REFUSED("alice:" SAMPLE_DES "\n", "/etc/users:1: user \"alice\": DES is not accepted");
    REFUSED("alice:" SAMPLE_MD5 "\n", "/etc/users:1: user \"alice\": MD5 ($1$)");
    REFUSED("alice:" SAMPLE_BCRYPT_2A "\n", "/etc/users:1: user \"alice\": bcrypt of the ambiguous");
    REFUSED("alice:" SAMPLE_SCRYPT "\n", "/etc/users:1: user \"alice\": scrypt");
    REFUSED("alice:secret\n", "/etc/users:1: user \"alice\": a password in plain text");
    REFUSED("alice:\n", "/etc/users:1: user \"alice\": there is no password hash");
    REFUSED("bob:" SAMPLE_SHA512 "\nalice:$6$abc\n", "/etc/users:2: user \"alice\": no salt");
    REFUSED("bob:" SAMPLE_SHA512 "x\n", "/etc/users:1: user \"bob\": the hash is cut short");
}

static void
test_refuses_lines(void **state)
{
    char text[600];

    (void)state;
    REFUSED("alice\n", "/etc/users:1: no colon; write NAME:HASH");
    REFUSED(":" SAMPLE_SHA512 "\n", "/etc/users:1: the name is empty");
    REFUSED("alice:" SAMPLE_SHA512 ":comment\n", "/etc/users:1: more than one colon");
    REFUSED("alice:" SAMPLE_SHA512 "\r\n", "/etc/users:1: the line ends in CR LF");
    REFUSED("al\tice:" SAMPLE_SHA512 "\n", "/etc/users:1: the name has a control character");
    REFUSED("al\x7fice:" SAMPLE_SHA512 "\n", "/etc/users:1: the name has a control character");
    REFUSED("\nal\0ice:" SAMPLE_SHA512 "\n", "/etc/users:2: the line has a NUL byte");
    REFUSED("#\0\n", "/etc/users:1: the line has a NUL byte");
    REFUSED("alice:" SAMPLE_SHA512 "\n\n\nbob:" SAMPLE_SHA512 "\nalice:" SAMPLE_SHA256 "\n",
        "/etc/users:5: user \"alice\" appears a second time");
    const int n = snprintf(text, sizeof text, "%0256d:%s\n", 0, SAMPLE_SHA512);

    refused(text, (size_t)n, "/etc/users:1: the name has 256 bytes; at most 255");
    struct userpass_table *t = load(text + 1, (size_t)n - 1, true);

    assert_non_null(t);
    assert_non_null(userpass_table_find(t, text + 1, 255));
    userpass_table_free(&t);
}

static void
test_refuses_sizes(void **state)
{
    char *text = malloc(USERPASS_FILE_MAX + 1);

    (void)state;
    assert_non_null(text);
    memset(text, '#', USERPASS_FILE_MAX + 1);
    assert_null(userpass_table_load(text, USERPASS_FILE_MAX + 1, false, "f", error, sizeof error));
    assert_non_null(strstr(error, "at most 67108864"));
    assert_null(userpass_table_load(text, 4097, false, "f", error, sizeof error));
    assert_non_null(strstr(error, "f:1: the line has 4097 bytes; at most 4096"));
    struct userpass_table *t = userpass_table_load(text, 4096, false, "f", error, sizeof error);

    assert_non_null(t);
    userpass_table_free(&t);
    free(text);
}

/* Long names of files and users do not overflow the complaint. */
static void
test_short_room(void **state)
{
    char small[16];

    (void)state;
    for (size_t room = 1; room <= sizeof small; room++) {
        memset(small, 'z', sizeof small);
        assert_null(userpass_table_load("alice\n", 6, false, "/etc/users", small, room));
        assert_non_null(memchr(small, '\0', room));
        for (size_t i = room; i < sizeof small; i++)
            assert_int_equal(small[i], 'z');
    }
}

static void
test_many(void **state)
{
    const unsigned count = 20000;
    const size_t line = 100;
    char *text = malloc(count * line);
    char name[16];
    size_t len = 0;

    (void)state;
    assert_non_null(text);
    for (unsigned i = 0; i < count; i++) {
        const int n = snprintf(text + len, line, "user%u:%s\n", i, SAMPLE_SHA256);

        assert_true(n > 0 && (size_t)n < line);
        len += (size_t)n;
    }
    struct userpass_table *t = load(text, len, true);

    assert_non_null(t);
    assert_int_equal(userpass_table_count(t), count);
    for (unsigned i = 0; i < count; i++) {
        const int n = snprintf(name, sizeof name, "user%u", i);
        const struct userpass_row *row = userpass_table_find(t, name, (size_t)n);

        assert_non_null(row);
        assert_int_equal(row->name_len, n);
        assert_memory_equal(row->name, name, (size_t)n);
        assert_string_equal(row->hash, SAMPLE_SHA256);
    }
    assert_null(userpass_table_find(t, "user20000", 9));
    userpass_table_free(&t);
    free(text);
}

static void
test_costliest(void **state)
{
    static const char text[] = "a:" SAMPLE_SHA512_1000 "\nb:" SAMPLE_SHA512 "\nc:" SAMPLE_BCRYPT_2B
                               "\nd:" SAMPLE_YESCRYPT_1 "\ne:" SAMPLE_YESCRYPT "\n";
    struct userpass_table *t = load(text, sizeof text - 1, true);
    struct userpass_hash hash;

    (void)state;
    assert_string_equal(userpass_table_costliest(t, USERPASS_SHA512, &hash)->hash, SAMPLE_SHA512);
    assert_int_equal(hash.cost, 5000);
    assert_string_equal(userpass_table_costliest(t, USERPASS_YESCRYPT, &hash)->hash, SAMPLE_YESCRYPT);
    assert_string_equal(userpass_table_costliest(t, USERPASS_BCRYPT, &hash)->hash, SAMPLE_BCRYPT_2B);
    assert_null(userpass_table_costliest(t, USERPASS_GOST, &hash));
    assert_null(userpass_table_costliest(t, USERPASS_SHA256, &hash));
    userpass_table_free(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_refuses_kinds),
        cmocka_unit_test(test_refuses_lines),
        cmocka_unit_test(test_refuses_sizes),
        cmocka_unit_test(test_short_room),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_costliest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
