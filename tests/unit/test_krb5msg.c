/* SPDX-License-Identifier: ISC */
/* lib/krb5msg as its users see it: krb5msg.c, krb5msg_library.c, krb5msg_header.c,
   krb5msg_random.c, krb5msg_wrap.c, krb5msg_unwrap.c. Whether others understand the tokens:
   test_krb5msg_oracle.c. */
#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "lib/krb5msg/krb5msg_token.h"

static const uint8_t key[KRB5MSG_KEY_MAX] = "0123456789abcdefghijklmnopqrstuv";

static const struct {
    int32_t enctype;
    size_t key_len;
    size_t mac_len;
} enctypes[] = { { 17, 16, 12 }, { 18, 32, 12 }, { 19, 16, 16 }, { 20, 32, 24 } };

struct ends {
    struct krb5msg *initiator;
    struct krb5msg *acceptor;
};

static struct krb5msg *
end_make(size_t row, enum krb5msg_role role, bool subkey)
{
    struct krb5msg *m = NULL;
    const struct krb5msg_import import = {
        .enctype = enctypes[row].enctype,
        .role = role,
        .acceptor_subkey = subkey,
        .key = key,
        .key_len = enctypes[row].key_len,
        .send_seq = role == KRB5MSG_INITIATOR ? 100 : UINT64_C(0xfffffffe),
        .recv_seq = role == KRB5MSG_INITIATOR ? UINT64_C(0xfffffffe) : 100,
    };
    assert_int_equal(krb5msg_new(&import, &m), KRB5MSG_OK);
    return m;
}

static struct ends
ends_make(size_t row, bool subkey)
{
    return (struct ends){ end_make(row, KRB5MSG_INITIATOR, subkey),
        end_make(row, KRB5MSG_ACCEPTOR, subkey) };
}

static void
ends_free(struct ends *e)
{
    krb5msg_free(&e->initiator);
    krb5msg_free(&e->acceptor);
    assert_null(e->initiator);
}

/* A heap block of exactly the token's length. */
static uint8_t *
wrap(struct krb5msg *m, bool conf, const void *plain, size_t len, size_t *token_len)
{
    const size_t header = krb5msg_header_len(m, conf);
    const size_t all = header + len + krb5msg_trailer_len(m, conf);
    uint8_t *token = malloc(all);
    assert_non_null(token);
    memcpy(token + header, plain, len);
    assert_int_equal(krb5msg_wrap(m, conf, token, len, token_len), KRB5MSG_OK);
    assert_int_equal(*token_len, all);
    return token;
}

static enum krb5msg_result
unwrap(
    struct krb5msg *m, const uint8_t *token, size_t len, struct krb5msg_plain *out, uint8_t **copy)
{
    *copy = unit_copy(token, len);
    const enum krb5msg_result result = krb5msg_unwrap(m, *copy, len, out);
    if (result != KRB5MSG_OK) {
        assert_null(out->data);
        assert_int_equal(out->len, 0);
    }
    return result;
}

static void
expect(struct krb5msg *m, const uint8_t *token, size_t len, enum krb5msg_result expected)
{
    struct krb5msg_plain out;
    uint8_t *copy;
    assert_int_equal(unwrap(m, token, len, &out, &copy), expected);
    free(copy);
}

static void
expect_plain(struct krb5msg *m, const uint8_t *token, size_t len, bool conf, const void *plain,
    size_t plain_len)
{
    struct krb5msg_plain out;
    uint8_t *copy;
    assert_int_equal(unwrap(m, token, len, &out, &copy), KRB5MSG_OK);
    assert_int_equal(out.len, plain_len);
    assert_int_equal(out.conf, conf);
    assert_memory_equal(out.data, plain, plain_len);
    free(copy);
}

