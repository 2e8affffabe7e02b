/* SPDX-License-Identifier: ISC */
/*
 * The groups that rules name, each once and in order, so that a rule can say which by a number. Serves
 * config_compile.c; too many are a complaint, out of memory sets the builder's `failed`.
 */
#include <stdlib.h>
#include <string.h>

#include "src/config/config_compiler.h"

static int
groups_compare(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

/* Every group of one rule, repeated or not. False when memory ran out. */
static bool
groups_add(struct config_compiler *c, const struct config_block *rule, uint32_t *room)
{
    const struct config_setting *s = config_model_setting(&c->model, rule, "group");
    for (uint32_t i = 0; s != NULL && i < s->count; i++) {
        if (c->group_count == *room) {
            const uint32_t more = 2 * *room + 64;
            const char **bigger = realloc(c->groups, more * sizeof(*bigger));
            if (bigger == NULL) {
                return false;
            }
            c->groups = bigger;
            *room = more;
        }
        c->groups[c->group_count++] = c->model.values[s->first + i].text;
    }
    return true;
}

static void
groups_sort(struct config_compiler *c)
{
    uint32_t kept = 0;
    if (c->group_count == 0) {
        return;
    }
    qsort(c->groups, c->group_count, sizeof(*c->groups), groups_compare);
    for (uint32_t i = 1; i < c->group_count; i++) {
        if (strcmp(c->groups[kept], c->groups[i]) != 0) {
            c->groups[++kept] = c->groups[i];
        }
    }
    c->group_count = kept + 1;
}

void
config_groups_check(struct config_compiler *c)
{
    uint32_t room = 0;
    for (uint32_t i = 1; i < c->model.block_count; i++) {
        const struct config_block *b = &c->model.blocks[i];
        if (strcmp(b->section->name, "rule") == 0 && !groups_add(c, b, &room)) {
            c->model.failed = true;
            return;
        }
    }
    groups_sort(c);
    if (c->group_count > IMAGE_GROUPS_MAX) {
        const struct config_where where = config_model_where(&c->model, 0, NULL, NULL);
        config_error(c->messages, &where, "rules name %u groups; allowed are %u", c->group_count,
            IMAGE_GROUPS_MAX);
    }
}

struct image_list
config_groups_write(struct config_compiler *c)
{
    struct image_text *list = calloc(c->group_count + 1, sizeof(*list));
    for (uint32_t i = 0; list != NULL && i < c->group_count; i++) {
        list[i] = config_builder_text(&c->builder, c->groups[i]);
    }
    c->builder.failed = c->builder.failed || list == NULL;
    const struct image_list written =
        config_builder_list(&c->builder, list, sizeof(*list), c->group_count);
    free(list);
    return written;
}

uint32_t
config_groups_index(const struct config_compiler *c, const char *name)
{
    const char **found =
        bsearch(&name, c->groups, c->group_count, sizeof(*c->groups), groups_compare);
    return found != NULL ? (uint32_t)(found - c->groups) : 0;
}

void
config_groups_free(struct config_compiler *c)
{
    free(c->groups);
    c->groups = NULL;
    c->group_count = 0;
}
