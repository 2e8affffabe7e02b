/* SPDX-License-Identifier: ISC */
/* Diagnostics as audit records: every log line also becomes a gateway.message, unless both would be
   written to standard error. */
#ifndef SP_CORE_LOG_EVENT_H
#define SP_CORE_LOG_EVENT_H

struct ring_writer;

/* From now on lines go into ring too; NULL ends it (before the ring is closed). The ring stays the
   caller's. */
void log_to_ring(struct ring_writer *ring);

#endif
