/* SPDX-License-Identifier: ISC */
/*
 * What the settings of SOCKS 4, BIND and UDP say together: ranges of ports, ident, rules that cannot
 * mean what stands there. Serves config_check.c; all it finds wrong is a complaint.
 */
#include "src/config/config_compiler.h"

#define SOCKS_PORT_LEAST 1024U /* workers have no privilege for a lower one */
#define SOCKS_UDP_PORTS 2U     /* of one association: towards the client, towards destinations */

/* The range of ports in a section, and where complaints about it belong. */
struct socks_range {
    struct config_where where; /* of port-max when it is given, else of port-min */
    uint32_t min, max;
    bool sound; /* both have values that are numbers within bounds */
};

/* The number in a key, its preset's when it is absent; where it stands when it is given. */
static uint32_t
socks_number(
    struct config_compiler *c, const struct config_block *b, const char *name, struct socks_range *r)
{
    const struct config_key *key = config_key_find(b->section, name);
    const struct config_setting *s = config_model_setting(&c->model, b, name);
    const char *text = config_model_value(&c->model, b, key, 0);
    struct config_error_text error;
    uint64_t number = 0;
    if (s != NULL) {
        r->where = config_model_where(&c->model, s->row, b, key);
    }
    r->sound = r->sound && text != NULL && config_value_number(key, text, &number, &error);
    return (uint32_t)number;
}

/* Both or neither, in order, not below what a worker may take, at least `least` of them. */
static void
socks_check_range(struct config_compiler *c, const char *section, uint32_t least)
{
    const struct config_block *b = config_model_block(&c->model, section);
    struct socks_range r = { .sound = b != NULL };
    if (b == NULL) {
        return;
    }
    r.min = socks_number(c, b, "port-min", &r);
    r.max = socks_number(c, b, "port-max", &r);
    if (!r.sound || (r.min == 0 && r.max == 0)) {
        return;
    }
    if (r.min == 0 || r.max == 0) {
        config_error(c->messages, &r.where,
            "a port in one of port-min and port-max, 0 in the other; allowed is one in both or in "
            "neither");
    } else if (r.min < SOCKS_PORT_LEAST || r.max < SOCKS_PORT_LEAST) {
        config_error(c->messages, &r.where,
            "workers cannot use ports below %u; allowed are %u..65535, or 0 in port-min and port-max",
            SOCKS_PORT_LEAST, SOCKS_PORT_LEAST);
    } else if (r.min > r.max) {
        config_error(c->messages, &r.where, "port-min %u is above port-max %u; allowed is up to it",
            r.min, r.max);
    } else if (r.max - r.min + 1 < least) {
        config_error(c->messages, &r.where, "a range of %u port; allowed are %u ports and more",
            r.max - r.min + 1, least);
    }
}

/* --- ident ------------------------------------------------------------------------------------- */

static bool
socks_is_on(struct config_compiler *c, const char *section)
{
    const struct config_block *b = config_model_block(&c->model, section);
    const struct config_key *key = config_key_find(config_section_find(section), "enabled");
    const char *text = config_model_value(&c->model, b, key, 0);
    return text == NULL || strcmp(text, "true") == 0;
}

/* Nobody can get in where only SOCKS 4 could. */
static void
socks_check_listeners(struct config_compiler *c)
{
    const bool on = socks_is_on(c, "socks4");
    for (uint32_t i = 1; !on && i < c->model.block_count; i++) {
        const struct config_block *b = &c->model.blocks[i];
        if (strcmp(b->section->name, "listen") == 0 && config_listen_offers(c, b, CONFIG_IDENT)) {
            const struct config_where where = config_model_where(&c->model, b->row, b, NULL);
            config_warn(c->messages, &where,
                "\"ident\" is asked of SOCKS 4 clients alone, and socks4 is not enabled");
        }
    }
}

void
config_socks_check(struct config_compiler *c)
{
    socks_check_range(c, "udp", SOCKS_UDP_PORTS);
    socks_check_range(c, "bind", 1);
    socks_check_listeners(c);
}

/* --- rules ------------------------------------------------------------------------------------- */

static bool
socks_has(struct config_compiler *c, const struct config_setting *s, const char *text)
{
    for (uint32_t i = 0; s != NULL && i < s->count; i++) {
        if (strcmp(c->model.values[s->first + i].text, text) == 0) {
            return true;
        }
    }
    return false;
}

void
config_socks_check_rule(struct config_compiler *c, const struct config_block *rule)
{
    const struct config_setting *any = config_model_setting(&c->model, rule, "bind-any");
    const struct config_setting *command = config_model_setting(&c->model, rule, "command");
    const bool allows = socks_has(c, config_model_setting(&c->model, rule, "action"), "allow");
    if (socks_has(c, any, "true") && (!allows || (command != NULL && !socks_has(c, command, "bind")))) {
        const struct config_where where = config_model_where(&c->model, any->row, rule, any->key);
        config_warn(c->messages, &where, "it says nothing in a rule that does not allow \"bind\"");
    }
}
