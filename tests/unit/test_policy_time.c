/* SPDX-License-Identifier: ISC */
/* src/policy/policy_time.c and policy_groups.c: windows by the clock on the wall, an hour that comes twice or not at
   all, midnight and whole days; groups as bits. */
#include "tests/unit/config_rig.h"

#include <stdio.h>
#include <time.h>

#include "src/policy/policy.h"

#define HEAD "methods = { \"none\" }\nlisten \"127.0.0.1:0\" { }\n"

static void
rig_zone(struct rig *r, const char *zone, const char *windows)
{
    char text[1024];
    assert_int_equal(setenv("TZ", zone, 1), 0);
    tzset();
    snprintf(text, sizeof(text), HEAD "rule \"a\" { action = allow time = { %s } }\n", windows);
    rig_later(r, text);
}

/* Seconds UTC of "2026-03-29 01:30:00", which is UTC. */
static int64_t
utc(const char *text)
{
    struct tm tm = { .tm_isdst = 0 };
    assert_int_equal(sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
                         &tm.tm_min, &tm.tm_sec),
        6);
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm);
}

static bool
open_at(const struct image *image, int64_t when)
{
    const uint8_t ip[4] = { 192, 0, 2, 1 };
    struct policy_query q = { .command = IMAGE_COMMAND_CONNECT, .port = 80, .when = when };
    q.client = q.address = addr_ipv4(ip, 0);
    return policy_judge(image, NULL, &q).allowed;
}

struct edge {
    const char *when; /* UTC; the second before it is the other */
    bool open;
};

static void
check_edges(const char *zone, const char *windows, const struct edge *edges, size_t count)
{
    struct rig r;
    rig_zone(&r, zone, windows);
    for (size_t i = 0; i < count; i++) {
        const int64_t when = utc(edges[i].when);
        if (open_at(r.image, when) != edges[i].open || open_at(r.image, when - 1) == edges[i].open) {
            fail_msg("%s %s: %s is no edge, or the other way round", zone, windows, edges[i].when);
        }
        assert_true(policy_time_differs(r.image, when - 1, when));
        assert_false(policy_time_differs(r.image, when, when + 59));
        assert_false(policy_time_differs(r.image, when - 60, when - 1));
    }
    rig_free(&r);
}

#define EDGES(zone, windows, ...)                                                                  \
    do {                                                                                           \
        static const struct edge edges_[] = { __VA_ARGS__ };                                       \
        check_edges(zone, windows, edges_, SP_COUNT(edges_));                                      \
    } while (0)

/* 29 March 2026: 02:00 becomes 03:00. 25 October: 03:00 becomes 02:00. */
static void
test_berlin(void **state)
{
    (void)state;
    EDGES("Europe/Berlin", "\"07:00-20:00\"", { "2026-03-28 06:00:00", true },
        { "2026-03-28 19:00:00", false }, { "2026-03-29 05:00:00", true }, { "2026-03-29 18:00:00", false },
        { "2026-10-25 06:00:00", true });
    /* Over the night of the change it is an hour shorter, or longer. */
    EDGES("Europe/Berlin", "\"22:00-06:00\"", { "2026-03-28 21:00:00", true },
        { "2026-03-29 04:00:00", false }, { "2026-10-24 20:00:00", true }, { "2026-10-25 05:00:00", false });
    /* The hour that is skipped is never open, the one that comes twice is so twice. */
    EDGES("Europe/Berlin", "\"01:30-02:30\"", { "2026-03-29 00:30:00", true },
        { "2026-03-29 01:00:00", false }, { "2026-10-24 23:30:00", true }, { "2026-10-25 00:30:00", false },
        { "2026-10-25 01:00:00", true }, { "2026-10-25 01:30:00", false });
    EDGES("Europe/Berlin", "\"02:00-03:00\"", { "2026-10-25 00:00:00", true },
        { "2026-10-25 02:00:00", false });
}

