/* SPDX-License-Identifier: ISC */
/*
 * The configured listeners. Serves master_main.c. One that cannot be had is fatal to the start.
 */
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>


static int
listener_open(struct master *m, struct listener *l, const struct image_listener *row)
{
    char text[ADDR_TEXT_MAX];

    l->fd = listen_open(&m->inherited, &row->addr, &l->bound);
    if (l->fd < 0) {
        log_error("listen \"%s\": %s", image_string(m->config.image, row->name), strerror(errno));
        return -1;
    }
    l->wildcard = addr_is_zero(&l->bound);
    addr_format(&l->bound, text);
    log_info("listening on %s", text);
    return 0;
}

int
listeners_open(struct master *m)
{
    uint32_t count = m->settings->listeners.count;

    m->listeners = calloc(count > 0 ? count : 1, sizeof *m->listeners);
    if (m->listeners == NULL) {
        log_error("listeners: %s", strerror(errno));
        return -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct listener *l = &m->listeners[i];

        l->m = m;
        l->fd = -1;
        l->index = (uint16_t)i;
        m->listener_count = i + 1;
        if (listener_open(m, l, image_listener(m->config.image, i)) < 0)
            return -1;
    }
    inherited_close(&m->inherited);
    return 0;
}

void
listeners_close(struct master *m)
{
    for (uint32_t i = 0; i < m->listener_count; i++) {
        struct listener *l = &m->listeners[i];

        if (l->fd >= 0)
            loop_io_del(m->loop, &l->io, l->fd);
        fd_close(&l->fd);
    }
    free(m->listeners);
    m->listeners = NULL;
    m->listener_count = 0;
}

const char *
master_listener_name(const struct master *m, uint16_t listener)
{
    return image_string(m->config.image, image_listener(m->config.image, listener)->name);
}
