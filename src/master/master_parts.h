/* SPDX-License-Identifier: ISC */
/*
 * The pieces of the master that stand alone: each serves src/master/ and knows nothing of the
 * family, so that its test needs nothing of it either.
 */
#ifndef SP_MASTER_MASTER_PARTS_H
#define SP_MASTER_MASTER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "lib/base/clock.h"
#include "lib/base/idmap.h"
#include "src/config/image.h"
#include "src/core/event.h"
#include "src/core/ipc.h"
#include "src/core/ring.h"

struct process;
struct tally_client;
struct tally_user;

/* ---- options (master_options.c) ---- */

struct master_options {
    const char *config; /* NULL: the built-in default */
    bool check;
    bool print;
    bool try_it;
    bool detach;
    bool debug;
};

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_USAGE };
/* OPTIONS_DONE: -V or -h was answered; OPTIONS_USAGE: the complaint is written. */
enum options_result options_read(struct master_options *o, int argc, char **argv);
/* Decides what to do without -c: log_fatal for root or under a service manager. */
void options_default_config(struct master_options *o);

/* ---- configuration (master_config.h: the master's side, master_compile.c: the child's) ---- */

/* Messages between the two, one packet each: a letter, then text or numbers. */
#define COMPILE_PACKET_MAX 8192
#define COMPILE_OPEN 'O' /* child: path; answer: errno as int, with a descriptor when 0 */
#define COMPILE_LIST 'L' /* the same for a list file: larger, and unchanged while it was copied, else ESTALE */
#define COMPILE_TEXT 'M' /* child: complaints, in pieces */
#define COMPILE_DONE 'D' /* child: number of errors as uint32_t; the image is written */

/* The master's answer to either question; fd may be -1. 0, or -1 with errno. */
int compile_answer(int channel, int error, int fd) SP_MUST_USE;
/* Runs in the child, never returns. channel and image_fd are its only descriptors beyond stdio. */
void compile_child(const struct master_options *o, int channel, int image_fd) SP_NORETURN;

/* ---- users (master_users.c) ---- */

struct user {
    uid_t uid;
    gid_t gid;
};

/* A child's user that may not see a secret file. */
#define OUTSIDER_GROUPS_MAX 512
struct outsider {
    const char *whose; /* "the workers' user" */
    const char *name;  /* a borrow from the image */
    uid_t uid;
    gid_t groups[OUTSIDER_GROUPS_MAX]; /* all it is in, supplementary ones too */
    int group_count;
};

struct users {
    bool privileged; /* started as root: children drop */
    struct user worker;
    struct user auth;
    struct user log;
    struct outsider outsiders[2]; /* those of worker and log; none unless privileged */
    size_t outsider_count;
};

/* Resolves the names of the image, which is borrowed from. 0, or -1 with error filled. Not privileged:
   nothing to do. */
int users_resolve(struct users *u, const struct image_settings *s, const struct image *image,
    char *error, size_t size) SP_MUST_USE;
/* The user of one name. 0, or -1 with error filled (missing, or root). */
int user_find(const char *key, const char *name, struct user *out, char *error, size_t size)
    SP_MUST_USE;
/* The user and its groups, as the system knows them now. 0, or -1 with error filled. */
int outsider_find(struct outsider *out, const char *whose, const char *name, const struct user *user,
    char *error, size_t size) SP_MUST_USE;
/* The first outsider who could read what st describes: as its owner, through its group, or as
   anybody. NULL: none could. */
const struct outsider *users_reader(const struct users *u, const struct stat *st);
/* The first whom the file's access control list lets read it, by name or through a group. */
const struct outsider *users_acl_reader(const struct users *u, int fd);
bool outsider_is_member(const struct outsider *o, gid_t group);
/* RUNDIR/empty: made when missing, checked. 0, or -1 with error filled. */
int users_empty_dir(const char *run_dir, char *path, size_t path_size, char *error, size_t size)
    SP_MUST_USE;

/* ---- what the descriptor limit allows (master_capacity.c) ---- */

