/* SPDX-License-Identifier: ISC */
/* src/config: the largest of what is still allowed passes, and one more of it does not. */
#include "tests/unit/config_rig.h"

#include <stdio.h>

#include "lib/base/fd.h"
#include "src/config/config_set.h"

#define LISTEN "methods = { \"none\" }\nlisten \"127.0.0.1:0\" { }\n"

static void
test_title(void **state)
{
    char title[IMAGE_RULE_TITLE_MAX + 1], text[256];
    struct rig r;
    (void)state;
    memset(title, 't', sizeof(title) - 1);
    title[sizeof(title) - 1] = '\0';
    assert_true(snprintf(text, sizeof(text), LISTEN "rule \"%s\" { action = allow }\n", title) > 0);
    rig_good(&r, text);
    assert_string_equal(image_string(r.image, image_rule(r.image, 0)->title), title);
    rig_free(&r);
}

/* The main file, and four that it includes: so many bytes too many in all. */
static void
assert_total(const char *large, size_t more, bool good)
{
    static const char text[] =
        LISTEN "include(\"a\")\ninclude(\"a\")\ninclude(\"a\")\ninclude(\"b\")\n";
    struct rig r;
    rig_init(&r, text);
    rig_file(&r, "a", large, CONFIG_FILE_MAX);
    rig_file(&r, "b", large, CONFIG_FILE_MAX - strlen(text) + more);
    rig_compile(&r);
    if (good) {
        assert_non_null(r.image);
    } else {
        assert_non_null(strstr(r.text, "main.conf:6: include: more than 67108864 bytes in all\n"));
    }
    rig_free(&r);
}

static void
test_total(void **state)
{
    char *large = malloc(CONFIG_FILE_MAX);
    (void)state;
    assert_non_null(large);
    memset(large, ' ', CONFIG_FILE_MAX);
    assert_total(large, 0, true);
    assert_total(large, 1, false);
    free(large);
}

/* Lists are read one after the other; the last one is so long. */
static void
assert_lists(size_t before, bool good)
{
    static const char list[] = "192.0.2.1\n192.0.2.2\n";
    struct config_messages messages = { .text = BUFFER_INIT };
    struct config_set set = { .path = "list" };
    size_t total = before;
    int fd = memfd_sealed("list", list, sizeof(list) - 1);
    assert_true(fd >= 0);
    assert_int_equal(config_set_read(&set, fd, &total, &messages), good);
    assert_int_equal(total, before + sizeof(list) - 1);
    assert_int_equal(messages.errors, !good);
    if (!good) {
        assert_int_equal(buffer_append(&messages.text, "", 1, SIZE_MAX), 0);
        assert_string_equal(buffer_head(&messages.text),
            "list: with it the lists are larger than the 256 MiB allowed in all\n");
    }
    fd_close(&fd);
    config_set_free(&set);
    buffer_clear(&messages.text);
}

static void
test_lists(void **state)
{
    (void)state;
    assert_lists(0, true);
    assert_lists(CONFIG_SETS_TOTAL - 20, true);
    assert_lists(CONFIG_SETS_TOTAL - 19, false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_title),
        cmocka_unit_test(test_total),
        cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