static void
test_import_refused(void **state)
{
    (void)state;
    static const int32_t others[] = { 0, -1, 1, 3, 16, 21, 23, 25, 26, INT32_MAX, INT32_MIN };
    struct krb5msg *m;
    struct krb5msg_import import = { .key = key, .key_len = 16 };
    for (size_t i = 0; i < SP_COUNT(others); i++) {
        import.enctype = others[i];
        assert_int_equal(krb5msg_new(&import, &m), KRB5MSG_WRONG_ENCTYPE);
        assert_null(m);
        assert_int_equal(krb5msg_key_len(others[i]), 0);
    }
    for (size_t i = 0; i < SP_COUNT(enctypes); i++) {
        import.enctype = enctypes[i].enctype;
        assert_int_equal(krb5msg_key_len(import.enctype), enctypes[i].key_len);
        for (import.key_len = 0; import.key_len <= KRB5MSG_KEY_MAX; import.key_len++) {
            const enum krb5msg_result result = krb5msg_new(&import, &m);
            assert_int_equal(
                result, import.key_len == enctypes[i].key_len ? KRB5MSG_OK : KRB5MSG_WRONG_KEY);
            krb5msg_free(&m);
        }
    }
    krb5msg_free(&m);
}

static void
test_not_started(void **state)
{
    (void)state;
    struct krb5msg *m;
    const struct krb5msg_import import = { .enctype = 17, .key = key, .key_len = 16 };
    krb5msg_end();
    assert_int_equal(krb5msg_new(&import, &m), KRB5MSG_LIBRARY);
    assert_null(m);
    assert_true(krb5msg_start());
    assert_true(krb5msg_start());
    assert_int_equal(krb5msg_new(&import, &m), KRB5MSG_OK);
    krb5msg_free(&m);
}

static void
test_texts(void **state)
{
    (void)state;
    for (int i = 0; i < KRB5MSG_RESULTS; i++) {
        const char *text = krb5msg_text((enum krb5msg_result)i);
        assert_non_null(text);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(text, krb5msg_text((enum krb5msg_result)k));
        }
    }
    assert_string_equal(krb5msg_text(KRB5MSG_RESULTS), "unknown result");
    assert_string_equal(krb5msg_text((enum krb5msg_result) - 1), "unknown result");
}

static void
test_sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(enctypes); i++) {
        struct krb5msg *m = end_make(i, KRB5MSG_ACCEPTOR, true);
        for (int conf = 0; conf < 2; conf++) {
            const size_t header = conf ? 32 : 16;
            const size_t trailer = enctypes[i].mac_len + (conf ? 16 : 0);
            assert_int_equal(krb5msg_header_len(m, conf), header);
            assert_int_equal(krb5msg_trailer_len(m, conf), trailer);
            assert_true(header <= KRB5MSG_HEADER_MAX && trailer <= KRB5MSG_TRAILER_MAX);
            assert_int_equal(krb5msg_plain_max(m, conf, 65535), 65535 - header - trailer);
            assert_int_equal(krb5msg_plain_max(m, conf, header + trailer + 1), 1);
            assert_int_equal(krb5msg_plain_max(m, conf, header + trailer), 0);
            assert_int_equal(krb5msg_plain_max(m, conf, 0), 0);
            assert_int_equal(
                krb5msg_plain_max(m, conf, SIZE_MAX), KRB5MSG_TOKEN_MAX - header - trailer);
        }
        krb5msg_free(&m);
    }
}

static void
test_both_ways(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 15, 16, 17, 31, 32, 33, 495, 496, 1000, 65475 };
    static uint8_t plain[65475];
    struct unit_random r = UNIT_RANDOM_INIT;
    unit_random_fill(&r, plain, sizeof(plain));
    for (size_t i = 0; i < 2 * SP_COUNT(enctypes); i++) {
        struct ends e = ends_make(i / 2, i % 2 != 0);
        for (size_t k = 0; k < 4 * SP_COUNT(sizes); k++) {
            const bool conf = k % 2 != 0;
            struct krb5msg *from = k % 4 < 2 ? e.initiator : e.acceptor;
            struct krb5msg *to = k % 4 < 2 ? e.acceptor : e.initiator;
            size_t len;
            uint8_t *token = wrap(from, conf, plain, sizes[k / 4], &len);
            expect(from, token, len, KRB5MSG_WRONG_DIRECTION);
            expect_plain(to, token, len, conf, plain, sizes[k / 4]);
            expect(to, token, len, KRB5MSG_REPLAY);
            free(token);
        }
        ends_free(&e);
    }
}