struct capacity_need {
    size_t descriptors; /* RLIMIT_NOFILE in force */
    uint32_t workers;   /* wanted */
    uint32_t pools;
    uint32_t pool_processes; /* of all pools */
    uint32_t listeners;
    uint64_t sessions; /* limits.sessions */
    bool privileged;
};

struct capacity {
    uint32_t workers;    /* possible */
    uint32_t per_worker; /* sessions */
    uint32_t pipes;      /* of one worker */
    uint64_t sessions;   /* of all, never more than was asked */
};

struct capacity capacity_plan(const struct capacity_need *need);
/* Says at start what is possible. */
void capacity_tell(const struct capacity_need *need, const struct capacity *c);

/* ---- listening sockets (master_listen.c) ---- */

/* Descriptors that came from outside, each used by at most one listener. */
#define INHERITED_MAX 128
struct inherited {
    int fds[INHERITED_MAX]; /* -1 once taken */
    struct addr addrs[INHERITED_MAX];
    size_t count;
};

/* Collects LISTEN_FDS (when LISTEN_PID is ours) and SALLYPORT_INHERIT, and takes both out of the
   environment. What is no listening TCP socket is closed and told. */
void inherited_collect(struct inherited *in);
void inherited_close(struct inherited *in); /* the ones nobody wanted: told */

/* One listening socket for addr: an inherited one when there is one bound to it, else a new one.
   beside: sockets that listen_share() was called for may overlap with it. The descriptor, or -1 with
   errno. */
int listen_open(struct inherited *in, const struct addr *addr, bool beside, struct addr *bound)
    SP_MUST_USE;
/* Lets a listener of ours bind to an address that overlaps this one's, or nobody again. */
int listen_share(int fd, bool on);

/* ---- sessions: ids, and who has them (master_sessions.c) ---- */

struct session {
    uint64_t id;
    struct process *worker; /* NULL: waiting for one */
    struct session *next;
    struct session *prev;
    struct wall accepted;
    struct addr client;
    struct addr local;
    int fd; /* owned; -1 once sent */
    uint16_t listener; /* its number */
    bool authenticated;
    bool pending;       /* counted as such in the epoch */
    bool user_counts;   /* against the limit of its user's sessions */
    uint32_t pending_epoch;
    struct tally_client *counted; /* where its client is counted; NULL: nowhere */
    struct tally_user *user;      /* who authenticated; NULL: nobody */
};

struct session_list {
    struct session *head;
    struct session *tail;
    uint32_t count;
};

struct sessions {
    uint64_t begin;  /* start second << 32 */
    uint64_t first;  /* the same, or later once the counter was used up */
    uint32_t issued; /* the last counter */
    uint64_t limit;
    struct idmap map;
    struct session *free;
    struct session_chunk *chunks;
};

/* Ids begin with the second of the start. 0, or -1 with EINVAL: a limit of 0, or a clock before 1970. */
int sessions_init(struct sessions *s, struct wall start, uint64_t limit) SP_MUST_USE;
void sessions_free(struct sessions *s);
/* So many from now on; those beyond it live on. */
void sessions_set_limit(struct sessions *s, uint64_t limit);
/* A new one with the next id, in no list. NULL: the limit is reached, or no memory. */
struct session *sessions_issue(struct sessions *s) SP_MUST_USE;
/* An id without an entry, for a connection that is refused at once. */
uint64_t sessions_next_id(struct sessions *s);
/* NULL: no session of this id lives. The map's until sessions_end(). */
struct session *sessions_get(const struct sessions *s, uint64_t id);
/* Ends it: out of the map; it must be in no list and hold no descriptor. */
void sessions_end(struct sessions *s, struct session *session);
uint32_t sessions_count(const struct sessions *s);
/* True when id was given out by this master, whether it still lives or not. */
bool sessions_was_issued(const struct sessions *s, uint64_t id);

void session_list_push(struct session_list *list, struct session *session);
void session_list_remove(struct session_list *list, struct session *session);

/* ---- how much to do in one turn ---- */

/* To find out that nothing is left costs a system call, and a dear one where it is accept(). So one
   piece is done a turn, until that was too little several times in a row. */
