/* SPDX-License-Identifier: ISC */
/*
 * Bodies of the messages about metrics: which format the text is asked for in, and comes in. Encoders
 * return the length, decoders 0 or -1 when malformed.
 */
#ifndef SP_CORE_IPC_METRICS_H
#define SP_CORE_IPC_METRICS_H

#include "lib/base/attr.h"
#include "src/core/ipc.h"

enum metrics_format {
    METRICS_OPENMETRICS, /* application/openmetrics-text; version=1.0.0 */
    METRICS_CLASSIC,     /* text/plain; version=0.0.4 */
    METRICS_FORMAT_COUNT
};

/* METRICS_ASK and METRICS_TEXT. An empty memfd says that there is no text. */
size_t ipc_metrics_encode(enum metrics_format format, uint8_t *out, size_t size);
int ipc_metrics_decode(const struct ipc_message *m, enum metrics_format *format) SP_MUST_USE;

#endif
