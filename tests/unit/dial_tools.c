/* SPDX-License-Identifier: ISC */
/* Peers to dial and a caller who dials them. Serves the unit tests of src/net/dial*.c. */
#include "tests/unit/dial_tools.h"

#include "lib/base/fd.h"

#include <errno.h>
#include <unistd.h>

struct loop *loop;
struct dial_settings settings;
static int descriptors;

struct addr
address_of(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(text, &a), 0);
    return a;
}

static int
stream_to(const struct addr *a)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(a, &ss);
    int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)connect(fd, (struct sockaddr *)&ss, len);
    return fd;
}

struct peer
peer_open(const char *text, int backlog)
{
    struct peer p = { .address = address_of(text) };
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(&p.address, &ss);

    p.fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(p.fd >= 0);
    assert_int_equal(bind(p.fd, (struct sockaddr *)&ss, len), 0);
    assert_int_equal(listen(p.fd, backlog), 0);
    assert_int_equal(getsockname(p.fd, (struct sockaddr *)&ss, &len), 0);
    p.address = addr_from_sockaddr((struct sockaddr *)&ss, len);
    memset(p.crowd, -1, sizeof p.crowd);
    return p;
}

struct peer
peer_blackhole(const char *text)
{
    struct peer p = peer_open(text, 0);

    for (int i = 0; i < CROWD; i++)
        p.crowd[i] = stream_to(&p.address);
    return p;
}

void
peer_close(struct peer *p)
{
    for (int i = 0; i < CROWD; i++)
        fd_close(&p->crowd[i]);
    fd_close(&p->fd);
}

/* An address nobody listens at. */
struct addr
peer_refusing(const char *text)
{
    struct peer p = peer_open(text, 1);

    peer_close(&p);
    return p.address;
}

static void
on_event(struct loop_io *io, uint32_t events)
{
    struct caller *c = (struct caller *)((char *)io - offsetof(struct caller, io));

    c->events |= events;
}

static void
on_finished(struct dial *dial, const struct dial_result *result, void *ctx)
{
    struct caller *c = ctx;

    assert_ptr_equal(dial, c->dial);
    c->calls++;
    c->result = *result;
    loop_refresh(loop);
    c->took_us = mono_diff_us(loop_now(loop), c->began);
    if (result->error == 0 && !c->leave) {
        c->io.ready = on_event;
        c->fd = dial_take(dial, &c->io);
        assert_true(loop_io_active(&c->io));
    }
    dial_free(&c->dial);
    assert_null(c->dial);
}

void
caller_begin(struct caller *c, int64_t deadline_us)
{
    memset(c, 0, sizeof *c);
    c->fd = -1;
    loop_refresh(loop);
    c->began = loop_now(loop);
    c->dial = dial_start(loop, &settings, mono_add_us(c->began, deadline_us), on_finished, c);
    assert_non_null(c->dial);
}

void
caller_add(struct caller *c, const struct addr *a)
{
    assert_int_equal(dial_add(c->dial, a), 0);
    assert_int_equal(c->calls, 0);
}

void
caller_more(struct caller *c, bool ipv4_pending, bool ipv6_pending)
{
    dial_more(c->dial, ipv4_pending, ipv6_pending);
    assert_int_equal(c->calls, 0);
}

void
caller_finish(struct caller *c)
{
    struct mono deadline = mono_add_us(mono_read(), PATIENCE_US);

    while (c->calls == 0) {
        assert_true(mono_before(mono_read(), deadline));
        assert_int_equal(loop_turn(loop, 1000), 0);
    }
    assert_int_equal(c->calls, 1);
}

/* Ends what a success left behind. */
void
caller_hang_up(struct caller *c)
{
    if (c->fd >= 0)
        loop_io_del(loop, &c->io, c->fd);
    fd_close(&c->fd);
}

void
caller_dial(struct caller *c, const struct addr *list, size_t count)
{
    caller_begin(c, PATIENCE_US);
    for (size_t i = 0; i < count; i++)
        caller_add(c, &list[i]);
    caller_more(c, false, false);
    caller_finish(c);
}

void
dial_turn_for(int64_t us)
{
    struct mono deadline = mono_add_us(mono_read(), us);

    while (mono_before(mono_read(), deadline))
        assert_int_equal(loop_turn(loop, 5), 0);
}

int
dial_setup(void **state)
{
    (void)state;
    memset(&settings, 0, sizeof settings);
    settings.user_timeout_ms = 30000;
    descriptors = fd_count_open();
    loop = loop_new();
    assert_non_null(loop);
    return 0;
}

int
dial_teardown(void **state)
{
    (void)state;
    loop_free(&loop);
    assert_int_equal(fd_count_open(), descriptors);
    return 0;
}