#define BURST_TURNS 4

static inline int
burst_budget(unsigned *turns, int most)
{
    return ++*turns > BURST_TURNS ? most : 1;
}

/* Nothing was left. */
static inline void
burst_end(unsigned *turns)
{
    *turns = 0;
}

/* ---- back-off (master_backoff.c) ---- */

struct backoff {
    unsigned failures; /* deaths in a row soon after the start */
};
#define BACKOFF_SHORT_LIFE_SECONDS 10
/* How long to wait before the next start, after a life of so many microseconds. */
int64_t backoff_next_us(struct backoff *b, int64_t lived_us);

/* ---- closing records of a dead worker (master_reap.c) ---- */

struct reaper;
/* table_fd and ring_data as the worker had them (-1: none). NULL: no memory. */
struct reaper *reaper_new(int table_fd, int ring_data) SP_MUST_USE;
void reaper_free(struct reaper **reaper);
/* Writes the closing record of one session unless the worker did. listener: as configured. True when
   a record was written. */
bool reaper_close(struct reaper *reaper, const struct session *session, const char *listener,
    struct wall now, struct ring_writer *ring);

/* ---- privileged files (master_files.c) ---- */

/* What a kind of file must be like. */
struct file_rule {
    const char *what;    /* for messages */
    size_t max;          /* bytes */
    bool secret;         /* outsiders may not read it */
    mode_t forbidden;    /* mode bits that must not be set */
    bool follow;         /* a symbolic link is fine */
    bool any_owner;      /* else root, or who runs the master */
    bool may_be_missing; /* then it is empty */
};
extern const struct file_rule file_rule_secret, file_rule_resolv, file_rule_hosts;

/* A path of the configuration: relative ones lie in the folder of the main file (NULL: none). The
   caller frees it; NULL with ENOMEM. */
char *path_beside(const char *main_file, const char *path) SP_MUST_USE;

/* Opens, judges, copies to a sealed memfd. The descriptor, or -1 with error filled. users (may be
   NULL) says who may not read a secret. st (may be NULL) tells what was seen, all zero when the file
   is missing. */
int file_copy(const struct file_rule *rule, const char *path, const struct users *users,
    struct stat *st, char *error, size_t size) SP_MUST_USE;
/* The log file for appending. -1 with error filled. */
int file_open_log(const char *path, char *error, size_t size) SP_MUST_USE;
/* Ends the line that a logger left unfinished which was killed, or had no room. For a log that nobody
   writes to now. */
void file_end_line(int log);
/* Whether file_open_log() would take what is there; makes nothing. 0 also when nothing is there or
   the caller may not write to it, or -1 with error filled. */
int file_check_log(const char *path, char *error, size_t size) SP_MUST_USE;
/* True when the file at path is not the one st describes. */
bool file_changed(const struct file_rule *rule, const char *path, const struct stat *st);

/* ---- a child's environment (master_environment.c) ---- */

#define ENVIRONMENT_MAX 16
struct environment {
    char space[8192];
    size_t used;
    char *strings[ENVIRONMENT_MAX]; /* NULL at the end; into space */
    size_t count;
};

/* What a child of the role keeps of ours. */
void environment_make(struct environment *e, enum ipc_role role);

/* ---- folders for the pools (master_folders.c) ---- */

struct folder_rule {
    const char *key;     /* names the option in messages: "gssapi { replay-cache }" */
    const char *run_dir; /* a missing parent is made when it is this one */
    uid_t owner;         /* the pool's user, or who starts the gateway */
    gid_t group;
    bool privileged;     /* we are root and give it away */
};

/* Makes the folder (absolute) when it is missing, mode 0700 and the owner's; one that is there has to
   be the owner's, and its mode is put right. 0, or -1 with error filled: what is wrong and what is
   allowed. */
int folder_make(const struct folder_rule *rule, const char *path, char *error, size_t size)
    SP_MUST_USE;
/* Whether folder_make() would succeed, as far as can be seen; makes nothing. */
int folder_check(const struct folder_rule *rule, const char *path, char *error, size_t size)
    SP_MUST_USE;

#define CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#endif
