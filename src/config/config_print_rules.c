/* SPDX-License-Identifier: ISC */
/* The rules of -T. Serves config_print.c; nothing fails. */
#include <inttypes.h>

#include "src/config/config_options.h"
#include "src/config/config_print.h"
#include "src/config/image_set.h"

/* One element of a rule's list; each kind of list has a function like these. */
typedef void print_element(struct print *p, struct image_list list, uint32_t i);

static void
print_prefix(struct print *p, struct image_list list, uint32_t i)
{
    char shown[ADDR_TEXT_MAX];
    addr_prefix_format(&IMAGE_AT(p->image, list, struct image_prefix, i)->prefix, shown);
    print_quoted(p, shown);
}

static void
print_glob(struct print *p, struct image_list list, uint32_t i)
{
    print_quoted(p, image_string(p->image, *IMAGE_AT(p->image, list, struct image_text, i)));
}

static void
print_port(struct print *p, struct image_list list, uint32_t i)
{
    const struct image_ports *r = IMAGE_AT(p->image, list, struct image_ports, i);
    print_text(p, r->low == r->high ? "\"%u\"" : "\"%u-%u\"", r->low, r->high);
}

static void
print_group(struct print *p, struct image_list list, uint32_t i)
{
    const struct image_list groups = image_settings(p->image)->groups;
    print_glob(p, groups, *IMAGE_AT(p->image, list, uint32_t, i));
}

static void
print_set(struct print *p, struct image_list list, uint32_t i)
{
    const struct image_set *set = image_set(p->image, *IMAGE_AT(p->image, list, uint32_t, i));
    print_text(p, "\"@");
    print_escaped(p, image_string(p->image, set->path));
    print_text(p, "\"");
}

/* "Mon-Wed,Sat " from bits whose lowest is Sunday; weeks begin on Monday. */
static void
print_days(struct print *p, uint32_t days)
{
    static const char *const names[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    const uint32_t week = (days >> 1 | days << 6) & 0x7fU;
    const char *join = "";
    for (unsigned i = 0; i < SP_COUNT(names); i++) {
        unsigned last = i;
        if ((week >> i & 1U) == 0) {
            continue;
        }
        while (last + 1 < SP_COUNT(names) && (week >> (last + 1) & 1U) != 0) {
            last++;
        }
        print_text(p, last > i ? "%s%s-%s" : "%s%s", join, names[i], names[last]);
        join = ",";
        i = last;
    }
}

static void
print_window(struct print *p, struct image_list list, uint32_t i)
{
    const struct image_window *w = IMAGE_AT(p->image, list, struct image_window, i);
    const bool every_day = (w->days & 0x7fU) == 0x7fU;
    print_text(p, "\"");
    if (!every_day) {
        print_days(p, w->days);
    }
    if (every_day || w->from != 0 || w->to != 1440) {
        print_text(p, "%s%02u:%02u-%02u:%02u", every_day ? "" : " ", w->from / 60, w->from % 60,
            w->to / 60, w->to % 60);
    }
    print_text(p, "\"");
}

/* Elements of one list behind each other; first says whether some came before. */
static bool
print_elements(struct print *p, struct image_list list, print_element *element, bool first)
{
    for (uint32_t i = 0; i < list.count; i++) {
        fputs(first ? " " : ", ", p->out);
        element(p, list, i);
        first = false;
    }
    return first;
}

static void
print_list(struct print *p, const char *key, struct image_list list, print_element *element)
{
    print_text(p, "    %s = {", key);
    print_elements(p, list, element, true);
    print_text(p, " }\n");
}

static void
print_rule_methods(struct print *p, const struct image_rule *r)
{
    print_text(p, "    method = {");
    for (uint32_t i = 0; i < r->methods.count; i++) {
        const struct image_text *name = IMAGE_AT(p->image, r->method_names, struct image_text, i);
        fputs(i > 0 ? ", " : " ", p->out);
        print_quoted(p, image_string(p->image, *name));
    }
    print_text(p, " }\n");
}

static void
print_rule_commands(struct print *p, const struct image_rule *r)
{
    const struct config_key *key = config_key_find(config_section_find("rule"), "command");
    const char *join = " ";
    print_text(p, "    command = {");
    for (uint32_t i = 0; key->words[i] != NULL; i++) {
        if ((r->commands & (1U << i)) != 0) {
            print_text(p, "%s\"%s\"", join, key->words[i]);
            join = ", ";
        }
    }
    print_text(p, " }\n");
}

static void
print_rule_destination(struct print *p, const struct image_rule *r)
{
    print_text(p, "    destination = {");
    bool first = print_elements(p, r->names, print_glob, true);
    first = print_elements(p, r->prefixes, print_prefix, first);
    print_elements(p, r->sets, print_set, first);
    print_text(p, " }\n");
}

/* When and how fast. */
static void
print_rule_rest(struct print *p, const struct image_rule *r)
{
    if ((r->has & IMAGE_HAS_TIME) != 0) {
        print_list(p, "time", r->times, print_window);
    }
    if (r->bandwidth != 0) {
        print_text(p, "    bandwidth = %" PRIu64 "\n", r->bandwidth);
    }
    if (r->user_bandwidth != 0) {
        print_text(p, "    user-bandwidth = %" PRIu64 "\n", r->user_bandwidth);
    }
    if (r->bind_any != 0) {
        print_text(p, "    bind-any = true\n");
    }
}

static void
print_rule(struct print *p, uint32_t number, const struct image_rule *r)
{
    print_text(p, "\n# %u\nrule ", (unsigned)number);
    print_quoted(p, image_string(p->image, r->title));
    print_text(p, " {\n    action = \"%s\"\n", r->action == IMAGE_ALLOW ? "allow" : "deny");
    if ((r->has & IMAGE_HAS_CLIENT) != 0) {
        print_list(p, "client", r->clients, print_prefix);
    }
    if ((r->has & IMAGE_HAS_USER) != 0) {
        print_list(p, "user", r->users, print_glob);
    }
    if ((r->has & IMAGE_HAS_GROUP) != 0) {
        print_list(p, "group", r->groups, print_group);
    }
    if ((r->has & IMAGE_HAS_METHOD) != 0) {
        print_rule_methods(p, r);
    }
    if (r->protection != IMAGE_PROTECTION_NONE) {
        const struct config_key *key = config_key_find(config_section_find("rule"), "protection");
        print_setting(p, "rule", key->name, key->words[r->protection]);
    }
    if ((r->has & IMAGE_HAS_COMMAND) != 0) {
        print_rule_commands(p, r);
    }
    if ((r->has & IMAGE_HAS_DESTINATION) != 0) {
        print_rule_destination(p, r);
    }
    if ((r->has & IMAGE_HAS_PORT) != 0) {
        print_list(p, "port", r->ports, print_port);
    }
    print_rule_rest(p, r);
    print_text(p, "}\n");
}

void
print_rules(struct print *p)
{
    for (uint32_t i = 0; i < image_header(p->image)->rules.count; i++) {
        print_rule(p, i + 1, image_rule(p->image, i));
    }
}
