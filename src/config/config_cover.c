/* SPDX-License-Identifier: ISC */
/*
 * Rules that can never match because an earlier one covers them: a warning for each. Serves
 * config_compile.c, with the finished image. All pairs are looked at, most of them in a few nanoseconds
 * (config_cover.h); out of memory, and rules whose lists are too many to compare, lose warnings and
 * nothing else.
 */
#include "src/config/config_cover.h"

#include <stdlib.h>
#include <string.h>

#include "src/config/config_compiler.h"
#include "src/config/image_priv.h"

#define COVER_WARNINGS_MAX 20U              /* one forgotten "allow all" covers everything behind it */

struct cover {
    struct config_compiler *compiler;
    const struct image *image;
    struct cover_have *have; /* owned */
    uint32_t *blocks;        /* owned: the model's block of each rule */
    uint32_t count;
    uint32_t found;
    uint64_t steps;
};

static struct config_where
cover_where(const struct cover *c, uint32_t rule)
{
    const struct config_model *model = &c->compiler->model;
    const struct config_block *b = &model->blocks[c->blocks[rule]];
    return config_model_where(model, b->row, b, NULL);
}

static void
cover_warn(struct cover *c, uint32_t earlier, uint32_t later)
{
    const struct config_where where = cover_where(c, later);
    const struct config_where first = cover_where(c, earlier);
    char quoted[CONFIG_QUOTE_MAX];
    if (++c->found == COVER_WARNINGS_MAX + 1) {
        config_warn(c->compiler->messages, &where,
            "it never matches either; further rules that an earlier one covers are not shown");
    } else if (c->found <= COVER_WARNINGS_MAX) {
        config_warn(c->compiler->messages, &where,
            "it never matches: rule %s (%s:%u) stands before it and matches all that it would",
            config_quote(first.title, quoted), first.file, first.line);
    }
}

/* The first earlier rule that covers this one. */
static void
cover_look(struct cover *c, uint32_t later)
{
    const struct image_rule *rule = image_rule(c->image, later);
    struct cover_need need;
    cover_need(c->image, rule, &need);
    for (uint32_t i = 0; i < later; i++) {
        if (cover_may(&c->have[i], &need) &&
            cover_rule(c->image, image_rule(c->image, i), rule, &c->steps)) {
            cover_warn(c, i, later);
            return;
        }
    }
}

static void
cover_blocks(struct cover *c)
{
    uint32_t n = 0;
    for (uint32_t i = 1; n < c->count && i < c->compiler->model.block_count; i++) {
        if (strcmp(c->compiler->model.blocks[i].section->name, "rule") == 0) {
            c->blocks[n++] = i;
        }
    }
}

void
config_cover_check(struct config_compiler *compiler, const void *data, size_t size)
{
    const struct image image = { .base = data, .size = size };
    struct cover c = {
        .compiler = compiler, .image = &image, .count = image_header(&image)->rules.count
    };
    c.have = calloc(c.count + 1, sizeof(*c.have));
    c.blocks = calloc(c.count + 1, sizeof(*c.blocks));
    if (c.have != NULL && c.blocks != NULL) {
        cover_blocks(&c);
        for (uint32_t i = 0; i < c.count && c.steps < COVER_STEPS_MAX &&
                             c.found <= COVER_WARNINGS_MAX; i++) {
            cover_look(&c, i);
            cover_have(&image, image_rule(&image, i), &c.have[i]);
        }
    }
    free(c.have);
    free(c.blocks);
}
