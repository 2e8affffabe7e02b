/* SPDX-License-Identifier: ISC */
/* The rule language once more; see policy_model.h. */
#include "tests/unit/policy_model.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

static const char *const clients[] = { "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32", "192.0.2.7",
    "::/0", "0.0.0.0/0" };
static const char *const client_of[] = { "10.0.0.1", "10.1.2.3", "192.0.2.7", "2001:db8::5",
    "2001:db9::1", "11.0.0.0" };
static const char *const users[] = { "*@EXAMPLE.COM", "bob", "b?b", "alice@*", "*li*", "?", "*b*b*" };
static const char *const user_of[] = { NULL, "bob", "alice@EXAMPLE.COM", "bib", "x", "Bob",
    "alice@example.com" };
static const char *const methods[] = { "none", "userpass", "ident" };
static const uint8_t method_of[] = { 0, 2, IMAGE_METHOD_IDENT };
static const char *const levels[] = { "none", "integrity", "confidentiality" };
static const char *const commands[] = { "connect", "bind", "udp" };
static const struct {
    const char *text;
    const char *days; /* a digit each, Sunday is 0 */
    int from, to;
} times[] = {
    { "Mon-Fri 07:00-20:00", "12345", 420, 1200 },
    { "Sat,Sun", "06", 0, 1440 },
    { "22:00-06:00", "0123456", 1320, 360 },
    { "Sat 23:30-01:00", "6", 1410, 60 },
    { "Wed 00:00-24:00", "3", 0, 1440 },
    { "Sun 02:00-03:00", "0", 120, 180 },
};
static const struct {
    const char *text;
    unsigned low, high;
} ports[] = { { "443", 443, 443 }, { "8000-8999", 8000, 8999 }, { "1-65535", 1, 65535 },
    { "25", 25, 25 } };
static const uint16_t port_of[] = { 443, 25, 8000, 8999, 9000, 0, 65535 };
static const char *const names[] = { "*.example.com", "www.example.com", "*", "*.org", "a?c.net",
    "*mail*.example.*" };
static const char *const name_of[] = { "www.example.com", "example.com", "x.y.example.com", "abc.net",
    "ac.net", "webmail7.example.org", "org", "listed.test", "a.below.test", "below.test", "b.a.below.test",
    "deep.a.b.c.test", "xbelow.test" };
static const char *const prefixes[] = { "0.0.0.0/0", "10.0.0.0/8", "127.0.0.0/8", "127.0.0.1",
    "192.0.2.0/24", "::/0", "::1", "2001:db8::/32", "fe80::/10", "64:ff9b::/96", "224.0.0.0/4",
    "64:ff9b::7f00:0/104" };
static const char *const address_of[] = { "10.0.0.0", "127.0.0.1", "127.255.255.255", "192.0.2.1",
    "192.0.3.0", "8.8.8.8", "0.0.0.1", "224.0.0.1", "::1", "2001:db8::1", "2001:db9::", "fe80::1",
    "64:ff9b::7f00:1", "64:ff9b::808:808", "169.254.1.1", "198.51.100.77", "2001:db8:7:8::9", "::" };
/* Rows as the files have them. */
static const char *const list_rows[MODEL_LISTS][12] = {
    { "listed.test", "*.below.test", "192.0.2.0/25", "127.0.0.0/8", "2001:db8::/48" },
    { "8.0.0.0/6", "8.8.8.8", "::/0", "2001:db8::/32", "2001:db8:7::/48", "fe80::/10", "0.0.0.0/0",
        "*.a.b.c.test", "WWW.Example.COM." },
    { "*.com", "*.c.test", "224.0.0.0/3", "64:ff9b::/95", "64:ff9b::7f00:1", "169.254.0.0/16",
        "198.51.100.77" },
};

const char *
model_name(unsigned i)
{
    return i < SP_COUNT(name_of) ? name_of[i] : NULL;
}

const char *
model_address(unsigned i)
{
    return i < SP_COUNT(address_of) ? address_of[i] : NULL;
}

void
model_lists(struct rig *r)
{
    static char text[MODEL_LISTS][512];
    static const char *const paths[MODEL_LISTS] = { "list0", "list1", "list2" };
    for (unsigned i = 0; i < MODEL_LISTS; i++) {
        size_t len = 0;
        for (unsigned j = 0; list_rows[i][j] != NULL; j++) {
            len += (size_t)snprintf(
                text[i] + len, sizeof(text[i]) - len, "%s\n", list_rows[i][j]);
        }
        rig_file(r, paths[i], text[i], len);
    }
}

/* --- making them ---------------------------------------------------------------------------------- */

