/* SPDX-License-Identifier: ISC */
/* auth/gssapi/gssapi_protect_agree.c and gssapi_protect_level.c: which level is agreed, message by
   message, and what of the real clients. */
#include "tests/unit/gssapi_rig.h"

#define ENCTYPE KRB5MSG_AES256_SHA1
#define ANSWER_LEN (GSSAPI_HEAD + 16U + 1U + 12U)

static struct rig rig;

/* What the answer in the room says, and that it is as long as it should be. */
static uint8_t
answered_wrapped(void)
{
    struct krb5msg_plain plain;
    const struct auth_out *answer = &rig.agreement.answer;

    assert_int_equal(answer->len, ANSWER_LEN);
    assert_memory_equal(answer->data, "\001\002\000\035", 4);
    assert_int_equal(krb5msg_unwrap(rig.peer, answer->data + GSSAPI_HEAD,
                         answer->len - GSSAPI_HEAD, &plain), KRB5MSG_OK);
    assert_false(plain.conf);
    assert_int_equal(plain.len, 1);
    return plain.data[0];
}

static uint8_t
answered_bare(void)
{
    assert_int_equal(rig.agreement.answer.len, 5);
    assert_memory_equal(rig.answer_room, "\001\002\000\001", 4);
    return rig.answer_room[4];
}

/* All levels against lists: echoed when listed, else the first of the list. */
static const struct {
    const char *list;
    uint8_t answers[4];
} choices[] = {
    { "none", { 0, 0, 0, 0 } },
    { "integrity", { 1, 1, 1, 1 } },
    { "confidentiality", { 2, 2, 2, 2 } },
    { "selective", { 3, 3, 3, 3 } },
    { "confidentiality integrity", { 2, 1, 2, 2 } },
    { "integrity confidentiality", { 1, 1, 2, 1 } },
    { "confidentiality integrity none", { 0, 1, 2, 2 } },
    { "none selective", { 0, 0, 0, 3 } },
    { "selective none integrity confidentiality", { 0, 1, 2, 3 } },
    { "integrity integrity", { 1, 1, 1, 1 } },
};

static void
agree_once(uint8_t asked, uint8_t expected, bool nec)
{
    if (nec) {
        rig.len = 0;
        rig_frame(&rig, GSSAPI_LEVEL, &asked, 1);
    } else {
        rig_level(&rig, asked);
    }
    const size_t message = rig.len;

    /* Request and data without waiting: they stay with the host. */
    rig_frame(&rig, GSSAPI_DATA, "whatever", 8);
    assert_int_equal(rig.face->level(rig.gateway), AUTH_PROTECTION_NONE);
    for (size_t n = 0; n < message; n++)
        assert_int_equal(rig_agree(&rig, n), AUTH_FRAME_MORE);
    assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
    assert_int_equal(rig.agreement.used, message);
    assert_int_equal(rig.agreement.done, expected != 0);
    assert_int_equal(rig.agreement.sealed, expected != 0);
    assert_int_equal(nec ? answered_bare() : answered_wrapped(), expected);
    assert_int_equal(rig.face->level(rig.gateway), expected);
    if (expected != 0)
        RIG_REFUSES(agree, &rig, "agreed-already");
}

static void
test_each_level_and_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_COUNT(choices); i++)
        for (unsigned row = 0; row < 12; row++) {
            const uint8_t asked = (uint8_t)(row % 4);

            /* The wrapped form works whether NEC's is accepted or not. */
            rig_make(&rig, ENCTYPE, choices[i].list, row >= 4);
            agree_once(asked, choices[i].answers[asked], row >= 8);
            rig_free(&rig);
        }
}

static void
test_unknown_levels(void **state)
{
    (void)state;
    for (unsigned level = 4; level < 256; level++) {
        const uint8_t octet = (uint8_t)level;

        rig_make(&rig, ENCTYPE, "none integrity confidentiality selective", true);
        if (level % 2 == 0)
            rig_level(&rig, octet);
        else
            rig_frame(&rig, GSSAPI_LEVEL, &octet, 1);
        RIG_REFUSES(agree, &rig, "unknown-level");
        assert_int_equal(rig.agreement.answer.len, 0);
        rig_free(&rig);
    }
}

