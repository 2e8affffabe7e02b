/* SPDX-License-Identifier: ISC */
/* Counts of clients and users, see the header. Entries live while something is counted in them. */
#include "src/master/master_tally.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_CLIENTS 256

struct tally_chunk {
    struct tally_chunk *next;
    struct tally_client clients[CHUNK_CLIENTS];
};

struct client_key
client_key(const struct addr *a)
{
    struct client_key key = { 0, a->family };

    memcpy(&key.bits, a->ip, a->family == ADDR_IPV4 ? 4 : 8);
    return key;
}

struct addr_prefix
client_prefix(struct client_key key)
{
    struct addr_prefix p = { .family = (uint8_t)key.family,
        .bits = key.family == ADDR_IPV4 ? 32 : 64 };

    memcpy(p.ip, &key.bits, key.family == ADDR_IPV4 ? 4 : 8);
    return p;
}

void
tally_init(struct tally *t)
{
    memset(t, 0, sizeof *t);
    map_init(&t->clients);
    map_init(&t->users);
}

void
tally_free(struct tally *t)
{
    for (uint32_t i = 0; i < t->users.size; i++) {
        for (struct map_node *n = map_bucket(&t->users, i), *next; n != NULL; n = next) {
            next = n->next;
            free(n);
        }
    }
    while (t->chunks != NULL) {
        struct tally_chunk *chunk = t->chunks;

        t->chunks = chunk->next;
        free(chunk);
    }
    map_free(&t->clients);
    map_free(&t->users);
    t->free = NULL;
}

/* ---- clients ---- */

static struct tally_client *
client_with(const struct tally *t, uint64_t hash, struct client_key key)
{
    _Static_assert(offsetof(struct tally_client, node) == 0, "a node is its client");
    for (struct map_node *n = map_first(&t->clients, hash); n != NULL; n = map_next(n)) {
        struct tally_client *c = (struct tally_client *)n;

        if (client_same(c->key, key))
            return c;
    }
    return NULL;
}

struct tally_client *
tally_client_find(const struct tally *t, struct client_key key)
{
    return client_with(t, map_hash(&t->clients, 0, &key, sizeof key), key);
}

static int
grow(struct tally *t)
{
    struct tally_chunk *chunk = calloc(1, sizeof *chunk);

    if (chunk == NULL)
        return -1;
    chunk->next = t->chunks;
    t->chunks = chunk;
    for (size_t i = 0; i < CHUNK_CLIENTS; i++) {
        chunk->clients[i].node.next = (struct map_node *)t->free;
        t->free = &chunk->clients[i];
    }
    return 0;
}

struct tally_client *
tally_client_get(struct tally *t, struct client_key key)
{
    uint64_t hash = map_hash(&t->clients, 0, &key, sizeof key);
    struct tally_client *c = client_with(t, hash, key);

    if (c != NULL)
        return c;
    if (t->free == NULL && grow(t) < 0)
        return NULL;
    c = t->free;
    struct tally_client *rest = (struct tally_client *)c->node.next;

    *c = (struct tally_client) { .node = { .hash = hash }, .key = key, .epoch = t->epoch };
    if (map_put(&t->clients, &c->node) < 0) {
        c->node.next = (struct map_node *)rest;
        return NULL;
    }
    t->free = rest;
    return c;
}

void
tally_client_settle(struct tally *t, struct tally_client *c)
{
    if (c->sessions > 0 || c->waiting > 0)
        return;
    map_remove(&t->clients, &c->node);
    c->node.next = (struct map_node *)t->free;
    t->free = c;
}

uint32_t
tally_pending(const struct tally *t, const struct tally_client *c)
{
    return c->epoch == t->epoch ? c->pending : 0;
}

void
tally_pending_add(struct tally *t, struct tally_client *c)
{
    c->pending = tally_pending(t, c) + 1;
    c->epoch = t->epoch;
    t->pending++;
}

void
tally_pending_end(struct tally *t, struct tally_client *c)
{
    c->pending--;
    t->pending--;
}

void
tally_pending_forget(struct tally *t)
{
    t->epoch++;
    t->pending = 0;
}

/* ---- users ---- */

struct tally_user *
tally_user_hold(struct tally *t, const char *name)
{
    size_t len = strlen(name);
    uint64_t hash = map_hash(&t->users, 0, name, len);
    struct tally_user *u;

    for (struct map_node *n = map_first(&t->users, hash); n != NULL; n = map_next(n)) {
        u = (struct tally_user *)n;
        if (strcmp(u->name, name) == 0) {
            u->holders++;
            return u;
        }
    }
    u = calloc(1, sizeof *u + len + 1);
    if (u == NULL)
        return NULL;
    u->node.hash = hash;
    u->holders = 1;
    memcpy(u->name, name, len + 1);
    if (map_put(&t->users, &u->node) < 0) {
        free(u);
        return NULL;
    }
    return u;
}

void
tally_user_drop(struct tally *t, struct tally_user *u)
{
    if (--u->holders > 0)
        return;
    map_remove(&t->users, &u->node);
    free(u);
}
