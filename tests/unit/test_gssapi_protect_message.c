/* SPDX-License-Identifier: ISC */
/* auth/gssapi/gssapi_protect_message.c: sealing and opening at each level and enctype, and every way a
   message can be wrong. */
#include "tests/unit/gssapi_rig.h"

#define ENCTYPE KRB5MSG_AES256_SHA1
#define LEVELS "integrity confidentiality selective"

static struct rig rig;
static uint8_t plain[GSSAPI_TOKEN_MAX];
static uint8_t room[64 + GSSAPI_MESSAGE_MAX + 1024];
static const size_t sizes[] = { 0, 1, 15, 16, 17, 1000, 65000 };

static int
setup(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;

    (void)state;
    unit_random_fill(&random, plain, sizeof plain);
    return 0;
}

static void
make(int32_t enctype, uint8_t level)
{
    rig_make(&rig, enctype, LEVELS, false);
    rig_agreed(&rig, level);
}

/* One message of ours, opened by the peer; nothing outside head and tail is touched. */
static void
seal(size_t size, bool conf)
{
    struct auth_sealed sealed;
    struct krb5msg_plain out;
    uint8_t *at = room + 64;
    const size_t head = rig.face->head, tail = rig.face->tail;

    memset(room, 0x5a, sizeof room);
    memcpy(at, plain, size);
    assert_int_equal(rig.face->seal(rig.gateway, at, size, &sealed), 0);
    assert_ptr_equal(sealed.data, at - krb5msg_header_len(rig.peer, conf) - GSSAPI_HEAD);
    assert_true(sealed.data >= at - head && sealed.data + sealed.len <= at + size + tail);
    for (size_t i = 0; i < 64 - head; i++)
        assert_int_equal(room[i], 0x5a);
    for (size_t i = 64 + size + tail; i < sizeof room; i++)
        if (room[i] != 0x5a)
            fail_msg("octet %zu was written", i);
    struct gssapi_frame f;

    assert_int_equal(gssapi_frame(GSSAPI_DATA, sealed.data, sealed.len, &f), AUTH_FRAME_READY);
    assert_int_equal(f.used, sealed.len);
    assert_int_equal(krb5msg_unwrap(rig.peer, sealed.data + f.token_at, f.token_len, &out), KRB5MSG_OK);
    assert_int_equal(out.conf, conf);
    assert_int_equal(out.len, size);
    assert_memory_equal(out.data, plain, size);
}

static void
opens(size_t size, bool conf)
{
    rig.len = 0;
    rig_wrap(&rig, GSSAPI_DATA, conf, plain, size);
    assert_int_equal(rig_open(&rig, rig.len), AUTH_FRAME_READY);
    assert_int_equal(rig.opened.used, rig.len);
    assert_int_equal(rig.opened.plain_len, size);
    assert_memory_equal(rig_plain(), plain, size);
    assert_null(rig.opened.error);
}

static void
test_both_ways(void **state)
{
    (void)state;
    for (int32_t enctype = RIG_ENCTYPES_FROM; enctype <= RIG_ENCTYPES_TO; enctype++)
        for (uint8_t level = 1; level <= 3; level++) {
            make(enctype, level);
            for (size_t i = 0; i < SP_COUNT(sizes); i++) {
                seal(sizes[i], level != 1);
                if (level != 2)
                    opens(sizes[i], false);
                if (level != 1)
                    opens(sizes[i], true);
            }
            assert_int_equal(rig.face->level(rig.gateway), level);
            rig_free(&rig);
        }
}

/* The plaintext is chosen so that the token fits LEN, to the octet. */
static void
test_largest(void **state)
{
    (void)state;
    for (int32_t enctype = RIG_ENCTYPES_FROM; enctype <= RIG_ENCTYPES_TO; enctype++)
        for (uint8_t level = 1; level <= 3; level++) {
            struct auth_sealed sealed;

            make(enctype, level);
            const size_t max = rig.face->plain_max(rig.gateway);
            const size_t around = krb5msg_header_len(rig.peer, level != 1) +
                krb5msg_trailer_len(rig.peer, level != 1);

            assert_int_equal(max, GSSAPI_TOKEN_MAX - around);
            if (enctype == ENCTYPE)
                assert_int_equal(max, level == 1 ? 65507 : 65475);
            seal(max, level != 1);
            assert_int_equal(rig.face->seal(rig.gateway, room + 64, max + 1, &sealed), -1);
            /* Refused before a number was used. */
            seal(3, level != 1);
            opens(max, level != 1);
            assert_int_equal(rig.len, GSSAPI_MESSAGE_MAX);
            rig_free(&rig);
        }
}

