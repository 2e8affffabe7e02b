/* SPDX-License-Identifier: ISC */
/*
 * Bodies of the messages of a reload, and of ending single sessions. Serves master, workers, pools and
 * logger. Encoders return the length, decoders 0 or -1 when malformed.
 *
 * The order of a reload: PREPARE to every running child, PREPARED from each, then COMMIT or ABORT to those
 * that answered yes. A child holds at most one prepared image; a COMMIT or ABORT names it. A child that
 * was still starting gets its PREPARE once it is ready. What a refused PREPARE is followed by is ABORT,
 * which a child that holds nothing of that generation passes over.
 */
#ifndef SP_CORE_IPC_RELOAD_H
#define SP_CORE_IPC_RELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"
#include "src/core/ipc.h"

#define IPC_LISTENERS_MAX 256        /* of an image */
#define IPC_LISTENER_NUMBERS 4096U   /* numbers are less */

/* LISTENERS, and part of PREPARE: numbers[i] is the number of the image's listener i. No number twice. */
struct ipc_listeners {
    uint16_t count;
    uint16_t numbers[IPC_LISTENERS_MAX];
};
size_t ipc_listeners_encode(const struct ipc_listeners *in, uint8_t *out, size_t size);
int ipc_listeners_decode(const struct ipc_message *m, struct ipc_listeners *out) SP_MUST_USE;

/* PREPARE. The descriptor is the image. */
struct ipc_prepare {
    uint64_t generation; /* never 0 */
    struct ipc_listeners listeners;
};
size_t ipc_prepare_encode(const struct ipc_prepare *in, uint8_t *out, size_t size);
int ipc_prepare_decode(const struct ipc_message *m, struct ipc_prepare *out) SP_MUST_USE;

/* PREPARED. */
struct ipc_prepared {
    uint64_t generation;
    bool ok;
    char error[512]; /* "" when ok */
};
size_t ipc_prepared_encode(const struct ipc_prepared *in, uint8_t *out, size_t size);
int ipc_prepared_decode(const struct ipc_message *m, struct ipc_prepared *out) SP_MUST_USE;

/* COMMIT, ABORT. */
size_t ipc_generation_encode(uint64_t generation, uint8_t *out, size_t size);
int ipc_generation_decode(const struct ipc_message *m, uint64_t *generation) SP_MUST_USE;

/* KILL: they end with reason=killed. Ids that ended meanwhile are passed over. */
#define IPC_KILL_MAX 250
struct ipc_kill {
    uint16_t count; /* 1.. */
    uint64_t ids[IPC_KILL_MAX];
};
size_t ipc_kill_encode(const struct ipc_kill *in, uint8_t *out, size_t size);
int ipc_kill_decode(const struct ipc_message *m, struct ipc_kill *out) SP_MUST_USE;

/* REJUDGED, once a worker has walked through its sessions after a COMMIT. */
struct ipc_rejudged {
    uint64_t generation;
    uint32_t ended; /* sessions that were no longer allowed */
};
size_t ipc_rejudged_encode(const struct ipc_rejudged *in, uint8_t *out, size_t size);
int ipc_rejudged_decode(const struct ipc_message *m, struct ipc_rejudged *out) SP_MUST_USE;

#endif
