/* SPDX-License-Identifier: ISC */
/*
 * What the logger's tests stand on: real rings with writers, a log daemon's socket, and a master that
 * runs the real program. Whatever goes wrong here ends the test program with a message.
 */
#ifndef SP_TESTS_UNIT_LOGGER_RIG_H
#define SP_TESTS_UNIT_LOGGER_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/config/image.h"
#include "src/core/event.h"
#include "src/core/ipc.h"
#include "src/core/ipc_audit.h"
#include "src/core/ring.h"

void rig_must(bool fine, const char *what);
#define RIG_MUST(condition) rig_must((condition), __FILE__ ": " #condition)

/* A folder of its own below $TMPDIR or /tmp, and names in it (a static buffer each call reuses). */
void rig_folder_make(void);
void rig_folder_remove(void); /* with the files in it */
const char *rig_path(const char *name);

/* ---- rings ---- */

struct rig_ring {
    int data_fd;
    int index_fd;
    struct ring_writer *writer;
};

void rig_ring_open(struct rig_ring *r, int wake_fd);
void rig_ring_close(struct rig_ring *r);
/* Writes count records request.denied with detail= of detail_len bytes 'd'. Returns the last seq. */
uint64_t rig_write(struct rig_ring *r, unsigned count, size_t detail_len);
/* Garbage instead of records, behind the first `after` of them. */
void rig_ring_spoil(struct rig_ring *r, size_t after);

/* ---- a log daemon: a bound datagram socket ---- */

int rig_daemon_start(const char *path);
void rig_daemon_stop(int *fd, const char *path);
/* The next message, NUL behind it: its length; 0 when none comes within ms, or when it is empty. */
size_t rig_daemon_read(int fd, char *out, size_t size, int ms);

/* The number behind " seq=" (or "\"seq\":"); 0 when there is none. */
uint64_t rig_seq_of(const char *line);

/* ---- a master with the real logger ---- */

struct rig_master {
    struct ipc_peer peer;
    pid_t pid;
    int image_fd;
    int wake_fd;
    uint32_t incarnation;
    struct ipc_audit_state audit; /* as told last */
    unsigned audit_count;
};

int rig_image(enum image_log_target target, enum image_log_format format, const char *path);
/* stderr_fd: what the logger gets as standard error; -1: ours. */
void rig_master_start(struct rig_master *m, int image_fd, int stderr_fd);
void rig_ring_add(struct rig_master *m, const struct rig_ring *r, uint32_t id, const char *label,
    pid_t writer);
/* Its writer is this process, and wants to hear when what it waits for is accepted. */
void rig_ring_add_waiting(struct rig_master *m, const struct rig_ring *r, uint32_t id, const char *label,
    int accepted_fd);
void rig_send_u32(struct rig_master *m, enum ipc_type type, uint32_t value);
void rig_send_file(struct rig_master *m, int fd);
/* Waits for the next message; PONGs count. Dies after ten seconds. */
void rig_receive(struct rig_master *m, struct ipc_message *message, enum ipc_type wanted);
/* False when within ms something else than AUDIT_STATE comes, which is thrown away, or the end. */
bool rig_quiet(struct rig_master *m, int ms);
/* Closes the channel: the logger is an orphan. */
void rig_master_vanish(struct rig_master *m);
/* The logger's exit status as waitpid() gives it; dies after ten seconds. */
int rig_reap(struct rig_master *m);
/* kill -9. */
void rig_kill(struct rig_master *m);

#endif
