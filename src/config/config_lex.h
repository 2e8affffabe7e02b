/* SPDX-License-Identifier: ISC */
/*
 * Words of the configuration language, read more strictly than libconfuse does: what libconfuse
 * would silently drop, expand or read differently from what it looks like is an error here.
 */
#ifndef SP_CONFIG_LEX_H
#define SP_CONFIG_LEX_H

#include <stddef.h>

#define LEX_TEXT_MAX 4096 /* bytes of one word or string, NUL included */

enum lex_kind {
    LEX_END,
    LEX_WORD,   /* bare: letters, digits and _ - . : / */
    LEX_STRING, /* "..." or '...' */
    LEX_PUNCT,  /* one of { } ( ) = , in text[0] */
    LEX_BAD     /* error says what is wrong with it */
};

struct config_lexer {
    const char *at;
    const char *end;
    unsigned line;

    /* the token read last */
    enum lex_kind kind;
    unsigned token_line; /* where it begins */
    char text[LEX_TEXT_MAX];
    char error[160];
};

/* data stays the caller's and must outlive the lexer. Reads no token yet. */
void config_lex_init(struct config_lexer *lx, const char *data, size_t len);

/* Reads the next token into the fields above. After LEX_BAD and LEX_END it stays there. */
enum lex_kind config_lex_next(struct config_lexer *lx);

#endif
