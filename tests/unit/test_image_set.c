/* SPDX-License-Identifier: ISC */
/* src/config/image_set.c, image_set_check.c, config_set*.c: what a list file says is found, nothing else is;
   a list that is wrong is refused with its line, an image that is unsound at the door. */
#include "tests/unit/config_rig.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/name.h"
#include "src/config/image_set.h"

#define MAIN                                                                                       \
    "methods = { \"none\" }\nlisten \"127.0.0.1:0\" { }\n"                                        \
    "rule \"a\" { action = allow destination = { \"@list\", \"x.test\" } }\n"

#define PREFIXES_MAX 3000
#define NAMES_MAX 400

static void
rig_list(struct rig *r, const char *list, size_t len)
{
    rig_init(r, MAIN);
    rig_file(r, "list", list, len);
    rig_compile(r);
}

/* --- against plain search ------------------------------------------------------------------------- */

struct plain {
    struct addr_prefix prefixes[PREFIXES_MAX];
    size_t prefix_count;
    char names[NAMES_MAX][100];
    size_t name_count;
    char *text;
    size_t len;
};

/* Few values in few places, so that prefixes lie in each other and beside each other. */
static struct addr
random_address(struct unit_random *r)
{
    static const uint8_t octets[] = { 0, 1, 2, 3, 0x7f, 0x80, 0xfe, 0xff };
    struct addr a = { .family = unit_random(r) % 2 == 0 ? ADDR_IPV4 : ADDR_IPV6 };
    for (unsigned i = 0; i < (a.family == ADDR_IPV4 ? 4U : 16U); i++) {
        a.ip[i] = unit_random(r) % 3 == 0 ? octets[unit_random(r) % SP_COUNT(octets)] : 0x20;
    }
    return addr_unmap(&a);
}

static struct addr_prefix
random_prefix(struct unit_random *r)
{
    const struct addr a = random_address(r);
    struct addr_prefix p = { .family = a.family };
    p.bits = (uint8_t)(unit_random(r) % (a.family == ADDR_IPV4 ? 33 : 129));
    for (unsigned i = 0; i < p.bits; i++) {
        p.ip[i / 8] = (uint8_t)(p.ip[i / 8] | (a.ip[i / 8] & (0x80U >> (i % 8))));
    }
    return p;
}

static void
random_name(struct unit_random *r, char *text, size_t size)
{
    static const char *const labels[] = { "a", "bb", "www", "x-1", "long-label-of-it", "test" };
    size_t n = 0;
    for (unsigned i = 1 + (unsigned)(unit_random(r) % 4); i > 0; i--) {
        n += (size_t)snprintf(text + n, size - n, "%s%s", labels[unit_random(r) % SP_COUNT(labels)],
            i > 1 ? "." : "");
    }
}

/* The line and its newline; its length. */
static int
line_to(char *to, const char *line)
{
    return snprintf(to, 128, "%s\n", line);
}

static void
plain_make(struct plain *p, struct unit_random *r, size_t prefixes, size_t names)
{
    char shown[ADDR_TEXT_MAX];
    p->prefix_count = prefixes;
    p->name_count = names;
    p->len = 0;
    for (size_t i = 0; i < prefixes; i++) {
        p->prefixes[i] = random_prefix(r);
        addr_prefix_format(&p->prefixes[i], shown);
        p->len += (size_t)line_to(p->text + p->len, shown);
    }
    for (size_t i = 0; i < names; i++) {
        char name[96];
        random_name(r, name, sizeof(name));
        snprintf(p->names[i], sizeof(p->names[i]), "%s%s", unit_random(r) % 2 == 0 ? "*." : "", name);
        p->len += (size_t)line_to(p->text + p->len, p->names[i]);
    }
}

static const struct addr_prefix *
plain_find(const struct plain *p, const struct addr *a, bool longest)
{
    const struct addr_prefix *found = NULL;
    for (size_t i = 0; i < p->prefix_count; i++) {
        const struct addr_prefix *one = &p->prefixes[i];
        if (addr_prefix_contains(one, a) &&
            (found == NULL || (longest ? one->bits > found->bits : one->bits < found->bits))) {
            found = one;
        }
    }
    return found;
}

static bool
plain_has(const struct plain *p, const char *name)
{
    for (size_t i = 0; i < p->name_count; i++) {
        if (glob_match(p->names[i], name)) {
            return true;
        }
    }
    return false;
}

