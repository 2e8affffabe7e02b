/* SPDX-License-Identifier: ISC */
/* Standard output as the client's join writes it: a pipe, a socket, a file, a terminal. */
#ifndef SP_CLIENT_CLIENT_OUTPUT_H
#define SP_CLIENT_CLIENT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum client_output_kind { CLIENT_OUTPUT_OTHER, CLIENT_OUTPUT_PIPE, CLIENT_OUTPUT_SOCKET };

struct client_output {
    int fd; /* -1: ended */
    enum client_output_kind kind;
    bool small; /* a pipe of a kernel without RWF_NOWAIT for it */
};

void client_output_init(struct client_output *o, int fd);
/* Bytes taken, or -1 with errno; EAGAIN: wait for POLLOUT. A terminal that is held may block. */
ssize_t client_output_write(struct client_output *o, uint8_t *data, size_t len);
/* The reader gets its end of file. */
void client_output_end(struct client_output *o);

#endif
