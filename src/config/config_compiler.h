/* SPDX-License-Identifier: ISC */
/*
 * One run of the compiler: what its parts share. For the files of src/config only.
 */
#ifndef SP_CONFIG_COMPILER_H
#define SP_CONFIG_COMPILER_H

#include <string.h>

#include "auth/builtin.h"
#include "src/config/config.h"
#include "src/config/config_builder.h"
#include "src/config/config_model.h"
#include "src/config/config_set.h"
#include "src/config/config_value.h"

#define CONFIG_MODULES_MAX 32 /* methods a configuration may speak of */

/* The method that is no module: what SOCKS 4 clients are asked for (RFC 1413). */
#define CONFIG_IDENT "ident"

/* A method module and its section. */
struct config_module {
    char name[32];
    const struct auth_wire_module *wire;
    struct config_key *keys; /* owned; made from the module's options */
    struct config_section section;
    bool shared;
    bool used;       /* some listener offers it */
    uint32_t number; /* used: its place in the image */
};

struct config_compiler {
    const struct config_source *source;
    struct config_messages *messages;
    struct config_flat flat;
    struct config_model model;
    struct config_module modules[CONFIG_MODULES_MAX];
    uint32_t module_count;
    struct config_builder builder;
    struct config_sets sets;
    bool ident;       /* some listener has it */
    bool knows_users, knows_groups; /* sessions of some method that a listener offers can have them */
    const char **groups; /* owned; what rules name, sorted, each once */
    uint32_t group_count;
    uint32_t workers; /* resolved */
};

static inline bool
config_is_ident(const char *method)
{
    return strcmp(method, CONFIG_IDENT) == 0;
}

/* --- config_modules.c */

/* The module of a method, found before or now; NULL with error filled, also for "ident". */
struct config_module *config_module_find(struct config_compiler *c, const char *name, char *error,
    size_t size);
void config_modules_free(struct config_compiler *c);

/* --- config_modules_check.c */

/* Lets every module check its section, and its files when the source wants that; then the same with
   each listener's own values in place of the section's. */
void config_modules_check(struct config_compiler *c);

/* --- config_modules_write.c */

/* Writes the modules that listeners offer. */
void config_modules_write(struct config_compiler *c, struct image_settings *out);

/* Options on their way into the image. */
struct config_rows {
    struct image_option *list; /* owned */
    uint32_t count;
};
/* A row for each value of the key in the block (its preset's when it does not set it), one that says
   "empty" for a list that is. */
void config_rows_add(struct config_compiler *c, struct config_rows *rows,
    const struct config_block *block, const struct config_key *key);
/* Writes the rows and forgets them. */
struct image_list config_rows_write(struct config_compiler *c, struct config_rows *rows);

/* --- config_listen.c: what listeners say in place of the sections of their methods */

/* Name i of the methods a listener offers, its own or the general ones; NULL behind the last. */
const char *config_listen_method(struct config_compiler *c, const struct config_block *listen,
    uint32_t i);
bool config_listen_offers(struct config_compiler *c, const struct config_block *listen,
    const char *method);
/* The listener's setting in place of a module's key, or NULL. */
const struct config_setting *config_listen_setting(struct config_compiler *c,
    const struct config_block *listen, const struct config_key *key);
/* Its first one in place of any key of a module it offers; NULL when there is none, and when the block
   is no listener. */
const struct config_setting *config_listen_first(struct config_compiler *c,
    const struct config_block *listen, const struct config_module *m);
/* Checks them. */
void config_listen_check(struct config_compiler *c, struct config_block *listen);
/* Writes them. */
struct image_list config_listen_write(struct config_compiler *c, const struct config_block *listen);

/* --- config_groups.c: the groups that rules name */

/* Gathers them, each once, in strcmp order; too many are a complaint. */
void config_groups_check(struct config_compiler *c);
/* Writes them; the index of one that a rule names. */
struct image_list config_groups_write(struct config_compiler *c);
uint32_t config_groups_index(const struct config_compiler *c, const char *name);
void config_groups_free(struct config_compiler *c);

/* --- config_zone.c */

/* The local time zone (TZ, or the system's), from about a year before now, seconds UTC, to twenty
   after it. The same image for a whole year. */
struct image_list config_zone_write(struct config_builder *b, int64_t now);

/* --- config_cover.c */

/* Warns of each rule of the finished image that can never match, since an earlier one covers it. */
void config_cover_check(struct config_compiler *c, const void *image, size_t size);

/* --- config_operate.c: what limits, groups, the control socket and metrics say together */

void config_operate_check(struct config_compiler *c);
/* The same of one rule. */
void config_operate_check_rule(struct config_compiler *c, const struct config_block *rule);

/* --- config_socks.c: what SOCKS 4, BIND and UDP say with several values */

void config_socks_check(struct config_compiler *c);
/* The same of one rule. */
void config_socks_check_rule(struct config_compiler *c, const struct config_block *rule);

/* --- config_check.c: every value of the model, then what needs more than one value. */
void config_check(struct config_compiler *c);

/* --- config_settings.c, config_rules.c: the image's parts. The model is sound. */
void config_settings_write(struct config_compiler *c, struct image_settings *out);
struct image_list config_rules_write(struct config_compiler *c);

#endif
