/* SPDX-License-Identifier: ISC */
/* Many sessions; see session_crowd.h. */
#include "tests/unit/session_crowd.h"

#include "auth/builtin.h"
#include "lib/base/fd.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct crowd crowd;
static struct policy_own own;

static void
ended(struct session_host *host, uint64_t id, struct table_slot *slot)
{
    (void)id;
    crowd.ended++;
    table_give(host->table, slot);
}

static void
rejudged(struct session_host *host, uint64_t generation, uint32_t count)
{
    (void)host;
    (void)generation;
    crowd.told++;
    crowd.told_ended = count;
}

static void
adopt(void)
{
    char error[256];
    struct session_adoption *a =
        session_prepare(&crowd.host, crowd.config.image, NULL, 0, error, sizeof error);

    if (a == NULL)
        fail_msg("%s", error);
    session_commit(&crowd.host, &a);
}

void
crowd_commit(const char *config)
{
    struct rig before = crowd.config;

    rig_later(&crowd.config, config);
    adopt();
    rig_free(&before);
}

void
crowd_begin(const char *config, uint32_t room)
{
    char error[256];
    int table = table_create(room);

    memset(&crowd, 0, sizeof crowd);
    crowd.next_id = 1;
    crowd.host.loop = loop_new();
    crowd.host.own = &own;
    crowd.host.ended = ended;
    crowd.host.rejudged = rejudged;
    assert_true(table >= 0);
    crowd.host.table = table_open_writer(table);
    fd_close(&table);
    assert_int_equal(ring_create(1, &crowd.ring_data, &crowd.ring_index), 0);
    crowd.host.ring = ring_writer_open(crowd.ring_data, crowd.ring_index, -1);
    crowd.reader = ring_reader_open(crowd.ring_data, crowd.ring_index);
    crowd.host.modules[0] = auth_wire_find("none", "/nonexistent", error, sizeof error);
    assert_non_null(crowd.host.table);
    assert_non_null(crowd.host.ring);
    assert_non_null(crowd.reader);
    assert_non_null(crowd.host.modules[0]);
    rig_later(&crowd.config, config);
    adopt();
}

static void
fill(struct session *s, uint32_t client, const char *name, uint8_t host)
{
    uint8_t from[4] = { (uint8_t)(client >> 24), (uint8_t)(client >> 16), (uint8_t)(client >> 8),
        (uint8_t)client };
    uint8_t to[4] = { 192, 0, 2, host }, ours[4] = { 192, 0, 2, 254 };
    struct table_slot *slot = s->slot;

    slot->client = addr_ipv4(from, 40000);
    slot->address = addr_ipv4(to, 443);
    slot->egress = addr_ipv4(ours, 50000);
    slot->command = SOCKS_CONNECT;
    slot->protocol = SOCKS_VERSION_5;
    slot->dest_port = 443;
    if (name != NULL)
        table_text(slot->destination, sizeof slot->destination, name, strlen(name));
    else
        (void)snprintf(slot->destination, sizeof slot->destination, "192.0.2.%u", host);
    table_text(slot->method, sizeof slot->method, "none", 4);
}

uint64_t
crowd_add(uint32_t client, const char *name, uint8_t host)
{
    struct session *s = calloc(1, sizeof *s);
    struct session_host *h = &crowd.host;

    assert_non_null(s);
    s->host = h;
    s->id = crowd.next_id++;
    s->slot = table_take(h->table, s->id);
    assert_non_null(s->slot);
    s->listener = listener_take(h, 0);
    s->accepted = s->active = loop_now(h->loop);
    s->expires = MONO_NEVER;
    s->up.pending = s->down.pending = BUFFER_INIT;
    s->started = true;
    s->phase = s->slot->phase = SESSION_RELAY;
    fill(s, client, name, host);
    s->next = h->first;
    if (h->first != NULL)
        h->first->prev = s;
    h->first = s;
    h->count++;
    return s->id;
}

struct session *
crowd_find(uint64_t id)
{
    struct session *s = crowd.host.first;

    while (s != NULL && s->id != id)
        s = s->next;
    return s;
}

static int64_t
cpu_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * CLOCK_SECOND_US + t.tv_nsec / 1000;
}

static void
note_longest(int64_t *longest, int64_t took)
{
    *longest = took > *longest ? took : *longest;
}

void
crowd_turn(void)
{
    uint8_t record[EVENT_RECORD_MAX];
    struct mono before = mono_read();
    int64_t cpu = cpu_us();
    size_t n = 0;

    assert_int_equal(loop_turn(crowd.host.loop, 20), 0);
    note_longest(&crowd.longest_us, mono_diff_us(mono_read(), before));
    note_longest(&crowd.longest_cpu_us, cpu_us() - cpu);
    while (ring_peek(crowd.reader, n, record, sizeof record) > 0)
        n++;
    ring_accept(crowd.reader, n);
}

void
crowd_walk(void)
{
    do
        crowd_turn();
    while (crowd.host.rejudge.running || crowd.host.kill.count > 0);
}

void
crowd_end(void)
{
    session_end_all(&crowd.host, REASON_SHUTDOWN); /* without room in the ring, too */
    session_host_free(&crowd.host);
    ring_reader_close(&crowd.reader);
    ring_writer_close(&crowd.host.ring);
    table_close(&crowd.host.table);
    loop_free(&crowd.host.loop);
    fd_close(&crowd.ring_data);
    fd_close(&crowd.ring_index);
    rig_free(&crowd.config);
}
