/* SPDX-License-Identifier: ISC */
/* What top shows, drawn anew each time: ncurses sends the terminal what has changed. Serves ctl_top.c. */
#include "src/ctl/ctl_top.h"

#include <ncurses.h>
#include <string.h>

#define HEAD_LINES 5 /* four, and the columns' titles */
#define LEAST_COLUMNS 40
#define ID_USUAL 6
#define LINE_MAX_OCTETS 2048

static const char keys[] = "q quit  s sort  p pause  arrows move  k kill";

size_t
top_page(void)
{
    int rows = LINES - HEAD_LINES - 1;

    return rows > 0 ? (size_t)rows : 0;
}

/* ---- pieces of a line ---- */

struct line {
    char text[LINE_MAX_OCTETS];
    size_t used;
    size_t column;
};

/* Exactly width columns of text, cut or filled, and a blank. */
static void
put(struct line *l, const char *text, size_t width, bool right)
{
    char cell[1024];
    size_t is = ctl_clean(cell, sizeof cell, text, width);
    int pad = is < width ? (int)(width - is) : 0;
    int n = right ? snprintf(l->text + l->used, sizeof l->text - l->used, "%*s%s ", pad, "", cell)
                  : snprintf(l->text + l->used, sizeof l->text - l->used, "%s%*s ", cell, pad, "");

    if (n > 0 && (size_t)n < sizeof l->text - l->used) {
        l->used += (size_t)n;
        l->column += width + 1;
    }
}

/* One row of the screen, to its end. */
static void
show(int y, const char *text, attr_t attributes)
{
    char cut[LINE_MAX_OCTETS];

    if (y < 0 || y >= LINES)
        return;
    (void)ctl_clean(cut, sizeof cut, text, COLS > 0 ? (size_t)COLS : 1);
    move(y, 0);
    attron(attributes);
    addstr(cut);
    attroff(attributes);
    clrtoeol();
}

/* ---- the head ---- */

static void
draw_state(const struct top_view *v)
{
    const struct top_picture *p = v->picture;
    char text[512], up[16], down[16];

    ctl_bytes(up, p->rate_up);
    ctl_bytes(down, p->rate_down);
    (void)snprintf(text, sizeof text, "sallyport %s %s, up %s, by %s%s", p->version, p->state, p->uptime,
        top_order_name(v->order), v->paused ? ", PAUSED" : "");
    show(0, text, A_BOLD);
    (void)snprintf(text, sizeof text, "workers %.0f of %.0f   audit %s", p->running, p->workers,
        p->audit);
    show(1, text, A_NORMAL);
    (void)snprintf(text, sizeof text, "rate    up %s/s  down %s/s  new %.1f/s", up, down, p->begun);
    show(3, text, A_NORMAL);
}

static void
draw_sessions(const struct top_picture *p)
{
    char text[1024];
    int used = snprintf(text, sizeof text, "sessions %.0f of %.0f ", p->now, p->limit);

    for (size_t i = 0; i < p->phase_count && used > 0 && (size_t)used < sizeof text; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "  %s %.0f", p->phases[i].name,
            p->phases[i].sessions);
    show(2, text, A_NORMAL);
}

/* ---- the sessions ---- */

/* How wide what gives way is: the rest of the screen is fixed. */
struct widths {
    size_t id, user, client, destination, rule; /* rule 0: there is no room for it */
};

static struct widths
widths_of(size_t columns, size_t id)
{
    const size_t fixed = 6 + 6 + 6 + 5 + 5 + id; /* up, down, bytes, age, id, and blanks */
    struct widths w = { .id = id, .user = 11, .client = 13, .rule = 0 };
    size_t rest;

    if (columns < 70)
        w.user = w.client = 7;
    if (columns >= 100)
        w.rule = 10 + (columns - 100) / 4;
    if (columns >= 100)
        w.user = 14 + (columns - 100) / 8;
    if (columns >= 100)
        w.client = 16;
    rest = fixed + w.user + w.client + w.rule + 3;
    w.destination = columns > rest + 8 ? columns - rest - 1 : 8;
    return w;
}

