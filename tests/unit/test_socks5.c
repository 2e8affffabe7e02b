/* SPDX-License-Identifier: ISC */
/* lib/socks/socks5.c */
#include "tests/unit/unit.h"

#include "lib/socks/socks5.h"

/* --- the hello ---------------------------------------------------------------------------------
 */

/* Every prefix of the len bytes is a beginning and stores nothing; the whole, with and without
   bytes behind it, is the same message. */
static void
hello_splits(const uint8_t *message, size_t len, struct socks5_hello *out)
{
    static const uint8_t poison = 0x5a;
    for (size_t n = 0; n < len; n++) {
        struct socks5_hello h;
        struct socks5_hello untouched;
        memset(&h, poison, sizeof(h));
        memset(&untouched, poison, sizeof(untouched));
        uint8_t *copy = unit_copy(message, n);
        assert_int_equal(socks5_hello_decode(copy, n, &h), SOCKS_MORE);
        assert_memory_equal(&h, &untouched, sizeof(h));
        free(copy);
    }
    uint8_t *copy = unit_copy(message, len);
    assert_int_equal(socks5_hello_decode(copy, len, out), SOCKS_DONE);
    assert_int_equal(out->used, len);
    free(copy);
    struct unit_random r = UNIT_RANDOM_INIT;
    for (size_t more = 1; more < 40; more++) {
        uint8_t long_message[SOCKS5_HELLO_MAX + 40];
        struct socks5_hello h;
        memcpy(long_message, message, len);
        unit_random_fill(&r, long_message + len, more);
        assert_int_equal(socks5_hello_decode(long_message, len + more, &h), SOCKS_DONE);
        assert_int_equal(h.used, out->used);
        assert_int_equal(h.count, out->count);
        assert_memory_equal(h.offered, out->offered, sizeof(h.offered));
    }
}

static void
test_hello_every_count(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    for (size_t count = 0; count <= 255; count++) {
        uint8_t message[SOCKS5_HELLO_MAX] = { 5, (uint8_t)count };
        unit_random_fill(&r, message + 2, count);
        struct socks5_hello h;
        hello_splits(message, 2 + count, &h);
        assert_int_equal(h.count, count);
        for (unsigned method = 0; method < 256; method++) {
            const bool offered = memchr(message + 2, (int)method, count) != NULL;
            assert_int_equal(socks5_hello_offers(&h, (uint8_t)method), offered);
        }
    }
}

static void
test_hello_repeated_method(void **state)
{
    (void)state;
    struct socks5_hello h;
    assert_int_equal(socks5_hello_decode("\x05\x03\x02\x02\x02", 5, &h), SOCKS_DONE);
    assert_int_equal(h.count, 3);
    assert_true(socks5_hello_offers(&h, SOCKS_METHOD_USERPASS));
    assert_false(socks5_hello_offers(&h, SOCKS_METHOD_NONE));
    assert_false(socks5_hello_offers(&h, SOCKS_METHOD_REFUSED));
}

static void
test_hello_version(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 256; version++) {
        const uint8_t message[] = { (uint8_t)version, 1, 0 };
        struct socks5_hello h = { .error = NULL };
        if (version == 5) {
            continue;
        }
        assert_int_equal(socks5_hello_decode(message, 3, &h), SOCKS_BAD);
        assert_string_equal(h.error, "version");
        assert_int_equal(socks5_hello_decode(message, 1, &h), SOCKS_BAD);
    }
}

static void
test_choice(void **state)
{
    (void)state;
    for (unsigned method = 0; method < 256; method++) {
        uint8_t out[SOCKS5_CHOICE_SIZE];
        socks5_choice_encode((uint8_t)method, out);
        assert_int_equal(out[0], 5);
        assert_int_equal(out[1], method);
    }
}

/* --- the request -------------------------------------------------------------------------------
 */

static void
request_same(const struct socks5_request *a, const struct socks5_request *b)
{
    assert_int_equal(a->command, b->command);
    assert_int_equal(a->atyp, b->atyp);
    assert_int_equal(a->reply, b->reply);
    assert_true(addr_equal(&a->addr, &b->addr));
    assert_int_equal(a->name_len, b->name_len);
    assert_memory_equal(a->name, b->name, a->name_len);
    assert_int_equal(a->used, b->used);
    if (a->error != NULL) {
        assert_string_equal(a->error, b->error);
    } else {
        assert_null(b->error);
    }
}

