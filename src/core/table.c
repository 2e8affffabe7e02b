/* SPDX-License-Identifier: ISC */
/*
 * The session table in shared memory: a page of header, the worker's counters (stats.h), then slots.
 * The worker finds free slots with a list of its own memory; the master trusts nothing but the size of
 * the memfd, which nobody can change. A slot changes between two steps of its version (odd meanwhile), so that a reader sees
 * whether its copy is whole.
 */
#include "src/core/table.h"

#include "lib/base/fd.h"
#include "src/core/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TABLE_HEADER_SIZE 4096U
#define TABLE_SLOTS_AT ((off_t)(TABLE_STATS_AT + stats_size()))
#define TABLE_MAGIC UINT32_C(0x53505354)
#define TABLE_LAYOUT 2U
#define TABLE_TRIES 3

struct table_header {
    uint32_t magic;
    uint32_t layout;
    uint32_t slot_size;
    uint32_t used; /* slots from here on were never touched; for readers, who bound it */
};

struct table {
    struct table_header *map;
    struct table_slot *slots;
    size_t size;
    uint32_t capacity;
    uint32_t used_once;  /* slots from here on were never touched */
    uint32_t free_count; /* slots given back, below used_once */
    uint32_t *free_list; /* NULL in a reader */
};

int
table_create(uint32_t capacity)
{
    int fd = memfd_fixed(
        "sallyport-table", (size_t)TABLE_SLOTS_AT + (size_t)capacity * sizeof(struct table_slot));

    if (fd < 0)
        return -1;
    struct table_header *h
        = mmap(NULL, TABLE_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (h == MAP_FAILED) {
        fd_close(&fd);
        return -1;
    }
    *h = (struct table_header) { TABLE_MAGIC, TABLE_LAYOUT, sizeof(struct table_slot), 0 };
    munmap(h, TABLE_HEADER_SIZE);
    return fd_take(&fd);
}

static int
map_table(struct table *t, int fd, int protection)
{
    off_t size = memfd_check(fd, F_SEAL_GROW | F_SEAL_SHRINK);

    if (size < 0)
        return -1;
    if (size < TABLE_SLOTS_AT
        || (size_t)(size - TABLE_SLOTS_AT) / sizeof(struct table_slot) > UINT32_MAX) {
        errno = EINVAL;
        return -1;
    }
    void *p = mmap(NULL, (size_t)size, protection, MAP_SHARED, fd, 0);

    if (p == MAP_FAILED)
        return -1;
    t->map = p;
    t->size = (size_t)size;
    t->slots = (struct table_slot *)((uint8_t *)p + TABLE_SLOTS_AT);
    t->capacity = (uint32_t)((t->size - (size_t)TABLE_SLOTS_AT) / sizeof(struct table_slot));
    return 0;
}

static struct table *
table_open(int fd, int protection)
{
    struct table *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    if (map_table(t, fd, protection) < 0) {
        table_close(&t);
        return NULL;
    }
    return t;
}

struct table *
table_open_writer(int fd)
{
    struct table *t = table_open(fd, PROT_READ | PROT_WRITE);

    if (t == NULL)
        return NULL;
    if (t->map->magic != TABLE_MAGIC || t->map->layout != TABLE_LAYOUT
        || t->map->slot_size != sizeof(struct table_slot)) {
        table_close(&t);
        errno = EINVAL;
        return NULL;
    }
    t->free_list = calloc(t->capacity > 0 ? t->capacity : 1, sizeof *t->free_list);
    if (t->free_list == NULL)
        table_close(&t);
    return t;
}

struct table *
table_open_reader(int fd)
{
    return table_open(fd, PROT_READ);
}

void
table_close(struct table **table)
{
    struct table *t = *table;
    int saved = errno;

    if (t == NULL)
        return;
    *table = NULL;
    if (t->map != NULL)
        munmap(t->map, t->size);
    free(t->free_list);
    free(t);
    errno = saved;
}

uint32_t
table_capacity(const struct table *table)
{
    return table->capacity;
}

uint32_t
table_used(const struct table *table)
{
    uint32_t used = __atomic_load_n(&table->map->used, __ATOMIC_RELAXED);

    return used < table->capacity ? used : table->capacity;
}

/* ---- the worker ---- */

struct table_slot *
table_take(struct table *table, uint64_t id)
{
    struct table_slot *slot;

    if (table->free_count > 0)
        slot = &table->slots[table->free_list[--table->free_count]];
    else if (table->used_once < table->capacity)
        slot = &table->slots[table->used_once++];
    else
        return NULL;
    __atomic_store_n(&table->map->used, table->used_once, __ATOMIC_RELAXED);
    table_change_begin(slot);
    slot->used = 1;
    slot->id = id;
    table_change_end(slot);
    return slot;
}

void
table_give(struct table *table, struct table_slot *slot)
{
    uint32_t version_size = sizeof slot->version;

    table_change_begin(slot);
    memset((uint8_t *)slot + version_size, 0, sizeof *slot - version_size);
    table_change_end(slot);
    table->free_list[table->free_count++] = (uint32_t)(slot - table->slots);
}

void
table_change_begin(struct table_slot *slot)
{
    __atomic_store_n(&slot->version, slot->version + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

void
table_change_end(struct table_slot *slot)
{
    __atomic_store_n(&slot->version, slot->version + 1, __ATOMIC_RELEASE);
}

void
table_text(char *field, size_t size, const void *text, size_t len)
{
    if (len >= size)
        len = size - 1;
    if (len > 0)
        memcpy(field, text, len);
    memset(field + len, 0, size - len);
}

/* ---- both ---- */

static const char *const protections[] = {
    NULL, "none", "integrity", "confidentiality", "selective"
};

const char *
table_protection(const struct table_slot *slot)
{
    return slot->protection < SP_COUNT(protections) ? protections[slot->protection] : NULL;
}

bool
table_sealed(const struct table_slot *slot)
{
    return slot->protection > 1 && slot->protection < SP_COUNT(protections);
}

const char *
table_user(const struct table_slot *slot)
{
    return slot->claims == 0 && slot->user[0] != '\0' ? slot->user : NULL;
}

const char *
table_claimed(const struct table_slot *slot)
{
    return slot->claims != 0 && slot->user[0] != '\0' ? slot->user : NULL;
}

const char *
table_protocol(const struct table_slot *slot)
{
    switch (slot->protocol) {
    case 4: return "socks4";
    case TABLE_SOCKS4A: return "socks4a";
    case 5: return "socks5";
    default: return NULL;
    }
}

const char *
table_command(const struct table_slot *slot)
{
    static const char *const commands[] = { NULL, "connect", "bind", "udp" };

    return slot->command < SP_COUNT(commands) ? commands[slot->command] : NULL;
}

/* ---- the master ---- */

static void
bound_addr(struct addr *a)
{
    if (a->family != ADDR_IPV4 && a->family != ADDR_IPV6)
        memset(a, 0, sizeof *a);
}

/* Makes a copy harmless, whatever the worker wrote. */
static void
bound_slot(struct table_slot *s)
{
    s->mechanism[sizeof s->mechanism - 1] = '\0';
    s->enctype[sizeof s->enctype - 1] = '\0';
    s->method[sizeof s->method - 1] = '\0';
    s->rule[sizeof s->rule - 1] = '\0';
    s->user[sizeof s->user - 1] = '\0';
    s->destination[sizeof s->destination - 1] = '\0';
    bound_addr(&s->client);
    bound_addr(&s->address);
    bound_addr(&s->egress);
}

/* True when the copy is whole. */
static bool
copy_slot(const struct table_slot *slot, struct table_slot *out)
{
    uint32_t before = __atomic_load_n(&slot->version, __ATOMIC_ACQUIRE);

    memcpy(out, slot, sizeof *out);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    uint32_t after = __atomic_load_n(&slot->version, __ATOMIC_RELAXED);

    return before == after && (before & 1) == 0;
}

int
table_phase(const struct table *table, uint32_t i)
{
    if (i >= table->capacity || table->slots[i].used == 0)
        return -1;
    return table->slots[i].phase;
}

int
table_read(const struct table *table, uint32_t i, bool force, struct table_slot *out)
{
    bool whole = false;

    if (i >= table->capacity)
        return 0;
    for (int n = 0; n < TABLE_TRIES && !whole; n++)
        whole = copy_slot(&table->slots[i], out);
    if (!whole && !force)
        return -1;
    bound_slot(out);
    return out->used != 0;
}
