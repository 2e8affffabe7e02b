/* SPDX-License-Identifier: ISC */
/*
 * Users whose logins fail for a while from some client, as the master says: their steps run as always, so
 * that a right secret takes as long as a wrong one, and the answer is that of a wrong one. Which failures
 * are the client's doing is said here too. Bounded; entries end by the loop's clock.
 */
#include "src/authd/authd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "src/core/ipc_limits.h"
#include "src/core/log.h"

#define SWEEP_MIN 64U

struct authd_penalty {
    struct mono until;
    struct addr_prefix client;
    char user[];
};

/* Failures that a client can do nothing about, or that cost a guesser nothing less than a wrong guess
   would: what a gateway lacks must not shut its clients out for longer than that. */
static const char *const excuses[] = { "module-error", "identity-too-large", "out-of-memory",
    "out-of-descriptors", "replay-cache-failed", "keytab-unreadable", "key-version-not-found",
    "answer-too-long", "export-failed", "groups-unavailable", "account-unavailable" };

bool
authd_failure_excused(const char *reason)
{
    for (size_t i = 0; reason != NULL && i < SP_COUNT(excuses); i++)
        if (strcmp(excuses[i], reason) == 0)
            return true;
    return false;
}

void
authd_penalties_init(struct authd_penalties *p)
{
    idmap_init(&p->map, AUTHD_PENALTIES_MAX);
    p->sweep_at = SWEEP_MIN;
    /* Without random bytes names can be made to collide: then one of them escapes its penalty. */
    (void)!getrandom(&p->seed, sizeof p->seed, GRND_NONBLOCK);
}

static uint64_t
mix(uint64_t h, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        h ^= ((const uint8_t *)bytes)[i];
        h *= UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return h;
}

static struct addr_prefix
client_of(const struct addr *a)
{
    struct addr client = addr_unmap(a);
    struct addr_prefix p = { .family = client.family,
        .bits = client.family == ADDR_IPV4 ? 32 : 64 };

    memcpy(p.ip, client.ip, p.bits / 8U);
    return p;
}

static uint64_t
id_of(const struct authd_penalties *p, const struct addr_prefix *client, const char *user)
{
    uint64_t h = mix(p->seed ^ client->family, client->ip, sizeof client->ip);

    h = mix(h, user, strlen(user));
    return h != 0 ? h : 1;
}

static bool
is_for(const struct authd_penalty *e, const struct addr_prefix *client, const char *user)
{
    return e->client.family == client->family
        && memcmp(e->client.ip, client->ip, sizeof client->ip) == 0 && strcmp(e->user, user) == 0;
}

static void
drop(struct authd_penalties *p, uint64_t id)
{
    free(idmap_remove(&p->map, id));
}

/* Those that are over go; where none are and there is no room, any goes. */
static void
sweep(struct authd_penalties *p, struct mono now)
{
    struct idmap_iter it = idmap_iterate(&p->map);
    uint64_t id, some = 0;
    void *value;

    while (idmap_next(&it, &id, &value)) {
        some = id;
        if (!mono_before(now, ((const struct authd_penalty *)value)->until))
            drop(p, id);
    }
    if (idmap_count(&p->map) >= AUTHD_PENALTIES_MAX && some != 0)
        drop(p, some);
    p->sweep_at = idmap_count(&p->map) < SWEEP_MIN / 2 ? SWEEP_MIN : 2 * idmap_count(&p->map);
    if (p->sweep_at > AUTHD_PENALTIES_MAX)
        p->sweep_at = AUTHD_PENALTIES_MAX;
}

void
authd_penalties_set(struct authd_penalties *p, const struct ipc_penalty *from, struct mono now)
{
    uint64_t id = id_of(p, &from->client, from->user);
    size_t len = strlen(from->user);

    drop(p, id);
    if (from->seconds == 0)
        return;
    if (idmap_count(&p->map) >= p->sweep_at)
        sweep(p, now);
    struct authd_penalty *e = calloc(1, sizeof *e + len + 1);

    if (e != NULL) {
        e->until = mono_add_seconds(now, from->seconds);
        e->client = from->client;
        memcpy(e->user, from->user, len + 1);
    }
    if (e == NULL || idmap_put(&p->map, id, e) < 0) {
        log_warn("no memory for a penalty");
        free(e);
    }
}

bool
authd_penalties_hold(const struct authd_penalties *p, const struct addr *client, const char *user,
    struct mono now)
{
    if (idmap_count(&p->map) == 0)
        return false;
    struct addr_prefix prefix = client_of(client);
    const struct authd_penalty *e = idmap_get(&p->map, id_of(p, &prefix, user));

    return e != NULL && mono_before(now, e->until) && is_for(e, &prefix, user);
}

void
authd_penalties_free(struct authd_penalties *p)
{
    struct idmap_iter it = idmap_iterate(&p->map);
    void *value;

    while (idmap_next(&it, NULL, &value))
        free(value);
    idmap_free(&p->map);
}

void
authd_penalty_received(struct authd *a, struct ipc_message *m)
{
    struct ipc_penalty penalty;

    if (ipc_penalty_decode(m, &penalty) != 0)
        log_fatal("the master's PENALTY is malformed");
    authd_penalties_set(&a->penalties, &penalty, loop_now(a->child.loop));
}
