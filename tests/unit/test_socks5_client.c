/* SPDX-License-Identifier: ISC */
/* lib/socks/socks5_client.c: against the gateway's side of the same messages. */
#include "tests/unit/unit.h"

#include "lib/socks/socks5.h"

static void
test_hello(void **state)
{
    (void)state;
    uint8_t methods[255];
    for (unsigned i = 0; i < 255; i++) {
        methods[i] = (uint8_t)(i * 7);
    }
    for (unsigned count = 0; count <= 255; count++) {
        uint8_t out[SOCKS5_HELLO_MAX];
        struct socks5_hello hello;
        const size_t len = socks5_hello_encode(methods, (uint8_t)count, out);
        assert_int_equal(len, 2 + count);
        assert_int_equal(socks5_hello_decode(out, len, &hello), SOCKS_DONE);
        assert_int_equal(hello.used, len);
        assert_int_equal(hello.count, count);
        for (unsigned i = 0; i < count; i++) {
            assert_true(socks5_hello_offers(&hello, methods[i]));
        }
    }
}

static void
test_choice(void **state)
{
    (void)state;
    for (unsigned method = 0; method < 256; method++) {
        uint8_t bytes[SOCKS5_CHOICE_SIZE];
        struct socks5_choice choice = { .used = 99 };
        socks5_choice_encode((uint8_t)method, bytes);
        assert_int_equal(socks5_choice_decode(bytes, 0, &choice), SOCKS_MORE);
        assert_int_equal(socks5_choice_decode(bytes, 1, &choice), SOCKS_MORE);
        assert_int_equal(choice.used, 99);
        assert_int_equal(socks5_choice_decode(bytes, 2, &choice), SOCKS_DONE);
        assert_int_equal(choice.method, method);
        assert_int_equal(choice.used, 2);
    }
    for (unsigned version = 0; version < 256; version++) {
        const uint8_t byte = (uint8_t)version;
        struct socks5_choice choice = { .error = NULL };
        if (version != 5) {
            assert_int_equal(socks5_choice_decode(&byte, 1, &choice), SOCKS_BAD);
            assert_string_equal(choice.error, "version");
        }
    }
}

static void
test_request_addresses(void **state)
{
    (void)state;
    static const char *const texts[] = { "192.0.2.7", "0.0.0.0", "2001:db8::1",
        "::ffff:192.0.2.1" };
    for (size_t i = 0; i < SP_COUNT(texts); i++) {
        for (int command = SOCKS_CONNECT; command <= SOCKS_UDP_ASSOCIATE; command++) {
            struct socks5_target target = { .name = "not this", .port = 0xabcd };
            struct socks5_request r;
            uint8_t out[SOCKS5_REQUEST_MAX];
            assert_int_equal(addr_parse_ip(texts[i], &target.addr), 0);
            const size_t len = socks5_request_encode((enum socks_command)command, &target, out);
            assert_int_equal(len, target.addr.family == ADDR_IPV6 ? 22 : 10);
            assert_int_equal(socks5_request_decode(out, len, &r), SOCKS_DONE);
            assert_int_equal(r.used, len);
            assert_int_equal(r.reply, 0);
            assert_int_equal(r.command, command);
            assert_int_equal(r.addr.port, 0xabcd);
            assert_true(addr_equal_ip(&r.addr, &target.addr));
        }
    }
}

static void
test_request_names(void **state)
{
    (void)state;
    char name[300];
    uint8_t out[SOCKS5_REQUEST_MAX];
    struct socks5_target target = { .name = name, .port = 443 };
    for (size_t n = 1; n <= 255; n++) {
        struct socks5_request r;
        memset(name, 'a', n);
        name[n] = '\0';
        const size_t len = socks5_request_encode(SOCKS_CONNECT, &target, out);
        assert_int_equal(len, 7 + n);
        assert_int_equal(socks5_request_decode(out, len, &r), SOCKS_DONE);
        assert_int_equal(r.reply, 0);
        assert_int_equal(r.name_len, n);
        assert_memory_equal(r.name, name, n);
        assert_int_equal(r.addr.port, 443);
    }
    for (size_t n = 256; n < sizeof(name); n++) {
        memset(name, 'a', n);
        name[n] = '\0';
        assert_int_equal(socks5_request_encode(SOCKS_CONNECT, &target, out), 0);
    }
    name[0] = '\0';
    assert_int_equal(socks5_request_encode(SOCKS_CONNECT, &target, out), 0);
}

