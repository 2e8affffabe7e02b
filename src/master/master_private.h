/* SPDX-License-Identifier: ISC */
/*
 * The inside of the master, shared by src/master/ alone. A *place* is a post in the family (worker 2,
 * the logger, userpass-1) and lives as long as the master; a *process* is what fills it for a while.
 * A process that died stays on as a *corpse* until its ring is drained and its sessions are closed,
 * while its successor already works.
 */
#ifndef SP_MASTER_MASTER_PRIVATE_H
#define SP_MASTER_MASTER_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "lib/base/clock.h"
#include "src/config/image.h"
#include "src/core/event.h"
#include "src/core/ipc.h"
#include "src/core/loop.h"
#include "src/core/ring.h"
#include "src/core/table.h"
#include "src/master/master_audit.h"
#include "src/master/master_adopt.h"
#include "src/master/master_config.h"
#include "src/master/master_limits_private.h"
#include "src/master/master_listeners.h"
#include "src/master/master_metrics.h"
#include "src/master/master_parts.h"
#include "src/master/master_reload.h"

#define MASTER_START_SECONDS 10    /* a child's time from fork to READY */
#define MASTER_BYPASS_SECONDS 2    /* without an answer: no new sessions */
#define MASTER_HUNG_SECONDS 10     /* without an answer: killed */
#define MASTER_STOPPED_SECONDS 5   /* stopped by a signal: killed */
#define MASTER_DRAIN_SECONDS 10    /* a dead process's ring, before its sessions are closed */
#define MASTER_KILL_SECONDS 2      /* what a child gets beyond the time STOP named */
#define MASTER_READ_BUDGET 32      /* messages of one child in one turn */
#define MASTER_ACCEPT_BUDGET 64    /* connections of one listener in one turn */
#define MASTER_OUTBOX_MAX 256      /* messages waiting for one child, announcements apart */
#define MASTER_POOLS_MAX 32        /* modules of an image */
#define MASTER_FILES_MAX 64        /* brokered files; children keep a bit for each */
#define MASTER_CORPSES_MAX 64      /* undrained rings kept of the dead */

struct master;
struct process;

/* ---- accepting (master_accept.c) ---- */

enum accept_pause {
    PAUSE_START = 1,     /* not every worker was ready yet, or we stop */
    PAUSE_FULL = 2,      /* no worker has room */
    PAUSE_BLOCKED = 4,   /* a worker's channel is full and nobody else could take what waits */
    PAUSE_EXHAUSTED = 8  /* out of descriptors or memory */
};

struct acceptor {
    unsigned paused;      /* enum accept_pause, written by accept_pause/resume alone */
    int reserve;          /* a descriptor to give up when there are none */
    uint64_t exhausted;   /* times */
    struct mono told;     /* when that was last logged */
    struct loop_timer timer;
};

/* Paused for PAUSE_START; takes the reserve. */
void accept_init(struct master *m);
/* The listeners are polled while no reason stands against it. Harmless when repeated. */
void accept_pause(struct master *m, enum accept_pause why);
void accept_resume(struct master *m, enum accept_pause why);
/* Refuses who waits at the door and gives the reserve back; the listeners are the caller's to close. */
void accept_close(struct master *m);
/* What the kernel has accepted on a listener that closes, as far as there is room for it. */
void accept_rest(struct listener *l);
/* Listeners came: they are polled like the others. */
void accept_poll(struct master *m);
/* A connection that no limit stands against becomes a session. Owns *fd, leaves -1. */
void accept_session(struct listener *l, int *fd, const struct addr *client,
    struct tally_client *counted, struct wall accepted);

/* ---- connections that wait for the others of their client (master_door.c) ---- */

#define DOOR_MAX 1024U
#define DOOR_CLIENT_MAX 256U
#define DOOR_PATIENCE_US CLOCK_SECOND_US

struct door {
    struct door_wait *head, *tail; /* in the order they came */
    uint32_t count, max;
    bool due; /* somebody may go in; set where a client's pending connections get fewer */
    struct loop_timer timer;
};

