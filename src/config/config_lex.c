/* SPDX-License-Identifier: ISC */
/*
 * The lexer of our own scan. Serves config_scan.c. Knows libconfuse 3.3's lexer and is stricter in
 * every doubtful case: unterminated strings and comments, ${...}, escapes, characters that
 * libconfuse skips ('*' and '+' outside quotes), a comment that eats the rest of a bare word.
 */
#include "src/config/config_lex.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/attr.h"

void
config_lex_init(struct config_lexer *lx, const char *data, size_t len)
{
    lx->at = data;
    lx->end = data + len;
    lx->line = 1;
    lx->kind = LEX_END;
    lx->token_line = 1;
    lx->text[0] = '\0';
    lx->error[0] = '\0';
}

static enum lex_kind SP_PRINTF(3, 4)
lex_bad(struct config_lexer *lx, unsigned line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(lx->error, sizeof(lx->error), fmt, ap);
    va_end(ap);
    if (n < 0) {
        lx->error[0] = '\0';
    }
    lx->token_line = line;
    return LEX_BAD;
}

/* The byte i places ahead, or -1 behind the end. */
static int
lex_peek(const struct config_lexer *lx, size_t i)
{
    return i < (size_t)(lx->end - lx->at) ? (unsigned char)lx->at[i] : -1;
}

static bool
lex_comment_begins(const struct config_lexer *lx)
{
    const int c = lex_peek(lx, 0);
    const int d = lex_peek(lx, 1);
    return c == '#' || (c == '/' && (d == '/' || d == '*'));
}

static bool
lex_block_comment(struct config_lexer *lx)
{
    const unsigned begin = lx->line;
    for (lx->at += 2; lx->at < lx->end; lx->at++) {
        if (lex_peek(lx, 0) == '*' && lex_peek(lx, 1) == '/') {
            lx->at += 2;
            return true;
        }
        lx->line += *lx->at == '\n';
    }
    lx->kind = lex_bad(lx, begin, "comment is not closed; it needs */");
    return false;
}

/* Steps over space and comments. False when a comment has no end. */
static bool
lex_space(struct config_lexer *lx)
{
    for (;;) {
        const int c = lex_peek(lx, 0);
        if (c == ' ' || c == '\t' || c == '\n' || (c == '\r' && lex_peek(lx, 1) == '\n')) {
            lx->line += c == '\n';
            lx->at++;
        } else if (!lex_comment_begins(lx)) {
            return true;
        } else if (lex_peek(lx, 1) == '*' && c == '/') {
            if (!lex_block_comment(lx)) {
                return false;
            }
        } else {
            const char *eol = memchr(lx->at, '\n', (size_t)(lx->end - lx->at));
            lx->at = eol != NULL ? eol : lx->end;
        }
    }
}

/* What a backslash and c stand for between quotes q, or -1. */
static int
lex_escape(int q, int c)
{
    return c == '\\' || c == q ? c : -1;
}

/* One character of a string to *out (-1: the string ends here). False with an error. */
static bool
lex_string_char(struct config_lexer *lx, int q, int *out)
{
    const int c = lex_peek(lx, 0);
    if (c == -1 || c == '\n' || c == '\r') {
        lex_bad(lx, lx->line, "string is not closed on its line; it needs %c", q);
        return false;
    }
    if (c < 0x20 || c == 0x7f) {
        lex_bad(lx, lx->line, "control character 0x%02x in a string; none are allowed", c);
        return false;
    }
    if (c == '$' && lex_peek(lx, 1) == '{') {
        lex_bad(lx, lx->line, "${...} is not expanded and not allowed; write the value itself");
        return false;
    }
    *out = c == q ? -1 : c;
    lx->at++;
    if (c == '\\') {
        const int d = lex_peek(lx, 0);
        *out = lex_escape(q, d);
        if (*out == -1) {
            lex_bad(lx, lx->line, "unknown escape in a string; allowed are \\\\ and \\%c", q);
            return false;
        }
        lx->at++;
    }
    return true;
}

static enum lex_kind
lex_string(struct config_lexer *lx)
{
    const int q = *lx->at++;
    size_t n = 0;
    for (;;) {
        int c = -1;
        if (!lex_string_char(lx, q, &c)) {
            return LEX_BAD;
        }
        if (c == -1) {
            lx->text[n] = '\0';
            return LEX_STRING;
        }
        if (n == LEX_TEXT_MAX - 1) {
            return lex_bad(lx, lx->line, "string longer than the %d bytes allowed", LEX_TEXT_MAX - 1);
        }
        lx->text[n++] = (char)c;
    }
}

static bool
lex_is_word(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':' || c == '/';
}

static enum lex_kind
lex_word(struct config_lexer *lx)
{
    size_t n = 0;
    while (lex_is_word(lex_peek(lx, 0)) && !lex_comment_begins(lx)) {
        if (n == LEX_TEXT_MAX - 1) {
            return lex_bad(lx, lx->line, "word longer than the %d bytes allowed", LEX_TEXT_MAX - 1);
        }
        lx->text[n++] = *lx->at++;
    }
    lx->text[n] = '\0';
    const int c = lex_peek(lx, 0);
    if (c == -1 || memchr(" \t\r\n{}()=,", c, 11) != NULL) {
        return LEX_WORD;
    }
    return lex_bad(lx, lx->line, "put \"%.60s...\" in quotes, or a space behind it", lx->text);
}

static enum lex_kind
lex_token(struct config_lexer *lx)
{
    if (!lex_space(lx)) {
        return LEX_BAD;
    }
    const int c = lex_peek(lx, 0);
    lx->token_line = lx->line;
    lx->text[0] = '\0';
    if (c == -1) {
        return LEX_END;
    }
    if (c == '"' || c == '\'') {
        return lex_string(lx);
    }
    if (memchr("{}()=,", c, 6) != NULL) {
        lx->text[0] = *lx->at++;
        lx->text[1] = '\0';
        return LEX_PUNCT;
    }
    if (lex_is_word(c)) {
        return lex_word(lx);
    }
    if (c == '+' && lex_peek(lx, 1) == '=') {
        return lex_bad(lx, lx->line, "+= is not allowed; give the whole list at once with =");
    }
    if (c < 0x20 || c >= 0x7f) {
        return lex_bad(lx, lx->line, "byte 0x%02x outside quotes", c);
    }
    return lex_bad(lx, lx->line, "'%c' outside quotes; put the value in quotes", c);
}

enum lex_kind
config_lex_next(struct config_lexer *lx)
{
    if (lx->kind != LEX_BAD) {
        lx->kind = lex_token(lx);
    }
    return lx->kind;
}