/* Every beginning asks for more and stores nothing; what follows changes nothing. */
static void
answer_splits(const uint8_t *message, size_t len, struct socks5_answer *out)
{
    for (size_t n = 0; n < len; n++) {
        struct socks5_answer a;
        struct socks5_answer untouched;
        memset(&a, 0x5a, sizeof(a));
        memset(&untouched, 0x5a, sizeof(untouched));
        uint8_t *copy = unit_copy(message, n);
        assert_int_equal(socks5_answer_decode(copy, n, &a), SOCKS_MORE);
        assert_memory_equal(&a, &untouched, sizeof(a));
        free(copy);
    }
    uint8_t more[SOCKS5_ANSWER_MAX + 20];
    memset(more, 0xee, sizeof(more));
    memcpy(more, message, len);
    assert_int_equal(socks5_answer_decode(more, sizeof(more), out), SOCKS_DONE);
    assert_int_equal(out->used, len);
    assert_int_equal(socks5_answer_decode(more, len, out), SOCKS_DONE);
    assert_int_equal(out->used, len);
}

static void
test_answer(void **state)
{
    (void)state;
    static const char *const texts[] = { "192.0.2.7:81", "[2001:db8::1]:65535" };
    for (size_t i = 0; i < SP_COUNT(texts); i++) {
        for (unsigned reply = 0; reply < 256; reply++) {
            struct addr bound;
            struct socks5_answer a;
            uint8_t message[SOCKS5_REPLY_MAX];
            assert_int_equal(addr_parse(texts[i], &bound), 0);
            const size_t len = socks5_reply_encode((enum socks5_reply)reply, &bound, message);
            answer_splits(message, len, &a);
            assert_int_equal(a.reply, reply);
            assert_true(addr_equal(&a.bound, &bound));
        }
    }
}

static void
test_answer_name(void **state)
{
    (void)state;
    uint8_t message[SOCKS5_ANSWER_MAX] = { 5, 0, 0, 3 };
    for (unsigned n = 1; n <= 255; n++) {
        struct socks5_answer a;
        message[4] = (uint8_t)n;
        memset(message + 5, 'n', n);
        message[5 + n] = 0x12;
        message[6 + n] = 0x34;
        answer_splits(message, 7 + n, &a);
        assert_int_equal(a.name_len, n);
        assert_memory_equal(a.name, message + 5, n);
        assert_int_equal(a.bound.port, 0x1234);
        assert_int_equal(a.bound.family, ADDR_NONE);
    }
}

static void
answer_wrong(const void *data, size_t len, const char *field)
{
    struct socks5_answer a = { .error = NULL };
    uint8_t *copy = unit_copy(data, len);
    assert_int_equal(socks5_answer_decode(copy, len, &a), SOCKS_BAD);
    assert_string_equal(a.error, field);
    free(copy);
}

static void
test_answer_errors(void **state)
{
    (void)state;
    for (unsigned octet = 0; octet < 256; octet++) {
        const uint8_t version = (uint8_t)octet;
        const uint8_t type[] = { 5, 0, 0, (uint8_t)octet };
        if (octet != 5) {
            answer_wrong(&version, 1, "version");
        }
        if (octet != SOCKS5_IPV4 && octet != SOCKS5_NAME && octet != SOCKS5_IPV6) {
            answer_wrong(type, 4, "address type");
        }
    }
    answer_wrong("\5\0\0\3\0", 5, "name");
}

static void
test_garbage(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    unsigned done = 0;
    for (int i = 0; i < 200000; i++) {
        uint8_t bytes[300];
        const size_t len = unit_random(&r) % (i % 2 == 0 ? sizeof(bytes) : 24);
        unit_random_fill(&r, bytes, len);
        if (len > 3 && i % 8 != 0) {
            bytes[0] = 5;
            bytes[3] &= 7;
        }
        uint8_t *copy = unit_copy(bytes, len);
        struct socks5_answer a;
        if (socks5_answer_decode(copy, len, &a) == SOCKS_DONE) {
            done++;
            assert_true(a.used <= len && a.used <= SOCKS5_ANSWER_MAX);
            assert_int_equal(socks5_answer_decode(copy, a.used - 1, &a), SOCKS_MORE);
        }
        free(copy);
    }
    assert_true(done > 10000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_request_addresses),
        cmocka_unit_test(test_request_names),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_answer_name),
        cmocka_unit_test(test_answer_errors),
        cmocka_unit_test(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
