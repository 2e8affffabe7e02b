/* SPDX-License-Identifier: ISC */
/*
 * Whether an image can be trusted to lie inside itself. Serves image_open() alone: who passed here
 * is read without another look. An unsound image is an answer.
 */
#include <string.h>

#include "src/config/config_options.h"
#include "src/config/image_priv.h"
#include "src/config/image_set.h"

#define CHECK_ALIGN 8U

/* A check under way: stays true until something is wrong, then why says what. */
struct check {
    const struct image *image;
    const char *why;
    bool lists; /* look into list files */
};

static bool
check_fail(struct check *c, const char *why)
{
    if (c->why == NULL) {
        c->why = why;
    }
    return false;
}

static bool
check_that(struct check *c, bool sound, const char *why)
{
    return sound || check_fail(c, why);
}

static bool
check_text(struct check *c, struct image_text t)
{
    const uint8_t *base = c->image->base;
    if (t.off == 0 && t.len == 0) {
        return true;
    }
    const bool inside = t.len > 0 && t.off >= sizeof(struct image_header) &&
                        t.off < c->image->size && t.len < c->image->size - t.off;
    return check_that(c,
        inside && base[t.off + t.len] == '\0' && memchr(base + t.off, '\0', t.len) == NULL,
        "a text lies outside or has no end");
}

bool
image_list_inside(const struct image *image, struct image_list list, size_t size)
{
    const size_t room = list.off < image->size ? image->size - list.off : 0;
    return (list.off == 0 && list.count == 0) ||
           (list.count > 0 && list.off >= sizeof(struct image_header) &&
               list.off % CHECK_ALIGN == 0 && list.count <= room / size);
}

static bool
check_list(struct check *c, struct image_list list, size_t size)
{
    return check_that(c, image_list_inside(c->image, list, size), "a list lies outside");
}

static bool
check_texts(struct check *c, struct image_list list)
{
    bool sound = check_list(c, list, sizeof(struct image_text));
    for (uint32_t i = 0; sound && i < list.count; i++) {
        sound = check_text(c, *IMAGE_AT(c->image, list, struct image_text, i));
    }
    return sound;
}

static bool
check_addr(struct check *c, const struct addr *a, bool none)
{
    return check_that(c,
        a->family == ADDR_IPV4 || a->family == ADDR_IPV6 || (none && a->family == ADDR_NONE),
        "an address has no family");
}

static bool
check_prefixes(struct check *c, struct image_list list)
{
    bool sound = check_list(c, list, sizeof(struct image_prefix));
    for (uint32_t i = 0; sound && i < list.count; i++) {
        const struct addr_prefix *p = &IMAGE_AT(c->image, list, struct image_prefix, i)->prefix;
        sound = check_that(c,
            (p->family == ADDR_IPV4 && p->bits <= 32) || (p->family == ADDR_IPV6 && p->bits <= 128),
            "a prefix has no family or too many bits");
    }
    return sound;
}

static bool
check_ports(struct check *c, struct image_list list)
{
    bool sound = check_list(c, list, sizeof(struct image_ports));
    for (uint32_t i = 0; sound && i < list.count; i++) {
        const struct image_ports *p = IMAGE_AT(c->image, list, struct image_ports, i);
        sound = check_that(c, p->low <= p->high, "a range of ports runs backwards");
    }
    return sound;
}

/* Each is one of `count` things of the image. */
static bool
check_indices(struct check *c, struct image_list list, uint32_t count, const char *why)
{
    bool sound = check_list(c, list, sizeof(uint32_t));
    for (uint32_t i = 0; sound && i < list.count; i++) {
        sound = check_that(c, *IMAGE_AT(c->image, list, uint32_t, i) < count, why);
    }
    return sound;
}

static bool
check_windows(struct check *c, struct image_list list)
{
    bool sound = check_list(c, list, sizeof(struct image_window));
    for (uint32_t i = 0; sound && i < list.count; i++) {
        const struct image_window *w = IMAGE_AT(c->image, list, struct image_window, i);
        sound = check_that(c, w->days <= 0x7f && w->from < 1440 && w->to <= 1440,
            "a time window lies outside the week");
    }
    return sound;
}

/* Each once, in order: who looks for a name may rely on it. */
static bool
check_groups(struct check *c, struct image_list list)
{
    bool sound = check_texts(c, list) &&
                 check_that(c, list.count <= IMAGE_GROUPS_MAX, "too many groups");
    for (uint32_t i = 1; sound && i < list.count; i++) {
        const struct image_text *a = IMAGE_AT(c->image, list, struct image_text, i - 1);
        const struct image_text *b = IMAGE_AT(c->image, list, struct image_text, i);
        sound = check_that(c, strcmp(image_string(c->image, *a), image_string(c->image, *b)) < 0,
            "groups are out of order");
    }
    return sound;
}

