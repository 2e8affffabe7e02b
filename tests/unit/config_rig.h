/* SPDX-License-Identifier: ISC */
/*
 * Compiles configurations that live in memory: files by name, as the master's privileged side would
 * hand them out. For the tests of src/config and src/policy.
 */
#ifndef SP_TESTS_UNIT_CONFIG_RIG_H
#define SP_TESTS_UNIT_CONFIG_RIG_H

#include "tests/unit/unit.h"

#include "src/config/config.h"
#include "src/config/image.h"

#define RIG_FILES_MAX 80
#define RIG_MAIN "main.conf"

struct rig {
    struct {
        const char *name; /* a borrow */
        const char *text; /* a borrow */
        size_t len;
    } files[RIG_FILES_MAX];
    unsigned file_count;
    unsigned opened; /* files handed out */
    struct config_source source;
    struct config_messages messages;
    char *text;       /* messages as text, owned */
    void *compiled;   /* owned, or NULL */
    size_t size;
    struct image *image; /* opened, or NULL */
};

/* A rig whose main file is text (NULL: the built-in default). The rig must not move. */
void rig_init(struct rig *r, const char *text);
void rig_file(struct rig *r, const char *name, const char *text, size_t len);
/* Compiles, and opens the image if there is one. */
void rig_compile(struct rig *r);
void rig_free(struct rig *r);

/* rig_init and rig_compile, and no complaint. */
void rig_good(struct rig *r, const char *text);

/* The same, with the keys that are not available yet. */
void rig_later(struct rig *r, const char *text);

#endif
