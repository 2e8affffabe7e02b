/* SPDX-License-Identifier: ISC */
/* Session ids: in order, never twice, bounded; and the lists that say who has them. */
#include "src/master/master_parts.h"
#include "tests/unit/unit.h"

static const struct wall start = { INT64_C(1700000000) * CLOCK_SECOND_US + 5 };

static void
ids_begin_at_the_start_second_and_count(void **state)
{
    struct sessions s;

    (void)state;
    assert_int_equal(sessions_init(&s, start, 10), 0);
    struct session *a = sessions_issue(&s);
    struct session *b = sessions_issue(&s);

    assert_non_null(a);
    assert_non_null(b);
    assert_true(a->id == (UINT64_C(1700000000) << 32) + 1);
    assert_true(b->id == a->id + 1);
    assert_int_equal(a->fd, -1);
    assert_null(a->worker);
    assert_ptr_equal(sessions_get(&s, a->id), a);
    assert_true(sessions_next_id(&s) == b->id + 1);
    sessions_free(&s);
}

static void
an_ended_id_is_gone_but_was_issued(void **state)
{
    struct sessions s;

    (void)state;
    assert_int_equal(sessions_init(&s, start, 10), 0);
    struct session *a = sessions_issue(&s);

    assert_non_null(a);
    uint64_t id = a->id;

    sessions_end(&s, a);
    assert_null(sessions_get(&s, id));
    assert_int_equal(sessions_count(&s), 0);
    assert_true(sessions_was_issued(&s, id));
    assert_false(sessions_was_issued(&s, id + 1));
    assert_false(sessions_was_issued(&s, id - 1));
    assert_false(sessions_was_issued(&s, 0));
    assert_false(sessions_was_issued(&s, UINT64_MAX));
    /* The entry is used again, the id is not. */
    struct session *b = sessions_issue(&s);

    assert_ptr_equal(b, a);
    assert_true(b->id == id + 1);
    sessions_free(&s);
}

static void
the_counter_carries_into_the_seconds(void **state)
{
    struct sessions s;

    (void)state;
    assert_int_equal(sessions_init(&s, start, 10), 0);
    s.issued = UINT32_MAX - 1;
    uint64_t last = sessions_next_id(&s);
    uint64_t next = sessions_next_id(&s);

    assert_true(next == (UINT64_C(1700000001) << 32) + 1);
    assert_true(next > last);
    assert_true(sessions_was_issued(&s, last));
    assert_true(sessions_was_issued(&s, next));
    assert_false(sessions_was_issued(&s, next - 1));
    sessions_free(&s);
}

static void
the_limit_holds(void **state)
{
    struct sessions s;

    (void)state;
    assert_int_equal(sessions_init(&s, start, 600), 0);
    struct session *first = sessions_issue(&s);

    for (int i = 1; i < 600; i++)
        assert_non_null(sessions_issue(&s));
    assert_null(sessions_issue(&s));
    sessions_end(&s, first);
    assert_non_null(sessions_issue(&s));
    assert_int_equal(sessions_count(&s), 600);
    sessions_free(&s);
}

static void
a_limit_of_nothing_is_refused(void **state)
{
    struct sessions s;

    (void)state;
    assert_int_equal(sessions_init(&s, start, 0), -1);
}

static void
lists_keep_order_and_count(void **state)
{
    struct session_list list = { NULL, NULL, 0 };
    struct session a = { .id = 1 }, b = { .id = 2 }, c = { .id = 3 };

    (void)state;
    session_list_push(&list, &a);
    session_list_push(&list, &b);
    session_list_push(&list, &c);
    assert_int_equal(list.count, 3);
    session_list_remove(&list, &b);
    assert_ptr_equal(list.head, &a);
    assert_ptr_equal(a.next, &c);
    assert_ptr_equal(c.prev, &a);
    session_list_remove(&list, &c);
    assert_ptr_equal(list.tail, &a);
    session_list_remove(&list, &a);
    assert_null(list.head);
    assert_null(list.tail);
    assert_int_equal(list.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_begin_at_the_start_second_and_count),
        cmocka_unit_test(an_ended_id_is_gone_but_was_issued),
        cmocka_unit_test(the_counter_carries_into_the_seconds),
        cmocka_unit_test(the_limit_holds),
        cmocka_unit_test(a_limit_of_nothing_is_refused),
        cmocka_unit_test(lists_keep_order_and_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