static bool
check_zone(struct check *c, struct image_list list)
{
    bool sound = check_list(c, list, sizeof(struct image_zone)) &&
                 check_that(c, list.count > 0, "no time zone");
    for (uint32_t i = 0; sound && i < list.count; i++) {
        const struct image_zone *z = IMAGE_AT(c->image, list, struct image_zone, i);
        sound = check_that(c,
                    z->offset >= -IMAGE_ZONE_OFFSET_MAX && z->offset <= IMAGE_ZONE_OFFSET_MAX,
                    "a time zone lies too far away") &&
                check_that(c, i == 0 || z->from > (z - 1)->from, "a time zone runs backwards");
    }
    return sound;
}

static bool
check_rule(struct check *c, const struct image_rule *r)
{
    const uint32_t commands = IMAGE_COMMAND_CONNECT | IMAGE_COMMAND_BIND | IMAGE_COMMAND_UDP;
    const uint32_t has = IMAGE_HAS_CLIENT | IMAGE_HAS_USER | IMAGE_HAS_METHOD | IMAGE_HAS_COMMAND |
                         IMAGE_HAS_DESTINATION | IMAGE_HAS_PORT | IMAGE_HAS_GROUP | IMAGE_HAS_TIME;
    const struct image_settings *s = image_settings(c->image);
    return check_that(c, r->action <= IMAGE_ALLOW, "a rule has no action") &&
           check_that(c, (r->commands & ~commands) == 0, "a rule has unknown commands") &&
           check_that(c, (r->has & ~has) == 0, "a rule has unknown lists") &&
           check_that(c, r->protection <= IMAGE_PROTECTION_MAX, "a rule wants unknown protection") &&
           check_that(c, r->bind_any <= 1, "a rule is neither for any peer nor for known ones") &&
           check_that(c, r->title.len <= IMAGE_RULE_TITLE_MAX, "a rule's title is too long") &&
           check_text(c, r->title) && check_prefixes(c, r->clients) && check_texts(c, r->users) &&
           check_list(c, r->methods, sizeof(uint8_t)) && check_texts(c, r->method_names) &&
           check_that(c, r->method_names.count == r->methods.count, "a rule's methods differ") &&
           check_texts(c, r->names) &&
           check_prefixes(c, r->prefixes) && check_ports(c, r->ports) &&
           check_indices(c, r->groups, s->groups.count, "a rule names a group that is not there") &&
           check_indices(c, r->sets, s->sets.count, "a rule names a list that is not there") &&
           check_windows(c, r->times);
}

static bool
check_sets(struct check *c, struct image_list sets)
{
    bool sound = check_list(c, sets, sizeof(struct image_set));
    for (uint32_t i = 0; sound && i < sets.count; i++) {
        const struct image_set *s = image_set(c->image, i);
        const char *why = c->lists ? image_set_check(c->image, s) : NULL;
        sound = check_text(c, s->path) && check_that(c, why == NULL, why);
    }
    return sound;
}

static bool
check_rules(struct check *c)
{
    const struct image_list rules = image_header(c->image)->rules;
    bool sound = check_list(c, rules, sizeof(struct image_rule));
    for (uint32_t i = 0; sound && i < rules.count; i++) {
        sound = check_rule(c, image_rule(c->image, i));
    }
    return sound;
}

/* A listener's options have no paths: the broker opens what modules name, nothing else. */
static bool
check_options(struct check *c, struct image_list list, bool paths)
{
    bool sound = check_list(c, list, sizeof(struct image_option));
    for (uint32_t i = 0; sound && i < list.count; i++) {
        const struct image_option *o = IMAGE_AT(c->image, list, struct image_option, i);
        const bool path = o->kind == IMAGE_OPTION_FILE || o->kind == IMAGE_OPTION_FOLDER;
        sound = check_text(c, o->key) && check_text(c, o->value) &&
                check_that(c, o->change <= CONFIG_RESTART, "an option changes in no known way") &&
                check_that(c, o->key.len > 0, "an option has no name") &&
                check_that(c, o->kind <= IMAGE_OPTION_EMPTY && (paths || !path),
                    "an option is of a kind that it cannot be") &&
                check_that(c, o->kind != IMAGE_OPTION_EMPTY || o->value.len == 0,
                    "an empty option has a value");
    }
    return sound;
}

static bool
check_module(struct check *c, const struct image_module *m)
{
    return check_text(c, m->name) && check_text(c, m->user) &&
           check_that(c, m->method != IMAGE_METHOD_IDENT, "a module has no code of its own") &&
           check_that(c, !m->has_secret || m->processes > 0, "a pool has no processes") &&
           check_options(c, m->options, true);
}

