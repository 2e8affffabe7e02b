/* SPDX-License-Identifier: ISC */
/*
 * The protect face beside testseal's wire face, for the tests of finding one: complete, and refusing
 * whatever it is asked.
 */
#include <stdio.h>

#include "auth/auth_module.h"

/* A test builds the module once more with a version nobody knows. */
#ifndef TESTSEAL_VERSION
#define TESTSEAL_VERSION AUTH_MODULE_VERSION
#endif

static void *
testseal_terms(const struct auth_config *config, char *error, size_t size)
{
    (void)config;
    (void)snprintf(error, size, "nothing can be agreed");
    return NULL;
}

static void
testseal_free(void *nothing)
{
    (void)nothing;
}

static void *
testseal_import(const void *terms, const void *blob, size_t len, const char **error)
{
    (void)terms;
    (void)blob;
    (void)len;
    *error = "malformed-context";
    return NULL;
}

static enum auth_frame
testseal_agree(void *protect, uint8_t *data, size_t len, struct auth_agreement *out)
{
    (void)protect;
    (void)data;
    (void)len;
    out->error = "unknown-level";
    return AUTH_FRAME_BAD;
}

static enum auth_protection
testseal_level(const void *protect)
{
    (void)protect;
    return AUTH_PROTECTION_NONE;
}

static size_t
testseal_plain_max(const void *protect)
{
    (void)protect;
    return 0;
}

static int
testseal_seal(void *protect, uint8_t *plain, size_t len, struct auth_sealed *out)
{
    (void)protect;
    (void)plain;
    (void)len;
    (void)out;
    return -1;
}

static enum auth_frame
testseal_open(void *protect, uint8_t *data, size_t len, struct auth_opened *out)
{
    (void)protect;
    (void)data;
    (void)len;
    out->error = "nothing-agreed";
    return AUTH_FRAME_BAD;
}

static int
testseal_use_datagrams(void *protect)
{
    (void)protect;
    return -1;
}

AUTH_PROTECT_MODULE(testseal) = {
    .version = TESTSEAL_VERSION,
    .name = "testseal",
    .terms = testseal_terms,
    .terms_free = testseal_free,
    .import = testseal_import,
    .free = testseal_free,
    .agree = testseal_agree,
    .level = testseal_level,
    .plain_max = testseal_plain_max,
    .seal = testseal_seal,
    .open = testseal_open,
    .use_datagrams = testseal_use_datagrams,
};
