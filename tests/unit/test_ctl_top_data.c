/* SPDX-License-Identifier: ISC */
/* src/ctl/ctl_top_data.c: pictures, what moved between two of them, and their orders. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "src/ctl/ctl_top.h"

static void
session(struct top_picture *p, const char *id, unsigned up, unsigned down, unsigned age)
{
    char text[256];
    struct control_line line;
    const char *why = NULL;

    assert_true(snprintf(text, sizeof text,
                    "session=%s\tuser=u\tclient=192.0.2.1:1\tbytes_up=%u\tbytes_down=%u\tage=%u.5", id, up,
                    down, age) > 0);
    assert_int_equal(control_line_parse(text, strlen(text), &line, &why), 0);
    assert_int_equal(top_take_session(p, &line), 0);
}

/* What is cut is text all the same, and a place keeps its port. */
static void
test_long_names(void **state)
{
    struct top_picture p = { .count = 0 };
    struct control_line line = { .count = 3 };
    char names[400] = "x", place[400];

    (void)state;
    for (size_t i = 1; i + 2 < sizeof names; i += 2)
        memcpy(names + i, "\xc3\xa9", 3);
    memset(place, 'd', sizeof place);
    memcpy(place + 300, ":65535", 7);
    line.fields[0] = (struct control_field) { "session", "00000001000000ff" };
    line.fields[2] = (struct control_field) { "destination", place };
    for (size_t shift = 0; shift < 2; shift++) {
        line.fields[1] = (struct control_field) { "user", names + shift };
        assert_int_equal(top_take_session(&p, &line), 0);
        line.fields[1].name = "claimed";
        assert_int_equal(top_take_session(&p, &line), 0);
    }
    assert_int_equal(p.count, 4);
    for (size_t i = 0; i < p.count; i++) {
        const struct top_row *r = &p.rows[i];
        size_t len = strlen(r->user);

        assert_true(len > 50 && len < sizeof r->user);
        assert_int_equal(r->user[0] == '(', r->user[len - 1] == ')');
        /* No half of a letter at the end. */
        assert_int_equal(r->user[len - 1 - (r->user[0] == '(')], '\xa9');
        assert_string_equal(r->destination + strlen(r->destination) - 7, "~:65535");
    }
    top_free(&p);
}

static void
assert_ids(const struct top_picture *p, const char *ids)
{
    assert_int_equal(p->count, strlen(ids));
    for (size_t i = 0; i < p->count; i++)
        assert_int_equal(p->rows[i].session[15], ids[i]);
}

static void
test_rates_and_orders(void **state)
{
    struct top_picture before = { .taken = { 1000000 } };
    struct top_picture now = { .taken = { 3000000 } };

    (void)state;
    session(&before, "000000000000000c", 100, 0, 1);
    session(&before, "000000000000000a", 5000, 5000, 9);
    session(&before, "000000000000000d", 1, 1, 2);
    top_rates(&before, NULL);
    assert_ids(&before, "acd");
    assert_true(before.rate_up == 0 && before.rows[0].rate == 0);
    session(&now, "000000000000000e", 40, 0, 0);      /* new */
    session(&now, "000000000000000c", 300, 600, 3);   /* moved */
    session(&now, "000000000000000a", 5000, 5000, 11); /* still */
    session(&now, "000000000000000f", 0, 0, 0);       /* new */
    top_rates(&now, &before);
    assert_ids(&now, "acef");
    assert_true(now.rows[1].rate_up == 100 && now.rows[1].rate_down == 300 && now.rows[1].rate == 400);
    assert_true(now.rows[2].rate_up == 20);
    assert_true(now.rate_up == 120 && now.rate_down == 300 && now.begun == 1);
    top_sort(&now, TOP_BY_RATE);
    assert_ids(&now, "ceaf");
    top_sort(&now, TOP_BY_BYTES);
    assert_ids(&now, "acef");
    top_sort(&now, TOP_BY_AGE);
    assert_ids(&now, "acef");
    top_free(&before);
    top_free(&now);
    top_rates(&now, &before); /* nothing at all */
    top_sort(&now, TOP_BY_RATE);
}

static void
test_status(void **state)
{
    static const char *const lines[] = {
        "section=gateway\tversion=1\tstate=serving\tuptime=61.2", "section=workers\tconfigured=4\trunning=3",
        "section=sessions\tnow=7\tlimit=100", "section=phase\tname=relay\tsessions=6",
        "section=audit\tstate=stuck", "section=other\tx=y"
    };
    struct top_picture p = { .count = 0 };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(lines); i++) {
        char text[128];
        struct control_line line;
        const char *why = NULL;

        memcpy(text, lines[i], strlen(lines[i]) + 1);
        assert_int_equal(control_line_parse(text, strlen(text), &line, &why), 0);
        top_take_status(&p, &line);
    }
    assert_string_equal(p.state, "serving");
    assert_string_equal(p.uptime, "61s");
    assert_string_equal(p.audit, "stuck");
    assert_true(p.workers == 4 && p.running == 3 && p.now == 7 && p.limit == 100);
    assert_int_equal(p.phase_count, 1);
    assert_string_equal(p.phases[0].name, "relay");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates_and_orders),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_long_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