/* A stream's bytes become one message or several, each a whole one in its turn, and nothing beyond the
   room promised is touched. */
static size_t
stream_opens(size_t len)
{
    struct auth_sealed sealed;
    struct gssapi_frame f;
    uint8_t *at = room + 64;
    size_t count = 0, done = 0;

    memcpy(at, plain, len);
    memset(at + len + rig.face->stream_tail, 0xA5, 16);
    assert_int_equal(rig.face->seal_stream(rig.gateway, at, len, &sealed), 0);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(at[len + rig.face->stream_tail + i], 0xA5);
    for (at = sealed.data; at < sealed.data + sealed.len; at += f.used, count++) {
        struct krb5msg_plain out;
        const size_t left = (size_t)(sealed.data + sealed.len - at);

        assert_int_equal(gssapi_frame(GSSAPI_DATA, at, left, &f), AUTH_FRAME_READY);
        assert_int_equal(krb5msg_unwrap(rig.peer, at + f.token_at, f.token_len, &out), KRB5MSG_OK);
        assert_memory_equal(out.data, plain + done, out.len);
        done += out.len;
    }
    assert_int_equal(done, len);
    return count;
}

static void
test_stream(void **state)
{
    static const size_t lengths[] = { 0, 1, 4095, 8191, 8192, 8193, 12288, 16385, 32767, 32768, 40001,
        65475 };

    (void)state;
    for (int32_t enctype = RIG_ENCTYPES_FROM; enctype <= RIG_ENCTYPES_TO; enctype++)
        for (uint8_t level = 1; level <= 3; level++) {
            make(enctype, level);
            for (size_t i = 0; i < SP_COUNT(lengths); i++) {
                size_t len = lengths[i], most = rig.face->plain_max(rig.gateway), count;

                count = stream_opens(len < most ? len : most);
                if (level == 1 || len < 8192)
                    assert_int_equal(count, 1);
                else
                    assert_int_equal(count, len / 4096 < 8 ? len / 4096 : 8);
            }
            rig_free(&rig);
        }
}

/* Level 1 is always unsealed, level 2 always sealed: the other way is a violation at either. */
static void
test_other_way(void **state)
{
    (void)state;
    make(ENCTYPE, 1);
    rig_wrap(&rig, GSSAPI_DATA, true, plain, 10);
    RIG_REFUSES(open, &rig, "confidential-message-at-integrity");
    rig_free(&rig);
    make(ENCTYPE, 2);
    rig_wrap(&rig, GSSAPI_DATA, false, plain, 10);
    RIG_REFUSES(open, &rig, "message-not-confidential");
    rig_free(&rig);
}

static void
test_every_truncation(void **state)
{
    (void)state;
    for (int conf = 0; conf < 2; conf++) {
        make(ENCTYPE, 3);
        rig_wrap(&rig, GSSAPI_DATA, conf, plain, 17);
        const size_t whole = rig.len;

        for (size_t n = 0; n < whole; n++) {
            assert_int_equal(rig_open(&rig, n), AUTH_FRAME_MORE);
            assert_null(rig.opened.error);
        }
        /* The token cut, and the frame saying so: refused at each length. */
        for (size_t n = 1; n < whole - GSSAPI_HEAD; n++) {
            gssapi_frame_head(GSSAPI_DATA, n, rig.message);
            assert_int_equal(rig_open(&rig, GSSAPI_HEAD + n), AUTH_FRAME_BAD);
            assert_string_equal(rig.opened.error, n < 16     ? "truncated-token"
                    : conf && n < 16 + 44                    ? "truncated-token"
                    : !conf && n < 16 + 12                   ? "truncated-token"
                                                             : "bad-checksum");
        }
        gssapi_frame_head(GSSAPI_DATA, whole - GSSAPI_HEAD, rig.message);
        assert_int_equal(rig_open(&rig, whole), AUTH_FRAME_READY);
        rig_free(&rig);
    }
}