static void
test_layout(void **state)
{
    (void)state;
    struct ends e = ends_make(1, true);
    static const uint8_t sealed[] = { 5, 4, 7, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff,
        0xfe };
    static const uint8_t with_mac[] = { 5, 4, 5, 0xff, 0, 12, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff,
        0xff };
    static const uint8_t wrapped[] = { 5, 4, 4, 0xff, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100 };
    size_t len;
    uint8_t *token = wrap(e.acceptor, true, "x", 1, &len);
    assert_memory_equal(token, sealed, 16);
    free(token);
    token = wrap(e.acceptor, false, "x", 1, &len);
    assert_memory_equal(token, with_mac, 16);
    assert_int_equal(token[16], 'x');
    free(token);
    /* 2^32 is a number like any other. */
    token = wrap(e.acceptor, false, "x", 1, &len);
    assert_int_equal(token[11], 1);
    assert_int_equal(token[15], 0);
    free(token);
    token = wrap(e.initiator, false, "x", 1, &len);
    assert_memory_equal(token, wrapped, 16);
    free(token);
    ends_free(&e);
}

static void
test_too_long(void **state)
{
    (void)state;
    struct ends e = ends_make(1, false);
    const size_t most = krb5msg_plain_max(e.initiator, true, SIZE_MAX);
    uint8_t *plain = calloc(1, most + 1);
    size_t len;
    struct krb5msg_plain out;
    assert_non_null(plain);
    assert_int_equal(krb5msg_wrap(e.initiator, true, plain, most + 1, &len), KRB5MSG_TOO_LONG);
    assert_int_equal(len, 0);
    assert_int_equal(krb5msg_wrap(e.initiator, true, plain, SIZE_MAX, &len), KRB5MSG_TOO_LONG);
    uint8_t *token = wrap(e.initiator, true, plain, most, &len);
    assert_int_equal(len, KRB5MSG_TOKEN_MAX);
    assert_int_equal(krb5msg_unwrap(e.acceptor, token, len + 1, &out), KRB5MSG_TOO_LONG);
    expect_plain(e.acceptor, token, len, true, plain, most);
    free(token);
    free(plain);
    ends_free(&e);
}

