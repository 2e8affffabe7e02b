/* SPDX-License-Identifier: ISC */
/*
 * The table of every key (sallyport.conf(5), KEYS). Serves the scan, libconfuse's options, the checks,
 * -T and the manual. Constant data; nothing here fails.
 */
#include "src/config/config_options.h"

#include <string.h>
#include <syslog.h>

#include "lib/base/attr.h"
#include "src/config/image.h"

/* The Makefile says where the package lives. */
#ifndef RUNDIR
#define RUNDIR "/run/sallyport"
#endif

/* configure says which methods there are. */
#ifndef METHODS_PRESET
#define METHODS_PRESET "userpass"
#endif

#define YEAR 31536000U /* seconds: nothing of ours is meant to last longer */
#define DAY 86400U

#define WORDS(...) (const char *const[]) { __VA_ARGS__, NULL }
#define AT(field) offsetof(struct image_settings, field)

/* The order of these words is the order of the image's enums. */
static const char *const prefer_words[] = { "any", "ipv4", "ipv6", NULL };
static const char *const format_words[] = { "keyvalue", "json", NULL };
static const char *const events_words[] = { "session", "all", NULL };
static const char *const boolean_words[] = { "false", "true", NULL };
static const char *const action_words[] = { "deny", "allow", NULL };
static const char *const command_words[] = { "connect", "bind", "udp", NULL };
static const char *const protection_words[] = { "none", "integrity", "confidentiality", NULL };
static const char *const facility_words[] = { "daemon", "user", "auth", "authpriv", "local0",
    "local1", "local2", "local3", "local4", "local5", "local6", "local7", NULL };
static const int facility_values[] = { LOG_DAEMON, LOG_USER, LOG_AUTH, LOG_AUTHPRIV, LOG_LOCAL0,
    LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3, LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7 };
/* In the order of enum image_udp_filtering. */
static const char *const filtering_words[] = { "endpoint", "address", "none", NULL };

/* clang-format off */
#define TYPED(type_) .type = CONFIG_##type_
#define NUMERIC(type_, preset_, min_, max_) \
    TYPED(type_), .preset = preset_, .min = min_, .max = max_
#define SECONDS(preset_, min_, max_, at_) \
    NUMERIC(SECONDS, preset_, min_, max_), .store = STORE_U32, .at = AT(at_)
#define BOOLEAN(preset_) TYPED(BOOLEAN), .preset = preset_, .words = boolean_words
#define TEXT(type_, preset_, at_) \
    TYPED(type_), .preset = preset_, .store = STORE_TEXT, .at = AT(at_)
#define WORD(preset_, words_, at_) \
    TYPED(WORD), .preset = preset_, .words = words_, .store = STORE_WORD, .at = AT(at_)
#define SWITCH(preset_, at_) BOOLEAN(preset_), .store = STORE_WORD, .at = AT(at_)
#define PORT(at_) NUMERIC(NUMBER, "0", 0, 65535), .store = STORE_U32, .at = AT(at_)
#define ADDRESS(at_) TYPED(ADDRESS), .preset = "", .store = STORE_ADDR, .at = AT(at_)

static const struct config_key top_keys[] = {
    { "", "user", TEXT(USER, "sallyport", user), .change = CONFIG_RESTART,
      .sentence = "The user workers run as." },
    { "", "auth-user", TEXT(USER, "sallyport-auth", auth_user), .change = CONFIG_RESTART,
      .sentence = "The user authentication processes run as." },
    { "", "log-user", TEXT(USER, "sallyport-log", log_user), .change = CONFIG_RESTART,
      .sentence = "The user the logger runs as." },
    { "", "workers", NUMERIC(NUMBER, "0", 0, 1024), .store = STORE_U32, .at = AT(workers),
      .change = CONFIG_RESTART, .sentence = "How many workers; 0 means one per CPU." },
    { "", "methods", TYPED(METHODS), .preset = METHODS_PRESET, .change = CONFIG_RESTART,
      .sentence = "The authentication methods offered, in the gateway's order of preference; ident "
                  "concerns SOCKS 4 alone, wherever it stands in the list." },
    { "", "pid-file", TEXT(PATH, "", pid_file), .change = CONFIG_RESTART,
      .sentence = "Where the master writes its process id; empty for nowhere." },
};

