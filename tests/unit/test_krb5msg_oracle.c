/* SPDX-License-Identifier: ISC */
/* lib/krb5msg against libgssapi, on contexts made with a real KDC: each side opens what the other
   sealed, and agrees about what is to be refused. */
#include "tests/unit/unit.h"

#include <gssapi/gssapi_ext.h>

#include "tests/unit/krb5_realm.h"

#define PLAIN_MAX 65000

static struct realm realm;
static uint8_t plain[PLAIN_MAX];
static const size_t sizes[] = { 0, 1, 15, 16, 17, 31, 32, 33, 1000, PLAIN_MAX };

struct sides {
    struct realm_pair pair;
    struct krb5msg *ours;
    gss_ctx_id_t theirs;
};

static struct sides
sides_make(int32_t enctype, bool mutual, enum krb5msg_role role)
{
    struct sides s = { .ours = NULL };
    struct krb5msg_import seen;
    assert_true(realm_pair_make(&realm, enctype, mutual, &s.pair));
    assert_true(realm_import(
        role == KRB5MSG_ACCEPTOR ? &s.pair.acceptor : &s.pair.initiator, &s.ours, &seen));
    assert_int_equal(seen.enctype, enctype);
    assert_int_equal(seen.role, role);
    assert_int_equal(seen.acceptor_subkey, mutual);
    s.theirs = role == KRB5MSG_ACCEPTOR ? s.pair.initiator : s.pair.acceptor;
    return s;
}

static void
sides_free(struct sides *s)
{
    krb5msg_free(&s->ours);
    realm_pair_free(&s->pair);
}

/* A heap block of exactly the token's length. */
static uint8_t *
their_wrap(struct sides *s, bool conf, size_t size, size_t *len)
{
    OM_uint32 minor;
    int sealed = -1;
    gss_buffer_desc in = { size, plain };
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    assert_int_equal(gss_wrap(&minor, s->theirs, conf, 0, &in, &sealed, &out), GSS_S_COMPLETE);
    assert_int_equal(sealed, conf);
    uint8_t *token = unit_copy(out.value, out.length);
    *len = out.length;
    (void)gss_release_buffer(&minor, &out);
    return token;
}

static uint8_t *
our_wrap(struct sides *s, bool conf, size_t size, size_t *len)
{
    const size_t header = krb5msg_header_len(s->ours, conf);
    uint8_t *token = malloc(header + size + krb5msg_trailer_len(s->ours, conf));
    assert_non_null(token);
    memcpy(token + header, plain, size);
    assert_int_equal(krb5msg_wrap(s->ours, conf, token, size, len), KRB5MSG_OK);
    return token;
}

static void
our_open(struct sides *s, uint8_t *token, size_t len, bool conf, size_t size)
{
    struct krb5msg_plain out;
    assert_int_equal(krb5msg_unwrap(s->ours, token, len, &out), KRB5MSG_OK);
    assert_int_equal(out.len, size);
    assert_int_equal(out.conf, conf);
    assert_memory_equal(out.data, plain, size);
}

static void
they_open(struct sides *s, uint8_t *token, size_t len, bool conf, size_t size)
{
    OM_uint32 minor;
    int sealed = -1;
    gss_buffer_desc in = { len, token };
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    assert_int_equal(gss_unwrap(&minor, s->theirs, &in, &out, &sealed, NULL), GSS_S_COMPLETE);
    assert_int_equal(sealed, conf);
    assert_int_equal(out.length, size);
    if (size > 0) {
        assert_memory_equal(out.value, plain, size);
    }
    if (out.length == 0) {
        free(out.value); /* gss_release_buffer() of krb5 1.20 forgets the block of an empty message */
        out.value = NULL;
    }
    (void)gss_release_buffer(&minor, &out);
}

static void
sizes_both_ways(struct sides *s)
{
    for (size_t i = 0; i < 2 * SP_COUNT(sizes); i++) {
        const bool conf = i % 2 != 0;
        const size_t size = sizes[i / 2];
        OM_uint32 minor;
        OM_uint32 most = 0;
        size_t their_len;
        size_t our_len;
        uint8_t *token = their_wrap(s, conf, size, &their_len);
        our_open(s, token, their_len, conf, size);
        free(token);
        token = our_wrap(s, conf, size, &our_len);
        they_open(s, token, our_len, conf, size);
        free(token);
        assert_int_equal(our_len, their_len);
        assert_int_equal(
            gss_wrap_size_limit(&minor, s->theirs, conf, 0, 65535, &most), GSS_S_COMPLETE);
        /* libgssapi rounds down to be safe; ours is exact. */
        assert_true(krb5msg_plain_max(s->ours, conf, 65535) >= most);
    }
}