void door_init(struct master *m);
/* Refuses all that wait. */
void door_close(struct master *m);
/* Takes *fd and leaves -1; false: there is no room, and it is as it was. */
bool door_wait(struct listener *l, int *fd, const struct addr *client, struct tally_client *counted,
    struct wall now) SP_MUST_USE;
/* Lets in those for whom there is room since the last turn; who waited too long is the timer's. */
void door_turn_end(struct master *m);

/* ---- dispatch (master_dispatch.c) ---- */

struct dispatch {
    struct session_list waiting; /* accepted, given to no worker yet */
    uint32_t batched;            /* descriptors held in the workers' batches */
    struct loop_timer retry;
};

void dispatch_init(struct master *m);
/* True when some worker could take one more and nothing waits. */
bool dispatch_room(const struct master *m);
/* Puts a session into the batch of the worker with the fewest; into `waiting` when there is none. */
void dispatch_session(struct master *m, struct session *session);
/* Sends every batch; for the end of the turn. */
void dispatch_flush(struct master *m);
/* The worker died: what was not sent to it yet waits again. */
void dispatch_recall(struct master *m, struct process *worker);
/* Room may have come: hands out what waits, and accepts again. */
void dispatch_wake(struct master *m);
void dispatch_close(struct master *m);

/* ---- places and children ---- */

struct place {
    struct master *m;
    enum ipc_role role;
    uint16_t number;   /* 1.. within role or pool */
    uint32_t pool;     /* auth: module's index in the image */
    struct user user;
    char label[IPC_LABEL_MAX];
    struct process *process;   /* NULL: vacant */
    struct process *successor; /* starts while the process still serves; see master_replace.c */
    bool replace;        /* the process is to be replaced, and the successor is not yet there */
    uint32_t life;       /* how often that was done: records of the next process are labelled with it */
    uint64_t next_seq;   /* first sequence number of the ring of the next process of this life */
    uint32_t restarts;   /* processes that ended though nobody had asked them to */
    struct backoff backoff;
    struct loop_timer respawn;
};

struct outgoing;

enum process_phase {
    PROCESS_STARTING,
    PROCESS_RUNNING,
    PROCESS_STOPPING, /* was sent STOP */
    PROCESS_KILLED,   /* SIGKILL sent, not yet reaped */
    PROCESS_DEAD      /* a corpse */
};

struct process {
    struct master *m;
    struct place *place;
    struct process *next; /* in master.processes */
    struct process *next_corpse;
    enum process_phase phase; /* set by process_set_phase() alone */
    struct ipc_peer peer;
    struct loop_io io;
    unsigned burst;
    bool writable_wanted;
    bool was_ready;
    bool told_to_stop;
    pid_t pid;
    int pidfd;
    uint32_t incarnation;
    uint32_t life;
    char label[IPC_LABEL_MAX]; /* the place's; with the life, when it is not the first */
    int ring_data;  /* read-only; -1: the logger has none */
    int ring_index;
    int accepted_fd; /* worker: the eventfd that ends its waiting for the logger; -1 */
    struct mono started;
    struct loop_timer limit; /* READY, STOP, or the drain of a corpse */
    const char *reason;      /* why it is being killed; NULL: it ended by itself */

    struct outgoing *outbox; /* in order; see master_outbox.c */
    struct outgoing *outbox_last;
    size_t outbox_count;

    uint32_t ping;              /* number of the last one sent */
    bool ping_waiting;          /* an answer is missing, */
    struct mono ping_since;     /* since this one was sent */
    bool bypassed;
    bool stopped;               /* by a signal */
    struct mono stopped_since;

    uint64_t generation;        /* of the image it works with, */
    uint64_t asked;             /* of the one it was sent PREPARE for and has not got a COMMIT or ABORT; 0 */
    bool agreed;                /* it said yes to that */
    bool judging;               /* a worker: its sessions, by the generation it works with */

    uint32_t files_asked;       /* FILEs sent, less FILE_RESULTs */
    uint64_t files_waiting;     /* bit per brokered file whose candidate it has to judge, */
    uint64_t files_adopted;     /* and whose candidate it took */

