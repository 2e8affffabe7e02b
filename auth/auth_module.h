/* SPDX-License-Identifier: ISC */
/*
 * The interface of authentication modules: versioned, free of library types, the whole of it.
 *
 * A module NAME is up to three objects: NAME-wire (framing; the worker's and, for its options, the
 * configuration's), NAME-protect (message protection; the worker's alone, so that sallyportd links
 * none of its libraries) and NAME-secret (the processes of its pool). Wire and secret carry the same
 * config face. A built-in module exports `const struct auth_wire_module auth_NAME_wire`, `const struct
 * auth_protect_module auth_NAME_protect` and `const struct auth_secret_module auth_NAME_secret`; a
 * shared one exports them under the fixed symbols AUTH_WIRE_SYMBOL, AUTH_PROTECT_SYMBOL and
 * AUTH_SECRET_SYMBOL. A module that needs no pool (none) has no secret object; one whose wire face
 * does not say `protects` has no protect object.
 *
 * The host checks `version` before anything else. Functions never block unless the secret face says
 * that its steps may, never keep a pointer they were given beyond the call, and report errors as
 * short texts that name what is wrong and what is allowed.
 */
#ifndef SP_AUTH_MODULE_H
#define SP_AUTH_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTH_MODULE_VERSION 2U
#define AUTH_WIRE_SYMBOL "sallyport_auth_wire"
#define AUTH_PROTECT_SYMBOL "sallyport_auth_protect"
#define AUTH_SECRET_SYMBOL "sallyport_auth_secret"

#define AUTH_TOKEN_MAX (128U * 1024U) /* bytes of one client message, and of one answer */
#define AUTH_NAME_MAX 1024U           /* bytes of an audited user name, NUL included */
#define AUTH_CLAIMED_MAX 256U         /* bytes of a claimed name, NUL included */

/*
 * How a module defines its faces, so that one source serves both ways of building it:
 *     AUTH_WIRE_MODULE(userpass) = { .version = AUTH_MODULE_VERSION, ... };
 * A shared object is compiled with SP_AUTH_SHARED.
 */
#ifdef SP_AUTH_SHARED
#define AUTH_WIRE_MODULE(name) \
    extern const struct auth_wire_module sallyport_auth_wire; \
    const struct auth_wire_module sallyport_auth_wire
#define AUTH_PROTECT_MODULE(name) \
    extern const struct auth_protect_module sallyport_auth_protect; \
    const struct auth_protect_module sallyport_auth_protect
#define AUTH_SECRET_MODULE(name) \
    extern const struct auth_secret_module sallyport_auth_secret; \
    const struct auth_secret_module sallyport_auth_secret
#else
#define AUTH_WIRE_MODULE(name) \
    extern const struct auth_wire_module auth_##name##_wire; \
    const struct auth_wire_module auth_##name##_wire
#define AUTH_PROTECT_MODULE(name) \
    extern const struct auth_protect_module auth_##name##_protect; \
    const struct auth_protect_module auth_##name##_protect
#define AUTH_SECRET_MODULE(name) \
    extern const struct auth_secret_module auth_##name##_secret; \
    const struct auth_secret_module auth_##name##_secret
#endif

/* ------------------------------------------------------------------ config face */

enum auth_option_type {
    AUTH_OPTION_TEXT,
    AUTH_OPTION_NUMBER,
    AUTH_OPTION_BOOLEAN,
    AUTH_OPTION_LIST, /* of texts */
    AUTH_OPTION_FILE, /* path of a file the master opens; its content reaches secret.open */
    AUTH_OPTION_FOLDER /* path of a folder the master makes (mode 0700) for the pool's user; "": none */
};

/* What a changed value needs: adopted at reload, new workers, or a restart. */
/* What another value needs: the pool reads it anew each time or the workers alone read it, the pool's
   processes are replaced, the gateway starts anew. Another content of a file needs none of them. */
enum auth_option_change { AUTH_CHANGE_RELOAD, AUTH_CHANGE_RESPAWN, AUTH_CHANGE_RESTART };

struct auth_option {
    const char *name; /* NULL ends the table */
    enum auth_option_type type;
    enum auth_option_change change;
    const char *preset;   /* value when absent, as text; lists: elements separated by spaces */
    int64_t min, max;     /* NUMBER */
    const char *const *words; /* TEXT, LIST: the values allowed, NULL-terminated; NULL: any */
    const char *const *reserved; /* values that are "not available yet"; NULL: none */
    const char *sentence; /* for the manual */
};

/* Read access to the section in effect: where it speaks for one listener, what that listener says
   in place of the section. */
struct auth_config {
    const void *ctx;
    /* Value i of option name as text, or NULL when there are not so many (an empty list: none). */
    const char *(*value)(const void *ctx, const char *name, unsigned i);
};

