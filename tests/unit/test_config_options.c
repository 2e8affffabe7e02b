/* SPDX-License-Identifier: ISC */
/*
 * src/config/config_options.c, and doc/sallyport.conf.5, whose list of keys is what this program
 * prints when it is called with --print; with --update PAGE it writes it into that page.
 */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "auth/builtin.h"
#include "src/config/config_compiler.h"
#include "src/config/config_options.h"

/* --- the table --------------------------------------------------------------------------------- */

static void
check_key(const struct config_section *section, const struct config_key *key)
{
    struct config_error_text error;
    char preset[512];
    for (unsigned i = 0; config_preset(key, i, preset, sizeof(preset)); i++) {
        assert_true(i == 0 || config_type_is_list(key->type));
        if (!config_value_check(key, preset, &error)) {
            fail_msg("%s.%s: preset: %s", section->name, key->name, error.text);
        }
    }
    assert_string_equal(key->section, section->name);
    assert_ptr_equal(config_key_find(section, key->name), key);
    assert_non_null(config_type_name(key->type));
    assert_non_null(key->sentence);
    assert_int_equal(key->sentence[strlen(key->sentence) - 1], '.');
    assert_true(key->max >= key->min);
    assert_true(key->store == STORE_NONE || key->preset != NULL);
    assert_true((key->type != CONFIG_WORD && key->type != CONFIG_WORDS) || key->words != NULL);
}

/* Two keys in one place of the image would overwrite each other. */
static void
test_table(void **state)
{
    const struct config_key *stored[128];
    size_t count = 0;
    size_t stored_count = 0;
    const struct config_section *sections = config_sections(&count);
    (void)state;
    assert_string_equal(sections[0].name, "");
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(config_section_find(sections[i].name), &sections[i]);
        assert_in_range(sections[i].count, 1, CONFIG_KEYS_MAX);
        for (size_t j = 0; j < sections[i].count; j++) {
            const struct config_key *key = &sections[i].keys[j];
            check_key(&sections[i], key);
            if (key->store != STORE_NONE) {
                stored[stored_count++] = key;
            }
        }
    }
    for (size_t i = 0; i < stored_count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(stored[i]->at, stored[j]->at);
        }
    }
    assert_null(config_section_find("nope"));
    assert_null(config_key_find(&sections[0], "nope"));
}

static void
test_preset(void **state)
{
    const struct config_key list = { .type = CONFIG_LIST, .preset = "a bc" };
    const struct config_key none = { .type = CONFIG_LIST };
    const struct config_key empty = { .type = CONFIG_LIST, .preset = "" };
    const struct config_key text = { .type = CONFIG_TEXT, .preset = "a b" };
    char out[8];
    (void)state;
    assert_true(config_preset(&list, 1, out, sizeof(out)));
    assert_string_equal(out, "bc");
    assert_false(config_preset(&list, 2, out, sizeof(out)));
    assert_false(config_preset(&none, 0, out, sizeof(out)));
    assert_false(config_preset(&empty, 0, out, sizeof(out)));
    assert_true(config_preset(&text, 0, out, sizeof(out)));
    assert_string_equal(out, "a b");
    assert_false(config_preset(&text, 1, out, sizeof(out)));
}

static void
test_facility(void **state)
{
    (void)state;
    assert_string_equal(config_facility_name((uint32_t)config_facility("local7")), "local7");
    assert_int_equal(config_facility("nope"), -1);
    assert_null(config_facility_name(1));
}

