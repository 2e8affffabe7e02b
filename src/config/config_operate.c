/* SPDX-License-Identifier: ISC */
/*
 * What several values say together about users, groups, bandwidth, the control socket and metrics:
 * rules that can match nobody, keys that say nothing where they stand. Serves config_check.c; all it
 * finds wrong is a complaint.
 */
#include <grp.h>
#include <string.h>

#include "src/config/config_compiler.h"

/* --- rules ------------------------------------------------------------------------------------- */

/* Whether a session of the method can have a user, and groups. What is unknown can: it has a complaint
   of its own. */
static bool
operate_knows(struct config_compiler *c, const char *method, bool groups)
{
    char error[CONFIG_ERROR_MAX];
    if (config_is_ident(method)) {
        return false;
    }
    const struct config_module *m = config_module_find(c, method, error, sizeof(error));
    return m == NULL || (m->wire->needs_pool && !(groups && m->wire->no_groups));
}

/* The same of any method that a listener offers. */
static bool
operate_offered_knows(struct config_compiler *c, bool groups)
{
    bool listens = false;
    for (uint32_t i = 1; i < c->model.block_count; i++) {
        const struct config_block *b = &c->model.blocks[i];
        const char *name;
        if (strcmp(b->section->name, "listen") != 0) {
            continue;
        }
        listens = true;
        for (uint32_t j = 0; (name = config_listen_method(c, b, j)) != NULL; j++) {
            if (operate_knows(c, name, groups)) {
                return true;
            }
        }
    }
    return !listens;
}

/* Whether any session that the rule can meet, by its methods, has a user (and groups). */
static bool
operate_meets(struct config_compiler *c, const struct config_block *rule, bool groups)
{
    const struct config_setting *s = config_model_setting(&c->model, rule, "method");
    for (uint32_t i = 0; s != NULL && i < s->count; i++) {
        if (operate_knows(c, c->model.values[s->first + i].text, groups)) {
            return true;
        }
    }
    return s == NULL && (groups ? c->knows_groups : c->knows_users);
}

static void
operate_warn(struct config_compiler *c, const struct config_block *rule,
    const struct config_setting *s, const char *text)
{
    const struct config_where where = config_model_where(&c->model, s->row, rule, s->key);
    config_warn(c->messages, &where, "%s", text);
}

static bool
operate_is_set(struct config_compiler *c, const struct config_setting *s)
{
    return s != NULL && s->count > 0 && strcmp(c->model.values[s->first].text, "0") != 0;
}

static bool
operate_denies(struct config_compiler *c, const struct config_block *rule)
{
    const struct config_setting *s = config_model_setting(&c->model, rule, "action");
    return s != NULL && s->count > 0 && strcmp(c->model.values[s->first].text, "deny") == 0;
}

static void
operate_check_bandwidth(struct config_compiler *c, const struct config_block *rule)
{
    static const char *const keys[] = { "bandwidth", "user-bandwidth" };
    for (size_t i = 0; i < SP_COUNT(keys); i++) {
        const struct config_setting *s = config_model_setting(&c->model, rule, keys[i]);
        if (operate_is_set(c, s) && operate_denies(c, rule)) {
            operate_warn(c, rule, s, "it says nothing in a rule that denies");
        } else if (operate_is_set(c, s) && i == 1 && !operate_meets(c, rule, false)) {
            operate_warn(c, rule, s,
                "it says nothing here: sessions of the rule's methods have no user");
        }
    }
}

void
config_operate_check_rule(struct config_compiler *c, const struct config_block *rule)
{
    const struct config_setting *user = config_model_setting(&c->model, rule, "user");
    const struct config_setting *group = config_model_setting(&c->model, rule, "group");
    if (user != NULL && !operate_meets(c, rule, false)) {
        operate_warn(c, rule, user,
            "the rule matches nobody: sessions of its methods have no user (a SOCKS 4 USERID is only "
            "claimed)");
    } else if (group != NULL && !operate_meets(c, rule, true)) {
        operate_warn(c, rule, group,
            "the rule matches nobody: its methods know of no groups; those that do, like \"gssapi\", "
            "take them from the system's accounts");
    }
    operate_check_bandwidth(c, rule);
}

/* --- settings ---------------------------------------------------------------------------------- */

static void
operate_check_metrics(struct config_compiler *c)
{
    const struct config_block *b = config_model_block(&c->model, "metrics");
    const struct config_setting *s = config_model_setting(&c->model, b, "listen");
    struct config_error_text error;
    struct addr addr;
    if (s == NULL || s->count == 0 ||
        !config_value_listen_or_none(c->model.values[s->first].text, &addr, &error) ||
        addr.family == ADDR_NONE) {
        return;
    }
    const char *special = addr_special(&addr, NULL);
    if (special == NULL || strcmp(special, "loopback") != 0) {
        const struct config_where where = config_model_where(&c->model, s->row, b, s->key);
        config_warn(c->messages, &where,
            "not a loopback address: whoever reaches it reads the metrics, without a login");
    }
}

static void
operate_check_group(struct config_compiler *c)
{
    const struct config_block *b = config_model_block(&c->model, "control");
    const struct config_setting *s = config_model_setting(&c->model, b, "group");
    const char *name = s != NULL && s->count > 0 ? c->model.values[s->first].text : "";
    struct config_error_text error;
    if (c->source->privileged && name[0] != '\0' && config_value_check(s->key, name, &error) &&
        getgrnam(name) == NULL) {
        const struct config_where where = config_model_where(&c->model, s->row, b, s->key);
        config_error(c->messages, &where,
            "no group \"%s\" on this system; make it with \"groupadd -r\" or name another", name);
    }
}

static void
operate_check_socket(struct config_compiler *c)
{
    const struct config_block *b = config_model_block(&c->model, "control");
    const struct config_setting *s = config_model_setting(&c->model, b, "socket");
    struct config_error_text error;
    if (s != NULL && s->count > 0 &&
        !config_value_socket(c->model.values[s->first].text, &error)) {
        const struct config_where where = config_model_where(&c->model, s->row, b, s->key);
        config_error(c->messages, &where, "%s", error.text);
    }
}

void
config_operate_check(struct config_compiler *c)
{
    operate_check_socket(c);
    operate_check_metrics(c);
    operate_check_group(c);
    c->knows_users = operate_offered_knows(c, false);
    c->knows_groups = operate_offered_knows(c, true);
}
