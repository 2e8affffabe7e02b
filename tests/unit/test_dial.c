/* SPDX-License-Identifier: ISC */
/* src/net/dial.c: which address when, over real sockets of the loopback. */
#include "tests/unit/dial_tools.h"

#include "lib/base/fd.h"

#include <errno.h>

/* ---- none, one ---- */

static void
test_added_without_more(void **state)
{
    struct peer p = peer_open("[::1]:0", 8);
    struct caller c;

    (void)state;
    caller_begin(&c, PATIENCE_US);
    caller_add(&c, &p.address);
    caller_finish(&c);
    assert_int_equal(c.result.error, 0);
    caller_hang_up(&c);
    peer_close(&p);
}

static void
test_no_address(void **state)
{
    struct caller c;

    (void)state;
    caller_dial(&c, NULL, 0);
    assert_int_equal(c.result.error, EHOSTUNREACH);
    assert_int_equal(c.result.address.family, ADDR_NONE);
}

static void
test_deadline(void **state)
{
    struct peer p = peer_blackhole("127.0.0.1:0");
    struct caller c;

    (void)state;
    caller_begin(&c, 100 * MS);
    caller_add(&c, &p.address);
    caller_more(&c, false, false);
    caller_finish(&c);
    assert_int_equal(c.result.error, ETIMEDOUT);
    assert_true(addr_equal(&c.result.address, &p.address));
    assert_true(c.took_us >= 100 * MS);
    peer_close(&p);
}

/* ---- several addresses ---- */

static void
test_next_after_failure(void **state)
{
    struct peer p = peer_open("127.0.0.1:0", 8);
    struct addr list[] = { peer_refusing("127.0.0.1:0"), peer_refusing("127.0.0.2:0"), p.address };
    int64_t best = PATIENCE_US;
    struct caller c;

    (void)state;
    /* At once, that is without the attempt delay; a busy machine gets three tries to show it. */
    for (int i = 0; i < 3 && best >= DIAL_ATTEMPT_DELAY_MS * MS; i++) {
        caller_dial(&c, list, SP_COUNT(list));
        assert_int_equal(c.result.error, 0);
        assert_true(addr_equal(&c.result.address, &p.address));
        caller_hang_up(&c);
        best = c.took_us < best ? c.took_us : best;
    }
    assert_true(best < DIAL_ATTEMPT_DELAY_MS * MS);
    peer_close(&p);
}

static void
test_next_after_delay(void **state)
{
    struct peer hole = peer_blackhole("127.0.0.1:0");
    struct peer p = peer_open("127.0.0.1:0", 8);
    struct addr list[] = { hole.address, p.address };
    struct caller c;

    (void)state;
    caller_dial(&c, list, SP_COUNT(list));
    assert_int_equal(c.result.error, 0);
    assert_true(addr_equal(&c.result.address, &p.address));
    assert_true(c.took_us >= DIAL_ATTEMPT_DELAY_MS * MS);
    caller_hang_up(&c);
    peer_close(&hole);
    peer_close(&p);
}

static void
test_preferred_family(void **state)
{
    struct peer four = peer_open("127.0.0.1:0", 8);
    struct peer six = peer_open("[::1]:0", 8);
    struct addr list[] = { four.address, six.address };
    static const struct {
        enum dial_prefer prefer;
        int family;
    } cases[] = { { DIAL_PREFER_ANY, ADDR_IPV6 }, { DIAL_PREFER_IPV6, ADDR_IPV6 },
        { DIAL_PREFER_IPV4, ADDR_IPV4 } };
    struct caller c;

    (void)state;
    for (size_t i = 0; i < SP_COUNT(cases); i++) {
        settings.prefer = cases[i].prefer;
        caller_dial(&c, list, SP_COUNT(list));
        assert_int_equal(c.result.error, 0);
        assert_int_equal(c.result.address.family, cases[i].family);
        caller_hang_up(&c);
    }
    peer_close(&four);
    peer_close(&six);
}

/* The families take turns: behind one silent IPv6 address comes IPv4, not the other IPv6 one. */
static void
test_families_alternate(void **state)
{
    struct peer hole = peer_blackhole("[::1]:0");
    struct peer six = peer_open("[::1]:0", 8);
    struct peer four = peer_open("127.0.0.1:0", 8);
    struct addr list[] = { hole.address, six.address, four.address };
    struct caller c;

    (void)state;
    caller_dial(&c, list, SP_COUNT(list));
    assert_int_equal(c.result.error, 0);
    assert_true(addr_equal(&c.result.address, &four.address));
    caller_hang_up(&c);
    peer_close(&hole);
    peer_close(&six);
    peer_close(&four);
}

