/* SPDX-License-Identifier: ISC */
/*
 * The control socket: what the person on call asks the running gateway through sallyportctl.
 *
 * AF_UNIX, SOCK_STREAM, one request a connection. The request is one line (src/core/control_line.h): the
 * command, then NAME=VALUE words; at most 4 KiB, within 10 s of connecting. The answer is lines of
 * NAME=VALUE words, the last line is ".ok" or ".error<TAB>text"; then the master closes. `image` passes the
 * policy image in force as a descriptor beside the first octet of its answer.
 *
 *   status                                   section=gateway|listener|workers|sessions|phase|limits|audit|reload
 *   sessions [user= client= rule= destination= listener= session=]    a line each; session=? while it changes
 *   kill     [session= user= client= rule=]  killed=N; one filter at least, all of them must match
 *   drain
 *   reload                                   text=COMPLAINT; summary=, or .error when nothing changed
 *   workers                                  a line for each child
 *   replace  worker=N
 *   penalties                                a line for each one in force
 *   penalties-clear [client= user=]          cleared=N
 *   metrics                                  text=LINE
 *   image                                    generation=
 *
 * Filters: user, rule, destination and listener are globs, client is an address or a prefix, session
 * sixteen hexadecimal digits, or up to eight: the lower half of the id.
 *
 * Who may: root, the user the gateway was started by, and members of control.group; judged by SO_PEERCRED and
 * SO_PEERGROUPS when the connection is taken, which ask no directory service. Nobody holds the master up:
 * answers are made in slices of a millisecond a turn, all clients together, as their sockets take them; 64
 * clients at most, the last 8 places for root and that user; who takes nothing for 30 s is cut.
 */
#ifndef SP_MASTER_MASTER_CONTROL_H
#define SP_MASTER_MASTER_CONTROL_H

#include <stddef.h>

#include "lib/base/attr.h"

#define CONTROL_CLIENTS_MAX 64
#define CONTROL_RESERVED 8 /* of them; not for members of control.group */
#define CONTROL_REQUEST_SECONDS 10
#define CONTROL_STALL_SECONDS 30
#define CONTROL_SLICE_US 1000

struct master;
struct control;

/* -t: whether control.group exists and the socket could be made. 0, or -1 with error filled. */
int control_check(const struct master *m, char *error, size_t size) SP_MUST_USE;
/* Opens the socket, when there is to be one. 0, or -1 with error filled. Where the place is only the default
   and cannot be had, the gateway goes on without (told). */
int control_open(struct master *m, char *error, size_t size) SP_MUST_USE;
/* Ends all clients; the socket's name goes. Harmless when none is open. */
void control_close(struct master *m);

#endif
