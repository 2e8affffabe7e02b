/* SPDX-License-Identifier: ISC */
/* Pictures of a gateway and how fast things move between two of them. Serves ctl_top.c. */
#include "src/ctl/ctl_top.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_FIRST 256
#define ANSWER_SECONDS 5

const char *
top_order_name(enum top_order order)
{
    static const char *const names[] = { "rate", "bytes", "age" };

    return names[order];
}

/* Cut where it is longer, between two characters. */
static void
copy(char *out, size_t size, const char *text)
{
    size_t len = strnlen(text, size - 1);

    while (text[len] != '\0' && len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    memcpy(out, text, len);
    out[len] = '\0';
}

int
top_take_session(struct top_picture *p, const struct control_line *l)
{
    if (p->count == p->size) {
        size_t size = p->size == 0 ? ROWS_FIRST : 2 * p->size;
        struct top_row *rows = realloc(p->rows, size * sizeof *rows);

        if (rows == NULL)
            return -1;
        p->rows = rows;
        p->size = size;
    }
    struct top_row *r = &p->rows[p->count++];
    const char *user = ctl_field(l, "user"), *claimed = ctl_field(l, "claimed");

    memset(r, 0, sizeof *r);
    copy(r->session, sizeof r->session, ctl_field(l, "session"));
    copy(r->user, sizeof r->user, user);
    if (user[0] == '\0' && claimed[0] != '\0') {
        r->user[0] = '(';
        copy(r->user + 1, sizeof r->user - 2, claimed);
        memcpy(r->user + strlen(r->user), ")", 2);
    }
    copy(r->client, sizeof r->client, ctl_field(l, "client"));
    (void)ctl_clean_place(r->destination, sizeof r->destination, ctl_field(l, "destination"),
        sizeof r->destination - 1);
    copy(r->rule, sizeof r->rule, ctl_field(l, "rule"));
    copy(r->phase, sizeof r->phase, ctl_field(l, "phase"));
    r->up = ctl_number(l, "bytes_up");
    r->down = ctl_number(l, "bytes_down");
    r->age = ctl_number(l, "age");
    return 0;
}

void
top_take_status(struct top_picture *p, const struct control_line *l)
{
    const char *section = ctl_field(l, "section");

    if (strcmp(section, "gateway") == 0) {
        copy(p->version, sizeof p->version, ctl_field(l, "version"));
        copy(p->state, sizeof p->state, ctl_field(l, "state"));
        ctl_age(p->uptime, ctl_number(l, "uptime"));
    } else if (strcmp(section, "workers") == 0) {
        p->workers = ctl_number(l, "configured");
        p->running = ctl_number(l, "running");
    } else if (strcmp(section, "sessions") == 0) {
        p->now = ctl_number(l, "now");
        p->limit = ctl_number(l, "limit");
    } else if (strcmp(section, "audit") == 0) {
        copy(p->audit, sizeof p->audit, ctl_field(l, "state"));
    } else if (strcmp(section, "phase") == 0 && p->phase_count < TOP_PHASES) {
        copy(p->phases[p->phase_count].name, sizeof p->phases->name, ctl_field(l, "name"));
        p->phases[p->phase_count++].sessions = ctl_number(l, "sessions");
    }
}

/* ---- orders ---- */

static int
by_id(const void *a, const void *b)
{
    return strcmp(((const struct top_row *)a)->session, ((const struct top_row *)b)->session);
}

static int
larger_first(double a, double b)
{
    return a < b ? 1 : a > b ? -1 : 0;
}

static int
by_rate(const void *a, const void *b)
{
    const struct top_row *x = a, *y = b;
    int result = larger_first(x->rate, y->rate);

    return result != 0 ? result : by_id(a, b);
}

static int
by_bytes(const void *a, const void *b)
{
    const struct top_row *x = a, *y = b;
    int result = larger_first(x->up + x->down, y->up + y->down);

    return result != 0 ? result : by_id(a, b);
}

static int
by_age(const void *a, const void *b)
{
    int result = larger_first(((const struct top_row *)a)->age, ((const struct top_row *)b)->age);

    return result != 0 ? result : by_id(a, b);
}

static int (*const orders[])(const void *, const void *) = { by_rate, by_bytes, by_age };

static void
sort(struct top_picture *p, int (*order)(const void *, const void *))
{
    if (p->count > 1)
        qsort(p->rows, p->count, sizeof *p->rows, order);
}

void
top_sort(struct top_picture *p, enum top_order order)
{
    sort(p, orders[order]);
}

/* ---- rates ---- */

/* What came since; a counter that went back is another session's slot. */
static double
grown(double now, double before)
{
    return now > before ? now - before : 0;
}

void
top_rates(struct top_picture *p, const struct top_picture *before)
{
    double seconds = before == NULL ? 0
                                    : (double)mono_diff_us(p->taken, before->taken) / (double)CLOCK_SECOND_US;
    size_t k = 0;

    sort(p, by_id);
    p->rate_up = p->rate_down = p->begun = 0;
    for (size_t i = 0; i < p->count && seconds > 0; i++) {
        struct top_row *r = &p->rows[i];
        const struct top_row *old = NULL;

        while (k < before->count && strcmp(before->rows[k].session, r->session) < 0)
            k++;
        if (k < before->count && strcmp(before->rows[k].session, r->session) == 0)
            old = &before->rows[k];
        r->rate_up = grown(r->up, old == NULL ? 0 : old->up) / seconds;
        r->rate_down = grown(r->down, old == NULL ? 0 : old->down) / seconds;
        r->rate = r->rate_up + r->rate_down;
        p->rate_up += r->rate_up;
        p->rate_down += r->rate_down;
        p->begun += old == NULL ? 1 / seconds : 0;
    }
}

void
top_free(struct top_picture *p)
{
    free(p->rows);
    memset(p, 0, sizeof *p);
}

/* ---- asking ---- */

static int
ask_one(const char *socket, const char *command, struct top_picture *p, char *error, size_t size)
{
    const struct ctl_request request = { .command = command };
    bool sessions = strcmp(command, "sessions") == 0;
    struct ctl_answer a;
    int result = 1;

    if (ctl_ask_quietly(socket, &request, &a, ANSWER_SECONDS) != CTL_OK) {
        (void)snprintf(error, size, "no gateway answers: %s", a.error);
        return -1;
    }
    while (result > 0 && (result = ctl_next(&a)) > 0) {
        if (!sessions)
            top_take_status(p, &a.line);
        else if (strcmp(ctl_field(&a.line, "session"), "?") != 0 && top_take_session(p, &a.line) < 0) {
            a.error = "no memory";
            result = -1;
        }
    }
    if (result < 0)
        (void)snprintf(error, size, "%s", a.error);
    ctl_answer_close(&a);
    return result;
}

int
top_ask(const char *socket, struct top_picture *p, char *error, size_t size)
{
    memset(p, 0, sizeof *p);
    if (ask_one(socket, "status", p, error, size) < 0 || ask_one(socket, "sessions", p, error, size) < 0) {
        top_free(p);
        return -1;
    }
    p->taken = mono_read();
    return 0;
}