/* Mostly nothing, else a few rows. */
static unsigned
random_rows(struct unit_random *r, size_t count, unsigned seldom)
{
    unsigned rows = 0;
    if (unit_random(r) % seldom != 0) {
        return 0;
    }
    for (unsigned n = 1 + (unsigned)(unit_random(r) % 3); n > 0; n--) {
        rows |= 1U << unit_random(r) % count;
    }
    return rows;
}

static void
add_rows(struct model *m, const char *key, unsigned rows, const char *(*row)(unsigned i))
{
    size_t len = strlen(m->text);
    const char *join = "";
    if (rows == 0) {
        return;
    }
    len += (size_t)snprintf(m->text + len, sizeof(m->text) - len, " %s = {", key);
    for (unsigned i = 0; rows >> i != 0; i++) {
        if ((rows >> i & 1) != 0) {
            len += (size_t)snprintf(
                m->text + len, sizeof(m->text) - len, "%s \"%s\"", join, row(i));
            join = ",";
        }
    }
    snprintf(m->text + len, sizeof(m->text) - len, " }\n");
}

#define ROW(pool)                                                                                  \
    static const char *row_##pool(unsigned i)                                                      \
    {                                                                                              \
        return pool[i];                                                                            \
    }
ROW(clients)
ROW(users)
ROW(methods)
ROW(commands)

static const char *
row_times(unsigned i)
{
    return times[i].text;
}

static const char *
row_ports(unsigned i)
{
    return ports[i].text;
}

/* Names, then prefixes, then lists. */
static const char *
row_destinations(unsigned i)
{
    static const char *const lists[MODEL_LISTS] = { "@list0", "@list1", "@list2" };
    return i < 8 ? names[i] : i < 24 ? prefixes[i - 8] : lists[i - 24];
}

static void
add_groups(struct model *m, const uint64_t group[2])
{
    size_t len = strlen(m->text);
    if ((group[0] | group[1]) == 0) {
        return;
    }
    len += (size_t)snprintf(m->text + len, sizeof(m->text) - len, " group = {");
    for (unsigned i = 0; i < MODEL_GROUPS; i++) {
        if ((group[i / 64] >> (i % 64) & 1) != 0) {
            len += (size_t)snprintf(m->text + len, sizeof(m->text) - len, " \"g%u\",", i);
        }
    }
    snprintf(m->text + len, sizeof(m->text) - len, " }\n");
}

static void
add_rule(struct model *m, const struct model_rule *r, unsigned number)
{
    size_t len = strlen(m->text);
    snprintf(m->text + len, sizeof(m->text) - len,
        "rule \"%u\" { action = %s bind-any = %s protection = %s\n", number,
        r->allow ? "allow" : "deny", r->bind_any ? "true" : "false", levels[r->protection]);
    add_rows(m, "client", r->client, row_clients);
    add_rows(m, "user", r->user, row_users);
    add_groups(m, r->group);
    add_rows(m, "method", r->method, row_methods);
    add_rows(m, "command", r->command, row_commands);
    add_rows(m, "time", r->time, row_times);
    add_rows(m, "port", r->port, row_ports);
    add_rows(m, "destination", r->name | r->prefix << 8 | r->list << 24, row_destinations);
    len = strlen(m->text);
    snprintf(m->text + len, sizeof(m->text) - len, "}\n");
}

void
model_random(struct model *m, struct unit_random *r)
{
    m->count = 1 + (unsigned)(unit_random(r) % MODEL_RULES);
    snprintf(m->text, sizeof(m->text),
        "methods = { \"none\", \"userpass\", \"ident\" }\nlisten \"127.0.0.1:0\" { }\n");
    for (unsigned i = 0; i < m->count; i++) {
        struct model_rule *rule = &m->rules[i];
        *rule = (struct model_rule){
            .allow = unit_random(r) % 2 == 0,
            .bind_any = unit_random(r) % 3 == 0,
            .client = random_rows(r, SP_COUNT(clients), 4),
            .user = random_rows(r, SP_COUNT(users), 5),
            .method = random_rows(r, SP_COUNT(methods), 6),
            .command = random_rows(r, SP_COUNT(commands), 6),
            .time = random_rows(r, SP_COUNT(times), 5),
            .port = random_rows(r, SP_COUNT(ports), 5),
            .name = random_rows(r, SP_COUNT(names), 3),
            .prefix = random_rows(r, SP_COUNT(prefixes), 3),
            .list = random_rows(r, MODEL_LISTS, 3),
            .protection = unit_random(r) % 5 == 0 ? (uint32_t)(unit_random(r) % 3) : 0,
        };
        for (unsigned n = unit_random(r) % 5 == 0 ? 6 : 0; n > 0; n--) {
            const unsigned group = (unsigned)(unit_random(r) % MODEL_GROUPS);
            rule->group[group / 64] |= UINT64_C(1) << (group % 64);
        }
        add_rule(m, rule, i);
    }
}

