/* SPDX-License-Identifier: ISC */
/* src/master/master_tally.c and master_map.c: who is one client, and that counts come back to nothing. */
#include "src/master/master_tally.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static struct client_key
key_of(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse_ip(text, &a), 0);
    a = addr_unmap(&a);
    return client_key(&a);
}

static void
who_is_one_client(void **state)
{
    char text[ADDR_TEXT_MAX];

    (void)state;
    assert_true(client_same(key_of("192.0.2.1"), key_of("192.0.2.1")));
    assert_false(client_same(key_of("192.0.2.1"), key_of("192.0.2.2")));
    assert_true(client_same(key_of("192.0.2.1"), key_of("::ffff:192.0.2.1")));
    assert_true(client_same(key_of("2001:db8::1"), key_of("2001:db8::ffff:ffff:ffff:ffff")));
    assert_false(client_same(key_of("2001:db8::1"), key_of("2001:db8:0:1::1")));
    /* The same bits, another family. */
    assert_false(client_same(key_of("32.1.13.184"), key_of("2001:db8::1")));
    struct addr_prefix p = client_prefix(key_of("2001:db8:1:2:3:4:5:6"));

    (void)addr_prefix_format(&p, text);
    assert_string_equal(text, "2001:db8:1:2::/64");
    p = client_prefix(key_of("192.0.2.7"));
    (void)addr_prefix_format(&p, text);
    assert_int_equal(p.bits, 32);
    assert_non_null(strstr(text, "192.0.2.7"));
}

static void
an_entry_lives_while_it_counts(void **state)
{
    struct tally t;

    (void)state;
    tally_init(&t);
    assert_null(tally_client_find(&t, key_of("192.0.2.1")));
    struct tally_client *c = tally_client_get(&t, key_of("192.0.2.1"));

    assert_non_null(c);
    c->sessions = 2;
    assert_ptr_equal(tally_client_get(&t, key_of("192.0.2.1")), c);
    assert_ptr_equal(tally_client_find(&t, key_of("192.0.2.1")), c);
    c->sessions--;
    tally_client_settle(&t, c);
    assert_ptr_equal(tally_client_find(&t, key_of("192.0.2.1")), c);
    c->sessions--;
    tally_client_settle(&t, c);
    assert_null(tally_client_find(&t, key_of("192.0.2.1")));
    assert_int_equal(t.clients.count, 0);
    tally_free(&t);
}

static void
pending_counts_belong_to_an_epoch(void **state)
{
    struct tally t;

    (void)state;
    tally_init(&t);
    struct tally_client *c = tally_client_get(&t, key_of("192.0.2.1"));

    tally_pending_add(&t, c);
    tally_pending_add(&t, c);
    assert_int_equal(tally_pending(&t, c), 2);
    tally_pending_end(&t, c);
    assert_int_equal(tally_pending(&t, c), 1);
    assert_int_equal(t.pending, 1);
    tally_pending_forget(&t);
    assert_int_equal(tally_pending(&t, c), 0);
    assert_int_equal(t.pending, 0);
    tally_pending_add(&t, c);
    assert_int_equal(tally_pending(&t, c), 1);
    tally_client_settle(&t, c);
    tally_free(&t);
}

/* More clients than buckets, so that the map grows under them, and all of them gone again. */
static void
many_clients(void **state)
{
    enum { MANY = 20000 };
    struct tally t;
    struct client_key key = { 0, ADDR_IPV6 };

    (void)state;
    tally_init(&t);
    for (uint64_t i = 0; i < MANY; i++) {
        key.bits = i;
        struct tally_client *c = tally_client_get(&t, key);

        assert_non_null(c);
        c->sessions = 1;
    }
    assert_int_equal(t.clients.count, MANY);
    assert_true(t.clients.size >= MANY);
    for (uint64_t i = 0; i < MANY; i++) {
        key.bits = i;
        struct tally_client *c = tally_client_find(&t, key);

        assert_non_null(c);
        assert_true(c->key.bits == i);
        c->sessions = 0;
        tally_client_settle(&t, c);
    }
    assert_int_equal(t.clients.count, 0);
    tally_free(&t);
}

static void
users_are_held_by_name(void **state)
{
    struct tally t;
    char name[16];

    (void)state;
    tally_init(&t);
    struct tally_user *a = tally_user_hold(&t, "alice@EXAMPLE.COM");

    assert_ptr_equal(tally_user_hold(&t, "alice@EXAMPLE.COM"), a);
    assert_true(tally_user_hold(&t, "Alice@EXAMPLE.COM") != a);
    assert_int_equal(t.users.count, 2);
    tally_user_drop(&t, a);
    assert_int_equal(t.users.count, 2);
    tally_user_drop(&t, a);
    assert_int_equal(t.users.count, 1);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "user%d", i);
        assert_non_null(tally_user_hold(&t, name));
    }
    assert_int_equal(t.users.count, 1001);
    tally_free(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_one_client),
        cmocka_unit_test(an_entry_lives_while_it_counts),
        cmocka_unit_test(pending_counts_belong_to_an_epoch),
        cmocka_unit_test(many_clients),
        cmocka_unit_test(users_are_held_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
