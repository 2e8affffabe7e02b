/* SPDX-License-Identifier: ISC */
/* src/session/groups.c: one set for one content, its bits over each image, and what is refused. */
#include "tests/unit/config_rig.h"

#include "src/session/groups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define HEAD "methods = { \"userpass\" }\nuserpass { file = \"/nonexistent/users\" }\nlisten \"127.0.0.1:1080\" {}\n"
#define NAMES(text) text, sizeof text /* the last one's end included */

static struct groups groups;

/* The image's groups are those of one rule. */
static void
adopt(struct rig *r, const char *list)
{
    char text[512];
    uint64_t *spare;

    if (snprintf(text, sizeof text, HEAD "rule \"r\" { action = \"allow\" %s }\n", list) < 0)
        fail();
    rig_later(r, text);
    spare = groups_spare(r->image);
    assert_non_null(spare);
    groups_adopt(&groups, r->image, &spare);
    assert_null(spare);
}

static void
test_found_again(void **state)
{
    struct group_set *a = groups_take(&groups, NAMES("staff\0wheel")), *b, *c;

    (void)state;
    assert_non_null(a);
    b = groups_take(&groups, NAMES("staff\0wheel"));
    c = groups_take(&groups, NAMES("staff\0whee"));
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_int_equal(groups.count, 2);
    groups_release(&groups, &a);
    assert_null(a);
    assert_int_equal(groups.count, 2);
    groups_release(&groups, &b);
    groups_release(&groups, &b); /* NULL by now */
    groups_release(&groups, &c);
    assert_int_equal(groups.count, 0);
}

static void
test_bits_of_each_image(void **state)
{
    struct rig first, second;
    struct group_set *s = groups_take(&groups, NAMES("staff\0wheel")), *none = NULL;

    (void)state;
    assert_null(groups_bits(&groups, s)); /* no image yet */
    adopt(&first, "group = { \"admins\", \"staff\", \"wheel\" }");
    assert_int_equal(*groups_bits(&groups, s), 6);
    assert_int_equal(*groups_bits(&groups, s), 6);
    assert_null(groups_bits(&groups, none));
    adopt(&second, "group = { \"wheel\" }");
    rig_free(&first);
    assert_int_equal(*groups_bits(&groups, s), 1);
    adopt(&first, "");
    rig_free(&second);
    assert_null(groups_bits(&groups, s)); /* nobody asks */
    adopt(&second, "group = { \"x\" }");
    rig_free(&first);
    assert_int_equal(*groups_bits(&groups, s), 0); /* known, and in none of them */
    groups_release(&groups, &s);
    rig_free(&second);
}

/* More words than the set had room for. */
static void
test_bits_grow(void **state)
{
    struct rig small, large;
    char text[8192];
    size_t len = 0;
    struct group_set *s = groups_take(&groups, NAMES("g000\0g129"));
    uint64_t *spare;

    (void)state;
    adopt(&small, "group = { \"g000\" }");
    assert_int_equal(*groups_bits(&groups, s), 1);
    len = (size_t)snprintf(text, sizeof text, HEAD "rule \"r\" { action = \"allow\" group = { \"g000\"");
    for (int i = 1; i < 130; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ", \"g%03d\"", i);
    (void)snprintf(text + len, sizeof text - len, " } }\n");
    rig_later(&large, text);
    spare = groups_spare(large.image);
    groups_adopt(&groups, large.image, &spare);
    rig_free(&small);
    const uint64_t *bits = groups_bits(&groups, s);

    assert_int_equal(bits[0], 1);
    assert_int_equal(bits[1], 0);
    assert_int_equal(bits[2], 2);
    groups_release(&groups, &s);
    rig_free(&large);
}

static void
test_many(void **state)
{
    enum { MANY = 5000 };
    static struct group_set *sets[MANY];
    char name[16];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        int n = snprintf(name, sizeof name, "group-%d", i);

        sets[i] = groups_take(&groups, name, (size_t)n + 1);
        assert_non_null(sets[i]);
    }
    assert_int_equal(groups.count, MANY);
    for (int i = 0; i < MANY; i++) {
        int n = snprintf(name, sizeof name, "group-%d", i);
        struct group_set *again = groups_take(&groups, name, (size_t)n + 1);

        assert_ptr_equal(again, sets[i]);
        groups_release(&groups, &again);
    }
    for (int i = 0; i < MANY; i++)
        groups_release(&groups, &sets[i]);
    assert_int_equal(groups.count, 0);
}

static void
test_refused(void **state)
{
    static char most[GROUPS_SET_MAX + 1];
    struct group_set *s;

    (void)state;
    memset(most, 'g', sizeof most);
    most[sizeof most - 1] = '\0';
    assert_null(groups_take(&groups, most, sizeof most));
    assert_int_equal(errno, E2BIG);
    assert_null(groups_take(&groups, most, 5)); /* without its end */
    assert_int_equal(errno, EINVAL);
    assert_null(groups_take(&groups, most, 0));
    assert_int_equal(errno, EINVAL);
    s = groups_take(&groups, most + 1, sizeof most - 1);
    assert_non_null(s);
    groups_release(&groups, &s);
}

static int
teardown(void **state)
{
    (void)state;
    groups_free(&groups);
    return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_found_again),
        TEST(test_bits_of_each_image),
        TEST(test_bits_grow),
        TEST(test_many),
        TEST(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
