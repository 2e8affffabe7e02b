/* SPDX-License-Identifier: ISC */
/* What finding a wire face and finding a secret face have in common (builtin.h is for users). */
#ifndef SP_AUTH_BUILTIN_LOAD_H
#define SP_AUTH_BUILTIN_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"

/* Names of methods: a-z, 0-9 and '-', 1..31 bytes; so they are also safe as file names. */
bool auth_name_valid(const char *name);

/* Loads dir/NAME-FACE.so after checking folder and file, and finds symbol in it. The object stays
   for the life of the process. NULL with error filled; *missing: there is no such file. */
const void *auth_object_load(const char *name, const char *face, const char *dir,
    const char *symbol, bool *missing, char *error, size_t size);

/* The face of a module that is not built in, in dir/NAME-FACE.so. NULL with error filled, also where
   there is no such file. */
const void *auth_face_load(const char *name, const char *face, const char *dir, const char *symbol,
    char *error, size_t size);

/* Whether a face speaks this program's interface; false with error filled. */
bool auth_version_fits(const char *name, uint32_t version, char *error, size_t size);

/* Formats into error, cut where it does not fit. */
void auth_error(char *error, size_t size, const char *fmt, ...) SP_PRINTF(3, 4);

#endif
