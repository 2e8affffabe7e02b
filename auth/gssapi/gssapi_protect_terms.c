/* SPDX-License-Identifier: ISC */
/*
 * What may be agreed on a listener: options `protection` and `nec` of the section in effect there.
 * Serves the workers when they adopt a configuration. The compiler has checked the words; what it
 * let through all the same is returned as a text.
 */
#include "auth/gssapi/gssapi_protect_local.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/gssapi/gssapi_options.h"

static bool
terms_have(const struct gssapi_terms *terms, enum auth_protection level)
{
    for (size_t i = 0; i < terms->count; i++)
        if (terms->levels[i] == level)
            return true;
    return false;
}

/* The list in its order; a word that stands twice counts once. 0, or -1. */
static int
terms_levels(const struct auth_config *config, struct gssapi_terms *terms, char *error, size_t size)
{
    const char *word;

    for (unsigned i = 0;
         (word = config->value(config->ctx, GSSAPI_PROTECTION_OPTION, i)) != NULL; i++) {
        const int level = gssapi_level_of(word);

        if (level < 0) {
            (void)snprintf(error, size, "protection: \"%s\" is no level; allowed: \"none\", "
                "\"integrity\", \"confidentiality\", \"selective\"", word);
            return -1;
        }
        if (!terms_have(terms, (enum auth_protection)level))
            terms->levels[terms->count++] = (enum auth_protection)level;
    }
    if (terms->count > 0)
        return 0;
    (void)snprintf(error, size, "protection is an empty list; name at least one level");
    return -1;
}

void *
gssapi_terms_read(const struct auth_config *config, char *error, size_t size)
{
    struct gssapi_terms *terms = calloc(1, sizeof *terms);

    if (terms == NULL) {
        (void)snprintf(error, size, "out of memory");
        return NULL;
    }
    terms->nec = gssapi_option_is(config, GSSAPI_NEC_OPTION);
    if (terms_levels(config, terms, error, size) != 0) {
        free(terms);
        return NULL;
    }
    return terms;
}
