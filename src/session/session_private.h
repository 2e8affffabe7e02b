/* SPDX-License-Identifier: ISC */
/* What the phase files of a session share, and nobody else sees. */
#ifndef SP_SESSION_PRIVATE_H
#define SP_SESSION_PRIVATE_H

#include "lib/base/name.h"
#include "lib/socks/socks4.h"
#include "lib/socks/socks5.h"
#include "src/session/session.h"

#define SETUP_OUT_MAX 65536U /* bytes of answers waiting for a client that does not read */

#define SETUP_NO_MODULE UINT32_MAX

/* What a BIND waits with (session_bind.c). */
#define BIND_EXPECTED_MAX (2 * RESOLVER_ADDRESSES_MAX)
struct session_bind {
    struct session *session;
    struct loop_io io;
    int fd;          /* the listening socket, owned; -1: none */
    struct addr at;  /* where it listens */
    struct mono deadline;
    bool paused;     /* descriptors are out: nobody is accepted until the timer */
    uint8_t count;
    struct addr expected[BIND_EXPECTED_MAX]; /* judged addresses of the peer; none: anybody's */
};

/* Everything only needed before bytes are relayed; given back when the relay begins. */
struct session_setup {
    struct session *session;
    struct buffer in;  /* the client's bytes not consumed yet (secret until they come sealed) */
    struct buffer out; /* answers not sent yet */
    struct mono deadline; /* of the whole negotiation; from decide on: of resolving and connecting */
    struct addr local;    /* the address the client came to */

    uint32_t module;      /* index of the chosen module in the image, or SETUP_NO_MODULE */
    void *wire;           /* the module's state, secret memory of wire_size */
    size_t wire_size;
    struct authlink_conversation conversation;
    bool awaiting;        /* the pool owes an answer */
    enum { VERDICT_NONE, VERDICT_AWAITED, VERDICT_GO, VERDICT_REFUSED } sessions_verdict;
    struct mono login_since, resolve_since, dial_since; /* for the counters; 0: did not begin */
    /* What protect came to; waits there until the answers, which are not sealed, have left. */
    enum { SETUP_OPEN, SETUP_PLAIN, SETUP_SEALED } agreed;
    void *protect;        /* the protect face's state until the channel has it, or NULL */
    uint8_t claimed_len;
    uint8_t claimed[AUTH_CLAIMED_MAX]; /* raw: escaped by the renderer alone */
    const struct conversation_result *answer; /* during SESSION_ANSWER: a borrow, or NULL */
    const char *answer_why;
    char why[64];         /* the pool's reason of a refusal */

    struct ident *ident;                   /* the question under way, or NULL */
    const struct ident_answer *identified; /* during SESSION_IDENTIFIED: a borrow */

    struct addr address; /* destination asked for as an address; else only its port */
    char name[NAME_SIZE]; /* canonical destination name, "" for an address */
    struct { /* why the first of the refused addresses was */
        const char *reason, *detail;
        char rule[IMAGE_RULE_TITLE_MAX + 1];
        bool no_rule;
    } refusal;
    struct resolver_query query;
    enum resolver_status status; /* the most telling one of the families */
    struct dial *dial;
    const struct dial_result *dialed; /* during SESSION_DIALED: a borrow */
    unsigned pending;    /* families not answered yet */
    bool pending_ipv4, pending_ipv6;
    unsigned judged_ok;  /* addresses handed to the dial, or expected by the BIND */
    unsigned refused;    /* addresses the policy refused */
    struct session_bind *bind; /* owned; NULL but for BIND */
    struct audit_wait audit; /* phase audit's, */
    uint8_t audited_next;    /* enum session_phase: where it goes on */
    bool audited;            /* and the next reply has been there */
    bool bind_any;       /* BIND for anybody the rules allow: an address of zeros was asked for */
};

struct udp_association;