/* LEN one too large: the next message's first octet is taken into the token. */
static void
test_wrong_length(void **state)
{
    (void)state;
    make(ENCTYPE, 2);
    rig_wrap(&rig, GSSAPI_DATA, true, plain, 17);
    const size_t whole = rig.len;

    rig_wrap(&rig, GSSAPI_DATA, true, plain, 17);
    gssapi_frame_head(GSSAPI_DATA, whole - GSSAPI_HEAD + 1, rig.message);
    RIG_REFUSES(open, &rig, "bad-checksum");
    rig_set(&rig, "\001\003\000\000", 4);
    RIG_REFUSES(open, &rig, "empty-token");
    rig_free(&rig);
}

/* The longest frame there can be, with nothing of ours in it: judged when it is whole, not before. */
static void
test_oversized(void **state)
{
    (void)state;
    make(ENCTYPE, 2);
    rig_frame(&rig, GSSAPI_DATA, plain, GSSAPI_TOKEN_MAX);
    assert_int_equal(rig.len, rig.face->message_max);
    assert_int_equal(rig_open(&rig, rig.len - 1), AUTH_FRAME_MORE);
    RIG_REFUSES(open, &rig, "not-a-wrap-token");
    memcpy(rig.message + GSSAPI_HEAD, "\005\004\006\377\000\000\000\000", 8);
    RIG_REFUSES(open, &rig, "bad-checksum");
    memcpy(rig.message + GSSAPI_HEAD, "\005\004\006\377\377\377\000\000", 8);
    RIG_REFUSES(open, &rig, "wrong-extra-count");
    rig_free(&rig);
}

static void
test_every_head(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 256; v++) {
        const uint8_t octets[2] = { (uint8_t)v, (uint8_t)v };

        make(ENCTYPE, 2);
        rig_set(&rig, octets, 1);
        if (v == 1)
            assert_int_equal(rig_open(&rig, 1), AUTH_FRAME_MORE);
        else
            RIG_REFUSES(open, &rig, v == 5 ? "unprotected-message" : "wrong-version");
        rig_set(&rig, octets, 2);
        rig.message[0] = 1;
        if (v == 3)
            assert_int_equal(rig_open(&rig, 2), AUTH_FRAME_MORE);
        else
            RIG_REFUSES(open, &rig, v == 0xFF ? "refused-by-client" : "wrong-message-type");
        rig_free(&rig);
    }
}