static void
test_other_than_one_octet(void **state)
{
    static const size_t lengths[] = { 0, 2, 3, 10, 65000 };
    static uint8_t plain[65000] = { 1, 1 };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(lengths); i++) {
        rig_make(&rig, ENCTYPE, "integrity", true);
        rig_wrap(&rig, GSSAPI_LEVEL, false, plain, lengths[i]);
        RIG_REFUSES(agree, &rig, "malformed-level");
        rig_free(&rig);
    }
}

static void
test_bare_without_nec(void **state)
{
    (void)state;
    for (uint8_t level = 0; level < 5; level++) {
        rig_make(&rig, ENCTYPE, "none integrity confidentiality", false);
        rig_frame(&rig, GSSAPI_LEVEL, &level, 1);
        RIG_REFUSES(agree, &rig, "unwrapped-level");
        rig_free(&rig);
    }
}

/* Section 4.4 has it unsealed; a sealed one says the same and verified as well. */
static void
test_sealed_proposal(void **state)
{
    (void)state;
    rig_make(&rig, ENCTYPE, "integrity", false);
    rig_wrap(&rig, GSSAPI_LEVEL, true, "\001", 1);
    assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
    assert_int_equal(answered_wrapped(), 1);
    assert_int_equal(rig.face->level(rig.gateway), AUTH_PROTECTION_INTEGRITY);
    rig_free(&rig);
}

static void
test_wrong_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *word;
    } rows[] = {
        { "\005", 1, "unprotected-message" },
        { "\005\001\000\001", 4, "unprotected-message" },
        { "\000", 1, "wrong-version" },
        { "\004\001", 2, "wrong-version" },
        { "\377", 1, "wrong-version" },
        { "\001\001", 2, "wrong-message-type" },
        { "\001\003\000\001", 4, "wrong-message-type" },
        { "\001\000", 2, "wrong-message-type" },
        { "\001\377", 2, "refused-by-client" },
        { "\001\002\000\000", 4, "empty-token" },
        { "\001\002\000\002\001\001", 6, "truncated-token" },
        { "\001\002\000\020\005\004\000\377\000\000\000\000\000\000\000\000\000\000\000\000", 20,
            "wrong-token-flags" },
        { "\001\002\000\020\004\004\004\377\377\377\377\377\000\000\000\000\000\000\000\000", 20,
            "not-a-wrap-token" },
    };

    (void)state;
    for (size_t i = 0; i < 2 * SP_COUNT(rows); i++) {
        rig_make(&rig, ENCTYPE, "none integrity", i % 2 != 0);
        rig_set(&rig, rows[i / 2].bytes, rows[i / 2].len);
        RIG_REFUSES(agree, &rig, rows[i / 2].word);
        assert_true(rig.agreement.used == 0 && !rig.agreement.done);
        rig_free(&rig);
    }
}

