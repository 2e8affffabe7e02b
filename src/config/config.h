/* SPDX-License-Identifier: ISC */
/*
 * From text to policy image: scan, libconfuse, checked structs, image. Runs in a short-lived
 * unprivileged child of the master (src/master/master_config.c) and never in the master itself.
 * Every complaint has the form `FILE:LINE: section "TITLE": what is wrong and what is allowed`.
 */
#ifndef SP_CONFIG_CONFIG_H
#define SP_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/attr.h"
#include "lib/base/buffer.h"

#define CONFIG_FILE_MAX (16U * 1024U * 1024U) /* bytes of the main file and of each include */
#define CONFIG_INCLUDES_MAX 64
#define CONFIG_LISTS_MAX 1024U /* list files ("@FILE") of one configuration */
#define CONFIG_LIST_MAX (64U * 1024U * 1024U) /* octets of each */

/*
 * Where bytes come from: the caller opens files (the privileged side, through a socket), the
 * compiler only reads descriptors. open returns a readable descriptor the compiler will own, or -1
 * with errno. path is as written in the file; relative ones are taken from the main file's folder.
 */
struct config_source {
    int (*open)(const char *path, void *ctx);
    int (*open_list)(const char *path, void *ctx); /* the same for a list file; ESTALE: it changed while it was
                                                      copied. NULL: open does */
    void *ctx;
    const char *path;      /* shown in messages; NULL: the built-in default (--try) */
    const char *module_dir; /* where shared modules are */
    bool check_files;      /* also open the files modules name and let them check the content */
    bool later;            /* take also what is not available yet: for tests of the compiler */
    bool privileged;       /* started as root: the three users must differ and exist */
    unsigned cpus;         /* for workers = 0 */
};

/* Complaints and warnings, one line each, in the order found. */
struct config_messages {
    struct buffer text;
    unsigned errors;
    unsigned warnings;
};

/* Compiles to an image in memory the caller frees with free(). NULL when messages->errors > 0. */
void *config_compile(const struct config_source *source, struct config_messages *messages,
    size_t *image_size) SP_MUST_USE;

/* -T: prints the effective configuration of an image in the configuration's own language, such
   that compiling it again gives the same image. Allocates; the caller frees. NULL with errno. */
struct image;
char *config_print(const struct image *image) SP_MUST_USE;

#endif