static void
test_waits_for_preferred_family(void **state)
{
    struct peer four = peer_open("127.0.0.1:0", 8);
    struct peer six = peer_open("[::1]:0", 8);
    struct caller c;

    (void)state;
    /* It never comes. */
    caller_begin(&c, PATIENCE_US);
    caller_add(&c, &four.address);
    caller_more(&c, false, true);
    caller_finish(&c);
    assert_int_equal(c.result.address.family, ADDR_IPV4);
    assert_true(c.took_us >= DIAL_RESOLUTION_DELAY_MS * MS);
    caller_hang_up(&c);
    /* It comes in time. */
    caller_begin(&c, PATIENCE_US);
    caller_add(&c, &four.address);
    caller_more(&c, false, true);
    caller_add(&c, &six.address);
    caller_more(&c, false, false);
    caller_finish(&c);
    assert_int_equal(c.result.address.family, ADDR_IPV6);
    caller_hang_up(&c);
    /* IPv6 itself waits for nobody. */
    caller_begin(&c, PATIENCE_US);
    caller_add(&c, &six.address);
    caller_more(&c, true, false);
    caller_finish(&c);
    assert_int_equal(c.result.address.family, ADDR_IPV6);
    caller_hang_up(&c);
    peer_close(&four);
    peer_close(&six);
}

static void
test_negative_answer_ends_the_wait(void **state)
{
    struct peer four = peer_open("127.0.0.1:0", 8);
    int64_t best = PATIENCE_US;
    struct caller c;

    (void)state;
    for (int i = 0; i < 3 && best >= DIAL_RESOLUTION_DELAY_MS * MS; i++) {
        caller_begin(&c, PATIENCE_US);
        caller_add(&c, &four.address);
        caller_more(&c, false, true);
        caller_more(&c, false, false);
        caller_finish(&c);
        caller_hang_up(&c);
        best = c.took_us < best ? c.took_us : best;
    }
    assert_true(best < DIAL_RESOLUTION_DELAY_MS * MS);
    peer_close(&four);
}

static void
test_late_address(void **state)
{
    struct peer p = peer_open("127.0.0.1:0", 8);
    struct addr no = peer_refusing("[::1]:0");
    struct caller c;

    (void)state;
    caller_begin(&c, PATIENCE_US);
    caller_add(&c, &no);
    caller_more(&c, true, false);
    dial_turn_for(20 * MS);
    assert_int_equal(c.calls, 0);
    caller_add(&c, &p.address);
    caller_more(&c, false, false);
    caller_finish(&c);
    assert_int_equal(c.result.error, 0);
    caller_hang_up(&c);
    caller_begin(&c, PATIENCE_US);
    caller_add(&c, &no);
    caller_more(&c, true, false);
    dial_turn_for(20 * MS);
    caller_more(&c, false, false);
    caller_finish(&c);
    assert_int_equal(c.result.error, ECONNREFUSED);
    peer_close(&p);
}

static void
test_error_that_stands_for_all(void **state)
{
    struct addr no = peer_refusing("127.0.0.1:0");
    struct addr odd = address_of("255.255.255.255:80");
    struct addr odd_too = address_of("224.0.0.1:80");
    struct addr forward[] = { odd, no, odd_too };
    struct addr backward[] = { no, odd_too, odd };
    struct caller c;

    (void)state;
    caller_dial(&c, forward, SP_COUNT(forward));
    assert_int_equal(c.result.error, ECONNREFUSED);
    assert_true(addr_equal(&c.result.address, &no));
    caller_dial(&c, backward, SP_COUNT(backward));
    assert_int_equal(c.result.error, ECONNREFUSED);
}

static void
test_attempts_are_bounded(void **state)
{
    struct peer holes[6];
    struct peer p = peer_open("127.0.0.1:0", 8);
    struct caller c;
    int before;
    int most = 0;

    (void)state;
    for (size_t i = 0; i < SP_COUNT(holes); i++)
        holes[i] = peer_blackhole("127.0.0.1:0");
    before = fd_count_open();
    caller_begin(&c, PATIENCE_US);
    for (size_t i = 0; i < SP_COUNT(holes); i++)
        caller_add(&c, &holes[i].address);
    caller_add(&c, &p.address);
    caller_more(&c, false, false);
    while (c.calls == 0) {
        assert_int_equal(loop_turn(loop, 1000), 0);
        int now = fd_count_open() - before;

        most = now > most ? now : most;
    }
    /* Four at a time, and silent ones do not keep the last address from its try. */
    assert_int_equal(most, DIAL_ATTEMPTS_MAX);
    assert_int_equal(c.result.error, 0);
    assert_true(c.took_us >= DIAL_ATTEMPT_PATIENCE_MS * MS);
    assert_int_equal(fd_count_open(), before + 1);
    caller_hang_up(&c);
    for (size_t i = 0; i < SP_COUNT(holes); i++)
        peer_close(&holes[i]);
    peer_close(&p);
}

static void
test_many_addresses(void **state)
{
    struct addr a = peer_refusing("127.0.0.1:0");
    struct caller c;

    (void)state;
    caller_begin(&c, PATIENCE_US);
    for (uint8_t i = 0; i < DIAL_ADDRESSES_MAX; i++) {
        a.ip[3] = i;
        caller_add(&c, &a);
        caller_add(&c, &a);
    }
    a.ip[2] = 1;
    errno = 0;
    assert_int_equal(dial_add(c.dial, &a), -1);
    assert_int_equal(errno, ENOBUFS);
    caller_more(&c, false, false);
    caller_finish(&c);
    assert_int_equal(c.result.error, ECONNREFUSED);
}