static void
check_prefix(const struct addr_prefix *want, bool found, const struct addr_prefix *got)
{
    assert_int_equal(found, want != NULL);
    if (want != NULL) {
        assert_memory_equal(got, want, sizeof(*got));
    }
}

static unsigned
check_lookups(const struct image *image, const struct plain *p, struct unit_random *r)
{
    const struct image_set *s = image_set(image, 0);
    unsigned hits = 0;
    for (unsigned i = 0; i < 400; i++) {
        struct addr_prefix got = { .family = 0 };
        char name[96];
        const struct addr a = random_address(r);
        check_prefix(plain_find(p, &a, true), image_set_longest(image, s, &a, &got), &got);
        check_prefix(plain_find(p, &a, false), image_set_shortest(image, s, &a, &got), &got);
        random_name(r, name, sizeof(name));
        assert_int_equal(image_set_has_name(image, s, name), plain_has(p, name));
        hits += plain_has(p, name) + (plain_find(p, &a, true) != NULL);
    }
    assert_false(image_set_has_name(image, s, NULL));
    assert_false(image_set_has_name(image, s, ""));
    return hits;
}

/* Each of them comes once, and no other; wider ones first. */
static void
check_next(const struct image *image, const struct plain *p)
{
    const struct image_set *s = image_set(image, 0);
    struct addr_prefix got = { .family = 0 };
    uint32_t at = 0;
    uint32_t count = 0;
    for (enum image_set_next next; (next = image_set_next(image, s, &at, &got)) != IMAGE_SET_END;) {
        bool known = next == IMAGE_SET_MORE;
        for (size_t i = 0; !known && i < p->prefix_count; i++) {
            known = memcmp(&p->prefixes[i], &got, sizeof(got)) == 0;
        }
        assert_true(known);
        count += next == IMAGE_SET_PREFIX;
    }
    assert_int_equal(count, s->prefixes);
    for (size_t i = 0; i < p->prefix_count; i++) {
        bool again = false;
        for (size_t j = 0; !again && j < i; j++) {
            again = memcmp(&p->prefixes[i], &p->prefixes[j], sizeof(got)) == 0;
        }
        count -= !again;
    }
    assert_int_equal(count, 0);
}

static void
test_lookups(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 3, 10, 50, 300, PREFIXES_MAX };
    struct unit_random random = UNIT_RANDOM_INIT;
    struct plain *p = calloc(1, sizeof(*p));
    unsigned hits = 0;
    (void)state;
    assert_non_null(p);
    p->text = malloc((PREFIXES_MAX + NAMES_MAX) * 128);
    assert_non_null(p->text);
    for (unsigned i = 0; i < 10 * SP_COUNT(sizes); i++) {
        struct rig r;
        plain_make(p, &random, sizes[i % SP_COUNT(sizes)], unit_random(&random) % NAMES_MAX);
        rig_list(&r, p->text, p->len);
        if (r.image == NULL) {
            fail_msg("%s", r.text);
        }
        hits += check_lookups(r.image, p, &random);
        check_next(r.image, p);
        rig_free(&r);
    }
    assert_true(hits > 10000);
    free(p->text);
    free(p);
}

/* --- what a file may say -------------------------------------------------------------------------- */

static void
test_lines(void **state)
{
    static const char list[] = "\xef\xbb\xbf"
                               "first.test\r\n# a comment\n\n   \t\r\n  Host.Example.COM.  # and why\n"
                               "*.Below.Test\n192.0.2.1\n10.0.0.0/8 #\n2001:DB8::/32\n::ffff:198.51.100.1\n"
                               "host.example.com\n10.0.0.0/8\n_srv.b\xc3\xbc\x63her.test\nlast.test";
    static const char *const in[] = { "first.test", "host.example.com", "a.below.test",
        "b.a.below.test", "_srv.b\xc3\xbc\x63her.test", "last.test" };
    static const char *const out[] = { "below.test", "xbelow.test", "example.com", "a.host.example.com",
        "ast.test", "test" };
    struct addr_prefix p;
    struct addr a;
    struct rig r;
    (void)state;
    rig_list(&r, list, sizeof(list) - 1);
    assert_non_null(r.image);
    assert_int_equal(r.messages.warnings, 0);
    const struct image_set *s = image_set(r.image, 0);
    assert_string_equal(image_string(r.image, s->path), "list");
    assert_int_equal(s->names, 4);
    assert_int_equal(s->suffixes, 1);
    assert_int_equal(s->prefixes, 4);
    for (size_t i = 0; i < SP_COUNT(in); i++) {
        assert_true(image_set_has_name(r.image, s, in[i]));
    }
    for (size_t i = 0; i < SP_COUNT(out); i++) {
        assert_false(image_set_has_name(r.image, s, out[i]));
    }
    assert_int_equal(addr_parse_ip("198.51.100.1", &a), 0);
    assert_true(image_set_longest(r.image, s, &a, &p));
    assert_int_equal(p.bits, 32);
    rig_free(&r);
}