static const struct config_key listen_keys[] = {
    { "listen", "methods", TYPED(METHODS),
      .sentence = "The methods offered here, in place of the general ones; one that no listener offered "
                  "before, or none any more, needs a restart." },
    { "listen", "protection", TYPED(WORDS), .in_place = true,
      .words = WORDS("none", "integrity", "confidentiality", "selective"),
      .sentence = "The message protection that may be agreed here, in place of that of the method's "
                  "section." },
    { "listen", "service", TYPED(LIST), .in_place = true,
      .sentence = "The service names accepted here, in place of those of the method's section; an "
                  "empty list means any key in the keytab." },
    { "listen", "tls", TYPED(BLOCK), .later = true, .sentence = "TLS towards the clients." },
    { "listen", "proxy-protocol", TYPED(PREFIXES), .later = true,
      .sentence = "From where a PROXY protocol header is taken." },
};

static const struct config_key resolver_keys[] = {
    { "resolver", "servers", TYPED(SERVERS), .preset = "", .change = CONFIG_RESPAWN,
      .sentence = "Name servers, with a port if it is not 53; empty for those of resolv.conf." },
    { "resolver", "timeout", SECONDS("5", 1, 60, resolver.timeout), .change = CONFIG_RESPAWN,
      .sentence = "How long one attempt waits." },
    { "resolver", "attempts", NUMERIC(NUMBER, "2", 1, 10), .store = STORE_U32,
      .at = AT(resolver.attempts), .change = CONFIG_RESPAWN,
      .sentence = "How often each server is asked." },
    { "resolver", "prefer", WORD("any", prefer_words, resolver.prefer),
      .sentence = "Which addresses of a name are tried first." },
    { "resolver", "hosts", BOOLEAN("true"), .store = STORE_WORD, .at = AT(resolver.hosts),
      .change = CONFIG_RESPAWN, .sentence = "Look into /etc/hosts before asking." },
};

static const struct config_key egress_keys[] = {
    { "egress", "ipv4", TYPED(IPV4), .preset = "", .store = STORE_ADDR, .at = AT(egress_ipv4),
      .sentence = "The source of outgoing IPv4 connections; empty for the kernel's choice." },
    { "egress", "ipv6", TYPED(IPV6), .preset = "", .store = STORE_ADDR, .at = AT(egress_ipv6),
      .sentence = "The source of outgoing IPv6 connections; empty for the kernel's choice." },
};

static const struct config_key timeouts_keys[] = {
    { "timeouts", "negotiate", SECONDS("30", 1, 3600, timeouts.negotiate),
      .sentence = "From accept to a complete request, authentication included." },
    { "timeouts", "connect", SECONDS("30", 1, 3600, timeouts.connect),
      .sentence = "Resolving and connecting, all addresses together." },
    { "timeouts", "bind", SECONDS("120", 1, DAY, timeouts.bind),
      .sentence = "How long a BIND waits for its peer." },
    { "timeouts", "idle", SECONDS("7200", 1, YEAR, timeouts.idle),
      .sentence = "A session in which nothing moved either way ends after this." },
    { "timeouts", "half-closed", SECONDS("300", 1, YEAR, timeouts.half_closed),
      .sentence = "The same once one side has closed." },
    { "timeouts", "udp", SECONDS("300", 1, DAY, timeouts.udp),
      .sentence = "An association without a datagram ends after this." },
    { "timeouts", "stop", SECONDS("20", 1, DAY, timeouts.stop),
      .sentence = "How long sessions may go on after SIGTERM." },
    { "timeouts", "drain", SECONDS("3600", 1, YEAR, timeouts.drain),
      .sentence = "How long workers that are replaced, and a gateway that drains, may finish their "
                  "sessions." },
    { "timeouts", "orphan", SECONDS("300", 1, YEAR, timeouts.orphan),
      .sentence = "How long workers finish their sessions when their master is gone." },
};

