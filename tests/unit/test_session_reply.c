/* SPDX-License-Identifier: ISC */
/* Every errno of connecting and every answer of the resolver has its reply code and reason. */
#include "tests/unit/unit.h"

#include "src/session/session_private.h"

#include <errno.h>

static const struct {
    int error;
    int reply;
} expected[] = {
    { ENETUNREACH, 3 }, { ENETDOWN, 3 }, { EHOSTUNREACH, 4 }, { EHOSTDOWN, 4 }, { ETIMEDOUT, 4 },
    { EINVAL, 4 }, { ETIME, 6 }, { ECONNREFUSED, 5 }, { ECONNRESET, 5 }, { EACCES, 2 }, { EPERM, 2 },
    { EAFNOSUPPORT, 8 }, { EADDRNOTAVAIL, 1 }, { EADDRINUSE, 1 }, { EMFILE, 1 }, { ENFILE, 1 }, { ENOMEM, 1 },
    { ENOBUFS, 1 },
};

static void
test_errno(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(expected); i++) {
        struct reply_row row = reply_for_errno(expected[i].error);

        assert_int_equal(row.reply, expected[i].reply);
        assert_int_not_equal(row.reason, REASON_NONE);
    }
}

static void
test_resolver(void **state)
{
    (void)state;
    assert_int_equal(reply_for_resolver(RESOLVER_NXDOMAIN).reply, 4);
    assert_int_equal(reply_for_resolver(RESOLVER_NXDOMAIN).reason, REASON_NXDOMAIN);
    assert_int_equal(reply_for_resolver(RESOLVER_NODATA).reason, REASON_NO_ADDRESS);
    assert_int_equal(reply_for_resolver(RESOLVER_SERVFAIL).reason, REASON_SERVFAIL);
    assert_int_equal(reply_for_resolver(RESOLVER_TIMEOUT).reason, REASON_DNS_TIMEOUT);
    assert_int_equal(reply_for_resolver(RESOLVER_FAILED).reply, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_resolver),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
