/* SPDX-License-Identifier: ISC */
/*
 * Records become lines, lines are sent, safe lines move the rings' indices. Serves the pump. All
 * memory is here from the start, so that logging works when there is none.
 */
#include "src/logger/batch.h"

#include "src/core/log.h"
#include "src/logger/render.h"

#include <string.h>

#define TURN_RECORDS 16U /* of one ring before the next one has its turn */

static const char *const lost_words[LOST_WHY_COUNT] = {
    [LOST_FULL] = "ring-full",
    [LOST_INVALID] = "invalid-record",
    [LOST_TOO_LONG] = "too-long",
};

void
batch_init(struct batch *b, struct log_rings *rings, struct target *target, const char *label)
{
    b->rings = rings;
    b->target = target;
    b->label = label;
    b->own_seq = b->own_seq_safe = 1;
    b->first = b->count = 0;
    b->flight_first = b->flight_count = 0;
    b->settled = 0;
    b->line_room = 0;
}

#define KEEPER 0U /* the ring whose index keeps the number: the master's is there from start to end */

void
batch_resume(struct batch *b, const struct log_ring *ring)
{
    uint64_t kept = ring_kept(ring->reader);

    if (ring->id == KEEPER && kept > b->own_seq && b->own_seq == b->own_seq_safe)
        b->own_seq = b->own_seq_safe = kept;
}

size_t
batch_unsent(const struct batch *b)
{
    return b->count - b->first;
}

size_t
batch_unsafe(const struct batch *b)
{
    return b->flight_count;
}

bool
batch_is_full(const struct batch *b)
{
    return b->flight_count + BATCH_LINES > FLIGHT_LINES;
}

/* ---- taking ---- */

static size_t
text_used(const struct batch *b)
{
    if (b->count == 0)
        return 0;
    const struct target_line *last = &b->lines[b->count - 1];

    return (size_t)(last->text + last->len - b->text);
}

static bool
has_room(const struct batch *b)
{
    return b->count < BATCH_LINES && text_used(b) + b->target->ops->line_max <= BATCH_TEXT;
}

/* The framed line of a record at `at`, in at most room bytes. */
static struct target_line
make_line(struct batch *b, char *at, size_t room, const struct event_view *view, const char *worker)
{
    const struct target_ops *ops = b->target->ops;
    size_t end = strlen(ops->end);
    struct line line = line_init(at, room);

    if (ops->frame != NULL)
        ops->frame(b->target, view, &line);
    render_event(
        b->target->settings.format, view, worker, &line, room - line_len(&line) - end);
    line_bytes(&line, ops->end, end);
    return (struct target_line) { at, line_len(&line) };
}

static void
add_line(struct batch *b, const struct event_view *view, const char *worker, struct item item)
{
    char *at = b->text + text_used(b);

    b->lines[b->count] = make_line(b, at, b->target->ops->line_max, view, worker);
    b->items[b->count++] = item;
}

static void
add_loss(struct batch *b, const struct item *item, uint64_t count)
{
    const char *word = lost_words[item->why];
    struct event_view view = {
        .id = EVENT_AUDIT_LOST,
        .seq = b->own_seq++,
        .time = loop_wall(b->target->loop),
        .count = 3,
        .values = {
            { .field = FIELD_RING, .text = (const uint8_t *)item->ring->label,
                .text_len = strlen(item->ring->label) },
            { .field = FIELD_COUNT, .number = count },
            { .field = FIELD_REASON, .text = (const uint8_t *)word, .text_len = strlen(word) },
        },
    };

    add_line(b, &view, b->label, *item);
}

/* A ring's turn. True when it had something. */
static bool
take_turn(struct batch *b, struct log_ring *ring, bool hurry)
{
    uint8_t record[EVENT_RECORD_MAX];
    struct event_view view;
    struct item item = { .ring = ring, .loss = true };
    uint64_t count;
    size_t before = b->count;

    if (has_room(b) && ring_take_loss(ring, hurry, &item.why, &count, &item.total))
        add_loss(b, &item, count);
    for (unsigned i = 0; i < TURN_RECORDS && has_room(b) && ring_take(ring, record, &view); i++)
        add_line(b, &view, ring->label, (struct item) { .ring = ring });
    return b->count != before;
}