static void
request_splits(const uint8_t *message, size_t len, struct socks5_request *out)
{
    static const uint8_t poison = 0x5a;
    for (size_t n = 0; n < len; n++) {
        struct socks5_request q;
        struct socks5_request untouched;
        memset(&q, poison, sizeof(q));
        memset(&untouched, poison, sizeof(untouched));
        uint8_t *copy = unit_copy(message, n);
        assert_int_equal(socks5_request_decode(copy, n, &q), SOCKS_MORE);
        assert_memory_equal(&q, &untouched, sizeof(q));
        free(copy);
    }
    uint8_t *copy = unit_copy(message, len);
    assert_int_equal(socks5_request_decode(copy, len, out), SOCKS_DONE);
    assert_int_equal(out->used, len);
    free(copy);
    struct unit_random r = UNIT_RANDOM_INIT;
    for (size_t more = 1; more < 40; more++) {
        uint8_t long_message[SOCKS5_REQUEST_MAX + 40];
        struct socks5_request q;
        memcpy(long_message, message, len);
        unit_random_fill(&r, long_message + len, more);
        assert_int_equal(socks5_request_decode(long_message, len + more, &q), SOCKS_DONE);
        request_same(&q, out);
    }
}

static void
test_request_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        size_t len;
        const char *addr;
    } rows[] = {
        { "\x05\x01\x00\x01\xc0\x00\x02\x01\x01\xbb", 10, "192.0.2.1:443" },
        { "\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00", 10, "0.0.0.0:0" },
        { "\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\xff\xff", 22,
            "[2001:db8::1]:65535" },
        /* Mapped addresses stay as written here; the caller unmaps. */
        { "\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01\0\x50", 22,
            "[::ffff:127.0.0.1]:80" },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        for (uint8_t command = 1; command <= 3; command++) {
            uint8_t message[SOCKS5_REQUEST_MAX];
            char text[ADDR_TEXT_MAX];
            struct socks5_request q;
            memcpy(message, rows[i].message, rows[i].len);
            message[1] = command;
            request_splits(message, rows[i].len, &q);
            assert_int_equal(q.reply, SOCKS5_SUCCEEDED);
            assert_null(q.error);
            assert_int_equal(q.command, command);
            assert_int_equal(q.atyp, message[3]);
            assert_int_equal(q.name_len, 0);
            (void)addr_format(&q.addr, text);
            assert_string_equal(text, rows[i].addr);
        }
    }
}

/* VER CMD RSV ATYP 03, a name of random octets, NULs too, and a port. The length. */
static size_t
name_request(struct unit_random *r, uint8_t *out, size_t name_len, uint16_t port)
{
    const uint8_t head[] = { 5, 1, 0, 3, (uint8_t)name_len };
    memcpy(out, head, sizeof(head));
    unit_random_fill(r, out + 5, name_len);
    out[5 + name_len] = (uint8_t)(port >> 8);
    out[6 + name_len] = (uint8_t)port;
    return 7 + name_len;
}

static void
test_request_names(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    for (size_t name_len = 0; name_len <= 255; name_len++) {
        uint8_t message[SOCKS5_REQUEST_MAX];
        const uint16_t port = (uint16_t)unit_random(&r);
        const size_t len = name_request(&r, message, name_len, port);
        struct socks5_request q;
        request_splits(message, len, &q);
        assert_int_equal(q.atyp, SOCKS5_NAME);
        assert_int_equal(q.name_len, name_len);
        assert_memory_equal(q.name, message + 5, name_len);
        assert_int_equal(q.addr.family, ADDR_NONE);
        assert_int_equal(q.addr.port, port);
        assert_int_equal(q.reply, name_len > 0 ? SOCKS5_SUCCEEDED : SOCKS5_GENERAL_FAILURE);
    }
}

static void
test_request_errors(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        size_t len; /* what the message takes */
        enum socks5_reply reply;
        const char *error;
    } rows[] = {
        /* an unknown command: the whole message is awaited */
        { "\x05\x00\x00\x01\x7f\0\0\x01\0\x50", 10, SOCKS5_COMMAND_NOT_SUPPORTED, "command" },
        { "\x05\x04\x00\x01\x7f\0\0\x01\0\x50", 10, SOCKS5_COMMAND_NOT_SUPPORTED, "command" },
        { "\x05\xff\x00\x03\x01"
          "a\0\x50",
            8, SOCKS5_COMMAND_NOT_SUPPORTED, "command" },
        /* the command comes before everything else */
        { "\x05\x04\x00\x03\x00\0\x50", 7, SOCKS5_COMMAND_NOT_SUPPORTED, "command" },
        { "\x05\x04\x00\x02", 4, SOCKS5_COMMAND_NOT_SUPPORTED, "command" },
        { "\x05\x04\x01\x02", 4, SOCKS5_COMMAND_NOT_SUPPORTED, "command" },
        /* reserved */
        { "\x05\x01\x01\x01\x7f\0\0\x01\0\x50", 10, SOCKS5_GENERAL_FAILURE, "reserved" },
        { "\x05\x01\xff\x03\x00\0\x50", 7, SOCKS5_GENERAL_FAILURE, "reserved" },
        { "\x05\x01\x01\x02", 4, SOCKS5_GENERAL_FAILURE, "reserved" },
        /* an unknown address type ends at the fourth byte */
        { "\x05\x01\x00\x00", 4, SOCKS5_ADDRESS_NOT_SUPPORTED, "address type" },
        { "\x05\x01\x00\x02", 4, SOCKS5_ADDRESS_NOT_SUPPORTED, "address type" },
        { "\x05\x03\x00\x05", 4, SOCKS5_ADDRESS_NOT_SUPPORTED, "address type" },
        { "\x05\x02\x00\xff", 4, SOCKS5_ADDRESS_NOT_SUPPORTED, "address type" },
        { "\x05\x01\x00\x03\x00\0\x50", 7, SOCKS5_GENERAL_FAILURE, "name" },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct socks5_request q;
        request_splits((const uint8_t *)rows[i].message, rows[i].len, &q);
        assert_int_equal(q.reply, rows[i].reply);
        assert_string_equal(q.error, rows[i].error);
        assert_int_equal(q.command, (uint8_t)rows[i].message[1]);
        assert_int_equal(q.atyp, (uint8_t)rows[i].message[3]);
    }
}