static void
test_both_ways(void **state)
{
    (void)state;
    for (int32_t enctype = 17; enctype <= 20; enctype++) {
        for (int i = 0; i < 4; i++) {
            struct sides s =
                sides_make(enctype, i % 2 != 0, i / 2 ? KRB5MSG_ACCEPTOR : KRB5MSG_INITIATOR);
            sizes_both_ways(&s);
            sides_free(&s);
        }
    }
}

/* Messages of these sizes, beginning with the given one, sealed at once: each is one of its own. */
static void
many_at_once(struct sides *s, size_t first, size_t count)
{
    static const size_t many_sizes[] = { 8184, 0, 1, 8185, 15, 16, 17, 512, 31, 32, 33, 8184, 511, 513,
        1000, 8184, 8183 };
    struct krb5msg_message messages[2 * KRB5MSG_MANY + 1] = { 0 };
    const size_t header = krb5msg_header_len(s->ours, true);
    for (size_t i = 0; i < count; i++) {
        struct krb5msg_message *one = &messages[i];
        one->plain_len = many_sizes[(first + i) % SP_COUNT(many_sizes)];
        one->token = malloc(header + one->plain_len + krb5msg_trailer_len(s->ours, true));
        assert_non_null(one->token);
        memcpy(one->token + header, plain, one->plain_len);
    }
    assert_int_equal(krb5msg_wrap_many(s->ours, messages, count), KRB5MSG_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(messages[i].token_len,
            header + messages[i].plain_len + krb5msg_trailer_len(s->ours, true));
        they_open(s, messages[i].token, messages[i].token_len, true, messages[i].plain_len);
        free(messages[i].token);
    }
}

static void
test_many(void **state)
{
    (void)state;
    for (int32_t enctype = 17; enctype <= 20; enctype++) {
        struct sides s = sides_make(enctype, true, KRB5MSG_ACCEPTOR);
        for (size_t first = 0; first < 17; first++) {
            for (size_t count = 0; count <= 2 * KRB5MSG_MANY + 1; count++) {
                many_at_once(&s, first, count);
            }
        }
        sizes_both_ways(&s);
        sides_free(&s);
    }
}

/* The largest token RFC 1961 can frame. */
static void
test_largest(void **state)
{
    (void)state;
    static uint8_t big[65535];
    for (int32_t enctype = 17; enctype <= 20; enctype++) {
        struct sides s = sides_make(enctype, true, KRB5MSG_ACCEPTOR);
        for (int conf = 0; conf < 2; conf++) {
            OM_uint32 minor;
            size_t len;
            const size_t size = krb5msg_plain_max(s.ours, conf, sizeof(big));
            assert_int_equal(krb5msg_wrap(s.ours, conf, big, size, &len), KRB5MSG_OK);
            assert_int_equal(len, sizeof(big));
            gss_buffer_desc in = { len, big };
            gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
            assert_int_equal(gss_unwrap(&minor, s.theirs, &in, &out, NULL, NULL), GSS_S_COMPLETE);
            assert_int_equal(out.length, size);
            (void)gss_release_buffer(&minor, &out);
        }
        sides_free(&s);
    }
}

/* Without room behind the data libgssapi turns the trailer to the front: RRC is not 0. */
static void
test_rotated(void **state)
{
    (void)state;
    for (int32_t enctype = 17; enctype <= 20; enctype++) {
        struct sides s = sides_make(enctype, true, KRB5MSG_ACCEPTOR);
        for (size_t i = 0; i < 2 * (SP_COUNT(sizes) - 1); i++) {
            OM_uint32 minor;
            uint8_t token[1200];
            const size_t size = sizes[i / 2];
            gss_iov_buffer_desc iov[2] = {
                { GSS_IOV_BUFFER_TYPE_HEADER, GSS_C_EMPTY_BUFFER },
                { GSS_IOV_BUFFER_TYPE_DATA, { size, NULL } },
            };
            assert_int_equal(
                gss_wrap_iov_length(&minor, s.theirs, i % 2, 0, NULL, iov, 2), GSS_S_COMPLETE);
            iov[0].buffer.value = token;
            iov[1].buffer.value = token + iov[0].buffer.length;
            memcpy(iov[1].buffer.value, plain, size);
            assert_int_equal(
                gss_wrap_iov(&minor, s.theirs, i % 2, 0, NULL, iov, 2), GSS_S_COMPLETE);
            assert_true(token[6] != 0 || token[7] != 0);
            our_open(&s, token, iov[0].buffer.length + size, i % 2 != 0, size);
        }
        sides_free(&s);
    }
}

static bool
we_refuse(struct sides *s, const uint8_t *token, size_t len, size_t size)
{
    struct krb5msg_plain out;
    uint8_t *copy = unit_copy(token, len);
    const bool refused = krb5msg_unwrap(s->ours, copy, len, &out) != KRB5MSG_OK;
    if (!refused) {
        assert_int_equal(out.len, size);
        assert_memory_equal(out.data, plain, size);
    }
    free(copy);
    return refused;
}

