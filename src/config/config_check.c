/* SPDX-License-Identifier: ISC */
/*
 * Checks a whole configuration: each value by its key, then what only several values show (methods,
 * listeners, users). Serves config_compile.c; all it finds wrong is a complaint, and it goes on.
 */
#include <pwd.h>
#include <string.h>

#include "src/config/config_compiler.h"

#define LISTENERS_MAX 256U

static bool
check_is_preset(const struct config_model *m, const struct config_setting *s)
{
    char preset[512];
    uint32_t i = 0;
    while (config_preset(s->key, i, preset, sizeof(preset))) {
        if (i >= s->count || strcmp(m->values[s->first + i].text, preset) != 0) {
            return false;
        }
        i++;
    }
    return i == s->count && (i > 0 || s->key->preset != NULL);
}

static void
check_values(struct config_compiler *c, const struct config_block *b, const struct config_setting *s)
{
    struct config_error_text error;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct config_value *v = &c->model.values[s->first + i];
        if (!config_value_check(s->key, v->text, &error)) {
            const struct config_where where = config_model_where(&c->model, v->row, b, s->key);
            config_error(c->messages, &where, "%s", error.text);
        }
    }
}

/* In a list of words each stands once: the order may be one of preference. */
static void
check_repeated(
    struct config_compiler *c, const struct config_block *b, const struct config_setting *s)
{
    for (uint32_t i = 1; s->key->words != NULL && i < s->count; i++) {
        const struct config_value *v = &c->model.values[s->first + i];
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(v->text, c->model.values[s->first + j].text) == 0) {
                const struct config_where where = config_model_where(&c->model, v->row, b, s->key);
                config_error(c->messages, &where, "\"%s\" stands twice in the list; allowed is once", v->text);
                return;
            }
        }
    }
}

/* An empty rule list would match nothing, an empty list of methods or of other words offer nothing. A
   module knows itself what its own empty lists of texts mean. */
static bool
check_may_be_empty(const struct config_block *b, const struct config_key *key)
{
    const bool modules = b->section->module != NULL || key->in_place;
    return (key->preset != NULL && key->preset[0] == '\0') || (modules && key->words == NULL);
}

static void
check_setting(
    struct config_compiler *c, const struct config_block *b, const struct config_setting *s)
{
    const struct config_where where = config_model_where(&c->model, s->row, b, s->key);
    const bool preset = s->key->preset != NULL;
    const bool later = (s->key->later || b->section->later) && !c->source->later;
    if (later && !check_is_preset(&c->model, s)) {
        char text[256] = "";
        config_preset(s->key, 0, text, sizeof(text));
        config_error(c->messages, &where, preset ? "not available yet; allowed is %s%s%s"
                                                 : "not available yet; leave it out",
            config_type_is_list(s->key->type) ? "its default" : "\"",
            config_type_is_list(s->key->type) ? "" : text,
            config_type_is_list(s->key->type) ? "" : "\"");
        return;
    }
    if (s->count == 0 && !check_may_be_empty(b, s->key)) {
        config_error(c->messages, &where, "an empty list; give at least one, or leave the key out");
    }
    if (s->key->type == CONFIG_SERVERS && s->count > IMAGE_SERVERS_MAX) {
        config_error(c->messages, &where, "%u name servers; allowed are %d", (unsigned)s->count,
            IMAGE_SERVERS_MAX);
    }
    check_values(c, b, s);
    check_repeated(c, b, s);
}

static void
check_title(struct config_compiler *c, const struct config_block *b)
{
    const struct config_where where = config_model_where(&c->model, b->row, b, NULL);
    const size_t len = strlen(b->title);
    struct config_error_text error;
    struct addr addr;
    if (len == 0 || len > IMAGE_RULE_TITLE_MAX) {
        config_error(c->messages, &where, "a title of %zu bytes; allowed are 1..%d", len,
            IMAGE_RULE_TITLE_MAX);
    } else if (strcmp(b->section->name, "listen") == 0 &&
               !config_value_listen(b->title, &addr, &error)) {
        config_error(c->messages, &where, "%s", error.text);
    }
}

static void
check_required(struct config_compiler *c, const struct config_block *b)
{
    char words[CONFIG_ERROR_MAX / 2];
    for (size_t i = 0; !c->flat.cut && i < b->section->count; i++) {
        const struct config_key *key = &b->section->keys[i];
        if (key->required && config_model_setting(&c->model, b, key->name) == NULL) {
            const struct config_where where = config_model_where(&c->model, b->row, b, key);
            config_error(c->messages, &where, "missing; allowed are %s",
                config_words(key->words, words, sizeof(words)));
        }
    }
}

