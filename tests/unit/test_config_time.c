/* SPDX-License-Identifier: ISC */
/* src/config/config_time.c and config_zone.c: windows as people write them, the time zone as a table. */
#include "tests/unit/config_rig.h"

#include <time.h>

#include "src/config/config_compiler.h"

#define WEEK 0x7fU
#define WORK 0x3eU /* Monday to Friday */

static void
test_windows(void **state)
{
    static const struct {
        const char *text;
        struct image_window window;
    } rows[] = {
        { "Mon-Fri 07:00-20:00", { WORK, 420, 1200 } },
        { "Sat", { 0x40, 0, 1440 } },
        { "22:00-06:00", { WEEK, 1320, 360 } },
        { "Mon,Wed 08:00-12:00", { 0x0a, 480, 720 } },
        { "mon - fri  7 - 20", { WORK, 420, 1200 } },
        { "MONDAY,wednesday , FRI 7:05-7:06", { 0x2a, 425, 426 } },
        { "Fri-Mon", { 0x63, 0, 1440 } },
        { "Sun-Sat", { WEEK, 0, 1440 } },
        { "Mon-Mon", { 2, 0, 1440 } },
        { " Sat-Sun,Wed ", { 0x49, 0, 1440 } },
        { "00:00-24:00", { WEEK, 0, 1440 } },
        { "0:00-0:00", { WEEK, 0, 1440 } },
        { "Sun 20:00-00:00", { 1, 1200, 1440 } },
        { "23:59-0:01", { WEEK, 1439, 1 } },
    };
    struct image_window out[VALUE_WINDOWS_MAX];
    struct config_error_text error;
    uint32_t count = 0;
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        if (!config_value_times(rows[i].text, out, &count, &error)) {
            fail_msg("%s", error.text);
        }
        assert_int_equal(count, 1);
        if (memcmp(out, &rows[i].window, sizeof(*out)) != 0) {
            fail_msg("%s: %x %u %u", rows[i].text, out[0].days, out[0].from, out[0].to);
        }
    }
    assert_true(config_value_times("Mon-Fri 8:00-12:00, 13:00-17:30", out, &count, &error));
    assert_int_equal(count, 2);
    assert_int_equal(out[1].days, WORK);
    assert_int_equal(out[1].from, 780);
    assert_int_equal(out[1].to, 1050);
}

static void
test_no_windows(void **state)
{
    static const char *const bad[] = { "", " ", "Mo", "Mond", "Mon-", "Mon,", "Mon Tue", "-Mon",
        "Mon 7", "Mon 7-", "Mon -8", "7:0-8:00", "7:00-8:60", "25-1", "7:00-24:01", "007-8", "7-8 Mon",
        "7-8,", "Mon07-08", "Mon 7-8x", "Mon-Fri-Sun", "7:-8", "x", "Mon 7-8 9-10", "7-8-9" };
    static const char same[] =
        "\"8-8:00\" is no time window; it begins and ends at the same minute; write \"00:00-24:00\" for "
        "whole days";
    struct image_window out[VALUE_WINDOWS_MAX];
    struct config_error_text error;
    uint32_t count = 0;
    (void)state;
    for (size_t i = 0; i < SP_COUNT(bad); i++) {
        if (config_value_times(bad[i], out, &count, &error)) {
            fail_msg("%s", bad[i]);
        }
        assert_non_null(strstr(error.text,
            " is no time window; allowed are days, times or both, as in \"Mon-Fri 07:00-20:00\""));
    }
    assert_false(config_value_times("8-8:00", out, &count, &error));
    assert_string_equal(error.text, same);
    assert_false(config_value_times("24:00-6:00", out, &count, &error));
    assert_non_null(strstr(error.text, "24:00 is an end"));
    assert_true(config_value_times("1-2,2-3,3-4,4-5,5-6,6-7,7-8,8-9", out, &count, &error));
    assert_int_equal(count, VALUE_WINDOWS_MAX);
    assert_false(config_value_times("1-2,2-3,3-4,4-5,5-6,6-7,7-8,8-9,9-10", out, &count, &error));
    assert_non_null(strstr(error.text, "too many times in one text"));
}

/* Compiles with TZ set; the table's entries in *zone. */
static uint32_t
zone_of(struct rig *r, const char *tz, const struct image_zone **zone)
{
    setenv("TZ", tz, 1);
    rig_good(r, "listen \"127.0.0.1:0\" { methods = { \"none\" } }\nrule \"r\" { action = deny }\n");
    const struct image_list list = image_settings(r->image)->zone;
    *zone = IMAGE_AT(r->image, list, struct image_zone, 0);
    return list.count;
}

/* What image and libc say is the same at every moment looked at. */
static void
test_zone(void **state)
{
    static const char *const zones[] = { "UTC0", "Europe/Berlin", "America/New_York",
        "Australia/Lord_Howe", "Asia/Kathmandu", "<+0330>-3:30", "CET-1CEST,M3.5.0,M10.5.0/3" };
    const int64_t now = (int64_t)time(NULL);
    (void)state;
    for (size_t i = 0; i < SP_COUNT(zones); i++) {
        const struct image_zone *zone = NULL;
        struct rig r;
        const uint32_t count = zone_of(&r, zones[i], &zone);
        for (int64_t at = now - 31536000; at < now + 20 * INT64_C(31536000); at += 86399) {
            const time_t when = (time_t)at;
            struct tm tm;
            uint32_t j = 0;
            assert_non_null(localtime_r(&when, &tm));
            while (j + 1 < count && zone[j + 1].from <= at) {
                j++;
            }
            assert_int_equal(zone[j].offset, tm.tm_gmtoff);
        }
        for (uint32_t j = 1; j < count; j++) {
            const time_t before = (time_t)zone[j].from - 1;
            struct tm tm;
            assert_non_null(localtime_r(&before, &tm));
            assert_int_equal(zone[j - 1].offset, tm.tm_gmtoff); /* to the second */
        }
        rig_free(&r);
    }
    unsetenv("TZ");
    tzset();
}

static void
test_zone_changes(void **state)
{
    const struct image_zone *zone = NULL;
    struct rig r;
    (void)state;
    assert_int_equal(zone_of(&r, "UTC0", &zone), 1);
    assert_int_equal(zone[0].offset, 0);
    rig_free(&r);
    assert_in_range(zone_of(&r, "CET-1CEST,M3.5.0,M10.5.0/3", &zone), 40, 46);
    assert_true(zone[0].from < 0);
    assert_true(zone[1].offset == 3600 || zone[1].offset == 7200);
    rig_free(&r);
    assert_int_equal(zone_of(&r, "No/Such_Zone", &zone), 1); /* libc's word for it: UTC */
    rig_free(&r);
    unsetenv("TZ");
    tzset();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_no_windows),
        cmocka_unit_test(test_zone),
        cmocka_unit_test(test_zone_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
