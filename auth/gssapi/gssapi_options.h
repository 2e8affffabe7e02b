/* SPDX-License-Identifier: ISC */
/*
 * The config face of gssapi, the same in all of its objects, and what reads the section. Free of
 * Kerberos' libraries: sallyportd links it.
 */
#ifndef SP_AUTH_GSSAPI_OPTIONS_H
#define SP_AUTH_GSSAPI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/auth_module.h"

#define GSSAPI_KEYTAB_OPTION "keytab"
#define GSSAPI_SERVICE_OPTION "service"
#define GSSAPI_PROTECTION_OPTION "protection"
#define GSSAPI_NEC_OPTION "nec"
#define GSSAPI_MECHANISMS_OPTION "mechanisms"
#define GSSAPI_REPLAY_OPTION "replay-cache"
#define GSSAPI_END_OPTION "end-with-ticket"

extern const struct auth_pool gssapi_pool;
extern const struct auth_option gssapi_options[];

int gssapi_check(const struct auth_config *config, char *error, size_t size);
int gssapi_check_file(const struct auth_config *config, const char *name, const char *where,
    const void *data, size_t len, char *error, size_t size);

/* Whether the list of option name has this value. */
bool gssapi_option_lists(const struct auth_config *config, const char *name, const char *value);
/* The BOOLEAN option name. */
bool gssapi_option_is(const struct auth_config *config, const char *name);

/* The level a word of option protection stands for, or -1 for none of them. */
int gssapi_level_of(const char *word);

#endif
