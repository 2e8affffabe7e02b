/* SPDX-License-Identifier: ISC */
/*
 * Listeners as the sessions see them: what each offers, taken out of an image once. Serves session_adopt.c
 * and the sessions. An error concerns the image, which then does not come into force.
 */
#include "src/session/session_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct session_listener *
listener_new(const struct image *image, const struct image_listener *from)
{
    const char *name = image_string(image, from->name);
    size_t terms = from->modules.count * sizeof(struct session_terms), len = strlen(name) + 1;
    struct session_listener *l = calloc(1, sizeof *l + terms + len);

    if (l == NULL)
        return NULL;
    l->references = 1;
    l->ident = from->ident != 0;
    l->name = memcpy((char *)l->terms + terms, name, len);
    return l;
}

struct session_listener *
listener_make(const struct session_host *host, const struct image *image, uint32_t index, char *error,
    size_t size)
{
    const struct image_listener *from = image_listener(image, index);
    struct session_listener *l = listener_new(image, from);

    if (l == NULL) {
        (void)snprintf(error, size, "no memory for the terms of listener %s",
            image_string(image, from->name));
        return NULL;
    }
    for (uint32_t i = 0; i < from->modules.count; i++) {
        l->terms[i].module = *IMAGE_AT(image, from->modules, uint32_t, i);
        l->count++;
        if (terms_make(host, image, from, &l->terms[i], error, size) < 0) {
            listener_release(host, &l);
            return NULL;
        }
    }
    return l;
}

struct session_listener *
listener_take(const struct session_host *host, uint32_t number)
{
    struct session_listener *l = number < SESSION_LISTENERS_MAX ? host->listeners[number] : NULL;

    if (l != NULL)
        l->references++;
    return l;
}

void
listener_release(const struct session_host *host, struct session_listener **listener)
{
    struct session_listener *l = *listener;

    *listener = NULL;
    if (l == NULL || --l->references > 0)
        return;
    for (uint32_t i = 0; i < l->count; i++)
        terms_free(host, &l->terms[i]);
    free(l);
}
