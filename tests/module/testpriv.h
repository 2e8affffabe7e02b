/* SPDX-License-Identifier: ISC */
/* The config face of testpriv, in both of its objects. */
#ifndef SP_TESTS_MODULE_TESTPRIV_H
#define SP_TESTS_MODULE_TESTPRIV_H

#include "auth/auth_module.h"

#define TESTPRIV_METHOD 0x80
#define TESTPRIV_PHRASE_MAX 64

/* A test builds the module once more with a version nobody knows. */
#ifndef TESTPRIV_VERSION
#define TESTPRIV_VERSION AUTH_MODULE_VERSION
#endif

static const struct auth_pool testpriv_pool = { .processes = 1, .step_seconds = 10 };

static const struct auth_option testpriv_options[] = {
    {
        .name = "phrase",
        .type = AUTH_OPTION_TEXT,
        .change = AUTH_CHANGE_RESTART,
        .preset = "open sesame",
        .sentence = "What client and gateway both know.",
    },
    {
        .name = "phrase-file",
        .type = AUTH_OPTION_FILE,
        .change = AUTH_CHANGE_RELOAD,
        .preset = "",
        .sentence = "A file whose content is the phrase, in place of it; one that begins with an "
                    "exclamation mark is refused.",
    },
    {
        .name = "service",
        .type = AUTH_OPTION_LIST,
        .change = AUTH_CHANGE_RELOAD,
        .preset = "",
        .sentence = "The first is what the mechanism is called, \"backwards\" without one.",
    },
    {
        .name = "processes",
        .type = AUTH_OPTION_NUMBER,
        .change = AUTH_CHANGE_RESTART,
        .preset = "0",
        .min = 0,
        .max = 256,
        .sentence = "Processes of the pool.",
    },
    { .name = NULL },
};

#endif
