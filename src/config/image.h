/* SPDX-License-Identifier: ISC */
/*
 * The policy image: the checked configuration compiled into one position-independent, versioned
 * block that every role maps read-only from a sealed memfd. References are offsets from the start
 * of the image, checked once when it is opened (image_open) so that users need not check again.
 * The writer is config_compile() in the parsing child; nothing here parses text, and nothing here
 * needs libconfuse.
 */
#ifndef SP_CONFIG_IMAGE_H
#define SP_CONFIG_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/attr.h"

#define IMAGE_MAGIC UINT32_C(0x53504931) /* "SPI1" */
#define IMAGE_VERSION 4U
#define IMAGE_SIZE_MAX (1024U * 1024U * 1024U)
#define IMAGE_RULE_TITLE_MAX 63
#define IMAGE_SERVERS_MAX 8 /* name servers */
#define IMAGE_GROUPS_MAX 16384U /* that rules name: a bit each in every set of groups a worker holds */

/* Offset of NUL-terminated text; 0 is "" (offset 0 is never text). */
struct image_text {
    uint32_t off;
    uint32_t len;
};

/* count elements of a fixed type from off; present says whether the list was given at all. */
struct image_list {
    uint32_t off;
    uint32_t count;
};

enum image_prefer { IMAGE_PREFER_ANY, IMAGE_PREFER_IPV4, IMAGE_PREFER_IPV6 };
enum image_log_target { IMAGE_LOG_SYSLOG, IMAGE_LOG_STDERR, IMAGE_LOG_FILE };
enum image_log_format { IMAGE_LOG_KEYVALUE, IMAGE_LOG_JSON };

enum image_option_kind {
    IMAGE_OPTION_VALUE,
    IMAGE_OPTION_FILE,   /* the value is the path of a file the broker opens for the module's pool */
    IMAGE_OPTION_FOLDER, /* ... of a folder the master makes for the pool's user; "": none */
    IMAGE_OPTION_EMPTY   /* a list given with nothing in it: no value at all */
};

/* One key = value of a module's section, value as text (lists: one row an element, and one that says
   "empty" for a list that is). */
struct image_option {
    struct image_text key;
    struct image_text value;
    uint32_t kind;   /* enum image_option_kind */
    uint32_t change; /* enum config_change: what another value needs */
};

/* A method that some listener offers. Its index in the image is the pool's number. */
struct image_module {
    struct image_text name;   /* "userpass"; also the section's name and the module's file name */
    uint8_t method;           /* SOCKS 5 method code */
    uint8_t has_secret;       /* 0: none needs no pool */
    uint8_t shared;           /* loaded from the module folder */
    uint8_t pad;
    uint32_t processes;       /* resolved: never 0 when has_secret */
    uint32_t step_seconds;    /* a step that runs longer is a hung process */
    struct image_text user;   /* the pool's user when the module asks for another, else "" */
    struct image_list options; /* struct image_option */
};

struct image_listener {
    struct addr addr;
    struct image_text name;    /* as configured: "0.0.0.0:1080" */
    struct image_list modules; /* uint32_t: indices of modules, in order of preference */
    /* "ident" is among its methods: the host of every SOCKS 4 client is asked. Confirmed: method
       ident. Denied: SOCKS4_WRONG_USER, always. No answer: SOCKS4_NO_IDENTD, unless a module with
       code 0 (none) is offered, too: then the session goes on as method none. */
    uint32_t ident;
    struct image_list overrides; /* struct image_option: in place of the modules' own, by key */
};

struct image_timeouts { /* seconds */
    uint32_t negotiate, connect, bind, idle, half_closed, udp, stop, drain, orphan;
};