static void
test_order(void **state)
{
    (void)state;
    struct ends e = ends_make(3, true);
    uint8_t *token[6];
    size_t len[6];
    for (size_t i = 0; i < 6; i++) {
        token[i] = wrap(e.initiator, i % 2 != 0, "data", 4, &len[i]);
    }
    expect_plain(e.acceptor, token[0], len[0], false, "data", 4);
    expect(e.acceptor, token[2], len[2], KRB5MSG_OUT_OF_SEQUENCE);
    expect(e.acceptor, token[0], len[0], KRB5MSG_REPLAY);
    expect_plain(e.acceptor, token[1], len[1], true, "data", 4);
    assert_true(krb5msg_use_window(e.acceptor));
    expect(e.acceptor, token[0], len[0], KRB5MSG_REPLAY);
    expect(e.acceptor, token[1], len[1], KRB5MSG_REPLAY);
    /* A forgery of a high number must not move the window. */
    token[5][20] ^= 1;
    expect(e.acceptor, token[5], len[5], KRB5MSG_BAD_CHECKSUM);
    token[4][13] ^= 1; /* 65,536 higher */
    expect(e.acceptor, token[4], len[4], KRB5MSG_BAD_CHECKSUM);
    token[4][13] ^= 1;
    expect_plain(e.acceptor, token[4], len[4], false, "data", 4);
    expect_plain(e.acceptor, token[2], len[2], false, "data", 4);
    expect(e.acceptor, token[2], len[2], KRB5MSG_REPLAY);
    expect_plain(e.acceptor, token[3], len[3], true, "data", 4);
    token[5][20] ^= 1; /* nor take its number from it */
    expect_plain(e.acceptor, token[5], len[5], true, "data", 4);
    for (size_t i = 0; i < 6; i++) {
        free(token[i]);
    }
    for (size_t i = 0; i < KRB5MSG_WINDOW; i++) {
        token[0] = wrap(e.initiator, false, "data", 4, &len[0]);
        if (i == KRB5MSG_WINDOW - 1) {
            token[5] = token[0];
            len[5] = len[0];
        } else {
            token[1] = i == 0 ? token[0] : token[1];
            if (i != 0) {
                free(token[0]);
            }
        }
    }
    /* token[1] is KRB5MSG_WINDOW - 1 numbers below token[5]: the last that fits. */
    expect_plain(e.acceptor, token[5], len[5], false, "data", 4);
    expect_plain(e.acceptor, token[1], len[5], false, "data", 4);
    free(token[1]);
    free(token[5]);
    ends_free(&e);
}

static void
rotate_right(uint8_t *data, size_t len, size_t by)
{
    krb5msg_rotate_left(data, len, len - by % len);
}

/* Any RRC opens, also one above the length, with the bytes turned as it says. */
static void
test_rrc(void **state)
{
    (void)state;
    static uint8_t plain[1200];
    static const size_t sizes[] = { 0, 1, 40, 1200 };
    struct unit_random r = UNIT_RANDOM_INIT;
    unit_random_fill(&r, plain, sizeof(plain));
    for (size_t i = 0; i < 2 * SP_COUNT(enctypes) * SP_COUNT(sizes); i++) {
        struct ends e = ends_make(i / 2 % SP_COUNT(enctypes), true);
        const size_t size = sizes[i / 2 / SP_COUNT(enctypes)];
        assert_true(krb5msg_use_window(e.acceptor));
        for (size_t rrc = 0; rrc < 0xffff; rrc += rrc < 90 ? 1 : 1009) {
            size_t len;
            uint8_t *token = wrap(e.initiator, i % 2 != 0, plain, size, &len);
            rotate_right(token + 16, len - 16, rrc);
            token[6] = (uint8_t)(rrc >> 8);
            token[7] = (uint8_t)rrc;
            expect_plain(e.acceptor, token, len, i % 2 != 0, plain, size);
            free(token);
        }
        ends_free(&e);
    }
}

/* EC filler inside a sealed token, as DCE-like peers send it: built from the parts. */
static void
test_ec(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(enctypes); i++) {
        struct ends e = ends_make(i, false);
        for (uint16_t ec = 0; ec < 40; ec++) {
            uint8_t token[16 + 16 + 10 + 40 + 16 + 24];
            const size_t inside = 16 + 10 + (size_t)ec + 16;
            struct krb5msg_header h = { 2, ec, 0, 100U + ec };
            memset(token, 'f', sizeof(token));
            krb5msg_header_encode(&h, token);
            memcpy(token + 32, "0123456789", 10);
            memcpy(token + inside, token, 16); /* the last 16 of inside */
            assert_true(krb5msg_encrypt(e.initiator, &e.initiator->send, token + 16, inside));
            const size_t len = 16 + inside + enctypes[i].mac_len;
            token[5] ^= 1;
            const enum krb5msg_result result =
                (token[5] > ec && ec + 10 < token[5]) ? KRB5MSG_WRONG_EC : KRB5MSG_WRONG_HEADER;
            expect(e.acceptor, token, len, result);
            token[5] ^= 1;
            expect_plain(e.acceptor, token, len, true, "0123456789", 10);
        }
        ends_free(&e);
    }
}