/* Each changed bit of their tokens. One that opens uses its number up, so the good one cannot
   follow: only RRC values may do that, and only congruent ones. */
static void
test_every_bit(void **state)
{
    (void)state;
    for (int32_t enctype = 17; enctype <= 20; enctype++) {
        struct sides s = sides_make(enctype, true, KRB5MSG_ACCEPTOR);
        for (size_t i = 0; i < 6; i++) {
            const bool conf = i % 2 != 0;
            size_t len;
            bool used = false;
            uint8_t *token = their_wrap(&s, conf, 17 * (i / 2), &len);
            for (size_t bit = 0; bit < 8 * len; bit++) {
                token[bit / 8] ^= (uint8_t)(1U << bit % 8);
                const size_t rrc = ((size_t)token[6] << 8) | token[7];
                const bool refused = we_refuse(&s, token, len, 17 * (i / 2));
                assert_true(refused || (!used && rrc % (len - 16) == 0 && rrc != 0));
                used = used || !refused;
                token[bit / 8] ^= (uint8_t)(1U << bit % 8);
            }
            assert_int_equal(we_refuse(&s, token, len, 17 * (i / 2)), used);
            free(token);
        }
        sides_free(&s);
    }
}

/* And of ours, as they see it: the layout carries nothing they do not verify, but for RRC and
   (before krb5 1.21.3) EC. */
static void
test_they_refuse(void **state)
{
    (void)state;
    struct sides s = sides_make(KRB5MSG_AES256_SHA1, true, KRB5MSG_ACCEPTOR);
    for (int conf = 0; conf < 2; conf++) {
        size_t len;
        uint8_t *token = our_wrap(&s, conf, 33, &len);
        for (size_t bit = 8 * 8; bit < 8 * len; bit++) {
            OM_uint32 minor;
            gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
            uint8_t *changed = unit_copy(token, len);
            gss_buffer_desc in = { len, changed };
            changed[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_true(GSS_ERROR(gss_unwrap(&minor, s.theirs, &in, &out, NULL, NULL)));
            free(changed);
        }
        they_open(&s, token, len, conf, 33);
        free(token);
    }
    sides_free(&s);
}

static void
test_order(void **state)
{
    (void)state;
    struct sides s = sides_make(KRB5MSG_AES256_SHA384, true, KRB5MSG_ACCEPTOR);
    struct krb5msg_plain out;
    uint8_t *token[4];
    size_t len[4];
    for (size_t i = 0; i < 4; i++) {
        token[i] = their_wrap(&s, i % 2 != 0, 100, &len[i]);
    }
    uint8_t *copy = unit_copy(token[1], len[1]);
    assert_int_equal(krb5msg_unwrap(s.ours, copy, len[1], &out), KRB5MSG_OUT_OF_SEQUENCE);
    free(copy);
    copy = unit_copy(token[0], len[0]);
    our_open(&s, copy, len[0], false, 100);
    free(copy);
    assert_int_equal(krb5msg_unwrap(s.ours, token[0], len[0], &out), KRB5MSG_REPLAY);
    assert_true(krb5msg_use_window(s.ours));
    copy = unit_copy(token[3], len[3]);
    our_open(&s, copy, len[3], true, 100);
    free(copy);
    our_open(&s, token[1], len[1], true, 100);
    our_open(&s, token[2], len[2], false, 100);
    assert_int_equal(krb5msg_unwrap(s.ours, token[3], len[3], &out), KRB5MSG_REPLAY);
    for (size_t i = 0; i < 4; i++) {
        free(token[i]);
    }
    sides_free(&s);
}

/* A MIC token of the same context is none of ours. */
static void
test_mic(void **state)
{
    (void)state;
    struct sides s = sides_make(KRB5MSG_AES128_SHA256, true, KRB5MSG_ACCEPTOR);
    OM_uint32 minor;
    struct krb5msg_plain plain_out;
    gss_buffer_desc in = { 10, plain };
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    assert_int_equal(gss_get_mic(&minor, s.theirs, 0, &in, &out), GSS_S_COMPLETE);
    assert_int_equal(
        krb5msg_unwrap(s.ours, out.value, out.length, &plain_out), KRB5MSG_NOT_A_TOKEN);
    (void)gss_release_buffer(&minor, &out);
    sides_free(&s);
}

static int
group_start(void **state)
{
    (void)state;
    struct unit_random r = UNIT_RANDOM_INIT;
    unit_random_fill(&r, plain, sizeof(plain));
    return krb5msg_start() && realm_start(&realm) ? 0 : -1;
}

static int
group_end(void **state)
{
    (void)state;
    realm_stop(&realm);
    krb5msg_end();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_rotated),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_they_refuse),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_mic),
    };
    return cmocka_run_group_tests(tests, group_start, group_end);
}