struct session {
    struct session_host *host;
    struct session *next, *prev;
    uint64_t id;
    struct channel client;
    struct channel target;
    struct loop_timer timer;
    struct loop_task task;
    struct mono accepted;
    struct mono active; /* last progress of the relay */
    struct mono expires; /* end of the identity, or MONO_NEVER */
    struct relay_flow up;   /* client to destination */
    struct relay_flow down; /* destination to client */
    struct session_setup *setup; /* NULL once the relay began */
    struct udp_association *udp; /* NULL: none */
    struct session_listener *listener; /* a reference; NULL: of a number nobody knows */
    struct group_set *groups; /* a reference; NULL: none */
    struct session_budget *budget; /* owned; NULL: no rule limits what it moves */
    struct table_slot *slot;
    uint8_t phase;      /* enum session_phase; written by phase_set() alone */
    uint8_t reason;     /* enum session_reason, set by session_fail() and session_stop() */
    uint8_t reply;      /* code of the last reply, in the client's version; with replied */
    bool replied;
    bool started;       /* session.start is written */
    bool closed;        /* the closing record is written */
    bool counted;       /* as accepted */
    uint8_t method;
    bool authenticated;
    uint32_t strangers; /* connections closed because a BIND did not expect them */
    const char *detail; /* constant text for the closing record, or NULL */
};

struct phase_row {
    const char *name;
    struct session_step (*enter)(struct session *s);
    struct session_step (*event)(struct session *s, enum session_event event);
    /* The rules are others, or the time: may it go on? NULL: it is judged later anyway. */
    struct session_step (*judge)(struct session *s);
};

/* ---- steps (session.c) ---- */

static inline struct session_step
step_wait(void)
{
    return (struct session_step) { SESSION_WAIT, SESSION_END };
}

static inline struct session_step
step_go(enum session_phase phase)
{
    return (struct session_step) { SESSION_GO, phase };
}

/* Ends the session for this reason: closing record, then the client gets to read what is queued. */
struct session_step step_fail(struct session *s, enum session_reason reason, const char *detail);

/* The same after queueing a failure reply (session_reply). */
struct session_step step_refuse(struct session *s, enum session_reason reason,
    enum socks5_reply reply, const char *detail);

/* Ends a login that goes no further: the conversation, then the module's own words for "refused". */
struct session_step step_refuse_login(struct session *s, enum session_reason reason,
    const char *detail);

/* Hands an event to the session's phase and follows its steps. The session may be gone afterwards. */
void session_dispatch(struct session *s, enum session_event event);

/* Has the session judged again by its phase. It may be gone afterwards. */
void session_dispatch_judge(struct session *s);
/* Follows a step from outside any phase. The session may be gone afterwards. */
void session_follow(struct session *s, struct session_step step);

/* Arms the phase's timer (SESSION_TIMER). */
void session_deadline(struct session *s, struct mono deadline);

/* SESSION_TURN in the next turn. */
void session_again(struct session *s);

/* ---- walks through all sessions (rejudge.c, session_kill.c) ---- */

#define SESSION_SLICE_US 1000 /* of a turn */

static inline struct mono
session_slice_end(struct session_host *host)
{
    loop_refresh(host->loop);
    return mono_add_us(loop_now(host->loop), SESSION_SLICE_US);
}

static inline bool
session_slice_over(struct session_host *host, struct mono end)
{
    loop_refresh(host->loop);
    return !mono_before(loop_now(host->loop), end);
}

/* ---- client side before the relay (session_client.c) ---- */

/* Reads once more bytes of the client into setup->in: true when some came. Else *step is what the
   phase answers: wait, or the end when the client is gone or sends more than fits. */
bool client_more(struct session *s, struct session_step *step);

/* Sends now what can be sent and keeps the rest. 0, or -1 when the client does not read or is gone. */
int client_send(struct session *s, const void *data, size_t len);
/* Sends what was kept. 1: nothing left, 0: some left, -1: the client is gone. */
int client_flush(struct session *s);
/* Shows in the session table what went over the wire to and from the client. */
void client_note_wire(struct session *s);

/* ---- records (session_record.c) ---- */

/* session.start, with the success reply; from here on the closing record is session.end. */
void record_start(struct session *s);
/* The ring had no room for it: the session has not started, unless it had before. */
void record_start_dropped(struct session *s);
/* session.update: what it has moved until now. */
void record_update(struct session *s);
/* session.destination: an association's client writes there now; name: as asked for, or NULL. */
void record_destination(struct session *s, const char *name, const struct addr *address, const char *rule);
/* The closing record; the first call alone writes one. s->reason is set. */
void record_close(struct session *s);
/* A login succeeded: counts it and, where the configuration wants all events, writes auth.success. */
void record_auth_success(struct session *s, const struct conversation_result *result);

/* ---- counters (session_stats.c) ---- */

