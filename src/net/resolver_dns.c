/* SPDX-License-Identifier: ISC */
/*
 * Questions to name servers, through c-ares. Serves resolver.c. Errors end as the status of an answer;
 * only dns_new() and dns_set_servers() return one. ares_query() rather than ares_getaddrinfo(): the
 * latter answers "localhost" by itself, opens files, and mixes up the reasons of failure.
 */
#include "src/net/resolver_dns.h"

#include "src/core/log.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* c-ares has a list of deadlines, and ares_timeout() walks all of it. A look every so often, only
   while a question is under way, costs less than that walk after every answer. */
#define TICKS_PER_TIMEOUT 20
#define TICK_MIN_US (INT64_C(5) * CLOCK_MSEC_US)
#define TICK_MAX_US (INT64_C(100) * CLOCK_MSEC_US)

static void query_answered(void *arg, int status, int timeouts, unsigned char *message, int len);

/* ---- servers ---- */

/* 0; -1 with ENOMEM, or with EBUSY when the other set is not idle (yet). */
static int
servers_adopt(struct dns *dns)
{
    struct dns_set *set = &dns->sets[!dns->current];

    if (set->questions > 0) {
        errno = EBUSY;
        return -1;
    }
    int status = dns_channel_set_servers(&set->first, dns->servers, dns->server_count);

    if (status == ARES_SUCCESS && dns->server_count > 1)
        status = dns_channel_set_servers(&set->others, dns->servers + 1, dns->server_count - 1);
    if (status != ARES_SUCCESS) {
        /* ENOTIMP: we are inside the callback of its last question. */
        errno = status == ARES_ENOTIMP ? EBUSY : ENOMEM;
        return -1;
    }
    set->servers = dns->server_count;
    dns->current = !dns->current;
    dns->waiting = false;
    return 0;
}

static void
adopt_run(struct loop_task *task)
{
    struct dns *dns = (struct dns *)((char *)task - offsetof(struct dns, adopt));

    if (dns->waiting && servers_adopt(dns) < 0 && errno != EBUSY)
        log_warn("the changed list of name servers was not adopted: %s", strerror(errno));
}

int
dns_set_servers(struct dns *dns, const struct addr *list, size_t count)
{
    if (count == 0 || count > RESOLVER_SERVERS_MAX) {
        errno = EINVAL;
        return -1;
    }
    memcpy(dns->servers, list, count * sizeof *list);
    dns->server_count = count;
    dns->waiting = true;
    if (servers_adopt(dns) == 0)
        return 0;
    if (errno != EBUSY)
        return -1;
    if (dns->sets[!dns->current].questions == 0)
        loop_defer(dns->loop, &dns->adopt);
    return 0;
}

/* ---- time ---- */

static bool
is_busy(const struct dns *dns)
{
    return dns->sets[0].questions + dns->sets[1].questions > 0;
}

static int
tick_arm(struct dns *dns)
{
    return loop_timer_set(dns->loop, &dns->tick, mono_add_us(loop_now(dns->loop), dns->tick_us));
}

static void
tick_expired(struct loop_timer *timer)
{
    struct dns *dns = (struct dns *)((char *)timer - offsetof(struct dns, tick));

    /* First, while its place in the timers' table is still free. */
    if (tick_arm(dns) < 0)
        log_panic("no place for a timer that has just expired");
    for (size_t i = 0; i < SP_COUNT(dns->sets); i++) {
        if (dns->sets[i].questions == 0)
            continue;
        dns_channel_process(&dns->sets[i].first, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        dns_channel_process(&dns->sets[i].others, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    }
    if (!is_busy(dns))
        loop_timer_cancel(dns->loop, &dns->tick);
}

/* ---- questions ---- */

static enum resolver_status
status_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return RESOLVER_OK;
    case ARES_ENOTFOUND:
        return RESOLVER_NXDOMAIN;
    case ARES_ENODATA:
        return RESOLVER_NODATA;
    case ARES_ESERVFAIL:
    case ARES_EREFUSED:
    case ARES_EFORMERR:
    case ARES_ENOTIMP:
        return RESOLVER_SERVFAIL;
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED:
        return RESOLVER_TIMEOUT;
    default:
        return RESOLVER_FAILED;
    }
}

