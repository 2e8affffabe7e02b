/* SPDX-License-Identifier: ISC */
/*
 * The config face of a method that protects messages, for the tests of the configuration: lists that a
 * listener may replace, a file that must hold a line for each service, a folder. Nobody speaks it.
 */
#include <stdio.h>
#include <string.h>

#include "auth/auth_module.h"

static const struct auth_pool testseal_pool = { .processes = 1, .step_seconds = 10 };

/* "weak" is no level that a listener's key knows; "selective" none of this method. */
static const char *const levels[] = { "none", "integrity", "confidentiality", "weak", NULL };

static const struct auth_option testseal_options[] = {
    {
        .name = "keys",
        .type = AUTH_OPTION_FILE,
        .preset = "/keys",
        .sentence = "A line for each service.",
    },
    {
        .name = "service",
        .type = AUTH_OPTION_LIST,
        .preset = "one two",
        .sentence = "Services; an empty list means any.",
    },
    {
        .name = "protection",
        .type = AUTH_OPTION_LIST,
        .preset = "confidentiality integrity",
        .words = levels,
        .sentence = "Levels.",
    },
    {
        .name = "cache",
        .type = AUTH_OPTION_FOLDER,
        .preset = "/cache/x",
        .sentence = "A folder.",
    },
    { .name = NULL },
};

static int
testseal_check(const struct auth_config *config, char *error, size_t size)
{
    const char *service;

    for (unsigned i = 0; (service = config->value(config->ctx, "service", i)) != NULL; i++)
        if (strchr(service, '/') != NULL) {
            (void)snprintf(error, size, "service \"%s\" has a slash; leave it out", service);
            return -1;
        }
    return 0;
}

static int
testseal_check_file(const struct auth_config *config, const char *name, const char *where,
    const void *data, size_t len, char *error, size_t size)
{
    const char *service;

    (void)name;
    for (unsigned i = 0; (service = config->value(config->ctx, "service", i)) != NULL; i++)
        if (memmem(data, len, service, strlen(service)) == NULL) {
            (void)snprintf(error, size, "%s: no key for the service \"%s\"", where, service);
            return -1;
        }
    return 0;
}

static enum auth_frame
testseal_frame(void *state, const void *data, size_t len, struct auth_frame_result *out)
{
    (void)state;
    (void)data;
    (void)len;
    out->error = "never";
    return AUTH_FRAME_BAD;
}

static int
testseal_answer(void *state, enum auth_outcome outcome, const void *answer, size_t len,
    struct auth_out *out)
{
    (void)state;
    (void)outcome;
    (void)answer;
    (void)len;
    (void)out;
    return -1;
}

static void
testseal_refuse(void *state, struct auth_out *out)
{
    (void)state;
    (void)out;
}

AUTH_WIRE_MODULE(testseal) = {
    .version = AUTH_MODULE_VERSION,
    .name = "testseal",
    .method = 0x81,
    .needs_pool = true,
    .message_max = 16,
    .config = { .pool = &testseal_pool,
        .options = testseal_options,
        .check = testseal_check,
        .check_file = testseal_check_file },
    .frame = testseal_frame,
    .answer = testseal_answer,
    .refuse = testseal_refuse,
    .protects = true,
};
