/* SPDX-License-Identifier: ISC */
/* auth/gssapi/gssapi_protect_client.c against the gateway's side, and against a server that errs. */
#include "tests/unit/gssapi_rig.h"

#define ENCTYPE KRB5MSG_AES256_SHA384

static struct rig rig;
static struct gssapi_protect *client;
static size_t used;
static enum auth_protection level;
static const char *word;

static void
make(const char *protection, bool nec)
{
    uint8_t blob[GSSAPI_BLOB_MAX];

    rig_make(&rig, ENCTYPE, protection, nec);
    client = gssapi_protect_initiator(blob, rig_blob(KRB5MSG_INITIATOR, ENCTYPE, blob), &word);
    assert_non_null(client);
}

static void
drop(void)
{
    rig.face->free(client);
    client = NULL;
    rig_free(&rig);
}

static void
propose(enum auth_protection wanted, bool nec)
{
    struct auth_out out = { rig.message, sizeof rig.message, 0 };

    assert_int_equal(gssapi_protect_propose(client, wanted, nec, &out), 0);
    rig.len = out.len;
}

static enum auth_frame
confirm(const void *data, size_t len)
{
    uint8_t *copy = unit_copy(data, len);

    word = NULL;
    const enum auth_frame result = gssapi_protect_confirm(client, copy, len, &used, &level, &word);

    free(copy);
    return result;
}

/* One message with the state of one end, opened by that of the other. */
static void
passes(void *from, void *to)
{
    uint8_t room[64 + 100 + 64];
    struct auth_sealed sealed;
    struct auth_opened opened;

    memset(room, 'x', sizeof room);
    assert_int_equal(rig.face->seal(from, room + 64, 100, &sealed), 0);
    assert_int_equal(rig.face->open(to, sealed.data, sealed.len, &opened), AUTH_FRAME_READY);
    assert_int_equal(opened.plain_len, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(opened.plain[i], 'x');
}

static void
test_each_level(void **state)
{
    (void)state;
    for (unsigned row = 0; row < 8; row++) {
        const enum auth_protection wanted = (enum auth_protection)(row % 4);
        const bool nec = row >= 4;

        make("integrity selective none confidentiality", nec);
        propose(wanted, nec);
        assert_int_equal(rig.len, nec ? 5 : 4 + 16 + 1 + 24);
        assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
        for (size_t n = 0; n < rig.agreement.answer.len; n++)
            assert_int_equal(confirm(rig.answer_room, n), AUTH_FRAME_MORE);
        rig.answer_room[rig.agreement.answer.len] = 1; /* the first sealed message behind it */
        assert_int_equal(confirm(rig.answer_room, rig.agreement.answer.len + 1), AUTH_FRAME_READY);
        assert_int_equal(used, rig.agreement.answer.len);
        assert_int_equal(level, wanted);
        assert_int_equal(rig.face->level(client), wanted);
        if (wanted != AUTH_PROTECTION_NONE) {
            passes(client, rig.gateway);
            passes(rig.gateway, client);
            assert_int_equal(rig.face->plain_max(client), rig.face->plain_max(rig.gateway));
        }
        drop();
    }
}

/* Another level than proposed is told, not judged. */
static void
test_other_level(void **state)
{
    (void)state;
    make("integrity", false);
    propose(AUTH_PROTECTION_CONFIDENTIALITY, false);
    assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
    assert_int_equal(confirm(rig.answer_room, rig.agreement.answer.len), AUTH_FRAME_READY);
    assert_int_equal(level, AUTH_PROTECTION_INTEGRITY);
    passes(client, rig.gateway);
    assert_int_equal(confirm(rig.answer_room, rig.agreement.answer.len), AUTH_FRAME_BAD);
    assert_string_equal(word, "agreed-already");
    drop();
}

static void
refuses(const void *data, size_t len, const char *expected)
{
    assert_int_equal(confirm(data, len), AUTH_FRAME_BAD);
    assert_string_equal(word, expected);
    assert_int_equal(used, 0);
}

static void
test_wrong_answers(void **state)
{
    (void)state;
    make("integrity", false);
    propose(AUTH_PROTECTION_INTEGRITY, false);
    refuses("\001\377", 2, "refused");
    refuses("\005", 1, "wrong-version");
    refuses("\001\001", 2, "wrong-message-type");
    refuses("\001\003", 2, "wrong-message-type");
    refuses("\001\002\000\000", 4, "empty-token");
    refuses("\001\002\000\001\001", 5, "unwrapped-level");
    refuses("\001\002\000\002\001\001", 6, "truncated-token");
    /* Our own proposal sent back. */
    refuses(rig.message, rig.len, "reflected-message");
    drop();
    make("integrity", true);
    propose(AUTH_PROTECTION_INTEGRITY, true);
    refuses("\001\002\000\001\004", 5, "unknown-level");
    refuses("\001\002\000\002\001\001", 6, "wrapped-level");
    drop();
}

/* Sealed by the server, so only what is inside can be wrong. */
static void
test_wrong_inside(void **state)
{
    (void)state;
    make("integrity", false);
    krb5msg_free(&rig.peer);
    rig.peer = rig_krb5msg(KRB5MSG_ACCEPTOR, ENCTYPE);
    rig_level(&rig, 4);
    refuses(rig.message, rig.len, "unknown-level");
    rig.len = 0;
    rig_wrap(&rig, GSSAPI_LEVEL, false, "\001\001", 2);
    refuses(rig.message, rig.len, "malformed-level");
    drop();
}

static void
test_no_room(void **state)
{
    uint8_t room[44];
    struct auth_out out = { room, sizeof room, 0 };

    (void)state;
    make("integrity", false);
    assert_int_equal(gssapi_protect_propose(client, AUTH_PROTECTION_INTEGRITY, false, &out), -1);
    assert_int_equal(out.len, 0);
    assert_int_equal(gssapi_protect_propose(client, (enum auth_protection)4, true, &out), -1);
    drop();
}

static void
test_other_role(void **state)
{
    uint8_t blob[GSSAPI_BLOB_MAX];

    (void)state;
    assert_null(gssapi_protect_initiator(blob, rig_blob(KRB5MSG_ACCEPTOR, ENCTYPE, blob), &word));
    assert_string_equal(word, "context-of-the-other-role");
}

/* The server's 01 FF in the middle of a session, and bare bytes. */
static void
test_cut_by_server(void **state)
{
    static uint8_t refusal[] = { 1, 0xFF };
    struct auth_opened opened;

    (void)state;
    make("integrity", false);
    propose(AUTH_PROTECTION_INTEGRITY, false);
    assert_int_equal(rig_agree(&rig, rig.len), AUTH_FRAME_READY);
    assert_int_equal(confirm(rig.answer_room, rig.agreement.answer.len), AUTH_FRAME_READY);
    assert_int_equal(rig.face->open(client, refusal, 2, &opened), AUTH_FRAME_BAD);
    assert_string_equal(opened.error, "refused");
    drop();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_level),
        cmocka_unit_test(test_other_level),
        cmocka_unit_test(test_wrong_answers),
        cmocka_unit_test(test_wrong_inside),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_other_role),
        cmocka_unit_test(test_cut_by_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