void
batch_fill(struct batch *b, bool hurry)
{
    struct log_rings *rings = b->rings;
    size_t quiet = 0;

    b->first = b->count = 0;
    if (batch_is_full(b))
        return;
    while (quiet < rings->count && has_room(b)) {
        rings->next = (rings->next + 1) % rings->count;
        quiet = take_turn(b, rings->list[rings->next], hurry) ? 0 : quiet + 1;
    }
}

/* ---- what became of them ---- */

static void
settle_one(struct batch *b, const struct item *item, size_t run)
{
    if (!item->loss) {
        ring_taken_safe(item->ring, run);
        return;
    }
    const struct log_ring *keeper = rings_find(b->rings, KEEPER);

    b->own_seq_safe++;
    if (keeper != NULL)
        ring_keep(keeper->reader, b->own_seq_safe);
    ring_loss_safe(item->ring, item->why, item->total);
}

/* Lets the rings know of n more lines that are safe; records of one ring in a row go at once. */
static void
settle(struct batch *b, size_t n)
{
    while (n > 0) {
        const struct item *item = &b->flight[b->flight_first];
        size_t run = 1;

        while (!item->loss && run < n && b->flight_first + run < FLIGHT_LINES
            && !item[run].loss && item[run].ring == item->ring)
            run++;
        settle_one(b, item, run);
        b->flight_first = (b->flight_first + run) % FLIGHT_LINES;
        b->flight_count -= run;
        n -= run;
    }
}

static void
settle_safe(struct batch *b)
{
    size_t n = (size_t)(b->target->safe - b->settled);

    b->settled = b->target->safe;
    settle(b, n);
}

static void
to_flight(struct batch *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        b->flight[(b->flight_first + b->flight_count++) % FLIGHT_LINES] = b->items[b->first++];
    if (n > 0)
        b->line_room = 0;
}

/* Everything not safe is taken again from the rings. */
static void
rewind_all(struct batch *b)
{
    b->first = b->count = 0;
    b->flight_count = 0;
    b->line_room = 0;
    b->own_seq = b->own_seq_safe;
    rings_rewind(b->rings);
}

/* ---- a line too long for the target ---- */

/* How many records of the first item's ring are in flight: the place of the item's own. */
static size_t
place_of_first(const struct batch *b)
{
    const struct item *first = &b->items[b->first];
    size_t n = 0;

    for (size_t i = 0; i < b->flight_count; i++) {
        const struct item *f = &b->flight[(b->flight_first + i) % FLIGHT_LINES];

        n += !f->loss && f->ring == first->ring;
    }
    return n;
}

/* Makes the first line anew in half the room. False when that is not possible. */
static bool
shorten_first(struct batch *b)
{
    const struct item *item = &b->items[b->first];
    struct target_line *line = &b->lines[b->first];
    uint8_t record[EVENT_RECORD_MAX];
    struct event_view view;

    b->line_room = (b->line_room == 0 ? b->target->ops->line_max : b->line_room) / 2;
    if (item->loss || b->line_room < RENDER_MIN + 128)
        return false;
    ssize_t len = ring_peek(item->ring->reader, place_of_first(b), record, sizeof record);

    if (len <= 0 || event_decode(record, (size_t)len, &view) < 0)
        return false;
    *line = make_line(b, (char *)(uintptr_t)line->text, b->line_room, &view, item->ring->label);
    return true;
}

/* The first line cannot be sent whatever is done: it counts as sent, and as lost. */
static void
give_up_first(struct batch *b)
{
    struct log_ring *ring = b->items[b->first].ring;

    log_error("ring of %s: a record is too long for the log target", ring->label);
    ring->lost[LOST_TOO_LONG].total++;
    target_count(b->target, 1, b->target->ops->prove == NULL);
    to_flight(b, 1);
}

/* ---- sending ---- */

enum target_result
batch_send(struct batch *b)
{
    size_t sent = 0;
    enum target_result result =
        b->target->ops->send(b->target, b->lines + b->first, batch_unsent(b), &sent);

    to_flight(b, sent);
    if (result == TARGET_TOO_LONG && !shorten_first(b))
        give_up_first(b);
    if (result == TARGET_LOST)
        rewind_all(b);
    settle_safe(b);
    return result == TARGET_TOO_LONG || result == TARGET_LOST ? TARGET_OK : result;
}

enum target_result
batch_prove(struct batch *b)
{
    enum target_result result =
        b->target->ops->prove == NULL ? TARGET_OK : b->target->ops->prove(b->target);

    if (result == TARGET_LOST)
        rewind_all(b);
    settle_safe(b);
    return result;
}