static void
test_wrong_lines(void **state)
{
    static const struct {
        const char *line, *complaint;
    } rows[] = {
        { "two words", "list:2: \"two words\": two words; allowed are a name, \"*.DOMAIN\", \"ADDR\" and "
                       "\"ADDR/BITS\", one a line\n" },
        { "*", "list:2: \"*\": \"*\" stands only in front, with a dot behind it; " },
        { "*.", "list:2: \"*.\": \"*\" stands only in front" },
        { "a*.test", "list:2: \"a*.test\": \"*\" stands only in front" },
        { "*.*.test", "list:2: \"*.*.test\": \"*\" stands only in front" },
        { "*.192.0.2.1", "list:2: \"*.192.0.2.1\": nothing is below an address; " },
        { "10.0.0.1/8", "list:2: \"10.0.0.1/8\" has bits set behind its prefix; write \"10.0.0.0/8\"\n" },
        { "10.0.0.0/33", "list:2: \"10.0.0.0/33\" is no prefix; allowed are \"ADDR\" and \"ADDR/BITS\"\n" },
        { "http://x.test/", "list:2: \"http://x.test/\" is no prefix; " },
        { "x.test:80", "list:2: \"x.test:80\" is no prefix; " },
        { "1.2.3", "list:2: \"1.2.3\": " },
        { "a..test", "list:2: \"a..test\": empty label; " },
        { "@other", "list:2: \"@other\": names have letters, digits and - _ .; " },
        { "a,b", "list:2: \"a,b\": names have letters" },
        { "include(\"x\")", "list:2: \"include(\"x\")\": names have letters" },
    };
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        char list[128];
        struct rig r;
        const int n = snprintf(list, sizeof(list), "good.test\n%s\nalso.test\n", rows[i].line);
        rig_list(&r, list, (size_t)n);
        assert_null(r.image);
        assert_int_equal(r.messages.errors, 1);
        if (strncmp(r.text, rows[i].complaint, strlen(rows[i].complaint)) != 0) {
            fail_msg("%s\nwanted %s", r.text, rows[i].complaint);
        }
        rig_free(&r);
    }
}

static void
check_refused(const char *list, size_t len, const char *complaint)
{
    struct rig r;
    rig_list(&r, list, len);
    assert_null(r.image);
    if (strstr(r.text, complaint) == NULL) {
        fail_msg("%s\nwanted %s", r.text, complaint);
    }
    rig_free(&r);
}

static char *
repeated(const char *line, size_t times)
{
    const size_t len = strlen(line);
    char *text = malloc(len * times);
    assert_non_null(text);
    for (size_t i = 0; i < times; i++) {
        memcpy(text + i * len, line, len);
    }
    return text;
}

static void
test_too_much(void **state)
{
    static char line[CONFIG_LIST_MAX / 512 + 1];
    char *text = repeated("1.2.3.4\n", IMAGE_SET_ENTRIES_MAX + 1);
    struct rig r;
    (void)state;
    check_refused(text, 8 * (IMAGE_SET_ENTRIES_MAX + 1), "list:1000001: more than 1000000 entries\n");
    rig_list(&r, text, 8 * (size_t)IMAGE_SET_ENTRIES_MAX);
    assert_non_null(r.image);
    assert_int_equal(image_set(r.image, 0)->prefixes, 1);
    rig_free(&r);
    free(text);
    text = repeated("no good\n", 1000);
    check_refused(text, 8000, "list:20: too much is wrong; the rest is not looked at\n");
    free(text);
    memset(line, '#', sizeof(line));
    line[0] = '\n';
    check_refused(line, 65537, "list:2: a line of more than 65535 octets\n");
    rig_list(&r, line, 65536);
    assert_non_null(r.image);
    assert_int_equal(r.messages.warnings, 1);
    assert_string_equal(r.text, "main.conf:3: rule \"a\": destination: warning: the list \"list\" has no "
                                "entry: it matches nothing\n");
    rig_free(&r);
    check_refused("a.test\nb\0c\n", 11, "list:2: NUL byte; only text is allowed\n");
}

