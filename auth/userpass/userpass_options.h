/* SPDX-License-Identifier: ISC */
/* The config face of userpass, the same in both of its objects. */
#ifndef SP_AUTH_USERPASS_OPTIONS_H
#define SP_AUTH_USERPASS_OPTIONS_H

#include "auth/auth_module.h"

#define USERPASS_METHOD 0x02
#define USERPASS_FILE_OPTION "file"

extern const struct auth_pool userpass_pool;
extern const struct auth_option userpass_options[];

int userpass_check(const struct auth_config *config, char *error, size_t size);
int userpass_check_file(const struct auth_config *config, const char *name, const char *where,
    const void *data, size_t len, char *error, size_t size);

/* The number of option remember. */
unsigned userpass_remember_seconds(const struct auth_config *config);

#endif