struct image_settings {
    struct image_text config_file; /* "" for the built-in default */
    struct image_text user, auth_user, log_user;
    struct image_text pid_file;
    struct image_text control_socket, control_group;
    uint32_t workers; /* resolved: never 0 */
    struct image_list listeners; /* struct image_listener */
    struct image_list modules;   /* struct image_module */
    struct image_timeouts timeouts;
    struct {
        uint64_t sessions;            /* all workers together */
        uint64_t sessions_per_client; /* client: an IPv4 address or an IPv6 /64; 0: any number */
        uint64_t sessions_per_user;   /* 0: any number */
        uint64_t pending_per_client;  /* connections without a login or, where none is asked for, without a
                                         request; 0: any number */
        uint32_t failures;            /* failed logins within the window that bring a penalty; 0: none do */
        uint32_t failure_window;      /* seconds */
        uint32_t penalty;             /* seconds, the first one */
        uint32_t pad;
    } limits;
    struct image_list groups; /* struct image_text: every group a rule names, each once, in strcmp order */
    struct image_list sets;   /* struct image_set: every @FILE, each once (image_set.h) */
    struct image_list zone;   /* struct image_zone, ascending; the first one holds for all times before */
    struct addr metrics;      /* where metrics are served; ADDR_NONE: nowhere */
    struct {
        struct image_list servers; /* struct addr; empty: resolv.conf's */
        uint32_t timeout;          /* seconds of one attempt */
        uint32_t attempts;
        uint32_t prefer; /* enum image_prefer */
        uint32_t hosts;  /* look into the hosts file first */
    } resolver;
    struct {
        uint32_t enabled;
        uint32_t ident_timeout; /* seconds */
    } socks4;
    struct {
        uint32_t enabled;
        uint32_t fragments; /* reassemble them; 0: dropped */
        uint32_t filtering; /* enum image_udp_filtering */
        uint32_t port_min;  /* of every UDP socket of ours; both 0: the kernel's choice, else */
        uint32_t port_max;  /* 1024..65535 and two ports at least */
        struct addr advertise; /* told in place of an address of its family; ADDR_NONE: none */
    } udp;
    struct {
        uint32_t enabled;
        uint32_t port_min, port_max; /* both 0: the kernel's choice, else 1024..65535 */
        struct addr advertise;
    } bind;
    struct addr egress_ipv4; /* ADDR_NONE: the kernel's choice */
    struct addr egress_ipv6;
    struct {
        uint32_t target; /* enum image_log_target */
        uint32_t format; /* enum image_log_format */
        uint32_t facility; /* LOG_LOCAL0 ... */
        uint32_t all_events;
        uint32_t interim;
        uint32_t required;
        struct image_text path; /* file's path, or the syslog socket */
    } log;
};

/* Whose datagrams come back to a client that wrote to ADDRESS:PORT. */
enum image_udp_filtering {
    IMAGE_UDP_ENDPOINT, /* that address and port */
    IMAGE_UDP_ADDRESS,  /* that address, any port */
    IMAGE_UDP_NONE      /* anybody's */
};

/* "ident" in a rule's methods: a code no SOCKS 5 method has. */
#define IMAGE_METHOD_IDENT 0xFFU

enum image_action { IMAGE_DENY = 0, IMAGE_ALLOW = 1 };
#define IMAGE_COMMAND_CONNECT 1U
#define IMAGE_COMMAND_BIND 2U
#define IMAGE_COMMAND_UDP 4U

/* What a session has, and what a rule wants at least. */
#define IMAGE_PROTECTION_NONE 0U
#define IMAGE_PROTECTION_INTEGRITY 1U /* and selective */
#define IMAGE_PROTECTION_CONFIDENTIALITY 2U
#define IMAGE_PROTECTION_MAX 2U

/* Which lists a rule has; one that is absent matches everything. */
#define IMAGE_HAS_CLIENT 1U
#define IMAGE_HAS_USER 2U
#define IMAGE_HAS_METHOD 4U
#define IMAGE_HAS_COMMAND 8U
#define IMAGE_HAS_DESTINATION 16U
#define IMAGE_HAS_PORT 32U
#define IMAGE_HAS_GROUP 64U
#define IMAGE_HAS_TIME 128U

/* From this second (UTC) on the local time zone is so many seconds east of UTC. Taken from the system's
   zone when the image is made, for the years it can matter: who judges needs no zone files. */
