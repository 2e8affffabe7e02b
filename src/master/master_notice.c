/* SPDX-License-Identifier: ISC */
/* What of many refusals is told, see the header. */
#include "src/master/master_notice.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void
notices_init(struct notices *n)
{
    memset(n, 0, sizeof *n);
    map_init(&n->map);
}

void
notices_free(struct notices *n)
{
    while (n->head != NULL) {
        struct notice *notice = n->head;

        n->head = notice->next;
        free(notice);
    }
    map_free(&n->map);
}

static uint64_t
hash_of(const struct notices *n, struct client_key client, enum limit limit)
{
    return map_hash(&n->map, (uint64_t)limit, &client, sizeof client);
}

static struct notice *
find(const struct notices *n, struct client_key client, enum limit limit)
{
    _Static_assert(offsetof(struct notice, node) == 0, "a node is its notice");
    struct map_node *node = map_first(&n->map, hash_of(n, client, limit));

    for (; node != NULL; node = map_next(node)) {
        struct notice *notice = (struct notice *)node;

        if (notice->limit == limit && client_same(notice->client, client))
            return notice;
    }
    return NULL;
}

static void
push(struct notices *n, struct notice *notice)
{
    notice->next = NULL;
    if (n->head == NULL)
        n->head = notice;
    else
        n->tail->next = notice;
    n->tail = notice;
}

static struct notice *
make(struct notices *n, struct client_key client, enum limit limit)
{
    struct notice *notice = n->map.count < NOTICES_MAX ? calloc(1, sizeof *notice) : NULL;

    if (notice == NULL)
        return NULL;
    notice->node.hash = hash_of(n, client, limit);
    notice->client = client;
    notice->limit = limit;
    if (map_put(&n->map, &notice->node) == 0)
        return notice;
    free(notice);
    return NULL;
}

bool
notices_add(struct notices *n, enum limit limit, const struct addr *from, uint16_t listener,
    struct mono now)
{
    struct client_key client = client_key(from);
    struct notice *notice = find(n, client, limit);

    if (notice != NULL) {
        notice->from = *from;
        notice->listener = listener;
        notice->count++;
        return false;
    }
    notice = make(n, client, limit);
    if (notice == NULL) {
        n->untold++;
        return false;
    }
    notice->since = now;
    push(n, notice);
    return true;
}

bool
notices_due(struct notices *n, struct mono now, uint32_t window, struct notice *out)
{
    while (n->head != NULL && !mono_before(now, mono_add_seconds(n->head->since, window))) {
        struct notice *notice = n->head;

        n->head = notice->next;
        if (notice->count == 0) {
            map_remove(&n->map, &notice->node);
            free(notice);
            continue;
        }
        *out = *notice;
        notice->count = 0;
        notice->since = now;
        push(n, notice);
        return true;
    }
    return false;
}

void
notices_flush(struct notices *n, uint32_t listener,
    void (*tell)(void *ctx, const struct notice *notice), void *ctx)
{
    for (struct notice *notice = n->head; notice != NULL; notice = notice->next) {
        if (notice->count == 0 || (listener != NOTICES_OF_ALL && notice->listener != listener))
            continue;
        tell(ctx, notice);
        notice->count = 0;
    }
}