static const struct config_key limits_keys[] = {
    { "limits", "sessions", NUMERIC(NUMBER, "100000", 1, 10000000), .store = STORE_U64,
      .at = AT(limits.sessions), .sentence = "Sessions at once, all workers together." },
    { "limits", "sessions-per-client", NUMERIC(NUMBER, "0", 0, 10000000), .store = STORE_U64,
      .at = AT(limits.sessions_per_client),
      .sentence = "Sessions at once from one client address; 0 means any number." },
    { "limits", "sessions-per-user", NUMERIC(NUMBER, "0", 0, 10000000), .store = STORE_U64,
      .at = AT(limits.sessions_per_user),
      .sentence = "Sessions at once of one user; 0 means any number." },
    { "limits", "pending-per-client", NUMERIC(NUMBER, "64", 0, 10000000), .store = STORE_U64,
      .at = AT(limits.pending_per_client),
      .sentence = "Connections of one client address that have no login yet or, where none is asked for, "
                  "no request; 0 means any number." },
    { "limits", "failures", NUMERIC(NUMBER, "10", 0, 1000000), .store = STORE_U32,
      .at = AT(limits.failures),
      .sentence = "Failed logins of a user from one client within the window that bring a penalty; 0 means "
                  "that none do." },
    { "limits", "failure-window", SECONDS("60", 1, DAY, limits.failure_window),
      .sentence = "The window in which failures are counted." },
    { "limits", "penalty", SECONDS("60", 1, DAY, limits.penalty),
      .sentence = "How long the first one lasts; each further one is twice as long." },
};

static const struct config_key socks4_keys[] = {
    { "socks4", "enabled", SWITCH("true", socks4.enabled),
      .sentence = "Serve SOCKS 4 and 4A, on listeners with the methods none or ident." },
    { "socks4", "ident-timeout", SECONDS("10", 1, 3600, socks4.ident_timeout),
      .sentence = "How long asking the client's identd may take." },
};

static const struct config_key udp_keys[] = {
    { "udp", "enabled", SWITCH("true", udp.enabled), .sentence = "Serve UDP ASSOCIATE." },
    { "udp", "fragments", SWITCH("true", udp.fragments),
      .sentence = "Put SOCKS fragments together; else they are dropped." },
    { "udp", "port-min", PORT(udp.port_min),
      .sentence = "The lowest UDP port used, towards clients and destinations alike, 1024 or higher; "
                  "0, here and in port-max, for the kernel's choice." },
    { "udp", "port-max", PORT(udp.port_max),
      .sentence = "The highest one; an association takes up to three ports, one towards the client and "
                  "one for each family of its destinations." },
    { "udp", "advertise", ADDRESS(udp.advertise),
      .sentence = "The address clients are told to send datagrams to, for a gateway behind NAT; it "
                  "stands in for addresses of its family; empty for the one the client reached." },
    { "udp", "filtering", WORD("endpoint", filtering_words, udp.filtering),
      .sentence = "Whose datagrams come back: those of an address and port that the client has written "
                  "to, of such an address from any port, or anybody's." },
};

static const struct config_key bind_keys[] = {
    { "bind", "enabled", SWITCH("true", bind.enabled), .sentence = "Serve BIND." },
    { "bind", "port-min", PORT(bind.port_min),
      .sentence = "The lowest port on which peers are awaited, 1024 or higher; 0, here and in "
                  "port-max, for the kernel's choice." },
    { "bind", "port-max", PORT(bind.port_max),
      .sentence = "The highest one; each BIND that waits for its peer takes one." },
    { "bind", "advertise", ADDRESS(bind.advertise),
      .sentence = "The address clients are told, for the peer to connect to, for a gateway behind NAT; "
                  "it stands in for addresses of its family; empty for the one listened on." },
};