/* --- methods ----------------------------------------------------------------------------------- */

/* The module of value i of a list of methods, or NULL (with a complaint, but not for "ident", which is
   none, and what has one already). */
static struct config_module *
check_method(struct config_compiler *c, const struct config_block *b,
    const struct config_setting *s, uint32_t i)
{
    char error[CONFIG_ERROR_MAX] = "";
    const struct config_value *v = &c->model.values[s->first + i];
    const struct config_where where = config_model_where(&c->model, v->row, b, s->key);
    if (v->text[0] == '\0') {
        return NULL;
    }
    for (uint32_t j = 0; j < i; j++) {
        if (strcmp(c->model.values[s->first + j].text, v->text) == 0) {
            config_error(c->messages, &where, "\"%s\" stands twice in the list; allowed is once", v->text);
            return NULL;
        }
    }
    if (config_is_ident(v->text)) {
        return NULL;
    }
    struct config_module *m = config_module_find(c, v->text, error, sizeof(error));
    if (m == NULL) {
        config_error(c->messages, &where, "%s", error);
    }
    return m;
}

/* Marks what the list offers. */
static void
check_offer(struct config_compiler *c, const struct config_block *b, const struct config_setting *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct config_module *m = check_method(c, b, s, i);
        if (m != NULL) {
            m->used = true;
        }
        c->ident = c->ident || config_is_ident(c->model.values[s->first + i].text);
    }
}

/* The general list is the preset: it is offered where a listener has none of its own. */
static void
check_offer_preset(struct config_compiler *c, const struct config_key *key)
{
    char error[CONFIG_ERROR_MAX] = "";
    char name[64];
    for (unsigned i = 0; config_preset(key, i, name, sizeof(name)); i++) {
        struct config_module *m = config_module_find(c, name, error, sizeof(error));
        if (m != NULL) {
            m->used = true;
        } else {
            const struct config_where where = config_model_where(&c->model, 0, NULL, key);
            config_error(c->messages, &where, "%s", error);
        }
    }
}

/* Two methods with one code could not be told apart on the wire. */
static void
check_codes(struct config_compiler *c)
{
    const struct config_where where = config_model_where(&c->model, 0, NULL, NULL);
    for (uint32_t i = 0; i < c->module_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            const struct config_module *a = &c->modules[i];
            const struct config_module *b = &c->modules[j];
            if (a->used && b->used && a->wire->method == b->wire->method) {
                config_error(c->messages, &where,
                    "methods \"%s\" and \"%s\" have the same code 0x%02x; allowed is one of them",
                    b->name, a->name, a->wire->method);
            }
        }
    }
}

/* --- listeners --------------------------------------------------------------------------------- */

static void
check_listener_repeated(struct config_compiler *c, const struct config_block *b, uint32_t index)
{
    struct config_error_text error;
    struct addr mine;
    if (!config_value_listen(b->title, &mine, &error) || mine.port == 0) {
        return;
    }
    for (uint32_t i = 0; i < index; i++) {
        const struct config_block *other = &c->model.blocks[i];
        struct addr theirs;
        if (strcmp(other->section->name, "listen") == 0 &&
            config_value_listen(other->title, &theirs, &error) && addr_equal(&mine, &theirs)) {
            const struct config_where where = config_model_where(&c->model, b->row, b, NULL);
            config_error(c->messages, &where, "the same address and port as listen \"%s\"",
                other->title);
            return;
        }
    }
}

static void
check_listeners(struct config_compiler *c)
{
    const struct config_block *top = &c->model.blocks[0];
    const struct config_setting *general = config_model_setting(&c->model, top, "methods");
    uint32_t count = 0;
    bool inherit = false;
    for (uint32_t i = 1; i < c->model.block_count; i++) {
        struct config_block *b = &c->model.blocks[i];
        if (strcmp(b->section->name, "listen") != 0 || ++count > LISTENERS_MAX) {
            continue;
        }
        const struct config_setting *own = config_model_setting(&c->model, b, "methods");
        check_listener_repeated(c, b, i);
        inherit = inherit || own == NULL;
        if (own != NULL) {
            check_offer(c, b, own);
        }
        config_listen_check(c, b);
    }
    const struct config_where where = config_model_where(&c->model, 0, NULL, NULL);
    if (general != NULL && inherit) {
        check_offer(c, top, general);
    } else if (general != NULL) {
        for (uint32_t i = 0; i < general->count; i++) {
            check_method(c, top, general, i);
        }
    } else if (inherit) {
        check_offer_preset(c, config_key_find(top->section, "methods"));
    }
    if (count == 0 && !c->flat.cut) {
        config_error(c->messages, &where,
            "no listen section; at least one is needed, as in listen \"0.0.0.0:1080\" { }");
    } else if (count > LISTENERS_MAX) {
        config_error(c->messages, &where, "%u listen sections; allowed are %u", count,
            LISTENERS_MAX);
    }
}