/* How the pool of a method is run: the master needs it, so both objects declare the same. */
struct auth_pool {
    unsigned processes;    /* preset when the section's `processes` is absent or 0; 0: half as many
                              as workers, at least 2 */
    bool blocks;           /* a step may wait for something outside: at least 8 processes then */
    unsigned step_seconds; /* a step that runs longer means a hung process; never 0 */
    const char *user;      /* another user than auth-user, or NULL */
};

struct auth_config_face {
    const struct auth_pool *pool; /* NULL for a module without a pool */
    const struct auth_option *options;
    /* Checks that need more than one value. 0, or -1 with error filled. NULL: none. */
    int (*check)(const struct auth_config *config, char *error, size_t size);
    /* Checks the content of the file option name names (at -t, at start, before adopting a new
       one). where names the file in messages. 0, or -1 with error filled ("FILE:LINE: ..."). */
    int (*check_file)(const struct auth_config *config, const char *name, const char *where,
        const void *data, size_t len, char *error, size_t size);
};

/* ------------------------------------------------------------------ wire face */

enum auth_frame {
    AUTH_FRAME_MORE,  /* a valid beginning */
    AUTH_FRAME_READY, /* one whole message */
    AUTH_FRAME_BAD    /* can never become one */
};

/* Bytes for the client, and bytes for the pool: written into room the host gives. */
struct auth_out {
    uint8_t *data;
    size_t size;
    size_t len;
};

struct auth_frame_result {
    size_t used;              /* READY: bytes of the message; the rest stays with the host */
    const uint8_t *payload;   /* READY: what goes to the pool, inside the bytes given */
    size_t payload_len;
    char claimed[AUTH_CLAIMED_MAX]; /* name the client claims, raw, cut; "" when none */
    size_t claimed_len;
    const char *error;        /* BAD: which field */
};

enum auth_outcome { AUTH_CONTINUE = 1, AUTH_SUCCESS = 2, AUTH_FAILURE = 3 };

struct auth_wire_module {
    uint32_t version; /* AUTH_MODULE_VERSION */
    const char *name;
    uint8_t method;      /* SOCKS 5 method code */
    bool needs_pool;     /* false: success at once, nothing is exchanged (none): no frame, answer, refuse */
    bool no_groups;      /* who logs in by this method is in no group, ever: its source knows none */
    size_t message_max;  /* bytes of the longest client message */
    size_t state_size;   /* per conversation, zeroed by the host, freed when it ends */
    struct auth_config_face config;

    /* Looks at the client's bytes from the start of a message; keeps nothing of them. */
    enum auth_frame (*frame)(void *state, const void *data, size_t len,
        struct auth_frame_result *out);
    /* Bytes to send to the client for the pool's answer; answer may be empty. 0, or -1 when out is
       too small or the answer makes no sense. */
    int (*answer)(void *state, enum auth_outcome outcome, const void *answer, size_t len,
        struct auth_out *out);
    /* Bytes to send when the conversation fails on our side (BAD frame, pool gone, deadline). */
    void (*refuse)(void *state, struct auth_out *out);

    bool protects; /* it has a protect face, and its pool gives a blob with every success */
};

/* ------------------------------------------------------------------ protect face */

/* Ordered by nothing: selective counts as integrity, the least a message of it has. */
enum auth_protection {
    AUTH_PROTECTION_NONE = 0,
    AUTH_PROTECTION_INTEGRITY = 1,
    AUTH_PROTECTION_CONFIDENTIALITY = 2,
    AUTH_PROTECTION_SELECTIVE = 3
};

/* What agree() made of one message of the client. */
struct auth_agreement {
    size_t used;      /* READY: bytes of the message; may be 0 (it only looked) */
    struct auth_out answer; /* room given by the host: AUTH_AGREE_ROOM; READY: for the client */
    bool done;        /* READY: agreed, see sealed; else the next message goes to agree() again */
    bool sealed;      /* done: everything that follows is sealed; false: nothing is */
    const char *error; /* BAD: a word for the audit, constant */
};
#define AUTH_AGREE_ROOM 512U

/* What open() found. Borrows into the bytes given. */
struct auth_opened {
    size_t used;     /* READY: bytes of the message; MORE: those it will have, or 0: not known yet */
    uint8_t *plain;  /* READY: what was inside */
    size_t plain_len; /* may be 0 */
    const char *error; /* BAD: a word for the audit, constant ("replayed-message", ...) */
};

/* The message as it goes out: a borrow into the bytes given to seal(). */
struct auth_sealed {
    uint8_t *data;
    size_t len;
};

/*
 * Message protection after the login: agreeing on a level, sealing, opening. The state lives in the
 * worker; nothing is allocated per message.
 */
struct auth_protect_module {
    uint32_t version;
    const char *name;
    size_t head, tail;  /* most bytes a sealed message has before and behind its plaintext, frame
                           included */
    size_t message_max; /* bytes of the longest message, frame included */

