/* SPDX-License-Identifier: ISC */
/* auth/userpass/userpass_wire.c and userpass_options.c: the wire and config faces. */
#include "tests/unit/unit.h"

#include "auth/builtin.h"
#include "auth/userpass/userpass_options.h"
#include "tests/unit/userpass_samples.h"

static const struct auth_wire_module *
userpass(void)
{
    char error[128];
    const struct auth_wire_module *m = auth_wire_find("userpass", "/nowhere", error, sizeof error);

    assert_non_null(m);
    return m;
}

static enum auth_frame
frame(const void *data, size_t len, struct auth_frame_result *out)
{
    return userpass()->frame(NULL, data, len, out);
}

static void
test_faces(void **state)
{
    (void)state;
    assert_int_equal(userpass()->version, AUTH_MODULE_VERSION);
    assert_int_equal(userpass()->method, 2);
    assert_true(userpass()->needs_pool);
    assert_false(userpass()->protects);
    assert_int_equal(userpass()->message_max, 513);
}

static void
test_every_split(void **state)
{
    static const uint8_t message[] = "\001\005alice\006secretMORE";
    const size_t whole = 1 + 1 + 5 + 1 + 6;
    struct auth_frame_result out;

    (void)state;
    for (size_t n = 0; n < sizeof message - 1; n++) {
        uint8_t *copy = unit_copy(message, n);
        const enum auth_frame result = frame(copy, n, &out);

        assert_int_equal(result, n < whole ? AUTH_FRAME_MORE : AUTH_FRAME_READY);
        if (result == AUTH_FRAME_READY) {
            assert_int_equal(out.used, whole);
            /* Length-prefixed name and password, and nothing of what follows. */
            assert_ptr_equal(out.payload, copy + 1);
            assert_int_equal(out.payload_len, whole - 1);
            assert_int_equal(out.claimed_len, 5);
            assert_string_equal(out.claimed, "alice");
        }
        free(copy);
    }
}

static void
test_lengths(void **state)
{
    uint8_t message[513];
    struct auth_frame_result out;

    (void)state;
    /* Zero lengths are messages: what they are worth the pool says. */
    assert_int_equal(frame("\001\000\000", 3, &out), AUTH_FRAME_READY);
    assert_int_equal(out.used, 3);
    assert_int_equal(out.payload_len, 2);
    assert_int_equal(out.claimed_len, 0);
    memset(message, 'x', sizeof message);
    message[0] = 1;
    message[1] = 255;
    message[257] = 255;
    assert_int_equal(frame(message, sizeof message - 1, &out), AUTH_FRAME_MORE);
    assert_int_equal(frame(message, sizeof message, &out), AUTH_FRAME_READY);
    assert_int_equal(out.used, 513);
    assert_int_equal(out.claimed_len, 255);
    assert_int_equal(out.claimed[255], '\0');
    /* Raw, with what the client put in. */
    assert_int_equal(frame("\001\003a\0b\001x", 7, &out), AUTH_FRAME_READY);
    assert_int_equal(out.claimed_len, 3);
    assert_memory_equal(out.claimed, "a\0b", 3);
}

static void
test_wrong_version(void **state)
{
    struct auth_frame_result out;

    (void)state;
    for (unsigned v = 0; v < 256; v++) {
        const uint8_t byte = (uint8_t)v;

        assert_int_equal(frame(&byte, 1, &out), v == 1 ? AUTH_FRAME_MORE : AUTH_FRAME_BAD);
        if (v != 1)
            assert_string_equal(out.error, "version");
    }
}

