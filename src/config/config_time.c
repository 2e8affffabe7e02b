/* SPDX-License-Identifier: ISC */
/*
 * Time windows as people write them: "Mon-Fri 07:00-20:00", "Sat,Sun", "22:00-06:00". Serves
 * config_check.c and the writer of rules. A value that is wrong is an answer.
 */
#include <string.h>
#include <strings.h>

#include "src/config/config_value.h"

#define TIME_DAY 1440U /* minutes */
#define TIME_WEEK 7U
#define TIME_ALL_DAYS 0x7fU

/* What is still to be read. */
struct time_text {
    const char *at;
};

static void
time_blanks(struct time_text *t)
{
    t->at += strspn(t->at, " ");
}

/* True when the next character is c, which is then read, and the blanks around it. */
static bool
time_take(struct time_text *t, char c)
{
    time_blanks(t);
    if (*t->at != c) {
        return false;
    }
    t->at++;
    time_blanks(t);
    return true;
}

static bool
time_day(struct time_text *t, unsigned *day)
{
    static const char *const days[TIME_WEEK] = { "Sunday", "Monday", "Tuesday", "Wednesday",
        "Thursday", "Friday", "Saturday" };
    const size_t len = strcspn(t->at, " ,-");
    for (*day = 0; *day < TIME_WEEK; (*day)++) {
        if ((len == 3 || len == strlen(days[*day])) && strncasecmp(t->at, days[*day], len) == 0) {
            t->at += len;
            return true;
        }
    }
    return false;
}

/* "Mon", "Mon-Fri", "Fri-Mon" and several of them. */
static bool
time_days(struct time_text *t, uint32_t *days)
{
    unsigned first;
    unsigned last;
    do {
        if (!time_day(t, &first)) {
            return false;
        }
        last = first;
        if (time_take(t, '-') && !time_day(t, &last)) {
            return false;
        }
        for (; first != last; first = (first + 1) % TIME_WEEK) {
            *days |= 1U << first;
        }
        *days |= 1U << last;
    } while (time_take(t, ','));
    return true;
}

/* One or two digits, up to max. */
static bool
time_number(struct time_text *t, unsigned max, unsigned *n)
{
    const size_t digits = strspn(t->at, "0123456789");
    if (digits < 1 || digits > 2) {
        return false;
    }
    *n = (unsigned)(t->at[0] - '0');
    if (digits == 2) {
        *n = 10 * *n + (unsigned)(t->at[1] - '0');
    }
    t->at += digits;
    return *n <= max;
}

/* "7", "7:30", "07:30", "24:00". */
static bool
time_minute(struct time_text *t, uint16_t *out)
{
    unsigned hour;
    unsigned minute = 0;
    if (!time_number(t, 24, &hour)) {
        return false;
    }
    if (*t->at == ':') {
        t->at++;
        if (strspn(t->at, "0123456789") != 2 || !time_number(t, 59, &minute)) {
            return false;
        }
    }
    *out = (uint16_t)(60 * hour + minute);
    return *out <= TIME_DAY;
}

/* Why a range of times cannot be, or NULL. */
static const char *
time_range(struct time_text *t, struct image_window *w)
{
    static const char form[] = "";
    if (!time_minute(t, &w->from) || !time_take(t, '-') || !time_minute(t, &w->to)) {
        return form;
    }
    if (w->from == TIME_DAY) {
        return "24:00 is an end; a window begins at 00:00..23:59";
    }
    if (w->from == w->to && w->from != 0) {
        return "it begins and ends at the same minute; write \"00:00-24:00\" for whole days";
    }
    w->to = w->to == 0 ? TIME_DAY : w->to;
    return NULL;
}

static const char *
time_ranges(struct time_text *t, uint32_t days, struct image_window *out, uint32_t *count)
{
    do {
        if (*count == VALUE_WINDOWS_MAX) {
            return "too many times in one text; write further ones as texts of their own";
        }
        out[*count] = (struct image_window){ .days = days };
        const char *why = time_range(t, &out[*count]);
        if (why != NULL) {
            return why;
        }
        (*count)++;
    } while (time_take(t, ','));
    return *t->at == '\0' ? NULL : "";
}

/* "" when it is not even of the form. */
static const char *
time_read(const char *text, struct image_window *out, uint32_t *count)
{
    struct time_text t = { .at = text };
    uint32_t days = 0;
    time_blanks(&t);
    const bool has_days = *t.at != '\0' && strchr("0123456789", *t.at) == NULL;
    if (has_days && !time_days(&t, &days)) {
        return "";
    }
    time_blanks(&t);
    if (has_days && *t.at == '\0') {
        out[(*count)++] = (struct image_window){ .days = days, .to = TIME_DAY };
        return NULL;
    }
    return time_ranges(&t, has_days ? days : TIME_ALL_DAYS, out, count);
}

bool
config_value_times(const char *text, struct image_window out[VALUE_WINDOWS_MAX], uint32_t *count,
    struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    *count = 0;
    const char *why = time_read(text, out, count);
    if (why == NULL) {
        return true;
    }
    config_value_error(e, "%s is no time window; %s", config_quote(text, quoted),
        why[0] != '\0' ? why
                       : "allowed are days, times or both, as in \"Mon-Fri 07:00-20:00\", "
                         "\"Mon,Wed 8:00-12:00\", \"Sat\" and \"22:00-06:00\"");
    return false;
}