static void
test_number(void **state)
{
    const struct config_key size = { .type = CONFIG_SIZE, .max = UINT64_C(1) << 40 };
    const struct config_key number = { .type = CONFIG_NUMBER, .min = 2, .max = 10 };
    struct config_error_text error;
    uint64_t n = 0;
    (void)state;
    assert_true(config_value_number(&size, "3k", &n, &error));
    assert_int_equal(n, 3072);
    assert_true(config_value_number(&size, "1m", &n, &error) && n == 1048576);
    assert_true(config_value_number(&size, "1024g", &n, &error) && n == UINT64_C(1) << 40);
    assert_false(config_value_number(&size, "1025g", &n, &error));
    assert_false(config_value_number(&size, "1K", &n, &error));
    assert_false(config_value_number(&size, "k", &n, &error));
    assert_false(config_value_number(&size, "18446744073709551616", &n, &error));
    assert_string_equal(error.text, "\"18446744073709551616\" is not allowed; allowed are "
                                    "0..1099511627776, then k, m or g or nothing");
    assert_true(config_value_number(&number, "2", &n, &error));
    assert_false(config_value_number(&number, "1", &n, &error));
    assert_false(config_value_number(&number, "11", &n, &error));
    assert_false(config_value_number(&number, "2k", &n, &error));
    assert_false(config_value_number(&number, "+2", &n, &error));
    assert_false(config_value_number(&number, " 2", &n, &error));
    assert_true(config_value_number(&size, "0", &n, &error));
    assert_false(config_value_number(&size, "00", &n, &error));
}

/* --- the manual -------------------------------------------------------------------------------- */

struct page {
    char text[65536];
    size_t len;
};

static void SP_PRINTF(2, 3)
put(struct page *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(p->text + p->len, sizeof(p->text) - p->len, fmt, ap);
    va_end(ap);
    assert_in_range(n, 0, sizeof(p->text) - p->len - 1);
    p->len += (size_t)n;
}

/* The page shows the folders of a package, wherever this tree would be installed. */
static void
put_path(struct page *p, const char *text)
{
    static const char *const folders[][2] = { { SYSCONFDIR "/", "/etc/" },
        { RUNDIR "/", "/run/sallyport/" } };
    for (size_t i = 0; i < SP_COUNT(folders); i++) {
        const size_t len = strlen(folders[i][0]);
        if (strncmp(text, folders[i][0], len) == 0) {
            put(p, "\"%s%s\"", folders[i][1], text + len);
            return;
        }
    }
    put(p, "\"%s\"", text);
}

static void
put_preset(struct page *p, const struct config_key *key)
{
    char text[512] = "";
    const bool list = config_type_is_list(key->type);
    const bool bare = key->type == CONFIG_NUMBER || key->type == CONFIG_SECONDS ||
                      key->type == CONFIG_BOOLEAN;
    if (list) {
        put(p, "{");
        for (unsigned i = 0; config_preset(key, i, text, sizeof(text)); i++) {
            put(p, "%s \"%s\"", i > 0 ? "," : "", text);
        }
        put(p, " }");
    } else if (config_preset(key, 0, text, sizeof(text)) && bare) {
        put(p, "%s", text);
    } else {
        put_path(p, text);
    }
}

/* The page is that of a tree with every method. */
static struct config_key
as_packaged(const struct config_key *key)
{
    struct config_key k = *key;
    if (k.preset != NULL && strcmp(k.preset, METHODS_PRESET) == 0) {
        k.preset = "gssapi userpass";
    }
    return k;
}

static void
put_key(struct page *p, const struct config_key *own)
{
    const struct config_key packaged = as_packaged(own);
    const struct config_key *key = &packaged;
    char words[512];
    put(p, ".It Ic %s No = Ar %s\n%s\n.br\n", key->name, config_type_name(key->type), key->sentence);
    if (key->preset != NULL) {
        put(p, "Default: ");
        put_preset(p, key);
    } else {
        put(p, key->required ? "It must be given" : "Default: absent");
    }
    if (key->words != NULL) {
        put(p, "; allowed: %s", config_words(key->words, words, sizeof(words)));
    } else if (key->max > 0) {
        put(p, "; allowed: %llu..%llu", (unsigned long long)key->min, (unsigned long long)key->max);
    }
    put(p, "; change: %s.\n", config_change_name(key->change));
    if (key->reserved != NULL) {
        put(p, "Not available yet: %s.\n", config_words(key->reserved, words, sizeof(words)));
    }
}