static void
test_request_version(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 256; version++) {
        const uint8_t message[] = { (uint8_t)version, 1, 0, 1, 127, 0, 0, 1, 0, 80 };
        struct socks5_request q = { .error = NULL };
        if (version == 5) {
            continue;
        }
        assert_int_equal(socks5_request_decode(message, 1, &q), SOCKS_BAD);
        assert_string_equal(q.error, "version");
        assert_int_equal(socks5_request_decode(message, sizeof(message), &q), SOCKS_BAD);
    }
}

/* Random bytes behind a plausible head: an answer, never a byte read too far, never more used than
   given, and the same answer for exactly the bytes it used. */
static void
test_garbage(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    unsigned done = 0;
    for (int i = 0; i < 200000; i++) {
        const size_t len = unit_random(&r) % (i % 3 == 0 ? 300 : 24);
        uint8_t *bytes = malloc(len + 1);
        assert_non_null(bytes);
        unit_random_fill(&r, bytes, len);
        if (i % 2 == 0 && len > 3) {
            bytes[0] = 5;
            bytes[1] %= 5;
            bytes[2] %= 2;
            bytes[3] %= 6;
        }
        uint8_t *copy = unit_copy(bytes, len);
        struct socks5_request q;
        struct socks5_request again;
        struct socks5_hello h;
        const enum socks_result result = socks5_request_decode(copy, len, &q);
        if (result == SOCKS_DONE) {
            done++;
            assert_true(q.used <= len && q.used <= SOCKS5_REQUEST_MAX);
            assert_int_equal(socks5_request_decode(copy, q.used, &again), SOCKS_DONE);
            request_same(&q, &again);
            assert_int_equal(socks5_request_decode(copy, q.used - 1, &again), SOCKS_MORE);
        } else {
            assert_int_equal(result == SOCKS_BAD, len > 0 && bytes[0] != 5);
        }
        if (socks5_hello_decode(copy, len, &h) == SOCKS_DONE) {
            assert_int_equal(h.used, 2U + h.count);
        }
        free(copy);
        free(bytes);
    }
    assert_true(done > 10000);
}

/* --- the reply ---------------------------------------------------------------------------------
 */

static void
test_reply_encode(void **state)
{
    (void)state;
    static const struct {
        const char *bound; /* NULL: none */
        const char *message;
        size_t len;
    } rows[] = {
        { "192.0.2.1:1080", "\x05\x00\x00\x01\xc0\x00\x02\x01\x04\x38", 10 },
        { "[2001:db8::1]:443", "\x05\x00\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb",
            22 },
        { NULL, "\x05\x00\x00\x01\0\0\0\0\0\0", 10 },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        for (unsigned reply = 0; reply <= SOCKS5_ADDRESS_NOT_SUPPORTED; reply++) {
            uint8_t out[SOCKS5_REPLY_MAX];
            uint8_t wanted[SOCKS5_REPLY_MAX];
            /* What a failed connect left in the port must not show. */
            struct addr bound = { .family = ADDR_NONE, .port = 99 };
            if (rows[i].bound != NULL) {
                assert_int_equal(addr_parse(rows[i].bound, &bound), 0);
            }
            memcpy(wanted, rows[i].message, rows[i].len);
            wanted[1] = (uint8_t)reply;
            assert_int_equal(
                socks5_reply_encode((enum socks5_reply)reply, &bound, out), rows[i].len);
            assert_memory_equal(out, wanted, rows[i].len);
        }
    }
}

static void
test_reply_text(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= 8; i++) {
        const char *text = socks5_reply_text((enum socks5_reply)i);
        assert_non_null(text);
        assert_string_not_equal(text, "unknown reply");
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(text, socks5_reply_text((enum socks5_reply)j));
        }
    }
    assert_string_equal(socks5_reply_text((enum socks5_reply)9), "unknown reply");
    assert_string_equal(socks5_reply_text((enum socks5_reply)255), "unknown reply");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello_every_count),
        cmocka_unit_test(test_hello_repeated_method),
        cmocka_unit_test(test_hello_version),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_request_addresses),
        cmocka_unit_test(test_request_names),
        cmocka_unit_test(test_request_errors),
        cmocka_unit_test(test_request_version),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_reply_encode),
        cmocka_unit_test(test_reply_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
