/* SPDX-License-Identifier: ISC */
/* Shared by config_print.c and config_print_rules.c: text under construction. Nothing here fails; that the
   text could not be kept shows at its end. */
#ifndef SP_CONFIG_PRINT_H
#define SP_CONFIG_PRINT_H

#include <stdio.h>

#include "lib/base/attr.h"
#include "src/config/image.h"

struct print {
    const struct image *image;
    FILE *out;
};

void print_text(struct print *p, const char *fmt, ...) SP_PRINTF(2, 3);
/* Such that it reads as the same text again; the second one with double quotes around it. */
void print_escaped(struct print *p, const char *text);
void print_quoted(struct print *p, const char *text);
/* KEY = "VALUE" on a line, as far in as the section wants it. */
void print_setting(struct print *p, const char *section, const char *key, const char *value);

/* All rules in their order, each with its number in a comment. */
void print_rules(struct print *p);

#endif