/* A login ended: REASON_NONE for success. */
void session_count_login(struct session *s, enum session_reason reason);
/* The first usable address is there, or none will be. Once for each question. */
void session_count_resolved(struct session *s, bool success);
void session_count_dialed(struct session *s, bool success);
/* With the success reply, and with the closing record. */
void session_count_start(struct session *s);
void session_count_end(struct session *s, enum event_id event, const char *reason);
/* Shows in the session table what was relayed, and counts what is new of it. */
void session_count_traffic(struct session *s);

/* ---- identity (session_identity.c) ---- */

/* Takes over what a successful login brings. REASON_NONE, or why it cannot be. */
enum session_reason identity_take(struct session *s, const struct conversation_result *result,
    const char **detail);

/* ---- protection (session_terms.c, phase_protect.c) ---- */

/* What the session's listener lets this module agree; NULL where the listener has it not. */
const struct session_terms *terms_of(const struct session *s, uint32_t module);
/* Fills t (module set) with what this listener of the image lets it agree. 0, or -1 with error filled. */
int terms_make(const struct session_host *host, const struct image *image,
    const struct image_listener *listener, struct session_terms *t, char *error, size_t size) SP_MUST_USE;
void terms_free(const struct session_host *host, struct session_terms *t);
/* What a level is worth to a rule, as policy_query's protection. */
uint32_t terms_worth(enum auth_protection level);
/* The chosen method's, or NULL when it protects nothing. For as long as there is a setup. */
const struct auth_protect_module *session_protect_face(const struct session *s);
/* From now on known in the table and in every record. */
void session_note_level(struct session *s, enum auth_protection level);

/* ---- listeners (session_listener.c) ---- */

/* A listener of the image, with one reference. NULL with error filled. */
struct session_listener *listener_make(const struct session_host *host, const struct image *image,
    uint32_t index, char *error, size_t size) SP_MUST_USE;
/* Another reference to what has this number; NULL when nobody has. */
struct session_listener *listener_take(const struct session_host *host, uint32_t number);
/* Leaves NULL; NULL is fine. */
void listener_release(const struct session_host *host, struct session_listener **listener);

/* ---- methods of SOCKS 4 (phase_socks4.c) ---- */

/* Makes the session one of method none. False where the listener has it not, or no rule could accept
   it from this client. */
bool session_take_none(struct session *s);

/* ---- setup (session_setup.c) ---- */

/* NULL: no memory. The session's from then on. */
struct session_setup *setup_new(struct session *s);
/* Frees it and ends conversation, ident, query and dial. Leaves NULL. */
void setup_free(struct session_setup **setup);
/* Ends the conversation and zeroes the module's state. */
void setup_end_conversation(struct session_setup *setup);

/* ---- replies (session_reply.c) ---- */

struct reply_row {
    int error;
    enum socks5_reply reply;
    enum session_reason reason;
};
/*
 * Queues a reply to the client's request in the client's version and notes its code for the records;
 * every reply, the first and the second, goes through here. In SOCKS 4 a failure is "refused" whatever
 * its SOCKS 5 code. bound: what stands behind the code, NULL for none; SOCKS 4 tells IPv4 only. 0, or -1
 * as client_send().
 */
int session_reply(struct session *s, enum socks5_reply reply, const struct addr *bound);
/* Only notes it, for a record that has to be written before. */
void session_note_reply(struct session *s, enum socks5_reply reply);
/* step_refuse() with a code that only SOCKS 4 has; for a client that speaks it. */
struct session_step step_refuse_socks4(struct session *s, enum session_reason reason,
    enum socks4_reply reply, const char *detail);
bool session_speaks_socks4(const struct session *s);
/* What an errno of connecting or listening means for the client (RFC 1928 section 6) and for the
   audit; one that is not in the table is a general failure. */
struct reply_row reply_for_errno(int error);
/* The same of a name that has no usable address. */
struct reply_row reply_for_resolver(enum resolver_status status);

/* ---- requests (session_request.c) ---- */

/* Takes over a well-formed request of either version and answers where it goes from here. address:
   destination and port; of no family: only the port, and name holds name_len raw octets. */
struct session_step session_request(struct session *s, uint8_t command, const struct addr *address,
    const void *name, size_t name_len);

/* ---- policy (phase_decide.c) and dialing (phase_connect.c), used by resolve too ---- */

