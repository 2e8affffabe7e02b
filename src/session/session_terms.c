/* SPDX-License-Identifier: ISC */
/*
 * What may be agreed about message protection, read from the configuration in effect on a listener. Serves
 * session_listener.c, and the sessions.
 */
#include "src/session/session_private.h"

#include <stdio.h>
#include <string.h>

/* What auth_config sees: a module's section as one listener has it. */
struct terms_view {
    const struct image *image;
    const struct image_listener *listener;
    const struct image_module *module;
};

/* What a level is worth to a rule. */
static const struct {
    const char *word;
    uint32_t worth;
} levels[] = {
    [AUTH_PROTECTION_NONE] = { "none", 0 },
    [AUTH_PROTECTION_INTEGRITY] = { "integrity", 1 },
    [AUTH_PROTECTION_CONFIDENTIALITY] = { "confidentiality", 2 },
    [AUTH_PROTECTION_SELECTIVE] = { "selective", 1 },
};

uint32_t
terms_worth(enum auth_protection level)
{
    return (size_t)level < SP_COUNT(levels) ? levels[level].worth : 0;
}

static const char *
view_value(const void *ctx, const char *name, unsigned i)
{
    const struct terms_view *v = ctx;

    return image_option(v->image, v->listener, v->module, name, i);
}

static uint32_t
word_worth(const char *word)
{
    for (size_t i = 0; i < SP_COUNT(levels); i++)
        if (strcmp(levels[i].word, word) == 0)
            return levels[i].worth;
    return 0;
}

/* A method that protects without such an option may agree to anything. */
static uint32_t
view_most(const struct terms_view *v)
{
    const char *word = view_value(v, "protection", 0);
    uint32_t most = word == NULL ? 2 : 0;

    for (unsigned i = 1; word != NULL; i++) {
        uint32_t worth = word_worth(word);

        most = worth > most ? worth : most;
        word = view_value(v, "protection", i);
    }
    return most;
}

const struct session_terms *
terms_of(const struct session *s, uint32_t module)
{
    for (uint32_t i = 0; s->listener != NULL && i < s->listener->count; i++)
        if (s->listener->terms[i].module == module)
            return &s->listener->terms[i];
    return NULL;
}

int
terms_make(const struct session_host *host, const struct image *image,
    const struct image_listener *listener, struct session_terms *t, char *error, size_t size)
{
    const struct auth_protect_module *face = host->protect[t->module];
    const struct terms_view view = { image, listener, image_module(image, t->module) };
    const struct auth_config config = { &view, view_value };
    char why[256] = "";

    if (face == NULL)
        return 0;
    t->terms = face->terms(&config, why, sizeof why);
    t->most = view_most(&view);
    if (t->terms != NULL)
        return 0;
    if (snprintf(error, size, "listener %s: %s: %s", image_string(image, listener->name), face->name,
            why) < 0)
        error[0] = '\0';
    return -1;
}

void
terms_free(const struct session_host *host, struct session_terms *t)
{
    if (t->terms != NULL)
        host->protect[t->module]->terms_free(t->terms);
    t->terms = NULL;
}