static void
put_section(struct page *p, const struct config_section *section)
{
    put(p, section->name[0] != '\0' ? ".Ss %s%s\n" : ".Ss Outside sections%s%s\n", section->name,
        section->titled ? " \\(dqTITLE\\(dq" : "");
    if (section->sentence != NULL) {
        put(p, "%s\n", section->sentence);
    }
    if (section->later) {
        put(p, "Not available yet: only the defaults are accepted.\n");
    }
    put(p, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < section->count; i++) {
        put_key(p, &section->keys[i]);
        if (section->keys[i].later && !section->later) {
            put(p, "Not available yet%s.\n",
                section->keys[i].preset != NULL ? ": only the default is accepted" : "");
        }
    }
    put(p, ".El\n");
}

/* The sections of modules that this tree builds, after our own. */
static void
put_module(struct page *p, struct config_compiler *c, const char *name, const char *sentence)
{
    char error[256];
    struct config_module *m = config_module_find(c, name, error, sizeof(error));
    if (m != NULL) {
        struct config_section section = m->section;
        section.sentence = sentence;
        put_section(p, &section);
    }
}

#define GSSAPI_SENTENCE "Kerberos (RFC 1961)."
#define USERPASS_SENTENCE "User name and password (RFC 1929)."

static struct page *
render(void)
{
    struct page *p = calloc(1, sizeof(*p));
    struct config_compiler *c = calloc(1, sizeof(*c));
    char modules[4096];
    const char *top = getenv("top_builddir");
    const struct config_source source = { .module_dir = modules };
    size_t count = 0;
    const struct config_section *sections = config_sections(&count);
    assert_non_null(p);
    assert_non_null(c);
    snprintf(modules, sizeof(modules), "%s/modules", top != NULL ? top : ".");
    c->source = &source;
    for (size_t i = 0; i < count; i++) {
        put_section(p, &sections[i]);
    }
    put_module(p, c, "gssapi", GSSAPI_SENTENCE);
    put_module(p, c, "userpass", USERPASS_SENTENCE);
    config_modules_free(c);
    free(c);
    return p;
}

static char *
read_page(void)
{
    char path[4096];
    const char *top = getenv("top_srcdir");
    snprintf(path, sizeof(path), "%s/doc/sallyport.conf.5", top != NULL ? top : ".");
    FILE *f = fopen(path, "re");
    char *text = calloc(1, 1 << 20);
    if (f == NULL || text == NULL) {
        fail_msg("cannot read %s", path);
    }
    const size_t n = fread(text, 1, (1 << 20) - 1, f);
    assert_in_range(n, 1, (1 << 20) - 2);
    fclose(f);
    return text;
}

/* Every section as it is printed stands in the page, whole. */
static void
test_manual(void **state)
{
    struct page *p = render();
    char *page = read_page();
    char *section = p->text;
    unsigned found = 0;
    (void)state;
    while (section != NULL && *section != '\0') {
        char *next = strstr(section, ".El\n");
        assert_non_null(next);
        next += strlen(".El\n");
        const char kept = *next;
        *next = '\0';
        if (strstr(page, section) == NULL) {
            fail_msg("doc/sallyport.conf.5 has not this any more:\n%s", section);
        }
        *next = kept;
        section = next;
        found++;
    }
    assert_true(found >= 13);
    free(page);
    free(p);
}

/* Everything from the mark to the next .Sh anew. */
static int
update(const char *path)
{
    static const char mark[] = "from the table that the program checks with.\n";
    struct page *p = render();
    char *page = read_page();
    char *from = strstr(page, mark);
    const char *to = from != NULL ? strstr(from, "\n.Sh ") : NULL;
    assert_non_null(to);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fwrite(page, 1, (size_t)(from - page) + strlen(mark), f);
    fputs(p->text, f);
    fputs(to + 1, f);
    free(page);
    free(p);
    return fclose(f);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_preset),
        cmocka_unit_test(test_facility),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_manual),
    };
    if (argc > 1 && strcmp(argv[1], "--print") == 0) {
        struct page *p = render();
        fputs(p->text, stdout);
        free(p);
        return 0;
    }
    if (argc > 2 && strcmp(argv[1], "--update") == 0) {
        return update(argv[2]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
