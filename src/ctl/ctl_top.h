/* SPDX-License-Identifier: ISC */
/* The inside of `sallyportctl top`: what is shown apart from how. */
#ifndef SP_CTL_CTL_TOP_H
#define SP_CTL_CTL_TOP_H

#include "lib/base/clock.h"
#include "src/ctl/ctl_private.h"

struct top_row {
    char session[17];
    char user[64], client[64], destination[128], rule[64], phase[16]; /* cut where longer */
    double up, down, age; /* octets, octets, seconds */
    double rate;          /* octets a second, both ways, since the picture before; */
    double rate_up, rate_down;
};

enum top_order { TOP_BY_RATE, TOP_BY_BYTES, TOP_BY_AGE, TOP_ORDERS };
const char *top_order_name(enum top_order order);

#define TOP_PHASES 20

/* One picture. */
struct top_picture {
    struct top_row *rows; /* owned, in order of the id until top_sort() */
    size_t count, size;
    struct mono taken;
    double rate_up, rate_down, begun; /* a second, of all sessions; begun: sessions that are new */
    char version[32], state[32], uptime[16], audit[32];
    double now, limit, workers, running;
    size_t phase_count;
    struct {
        char name[16];
        double sessions;
    } phases[TOP_PHASES];
};

/* A line of `sessions` and of `status`. -1: no memory. */
int top_take_session(struct top_picture *p, const struct control_line *line) SP_MUST_USE;
void top_take_status(struct top_picture *p, const struct control_line *line);
/* Rates of p, against the picture before it (may be NULL), both in order of the id; sorts p so first. */
void top_rates(struct top_picture *p, const struct top_picture *before);
void top_sort(struct top_picture *p, enum top_order order);
void top_free(struct top_picture *p);

/* Asks the gateway. 0, or -1 with error filled; then p is empty. */
int top_ask(const char *socket, struct top_picture *p, char *error, size_t size) SP_MUST_USE;

/* ---- the screen ---- */

struct top_view {
    const struct top_picture *picture;
    enum top_order order;
    bool paused;
    size_t selected, first; /* rows: marked, topmost */
    char message[1024];     /* in the last line; "": the keys */
    char mark[17];          /* the id of the marked row: it stays marked where it moves */
};

/* Draws all of it, however large the screen is. */
void top_draw(struct top_view *view);
/* Asks in the last line whether to end the row's session; the keys are seen however long the names are. */
void top_question(struct top_view *view, const struct top_row *row);
/* Rows of sessions the screen has. */
size_t top_page(void);

#endif