static void
test_skipped(void **state)
{
    struct rig r;
    (void)state;
    rig_zone(&r, "Europe/Berlin", "\"Sun 02:00-03:00\"");
    for (int64_t at = utc("2026-03-28 22:00:00"); at < utc("2026-03-29 22:00:00"); at += 60) {
        assert_false(open_at(r.image, at));
    }
    assert_false(policy_time_differs(r.image, utc("2026-03-29 00:59:59"), utc("2026-03-29 01:00:00")));
    rig_free(&r);
}

/* A clock that was set by whole days shows the same hour, and another day. */
static void
test_same_hour(void **state)
{
    struct rig r;
    (void)state;
    rig_zone(&r, "Europe/Berlin", "\"Mon\"");
    assert_true(policy_time_differs(r.image, utc("2026-11-23 10:00:00"), utc("2026-11-24 10:00:00")));
    assert_false(policy_time_differs(r.image, utc("2026-11-24 10:00:00"), utc("2026-11-25 10:00:00")));
    assert_false(policy_time_differs(r.image, utc("2026-11-23 10:00:00"), utc("2026-11-30 10:00:00")));
    rig_free(&r);
}

/* 8 March 2026: 02:00 becomes 03:00. 1 November: 02:00 becomes 01:00. */
static void
test_new_york(void **state)
{
    (void)state;
    EDGES("America/New_York", "\"Mon-Fri 09:00-17:00\"", { "2026-03-06 14:00:00", true },
        { "2026-03-06 22:00:00", false }, { "2026-03-09 13:00:00", true }, { "2026-03-09 21:00:00", false },
        { "2026-11-02 14:00:00", true });
    EDGES("America/New_York", "\"Sat\"", { "2026-03-07 05:00:00", true }, { "2026-03-08 05:00:00", false },
        { "2026-10-31 04:00:00", true }, { "2026-11-01 04:00:00", false });
    EDGES("America/New_York", "\"Sun\"", { "2026-03-08 05:00:00", true }, { "2026-03-09 04:00:00", false },
        { "2026-11-01 04:00:00", true }, { "2026-11-02 05:00:00", false });
}

/* Half an hour: 5 April 2026 02:00 becomes 01:30, 4 October 02:00 becomes 02:30; 10:30 or 11:00 east. */
static void
test_lord_howe(void **state)
{
    (void)state;
    EDGES("Australia/Lord_Howe", "\"01:30-02:00\"", { "2026-04-04 14:30:00", true },
        { "2026-04-04 15:30:00", false }, { "2026-10-03 15:00:00", true }, { "2026-10-03 15:30:00", false });
    EDGES("Australia/Lord_Howe", "\"02:15-12:00\"", { "2026-04-03 15:15:00", true },
        { "2026-04-05 01:30:00", false }, { "2026-10-03 15:30:00", true }, { "2026-10-04 01:00:00", false });
}

static void
test_midnight(void **state)
{
    (void)state;
    /* The days are those on which a window begins. */
    EDGES("UTC", "\"Fri 22:00-06:00\"", { "2026-08-07 22:00:00", true }, { "2026-08-08 06:00:00", false },
        { "2026-08-14 22:00:00", true });
    EDGES("UTC", "\"Sat 22:00-06:00\"", { "2026-08-08 22:00:00", true }, { "2026-08-09 06:00:00", false });
    EDGES("UTC", "\"Sat,Sun\"", { "2026-08-08 00:00:00", true }, { "2026-08-10 00:00:00", false });
    EDGES("UTC", "\"Wed 20:00-24:00\"", { "2026-08-05 20:00:00", true }, { "2026-08-06 00:00:00", false });
    EDGES("UTC", "\"Wed 20:00-00:00\"", { "2026-08-05 20:00:00", true }, { "2026-08-06 00:00:00", false });
    EDGES("UTC", "\"Fri-Mon 12:00-13:00\"", { "2026-08-07 12:00:00", true }, { "2026-08-10 12:00:00", true },
        { "2026-08-10 13:00:00", false });
    /* Two that touch are one. */
    EDGES("UTC", "\"08:00-12:00\", \"12:00-14:00\"", { "2026-08-05 08:00:00", true },
        { "2026-08-05 14:00:00", false });
    /* A zone that is not whole hours away. */
    EDGES("Asia/Kathmandu", "\"Mon 00:00-00:15\"", { "2026-08-02 18:15:00", true },
        { "2026-08-02 18:30:00", false });
}