    /* worker */
    int table_fd; /* read-only */
    struct stats *stats; /* its counters, until it is dead; NULL: none */
    int queues[MASTER_POOLS_MAX]; /* our copies of the receiving ends, by pool */
    uint32_t capacity;
    struct session_list sessions; /* handed to it, batched ones included */
    struct session *batch[IPC_SESSIONS_MAX];
    uint32_t batch_count;
    bool blocked; /* its channel is full until the retry */
    struct answers answers;
    uint32_t accounts; /* worker: of bandwidth, that it was the first to ask for */

    uint64_t penalties_heard; /* auth: of the changes, up to this one */

    /* corpse */
    bool drained; /* the logger said so */
    bool reaped;  /* its sessions have their closing records */
    struct reaper *reaper; /* while that is under way */
    struct loop_task reap_task;
    struct loop_timer reap_timer;
    unsigned reap_pauses;
};

void process_set_phase(struct process *p, enum process_phase phase);
bool process_alive(const struct process *p); /* not killed, not dead */
void process_unlist(struct process *p); /* out of master.processes */
const char *role_name(enum ipc_role role);

/* ---- starting children (master_spawn.c, master_equip.c, master_pipes.c) ---- */

/* Where the programs are: beside our own (a build tree) or in LIBEXECDIR. */
void programs_find(struct master *m);
/* Starts a process in a vacant place. 0, or -1 with errno. */
int spawn(struct place *place) SP_MUST_USE;
/* Descriptors made for a child and only passed on to it. */
struct equipment {
    int ring_data; /* writable */
    int ring_index; /* read-only */
    int table;      /* writable */
};
/* Rings, table; then INIT. 0, or -1 with errno. */
int equip_make(struct process *p, struct equipment *e) SP_MUST_USE;
int equip_init(struct process *p, const struct equipment *e) SP_MUST_USE;
void equip_close(struct equipment *e);
/* All that follows INIT: files, queues, pipes, rings. */
void equip_send(struct process *p);
void equip_announce_ring(struct process *logger, struct process *writer);
void pipes_send(struct process *worker);

/* ---- sending (master_outbox.c) ---- */

/* Sends now or, when the channel is full, later and in order. Descriptors stay the caller's. A child
   that reads nothing any more is killed. */
void process_send(struct process *p, enum ipc_type type, const void *body, size_t len, const int *fds,
    size_t fd_count);
void process_send_u32(struct process *p, enum ipc_type type, uint32_t value);
void outbox_flush(struct process *p);
void outbox_clear(struct process *p);
/* Drops what may not be sent any more once the child was told to stop. */
void outbox_stopping(struct process *p);

/* ---- receiving (master_receive.c) ---- */

void process_readable(struct loop_io *io, uint32_t events);
/* Reads what a dead child left in its channel. */
void process_read_rest(struct process *p);
/* Its end of the channel is closed: it is about to exit and has a moment for that (a core, a leak
   check), then it is killed. */
void process_gone(struct process *p);
/* SIGKILL, and no more of its messages. reason is a constant word for worker.exit. */
void process_kill(struct process *p, const char *reason);
void process_signal(const struct process *p, int signo);

/* ---- watching (master_watch.c, master_corpse.c) ---- */

void watch_init(struct master *m);
/* Acts when this phase lasts longer: see limit_over(). */
void watch_limit(struct process *p, int64_t seconds);
void watch_children(struct master *m); /* SIGCHLD */
void watch_started(struct process *p);   /* it was forked */
void watch_ready(struct process *p);     /* READY came */
void watch_pong(struct process *p, uint32_t number);
/* True when every place of the role is filled by a running child. */
bool watch_all_running(const struct master *m, enum ipc_role role);
void watch_cancel_respawns(struct master *m);
/* A process of the place lived so long: the next one is started after the pause that calls for. */
void respawn_later(struct place *place, int64_t lived_us);

void corpse_make(struct process *p);
void corpse_announce_all(struct process *logger); /* to a new logger, */
void corpse_drain_all(struct process *logger);    /* once it is ready */
void corpse_drained(struct master *m, uint32_t ring);
void corpse_reap_all(struct master *m); /* without waiting for the logger */
bool corpse_reaping(const struct master *m); /* sessions of the dead still lack closing records */
void corpses_free(struct master *m);

