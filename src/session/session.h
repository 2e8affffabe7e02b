/* SPDX-License-Identifier: ISC */
/*
 * One client's connection from the descriptor to its closing record. A session moves through phases,
 * each a file with an `enter` and an `event` function; session.c alone changes the phase, arms its
 * timer and traces "a -> b". No error here is fatal: everything ends this session at most.
 */
#ifndef SP_SESSION_SESSION_H
#define SP_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/attr.h"
#include "lib/base/idmap.h"
#include "src/core/event.h"
#include "src/core/ipc.h"
#include "src/core/loop.h"
#include "src/core/stats.h"
#include "src/core/table.h"
#include "src/net/channel.h"
#include "src/net/dial.h"
#include "src/net/resolver.h"
#include "src/policy/policy.h"
#include "src/session/audit_wait.h"
#include "src/session/budget.h"
#include "src/session/interim.h"
#include "src/session/groups.h"
#include "src/session/pipes.h"
#include "src/session/relay.h"
#include "src/authlink/authlink.h"

enum session_phase {
    SESSION_NEGOTIATE,
    SESSION_AUTHENTICATE,
    SESSION_PROTECT, /* methods with message protection: the level is agreed */
    SESSION_REQUEST,
    SESSION_SOCKS4, /* SOCKS 4 and 4A: in place of authenticate, protect and request */
    SESSION_IDENT,  /* the client's host is asked about its user */
    SESSION_DECIDE,
    SESSION_RESOLVE,
    SESSION_CONNECT,
    SESSION_ASSOCIATE, /* a UDP association, from its reply to its end */
    SESSION_BIND, /* BIND: the first reply is out, a peer is awaited */
    SESSION_AUDIT, /* log.required: the log target has not accepted the record of the reply yet */
    SESSION_REPLY,
    SESSION_RELAY,
    SESSION_LINGER, /* the closing record is written; the client gets the time to read its reply */
    SESSION_END,
    SESSION_PHASE_COUNT
};

/* What happened to a session. */
enum session_event {
    SESSION_CLIENT,   /* the client's channel: look at its flags */
    SESSION_TARGET,   /* the destination's channel */
    SESSION_TIMER,    /* the phase's deadline passed */
    SESSION_TURN,     /* work left over from the last turn */
    SESSION_ANSWER,   /* the authentication conversation answered */
    SESSION_RESOLVED, /* one family's addresses arrived */
    SESSION_DIALED,   /* connected, or all attempts failed */
    SESSION_IDENTIFIED, /* the client's host has answered, or will not */
    SESSION_AUDITED,  /* the log target has accepted what it waited for */
    SESSION_PEER,     /* somebody connects where a BIND listens */
    SESSION_VERDICT   /* the master says whether its user may have another session */
};

struct session;

/* What a phase wants next. */
struct session_step {
    enum { SESSION_WAIT, SESSION_GO, SESSION_STOP } kind;
    enum session_phase phase; /* SESSION_GO */
};

/* Why a connection ends: one row of session_reasons. */
enum session_reason {
    REASON_NONE,
#define REASON(id, ...) REASON_##id,
#include "src/session/reason.def"
#undef REASON
    REASON_COUNT
};

#define SESSION_MODULES_MAX AUTHLINK_POOLS_MAX
/* Bytes of the relay's shared read buffer: room for one message of any layer, with what another layer
   puts around its plaintext. */
#define SESSION_SCRATCH_SIZE RELAY_SCRATCH_SIZE
#define SESSION_SETUP_READ 1024U    /* bytes read at a time before the relay */
#define SESSION_LINGER_SECONDS 5

#define SESSION_LISTENERS_MAX 4096U /* their numbers are below it */

/* What a listener lets one of its methods agree. */
struct session_terms {
    uint32_t module; /* its index, the same in every image */
    uint32_t most;   /* as policy_query's protection */
    void *terms;     /* the protect face's own; NULL where the method does not protect */
};

/*
 * A listener as one image has it. It never changes: the host has it while that image is in force, and every
 * session that began with it until its end, so that no session needs an image of old.
 */
struct session_listener {
    unsigned references;
    bool ident;                   /* as in struct image_listener */
    uint32_t count;
    const char *name;             /* as configured */
    struct session_terms terms[]; /* one for each of its methods, in order of preference */
};

/* Once through all live sessions, and why. */
struct session_round {
    uint64_t generation; /* to be told at its end; 0: nothing */
    bool only_time;      /* no rule has changed: it is the hour that ends sessions */
    bool timers;         /* timeouts have changed */
};

/* Live sessions judged again, in slices (rejudge.c). */
struct session_rejudge {
    struct loop_task task;
    struct loop_timer pause;
    struct session *next;       /* the next one to be judged; whoever leaves the list moves it on */
    struct mono began;          /* the round */
    struct session_round now;   /* the one under way, */
    struct session_round after; /* and the one that follows it, where `again` says so */
    uint32_t ended;             /* by the one under way */
    bool running;
    bool again;
};

