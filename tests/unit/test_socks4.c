/* SPDX-License-Identifier: ISC */
/* lib/socks/socks4.c */
#include "tests/unit/unit.h"

#include "lib/socks/socks4.h"

static void
same(const struct socks4_request *a, const struct socks4_request *b)
{
    assert_int_equal(a->command, b->command);
    assert_int_equal(a->named, b->named);
    assert_true(addr_equal(&a->addr, &b->addr));
    assert_int_equal(a->user_len, b->user_len);
    assert_memory_equal(a->user, b->user, a->user_len);
    assert_int_equal(a->name_len, b->name_len);
    assert_memory_equal(a->name, b->name, a->name_len);
    assert_ptr_equal(a->error, b->error);
    assert_int_equal(a->used, b->used);
}

/* Every prefix is a beginning and stores nothing; the whole, with and without bytes behind it, is the
   same message. */
static void
splits(const void *message, size_t len, struct socks4_request *out)
{
    for (size_t n = 0; n < len; n++) {
        struct socks4_request q, untouched;
        uint8_t *copy = unit_copy(message, n);
        memset(&q, 0x5a, sizeof(q));
        memset(&untouched, 0x5a, sizeof(untouched));
        assert_int_equal(socks4_request_decode(copy, n, &q), SOCKS_MORE);
        assert_memory_equal(&q, &untouched, sizeof(q));
        free(copy);
    }
    uint8_t *copy = unit_copy(message, len);
    assert_int_equal(socks4_request_decode(copy, len, out), SOCKS_DONE);
    assert_int_equal(out->used, len);
    free(copy);
    struct unit_random r = UNIT_RANDOM_INIT;
    for (size_t more = 1; more < 40; more++) {
        uint8_t longer[SOCKS4_REQUEST_MAX + 40];
        struct socks4_request q;
        memcpy(longer, message, len);
        unit_random_fill(&r, longer + len, more);
        assert_int_equal(socks4_request_decode(longer, len + more, &q), SOCKS_DONE);
        same(&q, out);
    }
}

static void
test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        size_t len;
        const char *addr;
        const char *user;
    } rows[] = {
        { "\x04\x01\x00\x50\xc0\x00\x02\x01"
          "fred",
            13, "192.0.2.1:80", "fred" },
        { "\x04\x01\x01\xbb\xff\xff\xff\xff", 9, "255.255.255.255:443", "" },
        { "\x04\x02\x00\x00\x00\x00\x00\x00\x80", 10, "0.0.0.0:0", "\x80" }, /* no name: x is 0 */
        { "\x04\x02\x00\x15\x00\x00\x01\x01", 9, "0.0.1.1:21", "" },
        { "\x04\x01\xff\xff\x00\x01\x00\x05"
          "a b",
            12, "0.1.0.5:65535", "a b" },
        { "\x04\x01\x00\x50\x01\x00\x00\x05", 9, "1.0.0.5:80", "" },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char text[ADDR_TEXT_MAX];
        struct socks4_request q;
        splits(rows[i].message, rows[i].len, &q);
        assert_null(q.error);
        assert_int_equal(q.command, (uint8_t)rows[i].message[1]);
        assert_false(q.named);
        assert_int_equal(q.user_len, strlen(rows[i].user));
        assert_memory_equal(q.user, rows[i].user, q.user_len);
        assert_int_equal(q.name_len, 0);
        (void)addr_format(&q.addr, text);
        assert_string_equal(text, rows[i].addr);
    }
}

/* VN CD DSTPORT DSTIP, USERID and NAME of random octets other than NUL. The length. */
static size_t
named_request(struct unit_random *r, uint8_t *out, uint8_t x, size_t user_len, size_t name_len)
{
    const uint8_t head[8] = { 4, 1, 0x1f, 0x90, 0, 0, 0, x };
    const size_t len = sizeof(head) + user_len + 1 + name_len + 1;
    memcpy(out, head, sizeof(head));
    for (size_t i = sizeof(head); i < len; i++) {
        out[i] = (uint8_t)(1 + unit_random(r) % 255);
    }
    out[sizeof(head) + user_len] = 0;
    out[len - 1] = 0;
    return len;
}

static void
test_names(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    for (unsigned n = 1; n <= 255; n++) {
        uint8_t message[SOCKS4_REQUEST_MAX];
        const size_t user_len = 255 - n;
        const size_t len = named_request(&r, message, (uint8_t)n, user_len, n);
        struct socks4_request q;
        splits(message, len, &q);
        assert_null(q.error);
        assert_true(q.named);
        assert_int_equal(q.addr.family, ADDR_NONE);
        assert_int_equal(q.addr.port, 8080);
        assert_int_equal(q.user_len, user_len);
        assert_memory_equal(q.user, message + 8, user_len);
        assert_int_equal(q.name_len, n);
        assert_memory_equal(q.name, message + 8 + user_len + 1, n);
    }
}

