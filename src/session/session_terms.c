/* SPDX-License-Identifier: ISC */
/*
 * What may be agreed about message protection, read once from the configuration in effect on each
 * listener. Serves the start of a worker, which finds an error here fatal, and the sessions.
 */
#include "src/session/session_private.h"

#include <stdio.h>
#include <stdlib.h>
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
terms_of(const struct session_host *host, uint32_t listener, uint32_t module)
{
    return &host->terms[listener * image_settings(host->image)->modules.count + module];
}

static int
make_one(struct session_host *host, uint32_t listener, uint32_t module, char *error, size_t size)
{
    const struct auth_protect_module *face = host->protect[module];
    const struct terms_view view = { host->image, image_listener(host->image, listener),
        image_module(host->image, module) };
    const struct auth_config config = { &view, view_value };
    struct session_terms *t =
        &host->terms[listener * image_settings(host->image)->modules.count + module];
    char why[256] = "";

    if (face == NULL)
        return 0;
    t->terms = face->terms(&config, why, sizeof why);
    t->most = view_most(&view);
    if (t->terms != NULL)
        return 0;
    if (snprintf(error, size, "listener %s: %s: %s", image_string(host->image, view.listener->name),
            face->name, why) < 0)
        error[0] = '\0';
    return -1;
}

static int
make_all(struct session_host *host, char *error, size_t size)
{
    const struct image_settings *settings = image_settings(host->image);

    for (uint32_t l = 0; l < settings->listeners.count; l++) {
        const struct image_listener *listener = image_listener(host->image, l);

        for (uint32_t i = 0; i < listener->modules.count; i++) {
            uint32_t module = *IMAGE_AT(host->image, listener->modules, uint32_t, i);

            if (make_one(host, l, module, error, size) < 0)
                return -1;
        }
    }
    return 0;
}

int
session_terms_make(struct session_host *host, char *error, size_t size)
{
    const struct image_settings *settings = image_settings(host->image);
    size_t count = (size_t)settings->listeners.count * settings->modules.count;

    host->terms = calloc(count > 0 ? count : 1, sizeof *host->terms);
    if (host->terms == NULL) {
        if (snprintf(error, size, "no memory for the terms of %zu listeners",
                (size_t)settings->listeners.count) < 0)
            error[0] = '\0';
        return -1;
    }
    return make_all(host, error, size);
}

void
session_terms_free(struct session_host *host)
{
    const struct image_settings *settings = image_settings(host->image);
    uint32_t modules = settings->modules.count;

    for (size_t i = 0; host->terms != NULL && i < (size_t)settings->listeners.count * modules; i++)
        if (host->terms[i].terms != NULL)
            host->protect[i % modules]->terms_free(host->terms[i].terms);
    free(host->terms);
    host->terms = NULL;
}