static void
test_answers(void **state)
{
    uint8_t room[8] = { 0 };
    struct auth_out out = { room, sizeof room, 0 };

    (void)state;
    assert_int_equal(userpass()->answer(NULL, AUTH_SUCCESS, "", 0, &out), 0);
    assert_int_equal(userpass()->answer(NULL, AUTH_FAILURE, NULL, 0, &out), 0);
    userpass()->refuse(NULL, &out);
    assert_int_equal(out.len, 6);
    assert_memory_equal(room, "\001\000\001\001\001\001", 6);
    /* There is no second round, and no answer beside the status. */
    assert_int_equal(userpass()->answer(NULL, AUTH_CONTINUE, "", 0, &out), -1);
    assert_int_equal(userpass()->answer(NULL, AUTH_SUCCESS, "x", 1, &out), -1);
    out.size = 7;
    assert_int_equal(userpass()->answer(NULL, AUTH_SUCCESS, "", 0, &out), -1);
    userpass()->refuse(NULL, &out);
    assert_int_equal(out.len, 6);
}

/* ---- config face ---- */

struct section {
    const char *file;
    const char *remember;
};

static const char *
section_value(const void *ctx, const char *name, unsigned i)
{
    const struct section *s = ctx;

    if (i > 0)
        return NULL;
    return strcmp(name, "file") == 0 ? s->file : strcmp(name, "remember") == 0 ? s->remember : NULL;
}

static void
test_check(void **state)
{
    struct section s = { .file = "/etc/sallyport/users" };
    const struct auth_config config = { &s, section_value };
    char error[128] = "";

    (void)state;
    assert_int_equal(userpass()->config.check(&config, error, sizeof error), 0);
    s.file = "users";
    assert_int_equal(userpass()->config.check(&config, error, sizeof error), -1);
    assert_non_null(strstr(error, "\"users\" is no absolute path"));
    s.file = "";
    assert_int_equal(userpass()->config.check(&config, error, sizeof error), -1);
    s.file = NULL;
    assert_int_equal(userpass()->config.check(&config, error, sizeof error), -1);
}

static void
test_check_file(void **state)
{
    static const char good[] = "alice:" SAMPLE_BCRYPT_2Y "\n";
    static const char bad[] = "alice:" SAMPLE_BCRYPT_2Y "\nbob:" SAMPLE_APR1 "\n";
    struct section s = { .file = "/etc/u" };
    const struct auth_config config = { &s, section_value };
    const struct auth_config_face *face = &userpass()->config;
    char error[256] = "";

    (void)state;
    assert_int_equal(face->check_file(&config, "file", "/etc/u", good, sizeof good - 1, error,
                         sizeof error), 0);
    assert_int_equal(face->check_file(&config, "file", "/etc/u", bad, sizeof bad - 1, error,
                         sizeof error), -1);
    assert_non_null(strstr(error, "/etc/u:2: user \"bob\""));
    assert_non_null(strstr(error, "htpasswd -B /etc/u 'bob'"));
}

static void
test_remember(void **state)
{
    static const struct {
        const char *text;
        unsigned seconds;
    } rows[] = { { NULL, 60 }, { "0", 0 }, { "60", 60 }, { "86400", 86400 }, { "86401", 60 },
        { "-1", 60 }, { "5x", 60 }, { "", 60 } };
    struct section s = { .file = "/etc/u" };
    const struct auth_config config = { &s, section_value };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        s.remember = rows[i].text;
        assert_int_equal(userpass_remember_seconds(&config), rows[i].seconds);
    }
}

/* The table of options: names, kinds, defaults and bounds as sallyport.conf(5) has them. */
static void
test_options(void **state)
{
    const struct auth_option *o = userpass()->config.options;

    (void)state;
    assert_string_equal(o[0].name, "backend");
    assert_string_equal(o[0].words[0], "file");
    assert_string_equal(o[0].reserved[0], "pam");
    assert_string_equal(o[0].reserved[1], "krb5");
    assert_string_equal(o[1].name, "file");
    assert_int_equal(o[1].type, AUTH_OPTION_FILE);
    assert_string_equal(o[2].name, "remember");
    assert_int_equal(o[2].max, 86400);
    assert_string_equal(o[3].name, "processes");
    assert_int_equal(o[3].max, 256);
    assert_null(o[4].name);
    for (; o->name != NULL; o++)
        assert_true(o->preset != NULL && o->sentence != NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faces),
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_wrong_version),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_check_file),
        cmocka_unit_test(test_remember),
        cmocka_unit_test(test_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