/* --- rules ------------------------------------------------------------------------------------- */

static void
check_rule(struct config_compiler *c, const struct config_block *b)
{
    const struct config_setting *s = config_model_setting(&c->model, b, "method");
    for (uint32_t i = 0; s != NULL && i < s->count; i++) {
        const struct config_value *v = &c->model.values[s->first + i];
        const struct config_module *m = check_method(c, b, s, i);
        const bool ident = config_is_ident(v->text);
        if ((m != NULL && !m->used) || (ident && !c->ident)) {
            const struct config_where where = config_model_where(&c->model, v->row, b, s->key);
            config_warn(c->messages, &where, "no listener offers \"%s\"", v->text);
        }
    }
}

static void
check_rules(struct config_compiler *c)
{
    bool any = false;
    for (uint32_t i = 1; i < c->model.block_count; i++) {
        const struct config_block *b = &c->model.blocks[i];
        if (strcmp(b->section->name, "rule") == 0) {
            check_rule(c, b);
            config_socks_check_rule(c, b);
            config_operate_check_rule(c, b);
            any = true;
        }
    }
    if (!any && !c->flat.cut) {
        const struct config_where where = config_model_where(&c->model, 0, NULL, NULL);
        config_warn(c->messages, &where, "no rule: every request will be refused");
    }
}

/* --- users ------------------------------------------------------------------------------------- */

/* The user id of a key's user, or (uid_t)-1 with a complaint. */
static uid_t
check_user(struct config_compiler *c, const struct config_key *key, struct config_where *where)
{
    const struct config_block *top = &c->model.blocks[0];
    const struct config_setting *s = config_model_setting(&c->model, top, key->name);
    const char *name = config_model_value(&c->model, top, key, 0);
    *where = config_model_where(&c->model, s != NULL ? s->row : 0, NULL, key);
    const struct passwd *pw = name != NULL ? getpwnam(name) : NULL;
    struct config_error_text error;
    if (pw == NULL && name != NULL && !config_value_check(key, name, &error)) {
        return (uid_t)-1; /* what is wrong with it was said */
    }
    if (pw == NULL) {
        config_error(c->messages, where, "no user \"%s\" on this system; make it with "
                                         "\"useradd -r\" or name another",
            name != NULL ? name : "");
        return (uid_t)-1;
    }
    if (pw->pw_uid == 0) {
        config_error(c->messages, where, "\"%s\" is root; allowed is any other user", name);
    }
    return pw->pw_uid;
}

static void
check_users(struct config_compiler *c)
{
    static const char *const names[] = { "user", "auth-user", "log-user" };
    uid_t ids[SP_COUNT(names)];
    for (size_t i = 0; i < SP_COUNT(names); i++) {
        struct config_where where;
        ids[i] = check_user(c, config_key_find(c->model.blocks[0].section, names[i]), &where);
        for (size_t j = 0; j < i; j++) {
            if (ids[i] == ids[j] && ids[i] != (uid_t)-1) {
                config_error(c->messages, &where, "the same user as %s; the three must differ",
                    names[j]);
            }
        }
    }
}

static void
check_block(struct config_compiler *c, struct config_block *b)
{
    const unsigned errors = c->messages->errors;
    if (b->title != NULL) {
        check_title(c, b);
    }
    for (uint32_t s = b->head; s != MODEL_NONE; s = c->model.settings[s].next) {
        check_setting(c, b, &c->model.settings[s]);
    }
    check_required(c, b);
    b->wrong = c->messages->errors > errors;
}

void
config_check(struct config_compiler *c)
{
    for (uint32_t i = 0; i < c->model.block_count; i++) {
        check_block(c, &c->model.blocks[i]);
    }
    check_listeners(c);
    check_codes(c);
    config_socks_check(c);
    config_operate_check(c);
    config_groups_check(c);
    check_rules(c);
    if (c->source->privileged) {
        check_users(c);
    }
}