/* ---- broker (master_broker.c, master_offer.c) ---- */

/* A kind of privileged file: a row of the table in master_broker.c. */
struct broker_kind {
    enum ipc_file_kind kind;
    enum ipc_role role;           /* who needs it */
    const struct file_rule *rule; /* NULL: the log, opened for appending */
    const char *path;             /* NULL: the configuration names it */
};

struct brokered {
    const struct broker_kind *row; /* NULL: this entry is free */
    uint32_t pool;       /* auth: which */
    char option[IPC_LABEL_MAX]; /* module's option, else "" */
    char *path; /* owned */
    char *next_path; /* owned; what the reload that runs calls it, NULL when that is the same */
    bool held;       /* the candidate is the reload's: it comes into force with it */
    bool fresh;      /* only the reload knows it: nobody needs it yet */
    bool stays;      /* the reload's image names it */
    uint32_t generation; /* of the last one sent */
    uint32_t current_generation;
    int current;   /* in force; -1: none yet */
    int candidate; /* sent, not accepted by all; -1 */
    uint32_t waiting; /* FILE_RESULTs of the candidate */
    bool refused;     /* one of them said no, or died of it */
    unsigned deaths;  /* over the content that was seen */
    bool again;       /* it is offered once more, though it did not change */
    struct stat seen;
};

struct broker {
    struct brokered files[MASTER_FILES_MAX];
    size_t count; /* entries in use, free ones among them */
    struct loop_timer timer;
};

/* Builds the list and reads everything. 0, or -1 with error filled. */
int broker_init(struct master *m, char *error, size_t size) SP_MUST_USE;
/* -t: whether every file the configuration names is as it must be. */
int broker_check(struct master *m, char *error, size_t size) SP_MUST_USE;
void broker_start(struct master *m); /* looking every 5 s */
void broker_send(struct process *p);   /* all that c needs */
/* False: an answer to what was not asked. */
bool broker_result(struct process *p, const struct ipc_file_result *result) SP_MUST_USE;
void broker_forget(struct process *p); /* it died: do not wait for its answers */
/* True when every module's files were accepted by somebody. */
bool broker_settled(const struct master *m);
/* A new candidate goes to all who need it. */
void broker_offer(struct master *m, struct brokered *f);
/* The trial of a held candidate is over. */
void broker_settle_held(struct master *m, struct brokered *f, bool commit);
/* The file of that path, opened and copied, becomes the candidate. 0, or -1 with error filled. */
int broker_read(const struct master *m, struct brokered *f, const char *path, char *error, size_t size)
    SP_MUST_USE;
/* A new entry, not read yet. NULL with error filled. */
struct brokered *broker_add(struct master *m, enum ipc_file_kind kind, uint32_t pool, const char *option,
    const char *path, char *error, size_t size) SP_MUST_USE;
void broker_remove(struct brokered *f);
void broker_look(struct master *m, bool hangup);
/* The log file is opened again, as after its rotation. */
void broker_reopen_log(struct master *m);
/* The brokered file of that path, or NULL. */
const struct brokered *broker_find(const struct master *m, const char *path);
void broker_close(struct master *m);

/* A reload looks at all files, those only its image names included, and offers what changed. 0, or -1 with
   error filled. Then, once broker_reload_pending() is false, broker_reload_end(). */
int broker_reload_begin(struct master *m, const struct image *next, char *error, size_t size) SP_MUST_USE;
/* Somebody still judges a candidate of the reload. */
bool broker_reload_pending(const struct master *m);
/* Brings the candidates into force, or gives everybody back what was. */
void broker_reload_end(struct master *m, bool commit);

/* ---- what else a pool needs (master_provide.c) ---- */

/* The user its processes become: the module's own, or auth-user. 0, or -1 with error filled. */
int pool_user(const struct master *m, const struct image *image, const struct image_module *module,
    struct user *out, char *error, size_t size) SP_MUST_USE;
/* The folders the modules' options name: made, or only looked at. 0, or -1 with error filled. */
int folders_provide(const struct master *m, const struct image *image, bool make, char *error, size_t size)
    SP_MUST_USE;

/* ---- events (master_events.c) ---- */