static bool
is_exhausted(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void
question_send(struct dns_question *q, struct dns_channel *channel)
{
    errno = 0; /* as in dns_channel_process() */
    ares_query(channel->ares, q->name, ns_c_in, q->family == ADDR_IPV4 ? ns_t_a : ns_t_aaaa,
        query_answered, q);
}

void
dns_ask(struct dns *dns, struct dns_question *question)
{
    if (!loop_timer_armed(&dns->tick) && tick_arm(dns) < 0) {
        question->answered(question, RESOLVER_FAILED, NULL, 0);
        return;
    }
    question->dns = dns;
    question->set = &dns->sets[dns->current];
    question->again = false;
    question->set->questions++;
    question_send(question, &question->set->first);
}

/* The question is its owner's again: nothing of it may be used after this. */
static void
question_finish(struct dns_question *q, enum resolver_status status, const struct addr *addresses,
    size_t count)
{
    struct dns *dns = q->dns;
    struct dns_set *set = q->set;

    if (--set->questions == 0 && dns->waiting && set != &dns->sets[dns->current])
        loop_defer(dns->loop, &dns->adopt);
    q->set = NULL;
    q->answered(q, status, addresses, count);
}

static size_t
parse_ipv4(const unsigned char *message, int len, struct addr *out, int *status)
{
    struct ares_addrttl records[RESOLVER_ADDRESSES_MAX];
    int count = RESOLVER_ADDRESSES_MAX;

    *status = ares_parse_a_reply(message, len, NULL, records, &count);
    if (*status != ARES_SUCCESS)
        return 0;
    for (int i = 0; i < count; i++)
        out[i] = addr_ipv4((const uint8_t *)&records[i].ipaddr, 0);
    return (size_t)count;
}

static size_t
parse_ipv6(const unsigned char *message, int len, struct addr *out, int *status)
{
    struct ares_addr6ttl records[RESOLVER_ADDRESSES_MAX];
    int count = RESOLVER_ADDRESSES_MAX;

    *status = ares_parse_aaaa_reply(message, len, NULL, records, &count);
    if (*status != ARES_SUCCESS)
        return 0;
    for (int i = 0; i < count; i++) {
        struct addr a = addr_ipv6((const uint8_t *)&records[i].ip6addr, 0);

        /* An IPv4-mapped one is judged as what it reaches. */
        out[i] = addr_unmap(&a);
    }
    return (size_t)count;
}

static void
question_parse(struct dns_question *q, const unsigned char *message, int len)
{
    struct addr addresses[RESOLVER_ADDRESSES_MAX];
    int status;
    size_t count = q->family == ADDR_IPV4 ? parse_ipv4(message, len, addresses, &status)
                                          : parse_ipv6(message, len, addresses, &status);

    /* A chain of aliases that ends in no address of this family is no error to c-ares. */
    if (status == ARES_SUCCESS && count == 0)
        status = ARES_ENODATA;
    question_finish(q, status_of(status), addresses, count);
}

static void
query_answered(void *arg, int ares_status, int timeouts, unsigned char *message, int len)
{
    struct dns_question *q = arg;
    enum resolver_status status = status_of(ares_status);

    (void)timeouts;
    if (q->dns->ending)
        return;
    if (ares_status == ARES_ECONNREFUSED && is_exhausted(errno))
        status = RESOLVER_FAILED;
    if (status == RESOLVER_SERVFAIL && !q->again && q->set->servers > 1) {
        q->again = true;
        question_send(q, &q->set->others);
        return;
    }
    /* The others did not help: what the first one said stands. */
    if (q->again && (status == RESOLVER_TIMEOUT || status == RESOLVER_FAILED))
        status = RESOLVER_SERVFAIL;
    if (status == RESOLVER_OK)
        question_parse(q, message, len);
    else
        question_finish(q, status, NULL, 0);
}

/* ---- life ---- */

static int
set_open(struct dns_set *set, struct dns *dns, unsigned timeout_ms, unsigned attempts)
{
    if (dns_channel_open(&set->first, dns, ARES_FLAG_NOCHECKRESP, timeout_ms, attempts) < 0)
        return -1;
    return dns_channel_open(&set->others, dns, 0, timeout_ms, 1);
}

static int64_t
tick_length(unsigned timeout_ms)
{
    int64_t us = timeout_ms * CLOCK_MSEC_US / TICKS_PER_TIMEOUT;

    if (us < TICK_MIN_US)
        return TICK_MIN_US;
    return us < TICK_MAX_US ? us : TICK_MAX_US;
}

struct dns *
dns_new(struct loop *loop, unsigned timeout_ms, unsigned attempts)
{
    struct dns *dns;

    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS
        || (dns = calloc(1, sizeof *dns)) == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    dns->loop = loop;
    dns->adopt.run = adopt_run;
    dns->tick.expired = tick_expired;
    dns->tick_us = tick_length(timeout_ms);
    if (set_open(&dns->sets[0], dns, timeout_ms, attempts) < 0
        || set_open(&dns->sets[1], dns, timeout_ms, attempts) < 0) {
        int error = errno;

        dns_free(&dns);
        errno = error;
    }
    return dns;
}

void
dns_free(struct dns **dns)
{
    struct dns *d = *dns;

    if (d == NULL)
        return;
    *dns = NULL;
    d->ending = true;
    for (size_t i = 0; i < SP_COUNT(d->sets); i++) {
        dns_channel_close(&d->sets[i].first);
        dns_channel_close(&d->sets[i].others);
    }
    loop_task_cancel(d->loop, &d->adopt);
    loop_timer_cancel(d->loop, &d->tick);
    free(d);
    ares_library_cleanup();
}