static void
test_not_there(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r, MAIN);
    rig_compile(&r);
    assert_null(r.image);
    assert_string_equal(r.text, "main.conf:3: rule \"a\": destination: cannot read the list \"list\": No such "
                                "file or directory\n");
    rig_free(&r);
}

static int
open_changed(const char *path, void *ctx)
{
    (void)path;
    (void)ctx;
    errno = ESTALE;
    return -1;
}

static void
test_changed(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r, MAIN);
    r.source.open_list = open_changed;
    rig_compile(&r);
    assert_null(r.image);
    assert_string_equal(r.text,
        "main.conf:3: rule \"a\": destination: cannot read the list \"list\": it changed, or was taken away, "
        "while it was read; write a new file and rename it\n");
    rig_free(&r);
}

/* However many rules name it, it is read once, and there once. */
static void
test_shared(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r, MAIN "rule \"b\" { action = deny destination = \"@list\" }\n"
                      "rule \"c\" { action = deny destination = { \"@two\", \"@list\" } }\n");
    rig_file(&r, "list", "a.test\n", 7);
    rig_file(&r, "two", "b.test\n", 7);
    rig_compile(&r);
    assert_non_null(r.image);
    assert_int_equal(r.opened, 3);
    assert_int_equal(image_settings(r.image)->sets.count, 2);
    const struct image_rule *c = image_rule(r.image, 2);
    assert_int_equal(*IMAGE_AT(r.image, c->sets, uint32_t, 0), 1);
    assert_int_equal(*IMAGE_AT(r.image, c->sets, uint32_t, 1), 0);
    char *printed = config_print(r.image);
    assert_non_null(printed);
    assert_non_null(strstr(printed, "    destination = { \"x.test\", \"@list\" }\n"));
    assert_non_null(strstr(printed, "    destination = { \"@two\", \"@list\" }\n"));
    free(printed);
    rig_free(&r);
}

/* --- what an image may say ------------------------------------------------------------------------ */

static const char list_sample[] = "a.test\nb.test\n*.c.test\n10.0.0.0/8\n10.1.0.0/16\n10.128.0.0/9\n"
                                  "192.0.2.0/24\n192.0.2.1\n192.0.2.129\n192.0.2.130\n192.0.2.131\n"
                                  "192.0.2.132\n192.0.2.133\n2001:db8::/32\n2001:db8:8000::/33\n::/0\n";

static const char *
open_error(const struct rig *r)
{
    const char *why = NULL;
    int fd = memfd_sealed("image", r->compiled, r->size);
    struct image *image = image_open(fd, &why);
    fd_close(&fd);
    const bool opened = image != NULL;
    image_close(&image);
    return opened ? "" : why;
}

static const char *
adopt_error(const struct rig *r)
{
    const char *why = NULL;
    int fd = memfd_sealed("image", r->compiled, r->size);
    struct image *image = image_adopt(fd, &why);
    fd_close(&fd);
    const bool opened = image != NULL;
    image_close(&image);
    return opened ? "" : why;
}

#define WRONG(lvalue, value, complaint)                                                            \
    do {                                                                                           \
        const __typeof__(lvalue) good_ = (lvalue);                                                 \
        (lvalue) = (value);                                                                        \
        assert_string_equal(open_error(&r), complaint);                                            \
        (lvalue) = good_;                                                                          \
        assert_string_equal(open_error(&r), "");                                                   \
    } while (0)