/* Every bit of the token; the refused ones change nothing, so the good one is still taken. */
static void
test_every_bit(void **state)
{
    (void)state;
    rig_make(&rig, ENCTYPE, "integrity", false);
    rig_level(&rig, 1);
    for (size_t bit = 8 * GSSAPI_HEAD; bit < 8 * rig.len; bit++) {
        if (bit / 8 == GSSAPI_HEAD + 6 || bit / 8 == GSSAPI_HEAD + 7)
            continue; /* RRC: congruent ones open to the same octet */
        rig.message[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_BAD);
        rig.message[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
    rig_free(&rig);
}

static void
test_reflected(void **state)
{
    struct krb5msg *own;

    (void)state;
    rig_make(&rig, ENCTYPE, "integrity", false);
    own = rig.peer;
    rig.peer = rig_krb5msg(KRB5MSG_ACCEPTOR, ENCTYPE);
    rig_level(&rig, 1);
    krb5msg_free(&rig.peer);
    rig.peer = own;
    RIG_REFUSES(agree, &rig, "reflected-message");
    rig_free(&rig);
}

/* The first message is number recv_seq: a client that sent another one before it is cut. */
static void
test_missing_before(void **state)
{
    (void)state;
    rig_make(&rig, ENCTYPE, "integrity", false);
    rig_level(&rig, 1);
    rig_level(&rig, 1);
    RIG_REFUSES(agree, &rig, "out-of-sequence-message");
    rig_free(&rig);
}

static void
test_look(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        const uint8_t octet = (uint8_t)first;

        rig_make(&rig, ENCTYPE, "none", false);
        rig_agreed(&rig, 0);
        assert_false(rig.agreement.done);
        assert_int_equal(rig_agree(&rig, 0), AUTH_FRAME_MORE);
        rig_set(&rig, &octet, 1);
        if (first != 1 && first != 5) {
            RIG_REFUSES(agree, &rig, "wrong-version");
        } else {
            assert_int_equal(rig_agree(&rig, 1), AUTH_FRAME_READY);
            assert_int_equal(rig.agreement.used, 0);
            assert_int_equal(rig.agreement.answer.len, 0);
            assert_true(rig.agreement.done);
            assert_int_equal(rig.agreement.sealed, first == 1);
            assert_int_equal(rig.face->level(rig.gateway), first == 1);
        }
        rig_free(&rig);
    }
}

/* Dante's client, told 0 against its wish: it seals on, at the level it has in mind. */
static void
test_dante_seals_after_none(void **state)
{
    (void)state;
    for (int conf = 0; conf < 2; conf++) {
        const char *word = conf ? "message-not-confidential" : "confidential-message-at-integrity";

        rig_make(&rig, ENCTYPE, "none", false);
        rig_level(&rig, conf ? 2 : 1);
        assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
        assert_int_equal(answered_wrapped(), 0);
        rig.len = 0;
        rig_wrap(&rig, GSSAPI_DATA, conf, "\005\001\000\001\177\000\000\001\000\120", 10);
        assert_int_equal(rig.len, conf ? 4 + 70 : 4 + 38);
        assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
        assert_true(rig.agreement.done && rig.agreement.sealed);
        /* Not known yet: at least integrity, and what we would send is confidential. */
        assert_int_equal(rig.face->level(rig.gateway), AUTH_PROTECTION_INTEGRITY);
        assert_int_equal(rig.face->plain_max(rig.gateway), 65475);
        assert_int_equal(rig_open(&rig, rig.len), AUTH_FRAME_READY);
        assert_int_equal(rig.opened.plain_len, 10);
        assert_int_equal(rig.face->level(rig.gateway), conf ? 2 : 1);
        assert_int_equal(rig.face->plain_max(rig.gateway), conf ? 65475 : 65507);
        /* And so it stays. */
        rig.len = 0;
        rig_wrap(&rig, GSSAPI_DATA, !conf, "x", 1);
        RIG_REFUSES(open, &rig, word);
        rig_free(&rig);
    }
}

/* Having looked, nobody may fall back to bare bytes. */
static void
test_sealed_stays_sealed(void **state)
{
    (void)state;
    rig_make(&rig, ENCTYPE, "none", false);
    rig_agreed(&rig, 0);
    rig_wrap(&rig, GSSAPI_DATA, false, "", 0);
    assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
    assert_int_equal(rig_open(&rig, rig.len), AUTH_FRAME_READY);
    rig_set(&rig, "\005\001\000\001", 4);
    RIG_REFUSES(open, &rig, "unprotected-message");
    rig_free(&rig);
}

/* curl up to 7.68: 0, wrapped. curl 8.20: asks for 2, content with 0 alone. Then the bare request. */
static void
test_curl(void **state)
{
    (void)state;
    for (uint8_t asked = 0; asked <= 2; asked += 2) {
        uint8_t room[128] = { 0 };
        struct auth_sealed sealed;

        rig_make(&rig, ENCTYPE, "none", false);
        rig_level(&rig, asked);
        rig_set(&rig, rig.message, rig.len);
        assert_int_equal(rig_agree(&rig, 4), AUTH_FRAME_MORE); /* header and token in two writes */
        assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
        assert_int_equal(answered_wrapped(), 0);
        rig_set(&rig, "\005\001\000\003", 4);
        assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
        assert_true(rig.agreement.done && !rig.agreement.sealed);
        assert_int_equal(rig.face->level(rig.gateway), AUTH_PROTECTION_NONE);
        /* There is no layer now, and nobody can make one. */
        RIG_REFUSES(open, &rig, "nothing-agreed");
        assert_int_equal(rig.face->seal(rig.gateway, room + 64, 1, &sealed), -1);
        RIG_REFUSES(agree, &rig, "agreed-already");
        rig_free(&rig);
    }
}

/* curl 8.20 with an answer it does not want: the request comes bare. */
static void
test_curl_goes_on_bare(void **state)
{
    (void)state;
    for (uint8_t level = 1; level <= 3; level++) {
        rig_make(&rig, ENCTYPE, "integrity confidentiality selective", false);
        rig_agreed(&rig, level);
        rig_set(&rig, "\005\001\000\003\013example.com\000\120", 18);
        for (size_t n = 1; n <= rig.len; n++) {
            assert_int_equal(rig_open(&rig, n), AUTH_FRAME_BAD);
            assert_string_equal(rig.opened.error, "unprotected-message");
        }
        rig_free(&rig);
    }
}

/* curl --socks5-gssapi-nec and NEC's client: bare there, bare back; then the request. */
static void
test_nec_script(void **state)
{
    (void)state;
    rig_make(&rig, ENCTYPE, "none confidentiality", true);
    rig_set(&rig, "\001\002\000\001\000\005\001\000\001", 9);
    assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
    assert_int_equal(rig.agreement.used, 5);
    assert_int_equal(answered_bare(), 0);
    rig_drop(&rig, 5);
    assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
    assert_true(rig.agreement.done && !rig.agreement.sealed);
    rig_free(&rig);
    /* A bare octet uses no number: the first sealed message is number recv_seq. */
    rig_make(&rig, ENCTYPE, "confidentiality", true);
    rig_set(&rig, "\001\002\000\001\002", 5);
    rig_wrap(&rig, GSSAPI_DATA, true, "abc", 3);
    assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
    assert_true(rig.agreement.done && rig.agreement.sealed);
    rig_drop(&rig, 5);
    assert_int_equal(rig_open(&rig, rig.len), AUTH_FRAME_READY);
    assert_memory_equal(rig_plain(), "abc", 3);
    rig_free(&rig);
}

/* Nothing is open, and nothing can be sealed, before a level stands. */
static void
test_before(void **state)
{
    uint8_t room[128] = { 0 };
    struct auth_sealed sealed;

    (void)state;
    rig_make(&rig, ENCTYPE, "integrity", false);
    rig_wrap(&rig, GSSAPI_DATA, false, "abc", 3);
    RIG_REFUSES(open, &rig, "nothing-agreed");
    assert_int_equal(rig.face->seal(rig.gateway, room + 64, 1, &sealed), -1);
    rig_free(&rig);
}

/* A host without room for the answer agrees to nothing. */
static void
test_no_room(void **state)
{
    struct auth_agreement a = { .answer = { rig.answer_room, ANSWER_LEN - 1, 0 } };

    (void)state;
    rig_make(&rig, ENCTYPE, "integrity", false);
    rig_level(&rig, 1);
    assert_int_equal(rig.face->agree(rig.gateway, rig.message, rig.len, &a), AUTH_FRAME_BAD);
    assert_string_equal(a.error, "no-room");
    assert_int_equal(a.answer.len, 0);
    rig_free(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_level_and_list),
        cmocka_unit_test(test_unknown_levels),
        cmocka_unit_test(test_other_than_one_octet),
        cmocka_unit_test(test_bare_without_nec),
        cmocka_unit_test(test_sealed_proposal),
        cmocka_unit_test(test_wrong_bytes),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_reflected),
        cmocka_unit_test(test_missing_before),
        cmocka_unit_test(test_look),
        cmocka_unit_test(test_dante_seals_after_none),
        cmocka_unit_test(test_sealed_stays_sealed),
        cmocka_unit_test(test_curl),
        cmocka_unit_test(test_curl_goes_on_bare),
        cmocka_unit_test(test_nec_script),
        cmocka_unit_test(test_before),
        cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
