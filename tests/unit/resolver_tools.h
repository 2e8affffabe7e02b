/* SPDX-License-Identifier: ISC */
/* Who asks and hears, with a real DNS server to ask. Every function fails the running test when it
   cannot do its work. */
#ifndef SP_TESTS_UNIT_RESOLVER_TOOLS_H
#define SP_TESTS_UNIT_RESOLVER_TOOLS_H

#include "tests/unit/unit.h"

#include "src/net/resolver.h"
#include "tests/unit/dns_child.h"

extern struct dns_child dns;
/* Of the running test: fresh from resolver_setup(). */
extern struct loop *loop;
extern struct resolver *resolver;
/* Whoever asks, for whom. */
extern struct addr asker_client;

struct heard {
    unsigned calls;
    enum resolver_status status;
    size_t count;
    struct addr first;
    struct mono at;
};

struct asker {
    struct resolver_query query;
    struct heard ipv4;
    struct heard ipv6;
    bool cancel; /* in the first callback */
    bool chain;  /* the last callback asks "again.test" and frees nothing */
    unsigned pending;
};

/* Hears for an asker; for queries a test starts itself. */
void asker_answered(struct resolver_query *query, enum addr_family family,
    enum resolver_status status, const struct addr *addresses, size_t count, unsigned pending);

/* Asks both families; nothing may be heard from inside. */
void asker_ask(struct asker *a, const char *name);
/* Turns until nothing is under way any more. */
void asker_finish(struct asker *a);
/* Both, and looks that each family was heard once. */
struct asker asker_resolve(const char *name);

/* Turns that long, whatever comes. */
void resolver_turn_for(int64_t us);

struct addr server_at(uint16_t port);
/* A port nobody listens at. */
uint16_t closed_port(void);
void use_servers(const uint16_t *ports, size_t count);

void assert_status(const struct asker *a, enum resolver_status ipv4, enum resolver_status ipv6);
void assert_first(const struct heard *h, const char *text);

/* Impatient: 60 ms a try. */
int resolver_setup(void **state);
int resolver_setup_patient(void **state);
int resolver_setup_impatient(void **state);
int resolver_teardown(void **state);
int resolver_group_setup(void **state);
int resolver_group_teardown(void **state);

#endif
