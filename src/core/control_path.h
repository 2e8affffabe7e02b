/* SPDX-License-Identifier: ISC */
/*
 * Where the control socket of a gateway is that an ordinary user started, when the configured default
 * (below RUNDIR) is not that user's to write to: the gateway and sallyportctl look in the same places.
 */
#ifndef SP_CORE_CONTROL_PATH_H
#define SP_CORE_CONTROL_PATH_H

#include <stddef.h>
#include <sys/stat.h>

#include "lib/base/attr.h"

#define CONTROL_DEFAULT_PATH RUNDIR "/control.sock"
#define CONTROL_PATH_MAX 108 /* of a socket's name, NUL included */

/*
 * The socket of the calling user: $XDG_RUNTIME_DIR/sallyport/control.sock where that is an absolute name of
 * a folder of the user's own, else /tmp/sallyport-UID/control.sock. 0, or -1 with errno when the name is too
 * long.
 */
int control_user_path(char *path, size_t size) SP_MUST_USE;

/* Whether st, from lstat(), is a folder of uid's or root's that nobody else can put things into. */
int control_folder_safe(const struct stat *st, uid_t uid);

#endif
