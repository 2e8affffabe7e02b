/* SPDX-License-Identifier: ISC */
/*
 * The session table of one worker, in a memfd it alone writes and the master maps read-only. It
 * informs people (listings) and lets the master write the closing records of a worker that died.
 * Slots are flat, without pointers or offsets; pages are touched only when used.
 */
#ifndef SP_CORE_TABLE_H
#define SP_CORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "lib/base/clock.h"

#define TABLE_SOCKS4A 0x4AU
#define TABLE_STATS_AT 4096 /* offset of the worker's counters in the memfd (stats.h) */

struct table_slot {
    uint32_t version; /* odd while the writer changes it: table_change_begin/end */
    uint8_t used;
    uint8_t phase;    /* enum session_phase, for listings */
    uint8_t command;  /* enum socks_command, 0: not known */
    uint8_t protocol; /* 4, TABLE_SOCKS4A or 5; 0: not known */
    uint64_t id;
    uint64_t start_seq; /* sequence number of session.start, 0: not written */
    uint64_t updated;   /* bytes and datagrams the last session.update told of */
    uint64_t close_seq; /* sequence number of the closing record, 0: not written */
    struct wall accepted;
    struct addr client;
    struct addr address; /* dialled */
    struct addr egress;
    uint64_t bytes_up;
    uint64_t bytes_down;
    uint64_t wire_up;
    uint64_t wire_down;
    uint16_t listener;
    uint16_t dest_port;
    uint8_t protection; /* 0: the method has none; else 1 + enum auth_protection */
    uint8_t claims;     /* user is what the client calls itself, not who authenticated */
    char mechanism[15];
    char enctype[32];
    char method[16];
    char rule[64];        /* all texts NUL-terminated; readers bound every length all the same */
    char user[256]; /* read it through table_user() and table_claimed() */
    char destination[256]; /* name or address, without the port */
};

struct table;

/* Master: a memfd for capacity slots, sealed against growing and shrinking. -1 with errno. */
int table_create(uint32_t capacity) SP_MUST_USE;

/* Worker: maps it for writing; master: read-only. The descriptor stays the caller's. NULL, errno. */
struct table *table_open_writer(int fd) SP_MUST_USE;
struct table *table_open_reader(int fd) SP_MUST_USE;
/* Leaves NULL; NULL is fine. */
void table_close(struct table **table);
/* Its slots. */
uint32_t table_capacity(const struct table *table);
/* Slots from here on were never used, says the worker: to look no further spares their pages. */
uint32_t table_used(const struct table *table);

/* Worker: a free slot, zeroed, or NULL when all are used. */
struct table_slot *table_take(struct table *table, uint64_t id);
/* Gives the slot back (after ENDED was sent: until then it must stay, see master_reap.c). */
void table_give(struct table *table, struct table_slot *slot);
/* Around every change of more than one number: a reader between the two tries again (table_read). */
void table_change_begin(struct table_slot *slot);
void table_change_end(struct table_slot *slot);
/* Copies text into a slot's field, cut at size - 1 bytes, NUL-terminated. */
void table_text(char *field, size_t size, const void *text, size_t len);

/* "none", "integrity", ... as audited; NULL while nothing is agreed, and for a method without any. */
const char *table_protection(const struct table_slot *slot);
/* True when messages are sealed: only then bytes on the wire are other than payload. */
bool table_sealed(const struct table_slot *slot);

/* Who authenticated, and what a client that did not calls itself; NULL where there is none. */
const char *table_user(const struct table_slot *slot);
const char *table_claimed(const struct table_slot *slot);

/* "socks4", "socks4a", "socks5" and "connect", "bind", "udp", as audited; NULL while not known. */
const char *table_protocol(const struct table_slot *slot);
const char *table_command(const struct table_slot *slot);

/* Master: copies slot i when it is used. 1: copied, 0: free, -1: changing (three tries).
   After the writer died a changing slot is copied as it stands when force is true. */
int table_read(const struct table *table, uint32_t i, bool force, struct table_slot *out)
    SP_MUST_USE;
/* The phase of slot i alone, whole or not; -1: free. */
int table_phase(const struct table *table, uint32_t i);

#endif