static void
random_groups(struct model_query *q, struct unit_random *r)
{
    for (unsigned n = (unsigned)(unit_random(r) % 8); n > 0; n--) {
        const unsigned group = (unsigned)(unit_random(r) % (MODEL_GROUPS + 9));
        q->groups_len += 1 + (size_t)snprintf(q->groups + q->groups_len,
                                 sizeof(q->groups) - q->groups_len, "g%u", group);
        if (group < MODEL_GROUPS) {
            q->in[group / 64] |= UINT64_C(1) << (group % 64);
        }
    }
}

#define PICK(r, pool) ((pool)[unit_random(r) % SP_COUNT(pool)])

void
model_random_query(struct model_query *q, struct unit_random *r)
{
    memset(q, 0, sizeof(*q));
    assert_int_equal(addr_parse_ip(PICK(r, client_of), &q->q.client), 0);
    assert_int_equal(addr_parse_ip(PICK(r, address_of), &q->q.address), 0);
    q->q.name = unit_random(r) % 3 != 0 ? PICK(r, name_of) : NULL;
    q->q.user = PICK(r, user_of);
    q->q.method = PICK(r, method_of);
    q->q.protection = (uint32_t)(unit_random(r) % 3);
    q->q.command = 1U << unit_random(r) % 3;
    q->q.port = PICK(r, port_of);
    q->q.bind_any = q->q.command == IMAGE_COMMAND_BIND && unit_random(r) % 2 == 0;
    q->q.when = INT64_C(1785542400) + (int64_t)(unit_random(r) % (86400U * 400U)); /* August 2026 on */
    random_groups(q, r);
}

/* --- judging -------------------------------------------------------------------------------------- */

static bool
plain_glob(const char *glob, const char *text)
{
    if (*glob == '*') {
        return plain_glob(glob + 1, text) || (*text != '\0' && plain_glob(glob, text + 1));
    }
    return *glob == '\0' ? *text == '\0'
                         : (*glob == '?' ? *text != '\0' : *glob == *text) && plain_glob(glob + 1, text + 1);
}

/* The address is in the prefix written so. */
static bool
plain_inside(const char *prefix, const struct addr *a)
{
    uint8_t ip[16] = { 0 };
    char copy[64];
    const char *slash = strchr(prefix, '/');
    const int family = strchr(prefix, ':') != NULL ? ADDR_IPV6 : ADDR_IPV4;
    const int bits = slash != NULL ? (int)strtol(slash + 1, NULL, 10) : family == ADDR_IPV4 ? 32 : 128;
    snprintf(copy, sizeof(copy), "%.*s", slash != NULL ? (int)(slash - prefix) : 63, prefix);
    assert_int_equal(inet_pton(family == ADDR_IPV4 ? AF_INET : AF_INET6, copy, ip), 1);
    for (int i = 0; i < bits; i++) {
        if (((ip[i / 8] ^ a->ip[i / 8]) & (0x80 >> i % 8)) != 0) {
            return false;
        }
    }
    return family == a->family;
}

static bool
plain_is_prefix(const char *row)
{
    return strchr(row, '/') != NULL || strchr(row, ':') != NULL ||
           row[strspn(row, "0123456789.")] == '\0';
}

/* A row of a list has the name: "*.x" what ends so, anything else the same name, whatever its case. */
static bool
plain_listed(const char *row, const char *name)
{
    char lower[64];
    size_t len = (size_t)snprintf(lower, sizeof(lower), "%s", row);
    for (size_t i = 0; i < len; i++) {
        lower[i] = (char)(lower[i] >= 'A' && lower[i] <= 'Z' ? lower[i] + 32 : lower[i]);
    }
    if (lower[len - 1] == '.') {
        lower[--len] = '\0';
    }
    return plain_glob(lower, name);
}

/* Whether some row of rows says yes. */
#define ANY(i, rows, yes)                                                                          \
    ({                                                                                             \
        bool any_ = false;                                                                         \
        for (unsigned i = 0; (rows) >> i != 0; i++) {                                              \
            any_ = any_ || (((rows) >> i & 1) != 0 && (yes));                                      \
        }                                                                                          \
        any_;                                                                                      \
    })