static void
test_every_bit(void **state)
{
    (void)state;
    for (int conf = 0; conf < 2; conf++) {
        make(ENCTYPE, 3);
        rig_wrap(&rig, GSSAPI_DATA, conf, plain, 17);
        for (size_t bit = 8 * GSSAPI_HEAD; bit < 8 * rig.len; bit++) {
            const size_t at = bit / 8 - GSSAPI_HEAD;

            if (at == 6 || at == 7)
                continue; /* RRC: the token's own tests */
            rig.message[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_int_equal(rig_open(&rig, rig.len), AUTH_FRAME_BAD);
            rig.message[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        /* None of them moved the order. */
        assert_int_equal(rig_open(&rig, rig.len), AUTH_FRAME_READY);
        rig_free(&rig);
    }
}

static void
test_words(void **state)
{
    (void)state;
    make(ENCTYPE, 3);
    rig_wrap(&rig, GSSAPI_DATA, false, plain, 20);
    rig.message[rig.len - 1] ^= 1;
    RIG_REFUSES(open, &rig, "bad-checksum");
    rig.message[rig.len - 1] ^= 1;
    rig.message[GSSAPI_HEAD] ^= 1;
    RIG_REFUSES(open, &rig, "not-a-wrap-token");
    rig.message[GSSAPI_HEAD] ^= 1;
    rig.message[GSSAPI_HEAD + 2] ^= 1;
    RIG_REFUSES(open, &rig, "reflected-message");
    rig.message[GSSAPI_HEAD + 2] ^= 1 | 4;
    RIG_REFUSES(open, &rig, "wrong-token-flags");
    rig.message[GSSAPI_HEAD + 2] ^= 4;
    rig.message[GSSAPI_HEAD + 5] ^= 1;
    RIG_REFUSES(open, &rig, "wrong-extra-count");
    rig.message[GSSAPI_HEAD + 5] ^= 1;
    assert_int_equal(rig_open(&rig, rig.len), AUTH_FRAME_READY);
    RIG_REFUSES(open, &rig, "replayed-message");
    rig.len = 0;
    rig_wrap(&rig, GSSAPI_DATA, true, plain, 20);
    rig.message[GSSAPI_HEAD + 15] ^= 1; /* sealed: the copy inside says otherwise */
    RIG_REFUSES(open, &rig, "altered-header");
    rig_free(&rig);
}

/* A message that is missing, and one that comes too early. */
static void
test_order(void **state)
{
    (void)state;
    make(ENCTYPE, 1);
    rig_wrap(&rig, GSSAPI_DATA, false, "first", 5);
    const size_t first = rig.len;

    rig_wrap(&rig, GSSAPI_DATA, false, "second", 6);
    const size_t both = rig.len;
    uint8_t *copy = unit_copy(rig.message, both);

    rig_drop(&rig, first);
    RIG_REFUSES(open, &rig, "out-of-sequence-message");
    rig_set(&rig, copy, first);
    assert_int_equal(rig_open(&rig, rig.len), AUTH_FRAME_READY);
    RIG_REFUSES(open, &rig, "replayed-message");
    rig_set(&rig, copy + first, both - first);
    assert_int_equal(rig_open(&rig, rig.len), AUTH_FRAME_READY);
    assert_memory_equal(rig_plain(), "second", 6);
    free(copy);
    rig_free(&rig);
}

/* The proposal again is a message of the wrong kind; as data it is a replay. */
static void
test_replayed_proposal(void **state)
{
    (void)state;
    rig_make(&rig, ENCTYPE, "integrity", false);
    rig_level(&rig, 1);
    assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
    RIG_REFUSES(open, &rig, "wrong-message-type");
    rig.message[1] = GSSAPI_DATA;
    RIG_REFUSES(open, &rig, "replayed-message");
    rig_free(&rig);
}

/* Level, request in two messages with an empty one before and data behind it, all in one segment. */
static void
test_pipelined(void **state)
{
    static const struct {
        const char *plain;
        size_t len;
    } parts[] = { { "", 0 }, { "\005\001\000", 3 }, { "\001\177\000\000\001\000\120GET", 10 },
        { "", 0 }, { " /", 2 } };

    (void)state;
    rig_make(&rig, ENCTYPE, LEVELS, false);
    rig_level(&rig, 2);
    for (size_t i = 0; i < SP_COUNT(parts); i++)
        rig_wrap(&rig, GSSAPI_DATA, true, parts[i].plain, parts[i].len);
    assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
    rig_drop(&rig, rig.agreement.used);
    for (size_t i = 0; i < SP_COUNT(parts); i++) {
        assert_int_equal(rig_open(&rig, rig.len), AUTH_FRAME_READY);
        assert_int_equal(rig.opened.plain_len, parts[i].len);
        assert_memory_equal(rig_plain(), parts[i].plain, parts[i].len);
        rig_drop(&rig, rig.opened.used);
    }
    assert_int_equal(rig.len, 0);
    rig_free(&rig);
}

static void
test_many_in_one_segment(void **state)
{
    (void)state;
    make(ENCTYPE, 1);
    for (size_t i = 0; i < 500; i++)
        rig_wrap(&rig, GSSAPI_DATA, false, plain + i, i % 7);
    for (size_t i = 0; i < 500; i++) {
        assert_int_equal(rig_open(&rig, rig.len), AUTH_FRAME_READY);
        assert_int_equal(rig.opened.plain_len, i % 7);
        assert_memory_equal(rig_plain(), plain + i, i % 7);
        rig_drop(&rig, rig.opened.used);
    }
    assert_int_equal(rig.len, 0);
    rig_free(&rig);
}

/* What one client sealed means nothing to the state of another. */
static void
test_other_key(void **state)
{
    static const uint8_t key[32] = "another session's key";
    const struct krb5msg_import import = {
        .enctype = ENCTYPE,
        .role = KRB5MSG_INITIATOR,
        .acceptor_subkey = true,
        .key = key,
        .key_len = sizeof key,
        .send_seq = UINT64_C(0xffffffff),
    };

    (void)state;
    for (int conf = 0; conf < 2; conf++) {
        make(ENCTYPE, 3);
        krb5msg_free(&rig.peer);
        assert_int_equal(krb5msg_new(&import, &rig.peer), KRB5MSG_OK);
        rig_wrap(&rig, GSSAPI_DATA, conf, plain, 100);
        RIG_REFUSES(open, &rig, "bad-checksum");
        rig_free(&rig);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_other_way),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_wrong_length),
        cmocka_unit_test(test_oversized),
        cmocka_unit_test(test_every_head),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_replayed_proposal),
        cmocka_unit_test(test_pipelined),
        cmocka_unit_test(test_many_in_one_segment),
        cmocka_unit_test(test_other_key),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