/* What the policy is asked about this session's requests, but for the destination. */
void session_query(const struct session *s, uint32_t command, struct policy_query *q);
/* Asks about this address as destination, or as the one that connected; its port is not looked at. */
struct policy_verdict session_judge(const struct session *s, const struct policy_own *own,
    const struct addr *address);
/* Shows the rule in the session table, for the records too. */
void session_show_rule(struct session *s, const char *title);
/* The session goes on under the verdict's rule: shows it, and whoever limits by rule is told. */
void session_set_verdict(struct session *s, const struct policy_verdict *verdict);
/* A live session goes on under this rule; its title is in the slot. */
void session_rule_changed(struct session *s);
/* The refusal that follows from a verdict. */
struct session_step session_deny(struct session *s, const struct policy_verdict *verdict);
/* Keeps it for session_deny_noted(); the first one stays. */
void session_note_refusal(struct session *s, const struct policy_verdict *verdict);
struct session_step session_deny_noted(struct session *s);
/* The end of one that was allowed and is not any more (REASON_POLICY). */
struct session_step session_revoke(struct session *s, const struct policy_verdict *verdict);
/* A name, or a BIND for anybody: the refusal where no address could change it, else "wait". */
struct session_step session_judge_early(struct session *s);
bool session_refuses_early(const struct session *s, struct policy_verdict *verdict);
/* Judges the destination of a session that has it, whether it relays already or not. */
struct session_step session_judge_live(struct session *s);
/* Hands a judged address to the session's dial, made when needed. 0, or -1. */
int session_dial_add(struct session *s, const struct addr *address);
/* What s->target's channel calls. */
void session_target_ready(struct channel *channel);
/* A last look at a connection from ours to theirs: where they are the same address and an ordinary one,
   the other side is this host under an address it did not have when the worker started. True when that
   makes a refusal of it, in *verdict. */
bool session_met_itself(struct session *s, const struct addr *ours, const struct addr *theirs,
    struct policy_verdict *verdict);
/* While it waits for us: true when the client has reset or cannot be written to. */
bool client_vanished(struct session *s);

/* ---- log.required (phase_audit.c) ---- */

/* Whether the next success reply has to wait for its audit, */
bool audit_comes_first(const struct session *s);
/* which the session goes to, and from there to `next` with setup->audited set. */
struct session_step audit_before(struct session *s, enum session_phase next);

/* ---- limits.sessions-per-user (session_verdict.c) ---- */

/* A login is on its way: the master will say whether the session may go on. Harmless when repeated. */
void verdict_expect(struct session *s);
void verdict_forget(struct session *s);
/* True when decide has to wait for it, */
bool verdict_awaited(const struct session *s);
struct session_step verdict_wait(struct session *s);
/* and what follows when it was against the session, or did not come. */
struct session_step verdict_refuse(struct session *s);

/* ---- BIND (session_bind.c) ---- */

/* Adds a judged address (port: DST.PORT) of the peer that may connect. 0, or -1 with errno. */
int bind_expect(struct session *s, const struct addr *address);
/* True for an address that may connect; for a BIND for anybody always. */
bool bind_expects(const struct session_bind *b, const struct addr *peer);
/* Those expected are judged again: the others are not expected any more. The refusal where none is left of
   those that can connect, else "wait". */
struct session_step bind_judge_expected(struct session *s);
/* Listens where the first of the expected addresses that has a route reaches us, registered in the loop
   (SESSION_PEER), and shows it in the table. 0, or -1 with errno. */
int bind_listen(struct session *s);
/* What the client is told of it: bind.advertise, or the address itself. */
struct addr bind_told(const struct session *s);
/* Nobody can connect any more. Harmless when it does not listen. */
void bind_close(struct session *s);
/* The same and everything else. Leaves NULL. */
void bind_free(struct session *s, struct session_bind **bind);

/* ---- phases, one file each ---- */

extern const struct phase_row phase_negotiate, phase_authenticate, phase_protect, phase_request,
    phase_socks4, phase_ident, phase_decide, phase_resolve, phase_connect, phase_bind, phase_associate, phase_audit,
    phase_reply, phase_relay, phase_linger;

static inline const struct image_timeouts *
session_timeouts(const struct session *s)
{
    return &image_settings(s->host->image)->timeouts;
}

#endif