static void
test_longest(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    uint8_t message[SOCKS4_REQUEST_MAX];
    struct socks4_request q;
    assert_int_equal(named_request(&r, message, 1, 255, 255), SOCKS4_REQUEST_MAX);
    splits(message, SOCKS4_REQUEST_MAX, &q);
    assert_int_equal(q.user_len, 255);
    assert_int_equal(q.name_len, 255);
}

/* The octet that is one too many decides, not the NUL that never comes. */
static void
test_too_long(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    uint8_t message[SOCKS4_REQUEST_MAX + 600];
    struct socks4_request q;
    const size_t user_end = 8 + 256;
    (void)named_request(&r, message, 1, 600, 1);
    assert_int_equal(socks4_request_decode(message, user_end - 1, &q), SOCKS_MORE);
    assert_int_equal(socks4_request_decode(message, user_end, &q), SOCKS_BAD);
    assert_string_equal(q.error, "user-id");
    assert_int_equal(socks4_request_decode(message, user_end + 300, &q), SOCKS_BAD);
    message[7] = 0; /* an address, the same */
    assert_int_equal(socks4_request_decode(message, user_end, &q), SOCKS_BAD);
    assert_string_equal(q.error, "user-id");
    (void)named_request(&r, message, 1, 3, 600);
    assert_int_equal(socks4_request_decode(message, 8 + 4 + 255, &q), SOCKS_MORE);
    assert_int_equal(socks4_request_decode(message, 8 + 4 + 256, &q), SOCKS_BAD);
    assert_string_equal(q.error, "name");
}

static void
test_errors(void **state)
{
    (void)state;
    for (unsigned command = 0; command < 256; command++) {
        uint8_t message[11] = { 4, (uint8_t)command, 0, 80, 127, 0, 0, 1, 'u', 0 };
        struct socks4_request q;
        splits(message, 10, &q);
        assert_int_equal(q.error == NULL, command == 1 || command == 2);
        if (q.error != NULL) {
            assert_string_equal(q.error, "command");
        }
        message[4] = 0; /* a name, empty: awaited all the same */
        message[10] = 0;
        splits(message, 11, &q);
        assert_string_equal(q.error, command == 1 || command == 2 ? "name" : "command");
    }
}

static void
test_version(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 256; version++) {
        const uint8_t message[] = { (uint8_t)version, 1, 0, 80, 127, 0, 0, 1, 0 };
        struct socks4_request q = { .error = NULL };
        if (version == 4) {
            continue;
        }
        assert_int_equal(socks4_request_decode(message, 1, &q), SOCKS_BAD);
        assert_string_equal(q.error, "version");
    }
}

static void
test_reply(void **state)
{
    (void)state;
    static const enum socks4_reply replies[] = { SOCKS4_GRANTED, SOCKS4_REFUSED, SOCKS4_NO_IDENTD,
        SOCKS4_WRONG_USER };
    static const struct {
        const char *bound; /* NULL: none */
        const char *wanted;
    } rows[] = {
        { "192.0.2.1:1080", "\x00\x00\x04\x38\xc0\x00\x02\x01" },
        { "[2001:db8::1]:443", "\x00\x00\x00\x00\x00\x00\x00\x00" },
        { NULL, "\x00\x00\x00\x00\x00\x00\x00\x00" },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        for (size_t j = 0; j < SP_COUNT(replies); j++) {
            uint8_t out[SOCKS4_REPLY_SIZE], wanted[SOCKS4_REPLY_SIZE];
            struct addr bound = { .family = ADDR_NONE, .port = 99 };
            struct socks4_answer a;
            if (rows[i].bound != NULL) {
                assert_int_equal(addr_parse(rows[i].bound, &bound), 0);
            }
            memcpy(wanted, rows[i].wanted, sizeof(wanted));
            wanted[1] = (uint8_t)(90 + j);
            socks4_reply_encode(replies[j], &bound, out);
            assert_memory_equal(out, wanted, sizeof(out));
            for (size_t n = 0; n < sizeof(out); n++) {
                assert_int_equal(socks4_answer_decode(out, n, &a), SOCKS_MORE);
            }
            assert_int_equal(socks4_answer_decode(out, sizeof(out), &a), SOCKS_DONE);
            assert_int_equal(a.reply, replies[j]);
            assert_int_equal(a.used, sizeof(out));
            assert_int_equal(a.bound.port, i == 0 ? 1080 : 0);
        }
    }
}

