/* SPDX-License-Identifier: ISC */
/* A pen writes keys and values of one format; render.c walks the record with it. */
#ifndef SP_LOGGER_RENDER_PRIVATE_H
#define SP_LOGGER_RENDER_PRIVATE_H

#include "src/logger/render.h"

struct pen {
    void (*open)(struct line *l); /* up to and with v=1: every key after it has another before it */
    void (*key)(struct line *l, const char *key);
    void (*text)(struct line *l, const uint8_t *text, size_t len); /* anybody's bytes */
    const char *quote; /* around a value of our own that needs no escapes and is no number */
    const char *truncated;
    const char *close;
};

extern const struct pen pen_keyvalue;
extern const struct pen pen_json;

#endif
