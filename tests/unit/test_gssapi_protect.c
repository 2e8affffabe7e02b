/* SPDX-License-Identifier: ISC */
/* auth/gssapi/gssapi_protect.c and gssapi_protect_terms.c: the face, terms, and what is imported. */
#include "tests/unit/gssapi_rig.h"

#include "auth/gssapi/gssapi_protect_local.h"

static const struct auth_protect_module *const face = &auth_gssapi_protect;
static const char *word;

static void
test_face(void **state)
{
    char error[64] = "";

    (void)state;
    assert_int_equal(face->version, AUTH_MODULE_VERSION);
    assert_string_equal(face->name, "gssapi");
    /* What a channel has around its bytes, and reads at once. */
    assert_true(face->head >= GSSAPI_HEAD + KRB5MSG_HEADER_MAX && face->head <= 64);
    assert_true(face->tail >= KRB5MSG_TRAILER_MAX && face->tail <= 64);
    assert_int_equal(face->message_max, 65539);
    assert_int_equal(face->start(error, sizeof error), 0);
    assert_int_equal(face->start(error, sizeof error), 0);
    assert_string_equal(error, "");
}

/* Constant words, each its own: an audit tells them apart. */
static void
test_words(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KRB5MSG_RESULTS; i++) {
        const char *w = gssapi_word((enum krb5msg_result)i);

        assert_non_null(w);
        assert_int_equal(strspn(w, "abcdefghijklmnopqrstuvwxyz-"), strlen(w));
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(w, gssapi_word((enum krb5msg_result)k));
    }
    assert_string_equal(gssapi_word(KRB5MSG_RESULTS), "unknown");
}

static struct gssapi_terms *
terms_of(const char *protection, const char *nec, char error[128])
{
    const struct rig_section section = { protection, nec };
    const struct auth_config config = rig_config(&section);

    error[0] = '\0';
    return face->terms(&config, error, 128);
}

static void
test_terms(void **state)
{
    char error[128];
    struct gssapi_terms *t = terms_of("selective none selective integrity confidentiality none", "true", error);

    (void)state;
    assert_non_null(t);
    assert_int_equal(t->count, 4);
    assert_int_equal(t->levels[0], AUTH_PROTECTION_SELECTIVE);
    assert_int_equal(t->levels[1], AUTH_PROTECTION_NONE);
    assert_int_equal(t->levels[2], AUTH_PROTECTION_INTEGRITY);
    assert_int_equal(t->levels[3], AUTH_PROTECTION_CONFIDENTIALITY);
    assert_true(t->nec);
    face->terms_free(t);
    t = terms_of("integrity", "false", error);
    assert_false(t->nec);
    assert_int_equal(t->count, 1);
    face->terms_free(t);
    t = terms_of("integrity", NULL, error);
    assert_false(t->nec);
    face->terms_free(t);
    face->terms_free(NULL);
}

static void
test_terms_refused(void **state)
{
    char error[128];

    (void)state;
    assert_null(terms_of("", "false", error));
    assert_string_equal(error, "protection is an empty list; name at least one level");
    assert_null(terms_of("integrity Confidentiality", "false", error));
    assert_non_null(strstr(error, "\"Confidentiality\" is no level; allowed: \"none\", \"integrity\""));
}

static void *
import(const void *blob, size_t len)
{
    uint8_t *copy = unit_copy(blob, len);

    word = NULL;
    void *p = face->import(NULL, copy, len, &word);

    free(copy);
    return p;
}

static void
test_import(void **state)
{
    uint8_t blob[GSSAPI_BLOB_MAX];

    (void)state;
    for (int32_t enctype = RIG_ENCTYPES_FROM; enctype <= RIG_ENCTYPES_TO; enctype++) {
        const size_t len = rig_blob(KRB5MSG_ACCEPTOR, enctype, blob);
        void *p = import(blob, len);

        assert_non_null(p);
        assert_null(word);
        assert_int_equal(face->level(p), AUTH_PROTECTION_NONE);
        face->free(p);
        for (size_t n = 0; n < len; n++) {
            assert_null(import(blob, n));
            assert_string_equal(word, "malformed-context");
        }
        blob[len] = 0;
        assert_null(import(blob, len + 1));
        assert_string_equal(word, "malformed-context");
    }
    face->free(NULL);
}

static void
test_import_refused(void **state)
{
    uint8_t blob[GSSAPI_BLOB_MAX];
    struct gssapi_context c = { .role = KRB5MSG_ACCEPTOR, .enctype = 23, .key_len = 16 };

    (void)state;
    assert_null(import(blob, rig_blob(KRB5MSG_INITIATOR, KRB5MSG_AES256_SHA1, blob)));
    assert_string_equal(word, "context-of-the-other-role");
    assert_null(import(blob, gssapi_blob_encode(&c, blob, sizeof blob)));
    assert_string_equal(word, "unsupported-enctype");
    c.enctype = KRB5MSG_AES256_SHA1;
    assert_null(import(blob, gssapi_blob_encode(&c, blob, sizeof blob)));
    assert_string_equal(word, "wrong-key-length");
    const size_t len = rig_blob(KRB5MSG_ACCEPTOR, KRB5MSG_AES256_SHA1, blob);

    blob[0] = GSSAPI_BLOB_VERSION + 1;
    assert_null(import(blob, len));
    assert_string_equal(word, "malformed-context");
    assert_null(import(NULL, 0));
    assert_string_equal(word, "malformed-context");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_face),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_terms_refused),
        cmocka_unit_test(test_import),
        cmocka_unit_test(test_import_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