static const struct config_key log_keys[] = {
    { "log", "target", TYPED(TARGET), .preset = "syslog", .change = CONFIG_RESTART,
      .sentence = "Where the audit goes." },
    { "log", "facility", TYPED(WORD), .preset = "local0", .words = facility_words,
      .sentence = "The syslog facility." },
    { "log", "format", WORD("keyvalue", format_words, log.format),
      .sentence = "How a record is written; json has the @cee: cookie on syslog." },
    { "log", "events", WORD("session", events_words, log.all_events),
      .sentence = "Which records: those of sessions and the gateway, or all." },
    { "log", "interim", NUMERIC(NUMBER, "0", 0, DAY), .store = STORE_U32,
      .at = AT(log.interim), .sentence = "Seconds between session.update records; 0 for none." },
    { "log", "required", BOOLEAN("false"), .store = STORE_WORD,
      .at = AT(log.required), .sentence = "No session without its accepted start record." },
};

static const struct config_key control_keys[] = {
    { "control", "socket", TEXT(PATH, RUNDIR "/control.sock", control_socket),
      .change = CONFIG_RESTART, .sentence = "The control socket; empty for none." },
    { "control", "group", TEXT(GROUP, "", control_group), .change = CONFIG_RESTART,
      .sentence = "The group that may use the control socket." },
};

static const struct config_key metrics_keys[] = {
    { "metrics", "listen", TYPED(LISTEN), .preset = "", .store = STORE_ADDR, .at = AT(metrics),
      .change = CONFIG_RESTART,
      .sentence = "Where metrics are served; empty for nowhere." },
};

static const struct config_key rule_keys[] = {
    { "rule", "action", TYPED(WORD), .words = action_words, .required = true,
      .sentence = "What becomes of a request that matches." },
    { "rule", "client", TYPED(PREFIXES), .sentence = "Where the client is." },
    { "rule", "user", TYPED(USERS),
      .sentence = "Globs over the audited user name; sessions without a user never match." },
    { "rule", "group", TYPED(GROUPS),
      .sentence = "Groups, one of which the user is in; sessions without a user never match." },
    { "rule", "method", TYPED(METHODS),
      .sentence = "How the client authenticated; a SOCKS 4 session has ident where the client's identd "
                  "confirmed its USERID, else none." },
    { "rule", "protection", TYPED(WORD), .preset = "none", .words = protection_words,
      .sentence = "The least message protection of the session; selective counts as integrity, and a "
                  "method without protection as none." },
    { "rule", "command", TYPED(WORDS), .words = command_words, .sentence = "What is asked for." },
    { "rule", "destination", TYPED(DESTINATIONS),
      .sentence = "Globs over the name asked for, prefixes of the address, and lists of both in files, "
                  "as @FILE." },
    { "rule", "port", TYPED(PORTS), .sentence = "Ports of the destination, and ranges of them." },
    { "rule", "time", TYPED(TIMES),
      .sentence = "When the rule matches, in local time." },
    { "rule", "bandwidth", NUMERIC(SIZE, "0", 0, UINT64_C(1) << 40),
      .sentence = "Bytes per second of the rule's sessions together, both ways; 0 for no limit." },
    { "rule", "user-bandwidth", NUMERIC(SIZE, "0", 0, UINT64_C(1) << 40),
      .sentence = "Bytes per second of each user's sessions under the rule; 0 for no limit." },
    { "rule", "bind-any", BOOLEAN("false"),
      .sentence = "A rule that allows does so also for a BIND that names no peer, an address of all "
                  "zeros." },
};

#define SECTION(name_, keys_) .name = name_, .keys = keys_, .count = SP_COUNT(keys_)

