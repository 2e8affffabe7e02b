/* SPDX-License-Identifier: ISC */
/* src/config/config_lex.c */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "src/config/config_lex.h"

/* All tokens of text as "kind:text" joined by spaces, with @LINE where the line changes. */
static void
tokens(const char *text, char *out, size_t size)
{
    struct config_lexer lx;
    unsigned line = 1;
    size_t n = 0;
    char *copy = (char *)unit_copy(text, strlen(text));
    config_lex_init(&lx, copy, strlen(text));
    out[0] = '\0';
    while (config_lex_next(&lx) != LEX_END) {
        static const char kinds[] = { [LEX_WORD] = 'w', [LEX_STRING] = 's', [LEX_PUNCT] = 'p',
            [LEX_BAD] = 'b' };
        if (lx.token_line != line) {
            n += (size_t)snprintf(out + n, size - n, "@%u ", lx.token_line);
            line = lx.token_line;
        }
        n += (size_t)snprintf(out + n, size - n, "%c:%s ", kinds[lx.kind],
            lx.kind == LEX_BAD ? lx.error : lx.text);
        if (lx.kind == LEX_BAD) {
            assert_int_equal(config_lex_next(&lx), LEX_BAD); /* it stays there */
            break;
        }
    }
    free(copy);
}

static void
test_tokens(void **state)
{
    static const struct {
        const char *text;
        const char *tokens;
    } rows[] = {
        { "", "" },
        { " \t\r\n", "" },
        { "a = 1", "w:a p:= w:1 " },
        { "a=1", "w:a p:= w:1 " },
        { "l={\"x\",'y'}", "w:l p:= p:{ s:x p:, s:y p:} " },
        { "a # b\nc", "w:a @2 w:c " },
        { "a // b\nc", "w:a @2 w:c " },
        { "a /* b\n\n*/ c", "w:a @3 w:c " },
        { "/* a */ b /* c */\nd", "w:b @2 w:d " },
        { "/***/a /* * / **/ b", "w:a w:b " },
        { "\"#x\" \"//y\" \"/*z\"", "s:#x s://y s:/*z " },
        { "\"a\\\"b\\\\c\"", "s:a\"b\\c " },
        { "'a\\'b\\\\c\"'", "s:a'b\\c\" " },
        { "\"\"", "s: " },
        { "10.0.0.0/8 fd00::/8", "w:10.0.0.0/8 w:fd00::/8 " },
        { "\"$x $ {}\"", "s:$x $ {} " },
        { "a\r\nb", "w:a @2 w:b " },
        { "#", "" },
        { "// no line end", "" },
        { "\xc3\xbc", "b:byte 0xc3 outside quotes " },
        { "\"\xc3\xbc\"", "s:\xc3\xbc " },
    };
    char out[1024];
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        tokens(rows[i].text, out, sizeof(out));
        assert_string_equal(out, rows[i].tokens);
    }
}

/* What libconfuse 3.3 takes without a word. */
static void
test_refused(void **state)
{
    static const struct {
        const char *text;
        const char *error;
        unsigned line;
    } rows[] = {
        { "\n\"abc", "string is not closed", 2 },
        { "\n'abc", "string is not closed", 2 },
        { "\"abc\nd\"", "string is not closed", 1 },
        { "\"abc\r\nd\"", "string is not closed", 1 },
        { "\"abc\\", "unknown escape", 1 },
        { "\"a\\\n\"", "unknown escape", 1 },
        { "\"${HOME}\"", "${...} is not expanded", 1 },
        { "'${HOME}'", "${...} is not expanded", 1 },
        { "${HOME}", "'$' outside quotes", 1 },
        { "\"\\x41\"", "unknown escape", 1 },
        { "\"\\101\"", "unknown escape", 1 },
        { "\"\\n\"", "unknown escape", 1 },
        { "'\\n'", "unknown escape", 1 },
        { "\"\x01\"", "control character 0x01", 1 },
        { "\"\x7f\"", "control character 0x7f", 1 },
        { "\"a\tb\"", "control character 0x09", 1 },
        { "a\n/* b\nc", "comment is not closed", 2 },
        { "/*", "comment is not closed", 1 },
        { "/*/", "comment is not closed", 1 },
        { "*.example.com", "'*' outside quotes", 1 },
        { "a.*", "in quotes", 1 },
        { "a#b", "in quotes", 1 },
        { "http://x", "in quotes", 1 },
        { "true/* x */", "in quotes", 1 },
        { "a\"b\"", "in quotes", 1 },
        { "l += \"x\"", "+= is not allowed", 1 },
        { "+", "'+' outside quotes", 1 },
        { "[::]:1080", "'[' outside quotes", 1 },
        { "a|b", "in quotes", 1 },
        { "@row", "'@' outside quotes", 1 },
        { "a\rb", "byte 0x0d", 1 },
        { "\r", "byte 0x0d", 1 },
        { "\x1b", "byte 0x1b", 1 },
    };
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct config_lexer lx;
        char *copy = (char *)unit_copy(rows[i].text, strlen(rows[i].text));
        config_lex_init(&lx, copy, strlen(rows[i].text));
        while (config_lex_next(&lx) != LEX_BAD) {
            assert_int_not_equal(lx.kind, LEX_END);
        }
        assert_non_null(strstr(lx.error, rows[i].error));
        assert_int_equal(lx.token_line, rows[i].line);
        free(copy);
    }
}

static void
test_long(void **state)
{
    static char text[2 * LEX_TEXT_MAX];
    struct config_lexer lx;
    (void)state;
    for (int quoted = 0; quoted < 2; quoted++) {
        memset(text, 'a', sizeof(text));
        text[0] = quoted ? '"' : 'a';
        text[LEX_TEXT_MAX - 1 + quoted] = quoted ? '"' : ' ';
        config_lex_init(&lx, text, LEX_TEXT_MAX + (size_t)quoted);
        assert_int_equal(config_lex_next(&lx), quoted ? LEX_STRING : LEX_WORD);
        assert_int_equal(strlen(lx.text), LEX_TEXT_MAX - 1);
        text[LEX_TEXT_MAX - 1 + quoted] = 'a';
        config_lex_init(&lx, text, sizeof(text));
        assert_int_equal(config_lex_next(&lx), LEX_BAD);
        assert_non_null(strstr(lx.error, "longer than the 4095 bytes allowed"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
