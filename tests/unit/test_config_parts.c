/* SPDX-License-Identifier: ISC */
/* src/config/config_message.c, config_flat.c, config_seen.c, config_model.c, config_builder.c: what
   the compiler stands on. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "src/config/config_builder.h"
#include "src/config/config_flat.h"
#include "src/config/config_message.h"
#include "src/config/config_model.h"
#include "src/config/config_seen.h"

static const char *
text_of(const struct config_messages *m)
{
    static char text[65536];
    const size_t len = buffer_len(&m->text);
    assert_true(len < sizeof(text));
    memcpy(text, buffer_head(&m->text), len);
    text[len] = '\0';
    return text;
}

static void
test_message_form(void **state)
{
    struct config_messages m = { .text = BUFFER_INIT };
    const struct config_where all = { "f", 3, "rule", "a b", "port" };
    const struct config_where untitled = { "f", 4, "log", NULL, NULL };
    const struct config_where top = { "f", 0, "", NULL, "user" };
    (void)state;
    config_error(&m, &all, "is %s", "wrong");
    config_error(&m, &untitled, "x");
    config_warn(&m, &top, "y");
    config_error_line(&m, "g:1: z");
    assert_string_equal(text_of(&m), "f:3: rule \"a b\": port: is wrong\n"
                                     "f:4: section \"log\": x\n"
                                     "f: user: warning: y\n"
                                     "g:1: z\n");
    assert_int_equal(m.errors, 3);
    assert_int_equal(m.warnings, 1);
    buffer_clear(&m.text);
}

/* One line each, whatever is in it. */
static void
test_message_lines(void **state)
{
    struct config_messages m = { .text = BUFFER_INIT };
    const struct config_where where = { "f", 1, NULL, NULL, NULL };
    char quoted[CONFIG_QUOTE_MAX];
    char large[4000];
    (void)state;
    memset(large, 'x', sizeof(large));
    large[sizeof(large) - 1] = '\0';
    assert_string_equal(config_quote("a\nb\x1b", quoted), "\"a?b?\"");
    assert_true(strlen(config_quote(large, quoted)) < CONFIG_QUOTE_MAX);
    config_error(&m, &where, "a\nb: %s", large);
    const char *text = text_of(&m);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_true(strlen(text) <= 1024);
    buffer_clear(&m.text);
}

/* So many errors: so many lines, the last of which may say that there are more. */
static void
assert_lines(unsigned errors, unsigned lines, bool more)
{
    struct config_messages m = { .text = BUFFER_INIT };
    const struct config_where where = { "f", 1, NULL, NULL, NULL };
    unsigned count = 0;
    for (unsigned i = 0; i < errors; i++) {
        config_error(&m, &where, "x");
    }
    for (const char *at = text_of(&m); (at = strchr(at, '\n')) != NULL; at++) {
        count++;
    }
    assert_int_equal(count, lines);
    assert_int_equal(m.errors, errors);
    assert_int_equal(strstr(text_of(&m), "more than 50 errors") != NULL, more);
    buffer_clear(&m.text);
}

static void
test_message_many(void **state)
{
    (void)state;
    assert_lines(CONFIG_ERRORS_MAX, CONFIG_ERRORS_MAX, false);
    assert_lines(CONFIG_ERRORS_MAX + 1, CONFIG_ERRORS_MAX + 1, true);
    assert_lines(3 * CONFIG_ERRORS_MAX, CONFIG_ERRORS_MAX + 1, true);
}

static void
test_message_words(void **state)
{
    static const char *const three[] = { "a", "b", "c", NULL };
    char out[64];
    (void)state;
    assert_string_equal(config_words(three, out, sizeof(out)), "\"a\", \"b\" and \"c\"");
    assert_string_equal(config_words(three + 2, out, sizeof(out)), "\"c\"");
    assert_string_equal(config_words(three, out, 6), "\"a\"");
}

static void
test_flat(void **state)
{
    struct config_flat f = { .text = NULL };
    unsigned line = 0;
    (void)state;
    const uint32_t main_file = config_flat_file(&f, "m");
    const uint32_t other = config_flat_file(&f, "o");
    config_flat_section(&f, (struct flat_origin){ other, 7 }, "rule", "a\"\\$");
    config_flat_list(&f, (struct flat_origin){ other, 8 }, "port");
    config_flat_item(&f, (struct flat_origin){ other, 9 }, "1");
    config_flat_close(&f, (struct flat_origin){ other, 8 });
    config_flat_close(&f, (struct flat_origin){ other, 10 });
    config_flat_set(&f, (struct flat_origin){ main_file, 2 }, "user", "u");
    assert_string_equal(f.text, "rule {\n@row = \"1\"\n@title = \"a\\\"\\\\\\$\"\nport = {\n\"1\",\n"
                                "}\n}\nuser = \"u\"\n");
    assert_int_equal(f.values, 4);
    assert_int_equal(f.row_count, 8);
    assert_string_equal(config_flat_where(&f, 5, &line), "o");
    assert_int_equal(line, 9);
    assert_string_equal(config_flat_where(&f, 8, &line), "m");
    assert_int_equal(line, 2);
    assert_string_equal(config_flat_where(&f, 9, &line), "m");
    assert_int_equal(line, 0);
    config_flat_free(&f);
}