static const struct config_section sections[] = {
    { SECTION("", top_keys), .sentence = "Keys outside sections." },
    { SECTION("listen", listen_keys), .titled = true,
      .sentence = "An address and port to listen on, as the title; any number of them." },
    { SECTION("resolver", resolver_keys), .sentence = "How names are resolved." },
    { SECTION("egress", egress_keys), .sentence = "Outgoing connections." },
    { SECTION("timeouts", timeouts_keys), .sentence = "Durations in seconds." },
    { SECTION("limits", limits_keys), .sentence = "Limits." },
    { SECTION("socks4", socks4_keys), .sentence = "SOCKS 4 and 4A." },
    { SECTION("udp", udp_keys), .sentence = "UDP ASSOCIATE." },
    { SECTION("bind", bind_keys), .sentence = "BIND." },
    { SECTION("log", log_keys), .sentence = "The audit." },
    { SECTION("control", control_keys), .sentence = "The control socket." },
    { SECTION("metrics", metrics_keys), .sentence = "Metrics." },
    { SECTION("rule", rule_keys), .titled = true,
      .sentence = "Who may reach what; the first rule that matches decides." },
};
/* clang-format on */

static const char *const type_names[CONFIG_TYPES] = {
    [CONFIG_TEXT] = "text",
    [CONFIG_WORD] = "word",
    [CONFIG_NUMBER] = "number",
    [CONFIG_SECONDS] = "seconds",
    [CONFIG_SIZE] = "size",
    [CONFIG_BOOLEAN] = "boolean",
    [CONFIG_USER] = "user name",
    [CONFIG_PATH] = "path",
    [CONFIG_FILE] = "file",
    [CONFIG_FOLDER] = "folder",
    [CONFIG_IPV4] = "IPv4 address",
    [CONFIG_IPV6] = "IPv6 address",
    [CONFIG_ADDRESS] = "IP address",
    [CONFIG_TARGET] = "target",
    [CONFIG_GROUP] = "group name",
    [CONFIG_LISTEN] = "address and port",
    [CONFIG_LIST] = "list of texts",
    [CONFIG_WORDS] = "list of words",
    [CONFIG_METHODS] = "list of methods",
    [CONFIG_SERVERS] = "list of addresses",
    [CONFIG_PREFIXES] = "list of prefixes",
    [CONFIG_USERS] = "list of globs",
    [CONFIG_DESTINATIONS] = "list of globs and prefixes",
    [CONFIG_PORTS] = "list of ports",
    [CONFIG_GROUPS] = "list of groups",
    [CONFIG_TIMES] = "list of time windows",
    [CONFIG_BLOCK] = "section",
};

const struct config_section *
config_sections(size_t *count)
{
    *count = SP_COUNT(sections);
    return sections;
}

const struct config_section *
config_section_find(const char *name)
{
    for (size_t i = 0; i < SP_COUNT(sections); i++) {
        if (strcmp(sections[i].name, name) == 0) {
            return &sections[i];
        }
    }
    return NULL;
}

const struct config_key *
config_key_find(const struct config_section *section, const char *name)
{
    for (size_t i = 0; i < section->count; i++) {
        if (strcmp(section->keys[i].name, name) == 0) {
            return &section->keys[i];
        }
    }
    return NULL;
}

bool
config_type_is_list(enum config_type type)
{
    return type >= CONFIG_LIST && type < CONFIG_BLOCK;
}

const char *
config_type_name(enum config_type type)
{
    return type_names[type];
}

const char *
config_change_name(enum config_change change)
{
    static const char *const names[] = { "reload", "respawn", "restart" };
    return names[change];
}

bool
config_preset(const struct config_key *key, unsigned i, char *out, size_t size)
{
    const char *text = key->preset;
    if (text == NULL) {
        return false;
    }
    size_t len = strlen(text);
    if (config_type_is_list(key->type)) {
        while (i > 0 && *text != '\0') {
            text += strcspn(text, " ");
            text += strspn(text, " ");
            i--;
        }
        len = strcspn(text, " ");
    }
    if (i > 0 || len >= size || (len == 0 && config_type_is_list(key->type))) {
        return false;
    }
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

int
config_facility(const char *name)
{
    for (size_t i = 0; i < SP_COUNT(facility_values); i++) {
        if (strcmp(facility_words[i], name) == 0) {
            return facility_values[i];
        }
    }
    return -1;
}

const char *
config_facility_name(uint32_t value)
{
    for (size_t i = 0; i < SP_COUNT(facility_values); i++) {
        if ((uint32_t)facility_values[i] == value) {
            return facility_words[i];
        }
    }
    return NULL;
}