static bool
check_modules(struct check *c, struct image_list modules)
{
    bool sound = check_list(c, modules, sizeof(struct image_module));
    for (uint32_t i = 0; sound && i < modules.count; i++) {
        sound = check_module(c, image_module(c->image, i));
    }
    return sound;
}

static bool
check_listener(struct check *c, const struct image_listener *l, uint32_t modules)
{
    bool sound = check_addr(c, &l->addr, false) && check_text(c, l->name) &&
                 check_options(c, l->overrides, false) &&
                 check_list(c, l->modules, sizeof(uint32_t)) &&
                 check_that(c, l->ident <= 1 && l->ident + l->modules.count > 0,
                     "a listener has no methods");
    for (uint32_t i = 0; sound && i < l->modules.count; i++) {
        sound = check_that(c, *IMAGE_AT(c->image, l->modules, uint32_t, i) < modules,
            "a listener names a module that is not there");
    }
    return sound;
}

static bool
check_listeners(struct check *c, const struct image_settings *s)
{
    bool sound = check_list(c, s->listeners, sizeof(struct image_listener));
    for (uint32_t i = 0; sound && i < s->listeners.count; i++) {
        sound = check_listener(c, image_listener(c->image, i), s->modules.count);
    }
    return sound;
}

static bool
check_servers(struct check *c, struct image_list servers)
{
    bool sound = check_list(c, servers, sizeof(struct addr));
    for (uint32_t i = 0; sound && i < servers.count; i++) {
        sound = check_addr(c, IMAGE_AT(c->image, servers, struct addr, i), false);
    }
    return sound;
}

/* A range of ports that may be both 0. */
static bool
check_range(struct check *c, uint32_t min, uint32_t max)
{
    return check_that(c, (min > 0 || max == 0) && min <= max && max <= UINT16_MAX,
        "a range of ports runs backwards or too far");
}

static bool
check_socks(struct check *c, const struct image_settings *s)
{
    return check_that(c, s->socks4.enabled <= 1 && s->udp.enabled <= 1 && s->bind.enabled <= 1,
               "a part of SOCKS is neither on nor off") &&
           check_that(c, s->udp.fragments <= 1, "fragments are neither taken nor dropped") &&
           check_that(c, s->udp.filtering <= IMAGE_UDP_NONE, "unknown filtering of datagrams") &&
           check_range(c, s->udp.port_min, s->udp.port_max) &&
           check_range(c, s->bind.port_min, s->bind.port_max) &&
           check_addr(c, &s->udp.advertise, true) && check_addr(c, &s->bind.advertise, true);
}

static bool
check_settings(struct check *c, const struct image_settings *s)
{
    const bool texts = check_text(c, s->config_file) && check_text(c, s->user) &&
                       check_text(c, s->auth_user) && check_text(c, s->log_user) &&
                       check_text(c, s->pid_file) && check_text(c, s->control_socket) &&
                       check_text(c, s->control_group) && check_text(c, s->log.path);
    return texts && check_that(c, s->workers > 0, "no workers") &&
           check_that(c, s->resolver.prefer <= IMAGE_PREFER_IPV6, "unknown preference") &&
           check_that(c, s->log.target <= IMAGE_LOG_FILE, "unknown target of the audit") &&
           check_that(c, s->log.format <= IMAGE_LOG_JSON, "unknown format of the audit") &&
           check_addr(c, &s->egress_ipv4, true) && check_addr(c, &s->egress_ipv6, true) &&
           check_that(c, s->limits.failures == 0 || s->limits.failure_window > 0,
               "failures have no window") &&
           check_that(c, s->log.required <= 1 && s->log.all_events <= 1,
               "a part of the audit is neither on nor off") &&
           check_addr(c, &s->metrics, true) && check_groups(c, s->groups) &&
           check_zone(c, s->zone) && check_socks(c, s) &&
           check_servers(c, s->resolver.servers) && check_modules(c, s->modules) &&
           check_listeners(c, s) && check_sets(c, s->sets);
}

bool
image_check(const struct image *image, bool lists, const char **why)
{
    struct check c = { .image = image, .lists = lists };
    const struct image_header *h = image_header(image);
    const bool sound = check_that(&c, h->magic == IMAGE_MAGIC, "no policy image") &&
                       check_that(&c, h->version == IMAGE_VERSION, "another version") &&
                       check_that(&c, h->size == image->size, "another size than it says") &&
                       check_settings(&c, &h->settings) && check_rules(&c);
    *why = c.why;
    return sound;
}