static void
test_flat_files(void **state)
{
    struct config_flat f = { .text = NULL };
    (void)state;
    for (unsigned i = 0; i < FLAT_FILES_MAX; i++) {
        assert_int_equal(config_flat_file(&f, "x"), i);
    }
    assert_int_equal(config_flat_file(&f, "x"), FLAT_FILES_MAX);
    assert_false(f.failed);
    config_flat_free(&f);
}

/* Linear: about one look for each title, and each growth one for each title held. */
static void
test_seen(void **state)
{
    struct config_seen seen = { .slots = NULL };
    bool failed = false;
    char title[32];
    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        snprintf(title, sizeof(title), "rule %u", i);
        assert_null(config_seen_put(&seen, "rule", title, (struct flat_origin){ 0, i }, &failed));
    }
    assert_true(seen.steps < 20000 * 8);
    assert_null(config_seen_put(&seen, "listen", "rule 3", (struct flat_origin){ 0, 1 }, &failed));
    assert_null(config_seen_put(&seen, "rulerule", " 3", (struct flat_origin){ 0, 1 }, &failed));
    const struct flat_origin *first =
        config_seen_put(&seen, "rule", "rule 777", (struct flat_origin){ 1, 1 }, &failed);
    assert_non_null(first);
    assert_int_equal(first->line, 777);
    assert_false(failed);
    config_seen_free(&seen);
}

static void
test_model(void **state)
{
    struct config_flat flat = { .text = NULL };
    struct config_model m = { .flat = &flat };
    const struct config_section *rule = config_section_find("rule");
    const struct config_section *log = config_section_find("log");
    const struct config_key *port = config_key_find(rule, "port");
    const struct config_key *format = config_key_find(log, "format");
    (void)state;
    config_model_begin(&m, config_section_find(""), 0);
    config_model_begin(&m, rule, 1);
    config_model_add(&m, 1, port, "1", 2);
    config_model_add(&m, 1, port, "2", 3);
    config_model_add(&m, 1, config_key_find(rule, "user"), NULL, 4);
    assert_ptr_equal(config_model_block(&m, "rule"), &m.blocks[1]);
    assert_null(config_model_block(&m, "log"));
    const struct config_setting *s = config_model_setting(&m, &m.blocks[1], "port");
    assert_int_equal(s->count, 2);
    assert_string_equal(config_model_value(&m, &m.blocks[1], port, 1), "2");
    assert_null(config_model_value(&m, &m.blocks[1], port, 2));
    assert_int_equal(config_model_setting(&m, &m.blocks[1], "user")->count, 0);
    assert_null(config_model_setting(&m, &m.blocks[1], "client"));
    assert_string_equal(config_model_value(&m, NULL, format, 0), "keyvalue");
    assert_null(config_model_value(&m, NULL, format, 1));
    assert_null(config_model_value(&m, &m.blocks[1], config_key_find(rule, "client"), 0));
    assert_false(m.failed);
    config_model_free(&m);
}

static void
test_builder(void **state)
{
    struct config_builder b;
    struct image_settings settings;
    const uint64_t numbers[] = { 1, 2, 3 };
    size_t size = 0;
    (void)state;
    memset(&settings, 0, sizeof(settings));
    config_builder_init(&b);
    const struct image_text t = config_builder_text(&b, "abc");
    const struct image_list l = config_builder_list(&b, numbers, sizeof(numbers[0]), 3);
    assert_int_equal(config_builder_text(&b, "").off, 0);
    assert_int_equal(config_builder_text(&b, NULL).off, 0);
    assert_int_equal(config_builder_list(&b, NULL, 8, 0).off, 0);
    assert_int_equal(l.off % 8, 0);
    uint8_t *image = config_builder_finish(&b, &settings, l, &size);
    assert_non_null(image);
    assert_string_equal(image + t.off, "abc");
    assert_memory_equal(image + l.off, numbers, sizeof(numbers));
    assert_int_equal(size, l.off + sizeof(numbers));
    free(image);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_form),
        cmocka_unit_test(test_message_lines),
        cmocka_unit_test(test_message_many),
        cmocka_unit_test(test_message_words),
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_flat_files),
        cmocka_unit_test(test_seen),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_builder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