static void
test_answer_version(void **state)
{
    (void)state;
    struct socks4_answer a = { .error = NULL };
    assert_int_equal(socks4_answer_decode("\x04", 1, &a), SOCKS_BAD);
    assert_string_equal(a.error, "version");
    assert_int_equal(socks4_answer_decode("\x05\x5a\0\0\0\0\0", 8, &a), SOCKS_BAD);
}

/* What the client's side says the server's side reads. */
static void
test_request_encode(void **state)
{
    (void)state;
    uint8_t out[SOCKS4_REQUEST_MAX];
    struct addr addr;
    struct socks4_request q;
    assert_int_equal(addr_parse("192.0.2.1:80", &addr), 0);
    size_t len = socks4_request_encode(SOCKS_BIND, &addr, NULL, "fred", out);
    assert_int_equal(len, 13);
    assert_int_equal(socks4_request_decode(out, len, &q), SOCKS_DONE);
    assert_true(addr_equal(&q.addr, &addr));
    assert_int_equal(q.command, SOCKS_BIND);
    assert_int_equal(q.user_len, 4);
    addr = (struct addr){ .port = 443 };
    len = socks4_request_encode(SOCKS_CONNECT, &addr, "example.com", "", out);
    assert_int_equal(len, 21);
    assert_memory_equal(out, "\x04\x01\x01\xbb\x00\x00\x00\x01\x00" "example.com", 21);
    assert_int_equal(socks4_request_decode(out, len, &q), SOCKS_DONE);
    assert_true(q.named);
    assert_int_equal(q.addr.port, 443);
}

static void
test_request_encode_refuses(void **state)
{
    (void)state;
    uint8_t out[SOCKS4_REQUEST_MAX];
    char text[257];
    struct addr four, six, zero;
    assert_int_equal(addr_parse("192.0.2.1:80", &four), 0);
    assert_int_equal(addr_parse("[2001:db8::1]:80", &six), 0);
    assert_int_equal(addr_parse("0.0.0.9:80", &zero), 0);
    memset(text, 'x', sizeof(text));
    text[256] = '\0';
    assert_int_equal(socks4_request_encode(SOCKS_CONNECT, &four, NULL, text, out), 0);
    assert_int_equal(socks4_request_encode(SOCKS_CONNECT, &four, text, "", out), 0);
    assert_int_equal(socks4_request_encode(SOCKS_CONNECT, &four, "", "", out), 0);
    assert_int_equal(socks4_request_encode(SOCKS_CONNECT, &six, NULL, "", out), 0);
    assert_int_equal(socks4_request_encode(SOCKS_CONNECT, &zero, NULL, "", out), 0);
    text[255] = '\0';
    assert_int_equal(
        socks4_request_encode(SOCKS_CONNECT, &four, text, text, out), SOCKS4_REQUEST_MAX);
}

/* Random bytes behind a plausible head: an answer, never a byte read too far, and the same answer for
   exactly the bytes it used. */
static void
test_garbage(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    unsigned done = 0;
    for (int i = 0; i < 100000; i++) {
        uint8_t bytes[600];
        const size_t len = unit_random(&r) % (i % 3 == 0 ? sizeof(bytes) : 40);
        struct socks4_request q, again;
        unit_random_fill(&r, bytes, len);
        for (size_t at = 0; at < 8 && at < len; at++) {
            bytes[at] = (uint8_t)(at == 0 ? 4 : i % 2 == 0 && at > 3 && at < 7 ? 0 : bytes[at]);
        }
        for (size_t at = 8; at < len; at += 1 + unit_random(&r) % 300) {
            bytes[at] = 0;
        }
        uint8_t *copy = unit_copy(bytes, len);
        const enum socks_result result = socks4_request_decode(copy, len, &q);
        assert_true(len <= SOCKS4_REQUEST_MAX || result != SOCKS_MORE);
        if (result == SOCKS_DONE) {
            done++;
            assert_true(q.used <= len && q.used <= SOCKS4_REQUEST_MAX);
            assert_int_equal(socks4_request_decode(copy, q.used, &again), SOCKS_DONE);
            same(&q, &again);
            assert_int_equal(socks4_request_decode(copy, q.used - 1, &again), SOCKS_MORE);
        }
        free(copy);
    }
    assert_true(done > 10000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_answer_version),
        cmocka_unit_test(test_request_encode),
        cmocka_unit_test(test_request_encode_refuses),
        cmocka_unit_test(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
