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

#include "lib/base/addr.h"
#include "lib/base/attr.h"
#include "lib/base/buffer.h"
#include "src/core/event.h"
#include "src/core/ipc.h"
#include "src/core/loop.h"
#include "src/core/table.h"
#include "src/net/channel.h"
#include "src/net/dial.h"
#include "src/net/resolver.h"
#include "src/policy/policy.h"
#include "src/session/audit_wait.h"
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
    SESSION_PEER      /* somebody connects where a BIND listens */
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

/* What one listener lets a protecting method agree. */
struct session_terms {
    void *terms;   /* the protect face's own; NULL where the method does not protect */
    uint32_t most; /* as policy_query's protection */
};

/* What all sessions of a worker share. Set up by src/worker, outlives every session. */
struct session_host {
    struct loop *loop;
    const struct image *image;
    const struct policy_own *own;
    struct resolver *resolver;
    struct authlink *authlink;
    struct ring_writer *ring;
    struct table *table;
    struct pipe_pool pipes;
    struct audit_waits audit;
    uint32_t udp_descriptors; /* associations have those below it: the others are for connections; 0: all */
    struct udp_shared *udp; /* rooms for datagrams; made when first needed, to be freed */
    struct dial_settings dial;
    const struct auth_wire_module *modules[SESSION_MODULES_MAX]; /* by index in the image */
    const struct auth_protect_module *protect[SESSION_MODULES_MAX]; /* NULL: it protects nothing */
    struct session_terms *terms; /* by listener and module (session_terms.c) */
    uint8_t *scratch;        /* SESSION_SCRATCH_SIZE */
    uint8_t *secret_scratch; /* SESSION_SETUP_READ, secret memory: may hold a password */
    uint16_t ident_port;     /* where clients' hosts are asked; 0: the port of ident */
    bool all_events;         /* records of class ALL are wanted */
    /* The session has given everything back; only its id and slot are left, which the worker keeps
       until the master was told. */
    void (*ended)(struct session_host *host, uint64_t id, struct table_slot *slot);
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

/* Ends all sessions at once with this reason (REASON_SHUTDOWN, REASON_GATEWAY_LOST). */
void session_end_all(struct session_host *host, enum session_reason reason);

/*
 * Makes host->terms for every method that protects, on every listener that offers it; image, modules
 * and protect are set. 0, or -1 with error filled.
 */
int session_terms_make(struct session_host *host, char *error, size_t size) SP_MUST_USE;
void session_terms_free(struct session_host *host);

/* "negotiate", "relay", ... */
const char *session_phase_name(enum session_phase phase);

#endif
