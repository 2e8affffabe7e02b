/* SPDX-License-Identifier: ISC */
/*
 * Budgets and the image in force: which rules have a limit, found by title, and what another image makes of
 * the budgets there are. Serves budget.c and the worker. Without memory for the index every rule is looked
 * at; nothing fails.
 */
#include "src/session/session_private.h"

#include <stdlib.h>
#include <string.h>

static bool
has_limit(const struct image_rule *rule)
{
    return rule->bandwidth > 0 || rule->user_bandwidth > 0;
}

static void
title_add(struct budgets *set, uint32_t rule)
{
    const struct image *image = set->host->image;
    uint32_t mask = set->by_title_size - 1;
    uint32_t at = budget_hash(image_string(image, image_rule(image, rule)->title), "") & mask;

    while (set->by_title[at] != 0)
        at = (at + 1) & mask;
    set->by_title[at] = rule + 1;
}

/* Without memory for it every rule is looked at when one is wanted. */
static void
index_titles(struct budgets *set)
{
    const struct image *image = set->host->image;
    uint32_t count = image_header(image)->rules.count;

    free(set->by_title);
    set->by_title = NULL;
    set->limited_count = 0;
    for (uint32_t i = 0; i < count; i++)
        set->limited_count += has_limit(image_rule(image, i));
    for (set->by_title_size = 2; set->by_title_size < 2 * set->limited_count;)
        set->by_title_size *= 2;
    if (set->limited_count > 0)
        set->by_title = calloc(set->by_title_size, sizeof *set->by_title);
    for (uint32_t i = 0; set->by_title != NULL && i < count; i++)
        if (has_limit(image_rule(image, i)))
            title_add(set, i);
}

static bool
has_title(const struct image *image, const struct image_rule *rule, const char *title)
{
    return strcmp(image_string(image, rule->title), title) == 0;
}

static const struct image_rule *
look_at_all(const struct image *image, const char *title, uint32_t *index)
{
    for (uint32_t i = 0; i < image_header(image)->rules.count; i++) {
        const struct image_rule *rule = image_rule(image, i);

        *index = i;
        if (has_limit(rule) && has_title(image, rule, title))
            return rule;
    }
    return NULL;
}

const struct image_rule *
budgets_limited(const struct budgets *set, const char *title, uint32_t *index)
{
    const struct image *image = set->host->image;
    uint32_t mask = set->by_title_size - 1;

    if (set->limited_count == 0)
        return NULL;
    if (set->by_title == NULL)
        return look_at_all(image, title, index);
    for (uint32_t at = budget_hash(title, "") & mask; set->by_title[at] != 0; at = (at + 1) & mask) {
        const struct image_rule *rule = image_rule(image, set->by_title[at] - 1);

        *index = set->by_title[at] - 1;
        if (has_title(image, rule, title))
            return rule;
    }
    return NULL;
}

static void
renew(struct budget *b)
{
    const struct image_rule *rule = budgets_limited(b->set, b->title, &b->rule);

    b->rate = 0;
    if (rule != NULL)
        b->rate = b->user[0] == '\0' ? rule->bandwidth : rule->user_bandwidth;
    if (b->rate == 0 && b->waiting > 0)
        budget_serve_soon(b);
}

void
budgets_adopt(struct budgets *set)
{
    struct idmap_iter it = idmap_iterate(&set->by_handle);
    uint64_t id;
    void *value;

    if (set->host == NULL)
        return; /* nobody opened them */
    index_titles(set);
    while (idmap_next(&it, &id, &value))
        renew(value);
}