/* Sessions to be ended by id, in slices (session_kill.c). */
struct session_kill {
    struct loop_task task;
    struct session *next;
    uint64_t *ids; /* owned */
    uint32_t count, size;
    bool sorted; /* the ids are */
};

/* What all sessions of a worker share. Set up by src/worker, outlives every session. */
struct session_host {
    struct loop *loop;
    const struct image *image; /* set by session_commit() alone */
    uint32_t epoch;            /* counts whatever makes other verdicts: images, time windows */
    const struct policy_own *own;
    struct resolver *resolver;
    struct authlink *authlink;
    struct ring_writer *ring;
    struct table *table;
    struct stats *stats; /* NULL: nothing is counted */
    struct pipe_pool pipes;
    struct audit_waits audit;
    struct budgets budgets;
    struct interim interim;
    uint32_t udp_descriptors; /* associations have those below it: the others are for connections; 0: all */
    struct udp_shared *udp; /* rooms for datagrams; made when first needed, to be freed */
    struct dial_settings dial;
    const struct auth_wire_module *modules[SESSION_MODULES_MAX]; /* by index in the image */
    const struct auth_protect_module *protect[SESSION_MODULES_MAX]; /* NULL: it protects nothing */
    /* By number; those of earlier images stay until the number is another's. */
    struct session_listener *listeners[SESSION_LISTENERS_MAX];
    struct groups groups;
    struct session_rejudge rejudge;
    struct session_kill kill;
    uint8_t *scratch;        /* SESSION_SCRATCH_SIZE */
    uint8_t *secret_scratch; /* SESSION_SETUP_READ, secret memory: may hold a password */
    uint16_t ident_port;     /* where clients' hosts are asked; 0: the port of ident */
    bool all_events;         /* records of class ALL are wanted */
    /* The session has given everything back; only its id and slot are left, which the worker keeps
       until the master was told. */
    void (*ended)(struct session_host *host, uint64_t id, struct table_slot *slot);
    /* All live sessions have been judged again; ended: how many of them that has ended. May be NULL. */
    void (*rejudged)(struct session_host *host, uint64_t generation, uint32_t ended);
    /* The request of a session without a login was read: it is pending no longer. May be NULL. */
    void (*requested)(struct session_host *host, uint64_t id);
    struct idmap verdicts; /* id -> session, of those that may have to wait for the master's word */
    struct session *first; /* all live sessions */
    uint32_t count;
};

/*
 * Begins a session on the descriptor (taken over, closed in every case of failure). The closing
 * record and ended() come in every case, also when memory is out. accepted from ipc_session.
 */
void session_new(struct session_host *host, const struct ipc_session *from, int fd);

/* The master handed over this connection but its descriptor was lost on the way: writes its closing
   record and calls ended(). */
void session_lost(struct session_host *host, const struct ipc_session *from);

/* The master's word about a session that authenticated; nothing happens when it waits for none. */
void session_verdict(struct session_host *host, uint64_t id, bool allowed);

/* Ends all sessions at once with this reason (REASON_SHUTDOWN, REASON_GATEWAY_LOST). */
void session_end_all(struct session_host *host, enum session_reason reason);

/* ---- images (session_adopt.c) ---- */

/*
 * Makes everything that an image needs to come into force, so that session_commit() cannot fail: listeners
 * and their terms. numbers: of each listener of the image (NULL: 0 and up). Modules and protect faces are
 * set. NULL with error filled.
 */
struct session_adoption;
struct session_adoption *session_prepare(struct session_host *host, const struct image *image,
    const uint16_t *numbers, size_t count, char *error, size_t size) SP_MUST_USE;
/* The image is in force: the one before may be closed. Leaves NULL. Live sessions are not judged yet. */
void session_commit(struct session_host *host, struct session_adoption **adoption);
/* Leaves NULL; NULL is fine. */
void session_abandon(struct session_host *host, struct session_adoption **adoption);
/* The end of the host: its listeners, and what the walks hold. No session is left. */
void session_host_free(struct session_host *host);

/* ---- sessions that live (rejudge.c, session_kill.c) ---- */

/*
 * Judges all live sessions again, about a millisecond a turn, and ends those no longer allowed
 * (REASON_POLICY); rejudged() follows. generation is for that call. A walk under way goes on, by what is in
 * force, and another one follows it: wishes that come faster than a walk ends leave no session unjudged.
 * timers: timeouts have changed.
 */
void session_rejudge(struct session_host *host, uint64_t generation, bool timers);
/* The same because it was `before` (seconds UTC) and is `now`, where that opens or closes a time window of
   a rule; else nothing. True when it judges. */
bool session_rejudge_time(struct session_host *host, int64_t before, int64_t now);
/* The same because somebody has set the clock. */
void session_rejudge_clock(struct session_host *host);
/* Ends those of these sessions that live (REASON_KILLED). */
void session_kill(struct session_host *host, const uint64_t *ids, size_t count);

/* "negotiate", "relay", ... */
const char *session_phase_name(enum session_phase phase);

#endif
