/* SPDX-License-Identifier: ISC */
/*
 * Descriptors with one owner. A variable that holds -1 owns nothing. Whoever takes a descriptor
 * over calls fd_take(), which leaves -1 behind, so that ownership shows at the call.
 */
#ifndef SP_BASE_FD_H
#define SP_BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/base/attr.h"

/* Returns *fd and leaves -1 in its place. */
int fd_take(int *fd) SP_MUST_USE;

/* Closes *fd unless it is -1 and leaves -1; keeps errno. The caller has removed it from epoll. */
void fd_close(int *fd);

/* Sets O_NONBLOCK. 0, or -1 with errno. */
int fd_set_nonblock(int fd) SP_MUST_USE;

/* Sets or clears FD_CLOEXEC. 0, or -1 with errno. */
int fd_set_cloexec(int fd, int on) SP_MUST_USE;

/* Raises the soft limit of open descriptors to the hard one. Returns the soft limit now in force, the
   old one where it could not be raised, 0 where it could not be read. */
size_t fd_raise_limit(void);

/* Number of open descriptors of this process (counts /proc/self/fd, the one it needs for that left
   out), or -1 with errno. */
int fd_count_open(void);

/* Writes all of len, restarting after signals and short writes on a blocking descriptor.
   0, or -1 with errno. */
int fd_write_all(int fd, const void *data, size_t len) SP_MUST_USE;

/* A memfd of size bytes, close-on-exec, zero filled, sealed against growing, shrinking and
   further seals. name shows in /proc/PID/maps. A descriptor the caller owns, or -1 with errno. */
int memfd_fixed(const char *name, size_t size) SP_MUST_USE;

/* A memfd holding exactly data, sealed against every change (write, grow, shrink, seal).
   A descriptor the caller owns, or -1 with errno. */
int memfd_sealed(const char *name, const void *data, size_t len) SP_MUST_USE;

/* Copies all of the readable descriptor from into a sealed memfd as memfd_sealed() does.
   max bounds the size in bytes: a longer file is EFBIG. Descriptor the caller owns, or -1, errno. */
int memfd_copy(const char *name, int from, size_t max) SP_MUST_USE;

/* A second descriptor for the same memfd that can only be read and mapped read-only, and lowers the
   file's mode to 0600 so that another user cannot reopen it for writing. -1 with errno. */
int memfd_reader(int memfd) SP_MUST_USE;

/* True size checks for a memfd that came from outside this process: all of `seals` (F_SEAL_*)
   present. Returns the size, or -1 with errno (EPERM when a seal is missing). */
off_t memfd_check(int memfd, int seals) SP_MUST_USE;

#endif