/* Every minute of a year that has both changes, against the C library. */
static void
test_year(void **state)
{
    static const char *const zones[] = { "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC" };
    (void)state;
    for (size_t z = 0; z < SP_COUNT(zones); z++) {
        struct rig r;
        rig_zone(&r, zones[z], "\"Tue,Sun 01:10-02:20\", \"Sat 23:40-00:50\"");
        bool before = false;
        for (int64_t at = utc("2026-01-01 00:00:00"); at < utc("2027-01-01 00:00:00"); at += 60) {
            const time_t when = (time_t)at;
            struct tm tm;
            assert_non_null(localtime_r(&when, &tm));
            const int minute = 60 * tm.tm_hour + tm.tm_min;
            const bool open = ((tm.tm_wday == 2 || tm.tm_wday == 0) && minute >= 70 && minute < 140) ||
                              (tm.tm_wday == 6 && minute >= 1420) || (tm.tm_wday == 0 && minute < 50);
            assert_int_equal(open_at(r.image, at), open);
            assert_int_equal(policy_time_differs(r.image, at - 60, at), open != before);
            before = open;
        }
        rig_free(&r);
    }
}

/* Before the table begins and behind its end the clock goes on. */
static void
test_far(void **state)
{
    struct rig r;
    (void)state;
    rig_zone(&r, "UTC", "\"Thu 00:00-00:01\"");
    assert_true(open_at(r.image, 0));
    assert_true(open_at(r.image, 59));
    assert_false(open_at(r.image, 60));
    assert_false(open_at(r.image, -1));
    assert_true(open_at(r.image, -7 * 86400));
    assert_true(open_at(r.image, INT64_C(100000) * 7 * 86400));
    rig_free(&r);
}

static void
test_groups(void **state)
{
    static const char names[] = "wheel\0staff\0a b\0nobody\0STAFF";
    uint64_t bits[1] = { UINT64_MAX };
    struct rig r;
    (void)state;
    rig_later(&r, HEAD "rule \"a\" { action = allow group = { \"staff\", \"admins\", \"a b\" } }\n"
                       "rule \"b\" { action = allow group = { \"admins\", \"wheel\" } }\n");
    assert_int_equal(POLICY_GROUP_WORDS(r.image), 1);
    policy_groups_of(r.image, NULL, 0, bits);
    assert_int_equal(bits[0], 0);
    policy_groups_of(r.image, names, sizeof(names), bits);
    assert_int_equal(bits[0], 1 | 4 | 8); /* a b, admins, staff, wheel */
    policy_groups_of(r.image, "staff", 5, bits); /* without its end it is none */
    assert_int_equal(bits[0], 0);
    policy_groups_of(r.image, "\0\0admins", 9, bits);
    assert_int_equal(bits[0], 2);
    rig_free(&r);
    rig_good(&r, HEAD "rule \"a\" { action = allow }\n");
    policy_groups_of(r.image, names, sizeof(names), NULL);
    rig_free(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_berlin),
        cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_same_hour),
        cmocka_unit_test(test_new_york),
        cmocka_unit_test(test_lord_howe),
        cmocka_unit_test(test_midnight),
        cmocka_unit_test(test_year),
        cmocka_unit_test(test_far),
        cmocka_unit_test(test_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
