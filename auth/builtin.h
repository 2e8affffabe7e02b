/* SPDX-License-Identifier: ISC */
/*
 * Finding modules by name: those built in (the list comes from configure) and shared ones, loaded
 * from the module folder before privileges are dropped. The folder and the file must belong to root
 * (or to the ordinary user who runs the gateway) and must not be writable by others.
 */
#ifndef SP_AUTH_BUILTIN_H
#define SP_AUTH_BUILTIN_H

#include <stddef.h>

#include "auth/auth_module.h"

/* The wire (protect, secret) face of module name, built in or loaded from dir/NAME-wire.so; loaded objects
   stay for the life of the process. NULL with error filled: unknown module (with the names that
   exist), wrong owner or mode, version, symbol missing. */
const struct auth_wire_module *auth_wire_find(const char *name, const char *dir, char *error,
    size_t size);
const struct auth_protect_module *auth_protect_find(const char *name, const char *dir, char *error,
    size_t size);
const struct auth_secret_module *auth_secret_find(const char *name, const char *dir, char *error,
    size_t size);

/* Where shared modules are: the package's folder, or `modules` beside a program that runs out of
   its build tree (sallyportd and sallyport-worker lie in one folder there, never when installed).
   Reads /proc/self/exe at its first call: before the chroot. Constant for the life of the process. */
const char *auth_module_dir(void);

#endif
