/* SPDX-License-Identifier: ISC */
/*
 * Method 0x00: nothing is exchanged and nobody is named. Serves the workers and the configuration's
 * compiler; it cannot fail.
 */
#include "auth/auth_module.h"

static const struct auth_option none_options[] = {
    { .name = NULL },
};

AUTH_WIRE_MODULE(none) = {
    .version = AUTH_MODULE_VERSION,
    .name = "none",
    .method = 0x00,
    .needs_pool = false,
    .config = { .options = none_options },
};