static bool
list_has(unsigned list, const char *name, const struct addr *a)
{
    for (unsigned i = 0; list_rows[list][i] != NULL; i++) {
        const char *row = list_rows[list][i];
        if (plain_is_prefix(row) ? plain_inside(row, a) : name != NULL && plain_listed(row, name)) {
            return true;
        }
    }
    return false;
}

/* Minute by minute from the window's beginning. */
static bool
window_open(unsigned row, int64_t when)
{
    const time_t at = (time_t)when;
    struct tm tm;
    assert_non_null(localtime_r(&at, &tm));
    for (const char *day = times[row].days; *day != '\0'; day++) {
        const int length = (times[row].to - times[row].from + 1440 - 1) % 1440 + 1;
        const int begin = (*day - '0') * 1440 + times[row].from;
        const int now = tm.tm_wday * 1440 + tm.tm_hour * 60 + tm.tm_min;
        if ((now - begin + 10080) % 10080 < length) {
            return true;
        }
    }
    return false;
}

static bool
destination_matches(const struct model_rule *r, const struct policy_query *q)
{
    return (r->name | r->prefix | r->list) == 0 ||
           (q->name != NULL && ANY(i, r->name, plain_glob(names[i], q->name))) ||
           ANY(i, r->prefix, plain_inside(prefixes[i], &q->address)) ||
           ANY(i, r->list, list_has(i, q->name, &q->address));
}

enum policy_condition
model_failed(const struct model_rule *r, const struct model_query *query)
{
    const struct policy_query *q = &query->q;
    const bool fails[POLICY_CONDITIONS] = {
        [POLICY_CLIENT] = r->client != 0 && !ANY(i, r->client, plain_inside(clients[i], &q->client)),
        [POLICY_USER] = r->user != 0 &&
                        (q->user == NULL || !ANY(i, r->user, plain_glob(users[i], q->user))),
        [POLICY_GROUP] = (r->group[0] | r->group[1]) != 0 &&
                         ((r->group[0] & query->in[0]) | (r->group[1] & query->in[1])) == 0,
        [POLICY_METHOD] = r->method != 0 && !ANY(i, r->method, method_of[i] == q->method),
        [POLICY_PROTECTION] = q->protection < r->protection,
        [POLICY_COMMAND] = r->command != 0 && (r->command & q->command) == 0,
        [POLICY_TIME] = r->time != 0 && !ANY(i, r->time, window_open(i, q->when)),
        [POLICY_PORT] = r->port != 0 &&
                        !ANY(i, r->port, q->port >= ports[i].low && q->port <= ports[i].high),
        [POLICY_DESTINATION] = !destination_matches(r, q),
        [POLICY_BIND_ANY] = r->allow && q->bind_any && !r->bind_any,
    };
    for (unsigned c = POLICY_MATCHES + 1; c < POLICY_CONDITIONS; c++) {
        if (fails[c]) {
            return (enum policy_condition)c;
        }
    }
    return POLICY_MATCHES;
}

static bool
row_opens(const char *row, const struct addr *a, const struct addr_prefix *range)
{
    struct addr_prefix p;
    return plain_is_prefix(row) && plain_inside(row, a) && addr_prefix_parse(row, &p) == 0 &&
           addr_prefix_within(&p, range);
}

/* Why the rule does not open the address, or NULL. */
static const char *
closed(const struct model_rule *r, const struct addr *a)
{
    struct addr_prefix range;
    const char *what = addr_special(a, &range);
    bool opens = what == NULL || ANY(i, r->prefix, row_opens(prefixes[i], a, &range));
    for (unsigned list = 0; list < MODEL_LISTS; list++) {
        for (unsigned i = 0; (r->list >> list & 1) != 0 && list_rows[list][i] != NULL; i++) {
            opens = opens || row_opens(list_rows[list][i], a, &range);
        }
    }
    return opens ? NULL : what;
}

struct policy_verdict
model_judge(const struct model *m, const struct model_query *q)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct model_rule *r = &m->rules[i];
        const enum policy_condition failed = model_failed(r, q);
        if (failed != POLICY_MATCHES && failed != POLICY_BIND_ANY) {
            continue;
        }
        const bool lacks = failed == POLICY_BIND_ANY;
        const char *why = r->allow && !lacks ? closed(r, &q->q.address) : NULL;
        return (struct policy_verdict){ .allowed = r->allow && !lacks && why == NULL,
            .rule = i,
            .reason = why != NULL ? "special-destination" : "rule",
            .detail = lacks ? "bind-any" : why };
    }
    return (struct policy_verdict){ .rule = POLICY_NO_RULE, .reason = "no-rule" };
}