static void
test_unsound(void **state)
{
    struct rig r;
    (void)state;
    rig_list(&r, list_sample, sizeof(list_sample) - 1);
    assert_non_null(r.image);
    uint8_t *base = r.compiled;
    struct image_header *h = r.compiled;
    struct image_set *s = (void *)(base + h->settings.sets.off);
    struct image_slot *slots = (void *)(base + s->slots.off);
    struct image_node4 *four = (void *)(base + s->trie4.off);
    struct image_node6 *six = (void *)(base + s->trie6.off);
    struct image_jump *jumps = (void *)(base + s->jump4.off);
    struct image_rule *rule = (void *)(base + h->rules.off);
    uint32_t *number = (void *)(base + rule->sets.off);
    assert_true(s->jump4.count >= 2 && s->slots.count == 8 && s->trie6.count == 3);
    uint32_t used = 0;
    while (slots[used].name == 0) {
        used++;
    }
    WRONG(*number, 1, "a rule names a list that is not there");
    WRONG(s->slots.count, 7, "the hash of a list has a wrong size");
    WRONG(s->hash_mask, 15, "the hash of a list has a wrong size");
    WRONG(s->texts.count, s->texts.count - 1, "the names of a list have no end");
    WRONG(s->slots.off, (uint32_t)r.size, "a part of a list lies outside");
    WRONG(s->trie6.count, UINT32_MAX, "a part of a list lies outside");
    WRONG(slots[used].name, s->texts.count + 1, "a name of a list lies outside");
    WRONG(four[0].bits, 33, "a prefix of a list has a wrong length");
    WRONG(four[1].bits, four[0].bits, "a prefix of a list has a wrong length");
    WRONG(four[0].flags, 4, "a prefix of a list has a wrong length");
    WRONG(four[0].upper, 0, "a prefix of a list leads nowhere");
    WRONG(four[0].upper, 1, "a prefix of a list leads nowhere");
    WRONG(six[0].upper, 3, "a prefix of a list leads nowhere");
    WRONG(six[2].flags, IMAGE_NODE_LOWER, "a prefix of a list leads nowhere");
    WRONG(s->jump4.count, 3, "a table of a list has a wrong size");
    WRONG(jumps[0].node, s->trie4.count, "a table of a list leads nowhere");
    WRONG(jumps[1].longest, s->trie4.count + 1, "a table of a list leads nowhere");
    const struct image_slot taken = { 1, 0 };
    struct image_slot good[8];
    memcpy(good, slots, sizeof(good));
    for (unsigned i = 0; i < 8; i++) {
        slots[i] = slots[i].name != 0 ? slots[i] : taken;
    }
    assert_string_equal(open_error(&r), "the hash of a list has no free place");
    memcpy(slots, good, sizeof(good));
    assert_string_equal(open_error(&r), "");
    /* Who has it from the master looks at all but the insides of lists. */
    four[0].bits = 33;
    assert_string_equal(adopt_error(&r), "");
    *number = 1;
    assert_string_equal(adopt_error(&r), "a rule names a list that is not there");
    rig_free(&r);
}

/* All that can be asked of a set; what lies outside a sanitizer sees, what has no end the test's own. */
static unsigned
ask(const struct image *image, struct unit_random *random)
{
    unsigned found = 0;
    for (uint32_t i = 0; i < image_settings(image)->sets.count; i++) {
        const struct image_set *s = image_set(image, i);
        struct addr_prefix p;
        uint32_t at = 0;
        for (unsigned n = 0; n < 20; n++) {
            const struct addr a = random_address(random);
            char name[96];
            random_name(random, name, sizeof(name));
            found += image_set_longest(image, s, &a, &p) + image_set_shortest(image, s, &a, &p) +
                     image_set_has_name(image, s, name);
        }
        while (image_set_next(image, s, &at, &p) != IMAGE_SET_END) {
            found++;
        }
    }
    return found;
}

static void
test_any_bytes(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    struct rig r;
    unsigned opened = 0;
    unsigned found = 0;
    (void)state;
    rig_list(&r, list_sample, sizeof(list_sample) - 1);
    assert_non_null(r.image);
    const struct image_set *s = image_set(r.image, 0);
    const size_t begin = s->slots.off;
    const size_t end = image_settings(r.image)->sets.off + sizeof(*s);
    assert_true(begin < end && end <= r.size);
    for (unsigned i = 0; i < 30000; i++) {
        const char *why = NULL;
        uint8_t *copy = unit_copy(r.compiled, r.size);
        for (unsigned n = 1 + unit_random(&random) % 3; n > 0; n--) {
            copy[begin + unit_random(&random) % (end - begin)] = (uint8_t)(
                unit_random(&random) % 2 == 0 ? unit_random(&random) % 8 : unit_random(&random));
        }
        int fd = memfd_sealed("image", copy, r.size);
        struct image *image = image_open(fd, &why);
        if (image != NULL) {
            opened++;
            found += ask(image, &random);
        }
        image_close(&image);
        fd_close(&fd);
        free(copy);
    }
    assert_in_range(opened, 3000, 27000);
    assert_true(found > 0);
    rig_free(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookups),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_wrong_lines),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_unsound),
        cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
