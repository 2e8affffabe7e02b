/* SPDX-License-Identifier: ISC */
/* Who asks and hears, with the DNS server to ask. Serves the unit tests of src/net/resolver*.c. */
#include "tests/unit/resolver_tools.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_US (INT64_C(20) * CLOCK_SECOND_US)

struct dns_child dns;
struct loop *loop;
struct resolver *resolver;
struct addr asker_client = { .family = ADDR_IPV4, .ip = { 192, 0, 2, 1 } };

void
asker_answered(struct resolver_query *query, enum addr_family family, enum resolver_status status,
    const struct addr *addresses, size_t count, unsigned pending)
{
    struct asker *a = (struct asker *)query;
    struct heard *h = family == ADDR_IPV4 ? &a->ipv4 : &a->ipv6;

    assert_true(family == ADDR_IPV4 || family == ADDR_IPV6);
    assert_true((status == RESOLVER_OK) == (count > 0));
    h->calls++;
    h->status = status;
    h->count = count;
    h->at = loop_now(loop);
    if (count > 0)
        h->first = addresses[0];
    a->pending = pending;
    if (a->cancel)
        resolver_cancel(query);
    if (a->chain && pending == 0) {
        a->chain = false;
        assert_int_equal(resolver_start(resolver, query, &asker_client, "again.test", true, true), 0);
    }
}

void
asker_ask(struct asker *a, const char *name)
{
    a->query.answered = asker_answered;
    assert_int_equal(resolver_start(resolver, &a->query, &asker_client, name, true, true), 0);
    assert_int_equal(a->ipv4.calls + a->ipv6.calls, 0);
    assert_non_null(a->query.lookup);
}

void
asker_finish(struct asker *a)
{
    struct mono deadline = mono_add_us(mono_read(), PATIENCE_US);

    while (a->query.lookup != NULL) {
        assert_true(mono_before(mono_read(), deadline));
        assert_int_equal(loop_turn(loop, 1000), 0);
    }
}

/* Turns until nothing can come any more for `us`. */
void
resolver_turn_for(int64_t us)
{
    struct mono deadline = mono_add_us(mono_read(), us);

    while (mono_before(mono_read(), deadline))
        assert_int_equal(loop_turn(loop, 5), 0);
}

struct asker
asker_resolve(const char *name)
{
    struct asker a;

    memset(&a, 0, sizeof a);
    asker_ask(&a, name);
    asker_finish(&a);
    assert_int_equal(a.pending, 0);
    assert_int_equal(a.ipv4.calls, 1);
    assert_int_equal(a.ipv6.calls, 1);
    return a;
}

struct addr
server_at(uint16_t port)
{
    struct addr a;

    assert_int_equal(addr_parse_ip("127.0.0.1", &a), 0);
    a.port = port;
    return a;
}

/* A port nobody listens at: bound and closed again. */
uint16_t
closed_port(void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof sin;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
    close(fd);
    return ntohs(sin.sin_port);
}

void
use_servers(const uint16_t *ports, size_t count)
{
    struct addr list[RESOLVER_SERVERS_MAX];

    for (size_t i = 0; i < count; i++)
        list[i] = server_at(ports[i]);
    assert_int_equal(resolver_set_servers(resolver, list, count), 0);
}

static int
resolver_up(unsigned timeout_ms, unsigned attempts)
{
    struct resolver_settings settings = { timeout_ms, attempts, true };

    loop = loop_new();
    assert_non_null(loop);
    resolver = resolver_new(loop, &settings);
    assert_non_null(resolver);
    use_servers(&dns.port, 1);
    dns_child_order(&dns, "clear");
    return 0;
}

int
resolver_setup(void **state)
{
    (void)state;
    return resolver_up(2000, 2);
}

/* Asks often enough to outlive datagrams that a busy machine drops. */
int
resolver_setup_patient(void **state)
{
    (void)state;
    return resolver_up(2000, 6);
}

int
resolver_setup_impatient(void **state)
{
    (void)state;
    return resolver_up(60, 2);
}

int
resolver_teardown(void **state)
{
    (void)state;
    resolver_free(&resolver);
    assert_null(resolver);
    loop_free(&loop);
    return 0;
}

void
assert_status(const struct asker *a, enum resolver_status ipv4, enum resolver_status ipv6)
{
    assert_string_equal(resolver_status_text(a->ipv4.status), resolver_status_text(ipv4));
    assert_string_equal(resolver_status_text(a->ipv6.status), resolver_status_text(ipv6));
}

void
assert_first(const struct heard *h, const char *text)
{
    struct addr wanted;

    assert_int_equal(addr_parse_ip(text, &wanted), 0);
    assert_true(addr_equal(&h->first, &wanted));
}

int
resolver_group_setup(void **state)
{
    (void)state;
    dns_child_start(&dns);
    return 0;
}

int
resolver_group_teardown(void **state)
{
    (void)state;
    dns_child_stop(&dns);
    return 0;
}