/* A peer that has the keys may write any EC, header and copy alike: more filler than there is. */
static void
test_ec_beyond(void **state)
{
    (void)state;
    static const uint16_t ecs[] = { 11, 12, 26, 27, 42, 43, 1000, 0xffff };
    for (size_t i = 0; i < SP_COUNT(enctypes) * SP_COUNT(ecs); i++) {
        struct ends e = ends_make(i % SP_COUNT(enctypes), false);
        uint8_t token[16 + 16 + 10 + 16 + 24] = { 0 };
        const size_t inside = 16 + 10 + 16;
        const struct krb5msg_header h = { 2, ecs[i / SP_COUNT(enctypes)], 0, 100 };
        krb5msg_header_encode(&h, token);
        memcpy(token + inside, token, 16);
        assert_true(krb5msg_encrypt(e.initiator, &e.initiator->send, token + 16, inside));
        expect(e.acceptor, token, 16 + inside + enctypes[i % SP_COUNT(enctypes)].mac_len,
            KRB5MSG_WRONG_EC);
        ends_free(&e);
    }
}

/* What each changed bit does: refused, or (RRC) opened to the very same. */
static void
bits(
    struct krb5msg *to, const uint8_t *token, size_t len, bool conf, const char *plain, size_t size)
{
    for (size_t bit = 0; bit < 8 * len; bit++) {
        uint8_t *changed = unit_copy(token, len);
        changed[bit / 8] ^= (uint8_t)(1U << bit % 8);
        struct krb5msg_plain out;
        const enum krb5msg_result result = krb5msg_unwrap(to, changed, len, &out);
        const size_t rrc = ((size_t)changed[6] << 8) | changed[7];
        if (result == KRB5MSG_OK) {
            assert_true(bit / 8 == 6 || bit / 8 == 7);
            assert_int_equal(rrc % (len - 16), 0);
            assert_int_equal(out.len, size);
            assert_int_equal(out.conf, conf);
            assert_memory_equal(out.data, plain, size);
            to->order.next--; /* the next one is to be seen with the same number */
        }
        free(changed);
    }
    expect_plain(to, token, len, conf, plain, size);
}

static void
test_every_bit(void **state)
{
    (void)state;
    /* With 12 bytes of MAC the first gives a body of 16 bytes signed, 64 sealed: RRCs congruent. */
    static const char plain[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    static const size_t sizes[] = { 0, 4, 20, 36 };
    for (size_t i = 0; i < 2 * SP_COUNT(enctypes) * SP_COUNT(sizes); i++) {
        const size_t size = sizes[i / 2 / SP_COUNT(enctypes)];
        struct ends e = ends_make(i / 2 % SP_COUNT(enctypes), true);
        size_t len;
        uint8_t *token = wrap(e.initiator, i % 2 != 0, plain, size, &len);
        bits(e.acceptor, token, len, i % 2 != 0, plain, size);
        free(token);
        ends_free(&e);
    }
}

static void
test_every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * SP_COUNT(enctypes); i++) {
        struct ends e = ends_make(i / 2, true);
        size_t len;
        uint8_t *token = wrap(e.initiator, i % 2 != 0, "some twenty bytes ok", 20, &len);
        const size_t least = len - 20;
        for (size_t n = 0; n < len; n++) {
            expect(e.acceptor, token, n, n < least ? KRB5MSG_TRUNCATED : KRB5MSG_BAD_CHECKSUM);
        }
        expect_plain(e.acceptor, token, len, i % 2 != 0, "some twenty bytes ok", 20);
        free(token);
        ends_free(&e);
    }
}

