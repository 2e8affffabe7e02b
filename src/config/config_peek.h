/* SPDX-License-Identifier: ISC */
/* One key of a configuration, for a program that wants no more of it: sallyportctl looks for the control
   socket. Nothing is judged but the form. */
#ifndef SP_CONFIG_PEEK_H
#define SP_CONFIG_PEEK_H

#include <stddef.h>

#include "lib/base/attr.h"
#include "src/config/config.h"

/* The text of section's scalar key. 1: in out; 0: not there, or too long; -1: the file cannot be read. */
int config_peek(const struct config_source *source, const char *section, const char *key, char *out,
    size_t size) SP_MUST_USE;

#endif
