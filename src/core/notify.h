/* SPDX-License-Identifier: ISC */
/* Readiness to the service manager (sd_notify protocol): a datagram to $NOTIFY_SOCKET. */
#ifndef SP_CORE_NOTIFY_H
#define SP_CORE_NOTIFY_H

/* state is "READY=1", "STOPPING=1", "RELOADING=1", "STATUS=..."; path or abstract (@) socket.
   Returns 1 when sent, 0 when NOTIFY_SOCKET is not set, -1 with errno. */
int notify_send(const char *state);

#endif