/* What all ids of the picture need: one that is cut is none. */
static size_t
id_width(const struct top_picture *p)
{
    size_t width = ID_USUAL;

    for (size_t i = 0; i < p->count; i++) {
        size_t len = strlen(ctl_short_id(p->rows[i].session));

        width = len > width ? len : width;
    }
    return width;
}

static void
draw_row(int y, const struct top_row *r, const struct widths *w, attr_t attributes)
{
    struct line l = { .used = 0 };
    char up[16], down[16], all[16], age[16], client[sizeof r->client], place[1024];

    ctl_bytes(up, r->rate_up);
    ctl_bytes(down, r->rate_down);
    ctl_bytes(all, r->up + r->down);
    ctl_age(age, r->age);
    memcpy(client, r->client, sizeof client);
    char *port = strrchr(client, ':');

    if (port != NULL)
        *port = '\0';
    put(&l, ctl_short_id(r->session), w->id, false);
    put(&l, r->user[0] != '\0' ? r->user : "-", w->user, false);
    put(&l, client, w->client, false);
    (void)ctl_clean_place(place, sizeof place, r->destination[0] != '\0' ? r->destination : r->phase,
        w->destination);
    put(&l, place, w->destination, false);
    put(&l, up, 5, true);
    put(&l, down, 5, true);
    put(&l, all, 5, true);
    put(&l, age, 5, true);
    if (w->rule > 0)
        put(&l, r->rule, w->rule, false);
    show(y, l.text, attributes);
}

static void
draw_titles(const struct widths *w)
{
    struct line l = { .used = 0 };

    put(&l, "ID", w->id, false);
    put(&l, "USER", w->user, false);
    put(&l, "CLIENT", w->client, false);
    put(&l, "DESTINATION", w->destination, false);
    put(&l, "UP/s", 5, true);
    put(&l, "DN/s", 5, true);
    put(&l, "BYTES", 5, true);
    put(&l, "AGE", 5, true);
    if (w->rule > 0)
        put(&l, "RULE", w->rule, false);
    show(HEAD_LINES - 1, l.text, A_REVERSE);
}

void
top_question(struct top_view *v, const struct top_row *r)
{
    static const char pattern[] = "end session %s of %s to %s? (y/n)";
    const char *id = ctl_short_id(r->session);
    size_t fixed = sizeof pattern - sizeof "%s%s%s" + strlen(id) + 1;
    size_t rest = (size_t)COLS > fixed + 16 ? (size_t)COLS - fixed : 16;
    char user[256], place[512];
    size_t used = ctl_clean(user, sizeof user, r->user[0] != '\0' ? r->user : "nobody known", rest / 2);

    (void)ctl_clean_place(place, sizeof place, r->destination[0] != '\0' ? r->destination : "nowhere yet",
        rest - used);
    (void)snprintf(v->message, sizeof v->message, pattern, id, user, place);
}

/* The marked row stays on the screen, and marked when it moved. */
static void
follow(struct top_view *v)
{
    const struct top_picture *p = v->picture;
    size_t page = top_page();

    for (size_t i = 0; v->mark[0] != '\0' && i < p->count; i++) {
        if (strcmp(p->rows[i].session, v->mark) == 0) {
            v->selected = i;
            break;
        }
    }
    if (v->selected >= p->count)
        v->selected = p->count > 0 ? p->count - 1 : 0;
    if (v->selected < v->first)
        v->first = v->selected;
    if (page > 0 && v->selected >= v->first + page)
        v->first = v->selected - page + 1;
    if (v->first > 0 && v->first + page > p->count)
        v->first = p->count > page ? p->count - page : 0;
}

void
top_draw(struct top_view *v)
{
    struct widths w = widths_of(COLS > LEAST_COLUMNS ? (size_t)COLS : LEAST_COLUMNS, id_width(v->picture));

    follow(v);
    erase();
    draw_state(v);
    draw_sessions(v->picture);
    draw_titles(&w);
    for (size_t i = 0; i < top_page() && v->first + i < v->picture->count; i++)
        draw_row(HEAD_LINES + (int)i, &v->picture->rows[v->first + i], &w,
            v->first + i == v->selected ? A_STANDOUT : A_NORMAL);
    show(LINES - 1, v->message[0] != '\0' ? v->message : keys, v->message[0] != '\0' ? A_BOLD : A_DIM);
    refresh();
}
