/* SPDX-License-Identifier: ISC */
/* The table of commands, and those that are one call to another part of the master. Serves the control
   socket. */
#include "src/master/master_control_private.h"

#include "src/master/master_limits.h"
#include "src/master/master_metrics.h"
#include "src/master/master_reload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* ---- image ---- */

static void
image(struct control_client *c)
{
    c->pass_fd = fcntl(c->m->config.fd, F_DUPFD_CLOEXEC, 3);
    if (c->pass_fd < 0) {
        control_finish(c, strerror(errno));
        return;
    }
    control_put_number(&c->w, "generation", image_header(c->m->config.image)->generation);
    control_put_end(&c->w);
    control_finish(c, NULL);
}

/* ---- reload, drain, replace ---- */

struct reloading {
    struct reload_asker asker;
    struct control_client *client;
};

static void
reload_free(struct control_client *c)
{
    struct reloading *r = c->state;

    reload_forget(c->m, &r->asker);
    free(r);
}

static void
reload_text(struct reload_asker *asker, const char *line)
{
    struct control_client *c = CONTAINER(asker, struct reloading, asker)->client;

    control_put(&c->w, "text", line);
    control_put_end(&c->w);
    control_wake(c);
}

static void
reload_done(struct reload_asker *asker, bool ok, const char *summary)
{
    struct control_client *c = CONTAINER(asker, struct reloading, asker)->client;

    if (ok) {
        control_put(&c->w, "summary", summary);
        control_put_end(&c->w);
    }
    control_finish(c, ok ? NULL : summary);
}

static void
reload(struct control_client *c)
{
    struct reloading *r = calloc(1, sizeof *r);

    if (r == NULL) {
        control_finish(c, strerror(errno));
        return;
    }
    r->asker = (struct reload_asker) { .text = reload_text, .done = reload_done };
    r->client = c;
    c->state = r;
    c->state_free = reload_free;
    c->waiting = true;
    reload_begin(c->m, &r->asker);
}

static void
drain(struct control_client *c)
{
    drain_begin(c->m, "sallyportctl");
    control_finish(c, NULL);
}

static void
replace(struct control_client *c)
{
    const char *number = control_value(c, "worker");
    const char *why = NULL;
    size_t digits = number == NULL ? 0 : strspn(number, "0123456789");
    uint32_t worker = digits > 0 && digits < 6 && number[digits] == '\0'
        ? (uint32_t)strtoul(number, NULL, 10) : 0;

    if (worker == 0)
        control_finish(c, "worker: the number of a worker is wanted, 1 or more");
    else
        control_finish(c, process_replace(c->m, worker, &why) == 0 ? NULL : why);
}

/* ---- penalties ---- */

#define PENALTIES_AT_ONCE 32

struct listing {
    struct control_client *client;
    uint64_t after; /* the last one shown */
    int shown;      /* in this slice */
};

static void
listing_free(struct control_client *c)
{
    free(c->state);
}

static bool
put_penalty(void *ctx, const struct penalty_view *p)
{
    struct listing *l = ctx;
    struct control_writer *w = &l->client->w;
    char client[ADDR_TEXT_MAX];

    if (l->shown == PENALTIES_AT_ONCE)
        return false;
    l->shown++;
    l->after = p->number;
    addr_prefix_format(&p->client, client);
    control_put(w, "client", client);
    control_put(w, "user", p->user[0] == '\0' ? NULL : p->user);
    control_put_number(w, "left", p->seconds_left);
    control_put_number(w, "seconds", p->seconds);
    control_put_number(w, "failures", p->failures);
    control_put_end(w);
    return true;
}

static bool
list_some(struct control_client *c)
{
    struct listing *l = c->state;

    l->shown = 0;
    penalties_each(c->m, l->after, put_penalty, l);
    if (l->shown > 0)
        return true;
    control_finish(c, NULL);
    return false;
}

static void
penalties(struct control_client *c)
{
    struct listing *l = calloc(1, sizeof *l);

    if (l == NULL) {
        control_finish(c, strerror(errno));
        return;
    }
    l->client = c;
    c->state = l;
    c->state_free = listing_free;
    c->more = list_some;
}

static void
penalties_lift(struct control_client *c)
{
    const char *client = control_value(c, "client");
    struct penalty_filter filter = { .user = control_value(c, "user") };
    struct addr_prefix prefix;

    if (client != NULL && addr_prefix_parse(client, &prefix) < 0) {
        control_finish(c, "client: an address or a prefix is wanted, such as 192.0.2.7 or 2001:db8::/64");
        return;
    }
    filter.client = client == NULL ? NULL : &prefix;
    control_put_number(&c->w, "cleared", penalties_clear(c->m, &filter));
    control_put_end(&c->w);
    control_finish(c, NULL);
}

/* ---- metrics ---- */

#define LINES_AT_ONCE 64

static void
text_free(struct control_client *c)
{
    struct buffer *text = c->state;

    buffer_clear(text);
    free(text);
}

/* The next line of the text. False: there is none. */
static bool
put_line(struct control_client *c, struct buffer *text)
{
    char line[4096];
    size_t len = buffer_len(text);
    const uint8_t *end = len == 0 ? NULL : memchr(buffer_head(text), '\n', len);
    size_t take = end == NULL ? len : (size_t)(end - buffer_head(text));
    size_t kept = take < sizeof line ? take : sizeof line - 1;

    if (len == 0)
        return false;
    memcpy(line, buffer_head(text), kept);
    line[kept] = '\0';
    control_put(&c->w, "text", line);
    control_put_end(&c->w);
    buffer_consume(text, take + (end != NULL));
    return true;
}

static bool
put_lines(struct control_client *c)
{
    for (int n = 0; n < LINES_AT_ONCE; n++) {
        if (!put_line(c, c->state)) {
            control_finish(c, NULL);
            return false;
        }
    }
    return true;
}

static void
metrics(struct control_client *c)
{
    struct buffer *text = calloc(1, sizeof *text);

    if (text == NULL || metrics_render(c->m, text) < 0) {
        int saved = errno;

        if (text != NULL)
            buffer_clear(text);
        free(text);
        control_finish(c, strerror(saved));
        return;
    }
    c->state = text;
    c->state_free = text_free;
    c->more = put_lines;
}

/* ---- the table ---- */

static const struct control_command commands[] = {
    { "status", { NULL }, false, control_status },
    { "sessions", { "user", "client", "rule", "destination", "listener", "session" }, false,
        control_sessions },
    { "kill", { "session", "user", "client", "rule" }, true, control_kill },
    { "drain", { NULL }, true, drain },
    { "reload", { NULL }, true, reload },
    { "workers", { NULL }, false, control_workers },
    { "replace", { "worker" }, true, replace },
    { "penalties", { NULL }, false, penalties },
    { "penalties-clear", { "client", "user" }, true, penalties_lift },
    { "metrics", { NULL }, false, metrics },
    { "image", { NULL }, false, image },
};

const struct control_command *
control_command_find(const char *name)
{
    for (size_t i = 0; i < SP_COUNT(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}
