/* SPDX-License-Identifier: ISC */
/*
 * Every key of the configuration in one table: what it may hold, what it holds when absent, what a
 * changed value needs, where the image keeps it. libconfuse's options, the checks, `-T` and the
 * manual all come from here. The sections of authentication modules are made of the modules' own
 * option tables in the same form (config_modules.c).
 */
#ifndef SP_CONFIG_OPTIONS_H
#define SP_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_type {
    CONFIG_TEXT,    /* any text */
    CONFIG_WORD,    /* one of words */
    CONFIG_NUMBER,  /* decimal, min..max */
    CONFIG_SECONDS, /* the same, a duration */
    CONFIG_SIZE,    /* the same, k, m or g may follow */
    CONFIG_BOOLEAN, /* true or false */
    CONFIG_USER,    /* name of a system user */
    CONFIG_PATH,    /* absolute path, or "" */
    CONFIG_FILE,    /* absolute path of a file the master opens */
    CONFIG_FOLDER,  /* absolute path of a folder the master makes, or "" */
    CONFIG_IPV4,    /* address, or "" */
    CONFIG_IPV6,
    CONFIG_ADDRESS, /* of either family, or "" */
    CONFIG_TARGET, /* where the audit goes */
    CONFIG_GROUP,  /* name of a system group, or "" */
    CONFIG_LISTEN, /* address and port, or "" */
    CONFIG_LIST,   /* the lists: of texts, words, methods, ... */
    CONFIG_WORDS,
    CONFIG_METHODS,
    CONFIG_SERVERS,
    CONFIG_PREFIXES,
    CONFIG_USERS,
    CONFIG_DESTINATIONS,
    CONFIG_PORTS,
    CONFIG_GROUPS, /* names as a method tells them */
    CONFIG_TIMES,
    CONFIG_BLOCK, /* a section inside a section; all of them are not available yet */
    CONFIG_TYPES
};

enum config_change { CONFIG_RELOAD, CONFIG_RESPAWN, CONFIG_RESTART };

/* How struct image_settings keeps the value at `at`. */
enum config_store {
    STORE_NONE, /* not there, or not with one rule (listeners, rules, the audit's target) */
    STORE_U32,
    STORE_U64,
    STORE_WORD, /* uint32_t: place among words */
    STORE_TEXT,
    STORE_ADDR
};

struct config_key {
    const char *section; /* "" for the keys outside sections */
    const char *name;
    enum config_type type;
    const char *preset; /* when absent; lists: separated by spaces; NULL: none */
    uint64_t min, max;
    const char *const *words;    /* WORD, WORDS: allowed; TEXT, LIST: NULL for any */
    const char *const *reserved; /* values that are "not available yet" */
    enum config_change change;
    bool later;    /* anything but the preset is "not available yet" */
    bool required; /* must be given */
    bool in_place; /* listen: stands in place of the key of that name of the methods offered there */
    enum config_store store;
    size_t at;
    const char *sentence;
};

struct auth_wire_module;

struct config_section {
    const char *name;
    bool titled; /* any number, each with a title of its own */
    bool later;  /* nothing but the presets is available yet */
    const struct config_key *keys;
    size_t count;                         /* at most CONFIG_KEYS_MAX */
    const struct auth_wire_module *module; /* the module this section belongs to, or NULL */
    const char *sentence;
};

#define CONFIG_KEYS_MAX 64

/* All sections that are not a module's; the first one is "", the keys outside sections. */
const struct config_section *config_sections(size_t *count);

/* NULL when there is none of that name. */
const struct config_section *config_section_find(const char *name);
const struct config_key *config_key_find(const struct config_section *section, const char *name);

bool config_type_is_list(enum config_type type);
/* For people: "list of prefixes". */
const char *config_type_name(enum config_type type);
const char *config_change_name(enum config_change change);

/* Element i of a key's preset (scalars have one) into out. False when there are not so many. */
bool config_preset(const struct config_key *key, unsigned i, char *out, size_t size);

/* Syslog facilities: value of a name or -1; name of a value or NULL. */
int config_facility(const char *name);
const char *config_facility_name(uint32_t value);

#endif