void events_gateway_start(struct master *m);
void events_gateway_stop(struct master *m, const char *reason);
/* generation 0: a file alone. */
void events_reload(struct master *m, uint64_t generation, const char *detail);
/* why names the file and what is wrong with it. */
void events_reload_failed(struct master *m, const char *reason, const char *why);
void events_process_start(const struct process *p);
void events_process_exit(const struct process *p, const char *status);
/* The closing record of a connection that never reached a worker. listener: its number. */
void events_refused(struct master *m, enum event_id id, uint64_t session, uint16_t listener,
    const struct addr *client, const char *reason);

/* -t and -T (master_check.c). The exit status. */
int check_configuration(struct master *m);

/* ---- signals and the end (master_signal.c, master_stop.c) ---- */

enum stop_stage { STOP_NOT, STOP_WORKERS, STOP_POOLS, STOP_LOGGER, STOP_DONE };

int signals_init(struct master *m) SP_MUST_USE;
/* Tells it to end within so many seconds; reason is a constant word for worker.exit. */
void process_stop(struct process *p, const char *reason, uint32_t seconds);
void stop_begin(struct master *m, const char *why); /* called twice: at once */
void stop_advance(struct master *m); /* something ended: what is next? */
/* Start-up failed: ends the children and exits with status 1. */
void master_fail(struct master *m, const char *fmt, ...) SP_PRINTF(2, 3) SP_NORETURN;

/* ---- background (master_daemon.c) ---- */

struct daemon {
    int status_fd;       /* the waiting parent; -1 */
    int output[2];       /* children's stdout and stderr until detached; -1 */
    struct loop_io io;
    char *pid_path;      /* written; NULL: none */
};

/* -d: forks twice and returns in the daemon; the first process waits and exits with its status. */
void daemon_fork(struct daemon *d);
int daemon_relay(struct master *m) SP_MUST_USE;
/* Start-up succeeded: lets the parent go, gives up the terminal. */
void daemon_release(struct master *m);
/* Atomically. 0, or -1 with errno. */
int pid_file_write(struct daemon *d, const char *path) SP_MUST_USE;
void pid_file_remove(struct daemon *d);

/* ---- all of it ---- */

struct master {
    struct master_options options;
    char *config_name; /* of -c, once it had to be made absolute */
    struct loop *loop;
    struct compiled config;
    const struct image_settings *settings;
    struct users users;
    char empty_dir[256];
    char program_dir[4096];
    bool out_of_tree;
    struct capacity capacity;
    struct inherited inherited;

    struct listeners listeners;
    struct acceptor acceptor;
    struct door door;
    struct sessions sessions;
    struct dispatch dispatch;
    struct limits limits;
    struct bandwidth bandwidth;
    struct process *answering; /* processes with answers not sent yet */

    struct place *places; /* logger, pools, workers */
    uint32_t place_count;
    struct place *workers; /* the last capacity.workers of them */
    struct process *processes; /* all that were not reaped yet, whatever their place thinks of them */
    struct process *corpses;
    uint32_t corpse_count;
    uint32_t incarnations;

    int wake_fd; /* the logger's */
    int ring_data, ring_index, own_pidfd; /* for the logger */
    struct ring_writer *ring;
    struct wall started;

    struct audit_told audit;
    struct metrics_sum metrics;
    struct broker broker;
    uint64_t generation; /* of the image in force */
    struct reload reload;
    bool draining;
    struct loop_timer drain;
    struct loop_timer tick;
    struct daemon daemon;
    struct control *control; /* owned; NULL: none (master_control.h) */
    bool serving; /* first start is over */
    enum stop_stage stop;
    bool stop_now;
    const char *stop_reason;
    uint64_t lost;         /* descriptors workers did not get */
    struct mono lost_told; /* when that was last logged */
    uint32_t titled;
};

/* What the configuration in force wants of the descriptor limit. */
void capacity_need_of(const struct master *m, struct capacity_need *need);
struct process *master_logger(const struct master *m); /* NULL: none that can be sent to */
/* Of the listener with this number, as configured; "" for a number nobody has. */
const char *master_listener_name(const struct master *m, uint16_t listener);

#endif
