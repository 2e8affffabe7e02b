/* SPDX-License-Identifier: ISC */
/*
 * Session ids and who has them. Serves accepting, dispatching and the audit of the dead. Entries come
 * from chunks that are never given back before the end: a session costs no allocation of its own.
 */
#include "src/master/master_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SESSIONS 512

struct session_chunk {
    struct session_chunk *next;
    struct session sessions[CHUNK_SESSIONS];
};

int
sessions_init(struct sessions *s, struct wall start, uint64_t limit)
{
    memset(s, 0, sizeof *s);
    if (limit == 0 || start.us < CLOCK_SECOND_US) {
        errno = EINVAL;
        return -1;
    }
    s->limit = limit < IDMAP_MAX ? limit : IDMAP_MAX;
    s->begin = (uint64_t)(start.us / CLOCK_SECOND_US) << 32;
    s->first = s->begin;
    idmap_init(&s->map, (uint32_t)s->limit);
    return 0;
}

void
sessions_free(struct sessions *s)
{
    while (s->chunks != NULL) {
        struct session_chunk *chunk = s->chunks;

        s->chunks = chunk->next;
        free(chunk);
    }
    idmap_free(&s->map);
    s->free = NULL;
}

void
sessions_set_limit(struct sessions *s, uint64_t limit)
{
    s->limit = limit < IDMAP_MAX ? limit : IDMAP_MAX;
    s->map.max = (uint32_t)s->limit;
}

static int
grow(struct sessions *s)
{
    struct session_chunk *chunk = calloc(1, sizeof *chunk);

    if (chunk == NULL)
        return -1;
    chunk->next = s->chunks;
    s->chunks = chunk;
    for (size_t i = 0; i < CHUNK_SESSIONS; i++) {
        chunk->sessions[i].next = s->free;
        s->free = &chunk->sessions[i];
    }
    return 0;
}

uint64_t
sessions_next_id(struct sessions *s)
{
    /* After 2^32 connections the counter carries into the seconds: still never used before, since
       nobody accepts that many in less time than passes meanwhile. */
    if (s->issued == UINT32_MAX) {
        s->first += UINT64_C(1) << 32;
        s->issued = 0;
    }
    return s->first + ++s->issued;
}

struct session *
sessions_issue(struct sessions *s)
{
    if (s->map.count >= s->limit) {
        errno = ENOBUFS;
        return NULL;
    }
    if (s->free == NULL && grow(s) < 0)
        return NULL;
    struct session *session = s->free;
    struct session *rest = session->next;
    uint64_t id = sessions_next_id(s);

    if (idmap_put(&s->map, id, session) < 0)
        return NULL;
    s->free = rest;
    *session = (struct session) { .id = id, .fd = -1 };
    return session;
}

struct session *
sessions_get(const struct sessions *s, uint64_t id)
{
    return idmap_get(&s->map, id);
}

void
sessions_end(struct sessions *s, struct session *session)
{
    (void)idmap_remove(&s->map, session->id);
    session->id = 0;
    session->next = s->free;
    s->free = session;
}

uint32_t
sessions_count(const struct sessions *s)
{
    return idmap_count(&s->map);
}

bool
sessions_was_issued(const struct sessions *s, uint64_t id)
{
    uint64_t begin = s->begin + 1;

    return id >= begin && id <= s->first + s->issued && (uint32_t)id != 0;
}

void
session_list_push(struct session_list *list, struct session *session)
{
    session->next = NULL;
    session->prev = list->tail;
    if (list->tail != NULL)
        list->tail->next = session;
    else
        list->head = session;
    list->tail = session;
    list->count++;
}

void
session_list_remove(struct session_list *list, struct session *session)
{
    if (session->prev != NULL)
        session->prev->next = session->next;
    else
        list->head = session->next;
    if (session->next != NULL)
        session->next->prev = session->prev;
    else
        list->tail = session->prev;
    session->next = session->prev = NULL;
    list->count--;
}
