/* SPDX-License-Identifier: ISC */
/*
 * top: a screen that follows the sessions, fed every two seconds by the same questions that `status` and
 * `sessions` ask. Serves ctl_main.c. A gateway that goes away is said on the screen, and asked again.
 */
#include "src/ctl/ctl_top.h"

#include "src/core/control_path.h"

#include <ncurses.h>
#include <string.h>
#include <unistd.h>

#define REFRESH_US (2 * CLOCK_SECOND_US)
#define KILL_SECONDS 5

struct top {
    const char *socket;
    struct top_picture now;
    struct top_view view;
    struct mono next;  /* when the gateway is asked again */
    bool asking;       /* whether to kill the marked session */
    bool over;
};

/* ---- pictures ---- */

static void
take(struct top *t)
{
    char error[sizeof t->view.message];
    struct top_picture p;

    if (top_ask(t->socket, &p, error, sizeof error) < 0) {
        memcpy(t->view.message, error, sizeof error);
    } else {
        struct top_picture before = t->now;

        top_rates(&before, NULL); /* for the order: it is the screen's by now */
        top_rates(&p, before.taken.us != 0 ? &before : NULL);
        top_sort(&p, t->view.order);
        top_free(&before);
        t->now = p;
        if (!t->asking)
            t->view.message[0] = '\0';
    }
    t->next = mono_add_us(mono_read(), REFRESH_US);
}

static const struct top_row *
marked(const struct top *t)
{
    return t->view.selected < t->now.count ? &t->now.rows[t->view.selected] : NULL;
}

/* ---- keys ---- */

static void
move_to(struct top *t, size_t row)
{
    size_t count = t->now.count;

    t->view.selected = row < count ? row : count > 0 ? count - 1 : 0;
    const struct top_row *r = marked(t);

    if (r != NULL)
        memcpy(t->view.mark, r->session, sizeof t->view.mark);
}

static void
move_by(struct top *t, long rows)
{
    long at = (long)t->view.selected + rows;

    move_to(t, at > 0 ? (size_t)at : 0);
}

static void
next_order(struct top *t)
{
    t->view.order = (enum top_order)((t->view.order + 1) % TOP_ORDERS);
    top_sort(&t->now, t->view.order);
}

static void
ask_kill(struct top *t)
{
    const struct top_row *r = marked(t);

    if (r == NULL)
        return;
    memcpy(t->view.mark, r->session, sizeof t->view.mark);
    t->asking = true;
    top_question(&t->view, r);
}

static void
kill_marked(struct top *t)
{
    struct ctl_request request = { .command = "kill" };
    struct ctl_answer a;
    int result = 1;

    ctl_request_add(&request, "session", t->view.mark);
    if (ctl_ask_quietly(t->socket, &request, &a, KILL_SECONDS) != CTL_OK) {
        (void)snprintf(t->view.message, sizeof t->view.message, "%s", a.error);
        return;
    }
    (void)snprintf(t->view.message, sizeof t->view.message, "done");
    while ((result = ctl_next(&a)) > 0)
        (void)snprintf(t->view.message, sizeof t->view.message, "sessions ended: %.20s",
            ctl_field(&a.line, "killed"));
    if (result < 0)
        (void)snprintf(t->view.message, sizeof t->view.message, "%s", a.error);
    ctl_answer_close(&a);
    t->view.mark[0] = '\0';
}

static void
answer(struct top *t, int key)
{
    t->asking = false;
    t->view.message[0] = '\0';
    if (key == 'y' || key == 'Y')
        kill_marked(t);
}

static void
on_command(struct top *t, int key)
{
    long page = (long)top_page();

    switch (key) {
    case 'q': t->over = true; break;
    case 's': next_order(t); break;
    case 'p': t->view.paused = !t->view.paused; break;
    case 'k': ask_kill(t); break;
    case KEY_UP: move_by(t, -1); break;
    case KEY_DOWN: move_by(t, 1); break;
    case KEY_PPAGE: move_by(t, -page); break;
    case KEY_NPAGE: move_by(t, page); break;
    case KEY_HOME: move_to(t, 0); break;
    case KEY_END: move_to(t, t->now.count); break;
    case '\f': clearok(stdscr, TRUE); break;
    default: break;
    }
}

static void
on_key(struct top *t, int key)
{
    if (t->asking && key == KEY_RESIZE)
        ask_kill(t); /* as wide as it is now */
    else if (t->asking)
        answer(t, key);
    else
        on_command(t, key);
}

/* ---- the loop ---- */

static void
wait_key(struct top *t)
{
    int64_t left = mono_diff_us(t->next, mono_read()) / CLOCK_MSEC_US;

    timeout(left > 0 ? (int)left + 1 : 0);
    int key = getch();

    if (key != ERR)
        on_key(t, key);
    /* Its input is gone: so is whoever looked. */
    else if (isatty(STDIN_FILENO) == 0)
        t->over = true;
}

static void
run(struct top *t)
{
    take(t);
    while (!t->over) {
        top_draw(&t->view);
        wait_key(t);
        if (!mono_before(mono_read(), t->next)) {
            if (t->view.paused || t->asking)
                t->next = mono_add_us(mono_read(), REFRESH_US);
            else
                take(t);
        }
    }
}

enum ctl_status
ctl_top(struct ctl *ctl, const struct ctl_given *given)
{
    const struct ctl_request request = { .command = "status" };
    static struct top t;
    char path[CONTROL_PATH_MAX];
    enum ctl_status status;

    (void)given;
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
        return ctl_fail(CTL_USAGE, "top wants a terminal; sessions lists what it shows");
    /* What cannot be asked is better said on a screen of the user's own. */
    status = ctl_do(ctl, &request);
    if (status != CTL_OK || ctl_socket_find(ctl->socket, path, sizeof path) < 0)
        return status != CTL_OK ? status : CTL_UNREACHABLE;
    t.socket = path;
    t.view.picture = &t.now;
    SCREEN *screen = newterm(NULL, stdout, stdin);

    if (screen == NULL)
        return ctl_fail(CTL_USAGE, "top: the terminal (TERM) is not known");
    if (tigetstr("cup") == NULL) { /* such as "dumb" */
        (void)endwin();
        delscreen(screen);
        return ctl_fail(CTL_USAGE, "top: the terminal (TERM) cannot move its cursor; sessions lists what it shows");
    }
    (void)cbreak();
    (void)noecho();
    (void)keypad(stdscr, TRUE);
    (void)curs_set(0);
    run(&t);
    (void)endwin();
    delscreen(screen);
    top_free(&t.now);
    return CTL_OK;
}