    /* Once per process, before its chroot and sandbox: where libraries read their files. 0, or -1
       with error filled. NULL: nothing to do. */
    int (*start)(char *error, size_t size);

    /* What may be agreed on a listener, read once from the section in effect there; the host's, for
       terms_free(). NULL with error filled. */
    void *(*terms)(const struct auth_config *config, char *error, size_t size);
    void (*terms_free)(void *terms);

    /* The state from the pool's blob (zeroed by the host afterwards); keeps terms, which outlives it.
       NULL with *error, a constant word. */
    void *(*import)(const void *terms, const void *blob, size_t len, const char **error);
    void (*free)(void *protect); /* zeroes keys */

    /* Looks at the client's bytes after the login, from the start of a message; may change them. MORE,
       READY with *out, or BAD: then the wire face's refuse() is sent. Called until done. */
    enum auth_frame (*agree)(void *protect, uint8_t *data, size_t len, struct auth_agreement *out);
    /* What was agreed; before the first message was opened it may say less than later. */
    enum auth_protection (*level)(const void *protect);

    /* Longest plaintext one message of ours may have. */
    size_t (*plain_max)(const void *protect);
    /* Makes a message in place: head bytes before plain and tail behind are overwritten. len is at most
       plain_max(). 0, or -1 (a library failed: the connection cannot go on). */
    int (*seal)(void *protect, uint8_t *plain, size_t len, struct auth_sealed *out);
    /* The same for bytes of a stream, which become as many messages as is quickest, one behind the
       other: stream_tail bytes behind plain are overwritten. NULL: the host uses seal(). */
    int (*seal_stream)(void *protect, uint8_t *plain, size_t len, struct auth_sealed *out);
    size_t stream_tail;
    /* Opens the first message of data in place. MORE: it has not arrived whole. BAD: refused, nothing of
       it may be used, and the connection is to be cut. */
    enum auth_frame (*open)(void *protect, uint8_t *data, size_t len, struct auth_opened *out);

    /* From now on messages also travel as datagrams, one each, through the same seal() and open(): they
       may be lost, reordered and repeated, and a bad one is dropped and changes nothing. 0, or -1: out
       of memory. */
    int (*use_datagrams)(void *protect);
};

/* ------------------------------------------------------------------ secret face */

struct auth_identity {
    char user[AUTH_NAME_MAX]; /* as audited */
    char mechanism[64];
    char enctype[64];
    char account[256];        /* local account, "" when none maps */
    int64_t end;              /* wall clock seconds when it ends; 0: never */
    uint8_t *groups;          /* NUL-terminated names one behind another; the module's, who keeps
                                 them until the host's next call of this module and frees them then,
                                 at the latest in end(); the host copies them at once */
    size_t groups_len;        /* at most 64 KiB */
};

struct auth_step {
    enum auth_outcome outcome;
    struct auth_out answer;          /* room given by the host: AUTH_TOKEN_MAX */
    /* Room given by the host, zeroed; filled with AUTH_SUCCESS. With AUTH_FAILURE its user alone
       may hold the name that was claimed, for the master's count of failures. */
    struct auth_identity *identity;
    struct auth_out protect;         /* blob for protect.import, room 4 KiB; zeroed by the host */
    const char *reason;              /* AUTH_FAILURE: a word for the audit, constant */
};

/* What a conversation is about. */
struct auth_opening {
    uint64_t session;
    uint8_t method;
    bool initiator;
    const char *listener;
    const char *client; /* ADDR:PORT */
    const char *local;
    const uint8_t *binding; /* channel binding, may be empty */
    size_t binding_len;
    const struct auth_config *config; /* the section in effect on that listener */
};

struct auth_files {
    const void *ctx;
    /* A read-only descriptor of the sealed copy of the file option name names (a borrow), or -1. */
    int (*descriptor)(const void *ctx, const char *name);
    /* The same as mapped bytes. NULL when there is none. */
    const void *(*content)(const void *ctx, const char *name, size_t *len);
};

struct auth_secret_module {
    uint32_t version;
    const char *name;
    uint8_t method;
    size_t state_size;     /* per conversation, zeroed by the host */
    struct auth_config_face config;

    /* Loads; called at start and again with each new generation of a file. The old one stays in use
       until this succeeded. NULL with error filled. */
    void *(*open)(const struct auth_config *config, const struct auth_files *files, char *error,
        size_t size);
    void (*close)(void *module);
    /* One step: the client's message in, outcome and answer out. */
    void (*step)(void *module, void *state, const struct auth_opening *opening, const void *in,
        size_t len, struct auth_step *out);
    /* The conversation ends (also half-way). NULL: nothing to free. */
    void (*end)(void *module, void *state);
};

#endif