struct image_zone {
    int64_t from;
    int32_t offset;
    uint32_t pad;
};

#define IMAGE_ZONE_OFFSET_MAX 172800 /* seconds either way; POSIX has a week at most, the world a day */

/* A window of local wall-clock time: on each of the days from minute `from` to before minute `to`; where
   to <= from it ends on the day after. An hour that the clock repeats counts twice, one that it skips
   not at all. */
struct image_window {
    uint32_t days; /* bit 0: Sunday */
    uint16_t from; /* minutes of the day, 0..1439 */
    uint16_t to;   /* 0..1440; 0 and 1440 are both midnight at the end */
};

struct image_prefix {
    struct addr_prefix prefix;
    uint32_t opens_special; /* destination: it lies wholly inside a special range */
};

struct image_ports {
    uint16_t low;
    uint16_t high;
};

/* What every verdict looks at stands in the first 64 octets. */
struct image_rule {
    uint32_t has;
    uint32_t action;
    uint32_t commands;           /* IMAGE_COMMAND_* */
    uint32_t protection;         /* the least; IMAGE_PROTECTION_* */
    struct image_list ports;     /* struct image_ports */
    struct image_list clients;   /* struct image_prefix */
    struct image_list users;     /* struct image_text: globs */
    struct image_list names;     /* struct image_text: lower-case destination globs */
    struct image_list prefixes;  /* struct image_prefix: destination prefixes */
    struct image_list sets;      /* uint32_t: indices of settings.sets; part of the destinations */
    struct image_list methods;   /* uint8_t: SOCKS 5 method codes, IMAGE_METHOD_IDENT */
    struct image_list groups;    /* uint32_t: indices of settings.groups */
    struct image_list times;     /* struct image_window */
    struct image_list method_names; /* struct image_text: the methods, as written */
    struct image_text title;
    uint32_t bind_any;           /* what it allows, it allows for a BIND that names no peer, too */
    uint32_t pad;
    uint64_t bandwidth;          /* bytes per second of the rule's sessions together, both ways; 0: any */
    uint64_t user_bandwidth;     /* the same of each user's sessions under this rule */
};

struct image_header {
    uint32_t magic;
    uint32_t version;
    uint64_t size; /* of the whole image, equals the memfd's */
    uint64_t generation;
    struct image_settings settings;
    struct image_list rules; /* struct image_rule */
};

struct image; /* a mapped, checked image */

/* Maps and checks the sealed memfd (seals, magic, version, every offset, count, text and index).
   The descriptor stays the caller's. NULL with errno; *why names what is wrong. */
struct image *image_open(int fd, const char **why) SP_MUST_USE;
/* The same for an image that the master opened before it gave it away: the insides of its lists were looked
   at then, which for a million entries takes ten times as long as all the rest, and the seals keep them. */
struct image *image_adopt(int fd, const char **why) SP_MUST_USE;
void image_close(struct image **image);

const struct image_header *image_header(const struct image *image);
const struct image_settings *image_settings(const struct image *image);
const char *image_string(const struct image *image, struct image_text text); /* never NULL */

/* Element i of a list whose elements are of the given type; i < list.count. */
const void *image_at(const struct image *image, struct image_list list, size_t size, uint32_t i);
#define IMAGE_AT(image, list, type, i) ((const type *)image_at((image), (list), sizeof(type), (i)))

const struct image_listener *image_listener(const struct image *image, uint32_t i);
const struct image_module *image_module(const struct image *image, uint32_t i);
const struct image_rule *image_rule(const struct image *image, uint32_t i);

/* The module with this method code, or NULL. */
const struct image_module *image_module_by_method(const struct image *image, uint8_t method);

/* Value i of a module's option, or NULL when there are not so many; where listener is not NULL and
   overrides the key, its values. An option absent from the image has none, whatever a listener says
   for its other methods. */
const char *image_option(const struct image *image, const struct image_listener *listener,
    const struct image_module *m, const char *key, unsigned i);

#endif