static void
test_header_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        enum krb5msg_result expected;
    } rows[] = {
        { 0, 4, KRB5MSG_NOT_A_TOKEN }, /* 04 04 is a MIC */
        { 1, 5, KRB5MSG_NOT_A_TOKEN },
        { 2, 5, KRB5MSG_WRONG_DIRECTION },
        { 2, 0, KRB5MSG_WRONG_FLAGS },
        { 2, 0x84, KRB5MSG_BAD_CHECKSUM }, /* unknown flags count for the checksum alone */
        { 3, 0, KRB5MSG_NOT_A_TOKEN },
        { 4, 1, KRB5MSG_WRONG_EC },
        { 5, 11, KRB5MSG_WRONG_EC },
        { 15, 0, KRB5MSG_BAD_CHECKSUM },
    };
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct ends e = ends_make(0, true);
        size_t len;
        uint8_t *token = wrap(e.initiator, false, "data", 4, &len);
        token[rows[i].at] = rows[i].value;
        expect(e.acceptor, token, len, rows[i].expected);
        free(token);
        ends_free(&e);
    }
}

/* "05 04, 2 clear" with unknown flags set by the sender is taken: RFC 4121 section 4.2.2. */
static void
test_unknown_flags(void **state)
{
    (void)state;
    struct ends e = ends_make(2, true);
    e.initiator->send_flags |= 0xf8;
    for (int conf = 0; conf < 2; conf++) {
        size_t len;
        uint8_t *token = wrap(e.initiator, conf, "data", 4, &len);
        expect_plain(e.acceptor, token, len, conf, "data", 4);
        free(token);
    }
    ends_free(&e);
}

static void
test_random(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    static uint8_t blocks[COUNT][KRB5MSG_BLOCK];
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(krb5msg_random(blocks[i]));
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(blocks[i], blocks[k], KRB5MSG_BLOCK);
        }
    }
}

/* A child gets neither its parent's next bytes nor the zeroes the pool was wiped to. */
static void
test_random_after_fork(void **state)
{
    (void)state;
    uint8_t ours[KRB5MSG_BLOCK];
    uint8_t theirs[KRB5MSG_BLOCK];
    static const uint8_t zero[KRB5MSG_BLOCK];
    int pipes[2];
    int status = 0;
    assert_true(krb5msg_random(ours));
    assert_int_equal(pipe(pipes), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const bool ok = krb5msg_random(theirs) &&
                        write(pipes[1], theirs, sizeof(theirs)) == (ssize_t)sizeof(theirs);
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(read(pipes[0], theirs, sizeof(theirs)), sizeof(theirs));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(krb5msg_random(ours));
    assert_memory_not_equal(ours, theirs, KRB5MSG_BLOCK);
    assert_memory_not_equal(theirs, zero, KRB5MSG_BLOCK);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

static void
test_rotate(void **state)
{
    (void)state;
    for (size_t len = 0; len < 700; len += len < 40 ? 1 : 41) {
        for (size_t by = 0; by < 2 * len + 3; by += len < 40 ? 1 : 13) {
            uint8_t data[700];
            for (size_t i = 0; i < len; i++) {
                data[i] = (uint8_t)(i * 7 + i / 256);
            }
            uint8_t *copy = unit_copy(data, len);
            krb5msg_rotate_left(copy, len, by);
            for (size_t i = 0; i < len; i++) {
                assert_int_equal(copy[i], data[(i + by) % len]);
            }
            free(copy);
        }
    }
}

static int
library_start(void **state)
{
    (void)state;
    return krb5msg_start() ? 0 : -1;
}

static int
library_end(void **state)
{
    (void)state;
    krb5msg_end();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_import_refused),
        cmocka_unit_test(test_not_started),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_rrc),
        cmocka_unit_test(test_ec),
        cmocka_unit_test(test_ec_beyond),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_header_refused),
        cmocka_unit_test(test_unknown_flags),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_random_after_fork),
        cmocka_unit_test(test_rotate),
    };
    return cmocka_run_group_tests(tests, library_start, library_end);
}