/* ---- calling off: teardown counts the descriptors ---- */

static void
test_freed_at_every_stage(void **state)
{
    struct peer hole = peer_blackhole("127.0.0.1:0");
    struct peer p = peer_open("127.0.0.1:0", 8);
    struct addr list[] = { hole.address, p.address };
    struct caller c;

    (void)state;
    for (int stage = 0; stage < 6; stage++) {
        caller_begin(&c, PATIENCE_US);
        if (stage >= 1)
            caller_add(&c, stage == 5 ? &list[1] : &list[0]);
        if (stage == 2)
            caller_more(&c, false, true);
        if (stage >= 3)
            caller_more(&c, false, false);
        if (stage == 4)
            dial_turn_for(10 * MS);
        dial_free(&c.dial);
        assert_null(c.dial);
        dial_turn_for(2 * MS);
        assert_int_equal(c.calls, 0);
    }
    dial_free(&c.dial);
    peer_close(&hole);
    peer_close(&p);
}

static void
test_not_taken(void **state)
{
    struct peer p = peer_open("127.0.0.1:0", 8);
    struct caller c;
    int before = fd_count_open();

    (void)state;
    caller_begin(&c, PATIENCE_US);
    c.leave = true;
    caller_add(&c, &p.address);
    caller_more(&c, false, false);
    caller_finish(&c);
    assert_int_equal(c.result.error, 0);
    assert_int_equal(fd_count_open(), before);
    peer_close(&p);
}

/* ---- addresses that are not wanted any more ---- */

static struct addr unwanted[2];
static unsigned asked;

static bool
keep(void *ctx, const struct addr *address)
{
    (void)ctx;
    asked++;
    return !addr_equal(address, &unwanted[0]) && !addr_equal(address, &unwanted[1]);
}

/* One being tried and one that waits are forgotten: the third is tried at once. */
static void
test_retain_some(void **state)
{
    struct peer hole = peer_blackhole("127.0.0.1:0");
    struct peer wrong = peer_open("127.0.0.1:0", 8), six = peer_open("[::1]:0", 8);
    struct peer p = peer_open("127.0.0.2:0", 8);
    struct caller c;

    (void)state;
    settings.prefer = DIAL_PREFER_IPV4;
    unwanted[0] = hole.address;
    unwanted[1] = wrong.address;
    asked = 0;
    caller_begin(&c, PATIENCE_US);
    caller_add(&c, &hole.address);
    caller_add(&c, &wrong.address);
    caller_add(&c, &p.address);
    caller_more(&c, false, false);
    assert_int_equal(dial_retain(c.dial, keep, NULL), 1);
    assert_int_equal(asked, 3);
    caller_finish(&c);
    assert_int_equal(c.result.error, 0);
    assert_true(addr_equal(&c.result.address, &p.address));
    caller_hang_up(&c);
    /* The families' places in the list move with it. */
    unwanted[0] = p.address;
    caller_begin(&c, PATIENCE_US);
    caller_add(&c, &hole.address);
    caller_add(&c, &p.address);
    caller_add(&c, &wrong.address);
    caller_add(&c, &six.address);
    caller_more(&c, false, false);
    assert_int_equal(dial_retain(c.dial, keep, NULL), 2);
    caller_finish(&c);
    assert_int_equal(c.result.error, 0);
    assert_true(addr_equal(&c.result.address, &six.address));
    caller_hang_up(&c);
    peer_close(&hole);
    peer_close(&wrong);
    peer_close(&six);
    peer_close(&p);
}

static void
test_retain_none(void **state)
{
    struct peer hole = peer_blackhole("127.0.0.1:0");
    struct caller c;

    (void)state;
    unwanted[0] = unwanted[1] = hole.address;
    caller_begin(&c, PATIENCE_US);
    caller_add(&c, &hole.address);
    caller_more(&c, false, false);
    assert_int_equal(dial_retain(c.dial, keep, NULL), 0);
    caller_finish(&c);
    assert_int_equal(c.result.error, EHOSTUNREACH);
    peer_close(&hole);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, dial_setup, dial_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_added_without_more),
        WITH(test_no_address),
        WITH(test_deadline),
        WITH(test_next_after_failure),
        WITH(test_next_after_delay),
        WITH(test_preferred_family),
        WITH(test_families_alternate),
        WITH(test_waits_for_preferred_family),
        WITH(test_negative_answer_ends_the_wait),
        WITH(test_late_address),
        WITH(test_error_that_stands_for_all),
        WITH(test_attempts_are_bounded),
        WITH(test_many_addresses),
        WITH(test_freed_at_every_stage),
        WITH(test_not_taken),
        WITH(test_retain_some),
        WITH(test_retain_none),
    };

    return cmocka_run_group_tests_name("dial", tests, NULL, NULL);
}
