/* SPDX-License-Identifier: ISC */
/*
 * Numbers, words, paths, names of users and targets. Serves config_check.c and the writers of the
 * image. A value that is wrong is an answer.
 */
#include "src/config/config_value.h"

#include "src/core/control_path.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SYSLOG_SOCKET "/dev/log"

void
config_value_error(struct config_error_text *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (vsnprintf(e->text, sizeof(e->text), fmt, ap) < 0) {
        e->text[0] = '\0';
    }
    va_end(ap);
}

int
config_value_word(const char *const *words, const char *text)
{
    for (int i = 0; words != NULL && words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0) {
            return i;
        }
    }
    return -1;
}

/* What one unit letter multiplies by, or 0. */
static uint64_t
value_unit(const char *text)
{
    static const struct {
        const char *letter;
        uint64_t factor;
    } units[] = { { "", 1 }, { "k", UINT64_C(1) << 10 }, { "m", UINT64_C(1) << 20 },
        { "g", UINT64_C(1) << 30 } };
    for (size_t i = 0; i < SP_COUNT(units); i++) {
        if (strcmp(units[i].letter, text) == 0) {
            return units[i].factor;
        }
    }
    return 0;
}

/* Decimal digits to *out; the rest of the text in *rest. False when there is none or too much. */
static bool
value_digits(const char *text, uint64_t *out, const char **rest)
{
    uint64_t n = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (n > (UINT64_MAX >> 40)) {
            return false; /* so that a unit cannot overflow it either */
        }
        n = 10 * n + (uint64_t)(*at - '0');
    }
    *out = n;
    *rest = at;
    return at > text;
}

bool
config_value_number(const struct config_key *key, const char *text, uint64_t *out,
    struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    const char *rest = text;
    const char *unit = key->type == CONFIG_SIZE ? ", then k, m or g or nothing" : "";
    if (text[0] == '0' && text[1] >= '0' && text[1] <= '9') {
        config_value_error(e, "%s begins with 0, which some read as octal; write it without",
            config_quote(text, quoted));
        return false;
    }
    const bool digits = value_digits(text, out, &rest);
    const uint64_t factor = digits ? value_unit(rest) : 0;
    if (factor == 0 || (factor > 1 && key->type != CONFIG_SIZE) || *out * factor < key->min ||
        *out * factor > key->max) {
        config_value_error(e, "%s is not allowed; allowed are %" PRIu64 "..%" PRIu64 "%s",
            config_quote(text, quoted), key->min, key->max, unit);
        return false;
    }
    *out *= factor;
    return true;
}

static bool
value_check_number(const struct config_key *key, const char *text, struct config_error_text *e)
{
    uint64_t number;
    return config_value_number(key, text, &number, e);
}

static bool
value_check_word(const struct config_key *key, const char *text, struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    char words[CONFIG_ERROR_MAX / 2];
    if (key->words == NULL || config_value_word(key->words, text) >= 0) {
        return true;
    }
    const bool reserved = config_value_word(key->reserved, text) >= 0;
    const bool one = key->words[0] != NULL && key->words[1] == NULL;
    config_value_error(e, "%s is not %s; allowed %s %s", config_quote(text, quoted),
        reserved ? "available yet" : "allowed", one ? "is" : "are",
        config_words(key->words, words, sizeof(words)));
    return false;
}

/* Elements of a list say something; the place for nothing is an absent list. */
static bool
value_check_element(const struct config_key *key, const char *text, struct config_error_text *e)
{
    if (text[0] == '\0') {
        config_value_error(e, "\"\" in the list; allowed is any other text");
        return false;
    }
    return value_check_word(key, text, e);
}

/* A name that the system's tables of users and groups can hold. */
static bool
value_is_account(const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    const size_t len = strlen(text);
    return len > 0 && len <= 32 && text[0] != '-' && strspn(text, allowed) == len;
}

static bool
value_check_user(const struct config_key *key, const char *text, struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    (void)key;
    if (!value_is_account(text)) {
        config_value_error(e, "%s is no name of a user; allowed are letters, digits and _ . -",
            config_quote(text, quoted));
        return false;
    }
    return true;
}

static bool
value_check_system_group(
    const struct config_key *key, const char *text, struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    if (text[0] == '\0' || value_is_account(text)) {
        return true;
    }
    (void)key;
    config_value_error(e,
        "%s is no name of a group; allowed are letters, digits and _ . -, or \"\" for none",
        config_quote(text, quoted));
    return false;
}

/* What no group's name holds is the mark of a list or of a glob, which it is taken for nowhere. */
static bool
value_check_group(const struct config_key *key, const char *text, struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    const size_t len = strlen(text);
    (void)key;
    if (len > 0 && len <= VALUE_GROUP_MAX && strpbrk(text, "*?:,") == NULL) {
        return true;
    }
    config_value_error(e,
        "%s is no name of a group; allowed are 1..%u bytes without * ? : and comma",
        config_quote(text, quoted), VALUE_GROUP_MAX);
    return false;
}

static bool
value_check_path(const struct config_key *key, const char *text, struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    if (text[0] == '/' || (text[0] == '\0' && key->type == CONFIG_PATH)) {
        return true;
    }
    config_value_error(e, "%s is not allowed; allowed is a path that begins with /%s",
        config_quote(text, quoted), key->type == CONFIG_PATH ? ", or \"\" for none" : "");
    return false;
}

/* A folder that will be made and closed to others: not the root, and nothing that leads elsewhere. */
static bool
value_check_folder(const struct config_key *key, const char *text, struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    bool sound = text[0] == '/' && text[1] != '\0';
    for (const char *at = text; sound && *at == '/';) {
        const size_t len = strcspn(++at, "/");
        sound = len > 0 && !(at[0] == '.' && (len == 1 || (len == 2 && at[1] == '.')));
        at += len;
    }
    (void)key;
    if (sound || text[0] == '\0') {
        return true;
    }
    config_value_error(e,
        "%s is not allowed; allowed is the path of a folder, without \".\", \"..\" and empty parts, "
        "or \"\" for none",
        config_quote(text, quoted));
    return false;
}

bool
config_value_socket(const char *path, struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    if (strlen(path) < CONTROL_PATH_MAX) {
        return true;
    }
    config_value_error(e, "%s is too long; the name of a socket is allowed at most %d bytes",
        config_quote(path, quoted), CONTROL_PATH_MAX - 1);
    return false;
}

bool
config_value_target(const char *text, enum image_log_target *target, const char **path,
    struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    static const struct {
        const char *word;
        enum image_log_target target;
        const char *path;
    } targets[] = { { "syslog", IMAGE_LOG_SYSLOG, SYSLOG_SOCKET },
        { "stderr", IMAGE_LOG_STDERR, "" }, { "syslog:/", IMAGE_LOG_SYSLOG, NULL },
        { "file:/", IMAGE_LOG_FILE, NULL } };
    for (size_t i = 0; i < SP_COUNT(targets); i++) {
        const size_t len = strlen(targets[i].word);
        const bool whole = targets[i].path != NULL;
        if (strncmp(text, targets[i].word, len) == 0 && (!whole || text[len] == '\0') &&
            (whole || text[len] != '\0')) {
            *target = targets[i].target;
            *path = whole ? targets[i].path : text + len - 1;
            return *target != IMAGE_LOG_SYSLOG || config_value_socket(*path, e);
        }
    }
    config_value_error(e,
        "%s is not allowed; allowed are \"syslog\", \"syslog:/SOCKET\", \"stderr\" and "
        "\"file:/PATH\"",
        config_quote(text, quoted));
    return false;
}

static bool
value_check_target(const struct config_key *key, const char *text, struct config_error_text *e)
{
    enum image_log_target target;
    const char *path;
    (void)key;
    return config_value_target(text, &target, &path, e);
}

static bool
value_check_address(const struct config_key *key, const char *text, struct config_error_text *e)
{
    struct addr a;
    return config_value_address(config_value_family(key), text, &a, e);
}

static bool
value_check_server(const struct config_key *key, const char *text, struct config_error_text *e)
{
    struct addr a;
    (void)key;
    return config_value_server(text, &a, e);
}

static bool
value_check_prefix(const struct config_key *key, const char *text, struct config_error_text *e)
{
    struct image_prefix p;
    (void)key;
    return config_value_prefix(text, &p, e);
}

static bool
value_check_glob(const struct config_key *key, const char *text, struct config_error_text *e)
{
    if (strlen(text) > VALUE_USER_GLOB_MAX) {
        config_value_error(e, "glob longer than the %u bytes allowed", VALUE_USER_GLOB_MAX);
        return false;
    }
    return value_check_element(key, text, e);
}

static bool
value_check_destination(const struct config_key *key, const char *text, struct config_error_text *e)
{
    struct config_destination d;
    (void)key;
    return config_value_destination(text, &d, e);
}

static bool
value_check_ports(const struct config_key *key, const char *text, struct config_error_text *e)
{
    struct image_ports p;
    (void)key;
    return config_value_ports(text, &p, e);
}

static bool
value_check_listen(const struct config_key *key, const char *text, struct config_error_text *e)
{
    struct addr a;
    (void)key;
    return config_value_listen_or_none(text, &a, e);
}

static bool
value_check_times(const struct config_key *key, const char *text, struct config_error_text *e)
{
    struct image_window windows[VALUE_WINDOWS_MAX];
    uint32_t count;
    (void)key;
    return config_value_times(text, windows, &count, e);
}

bool
config_value_check(const struct config_key *key, const char *text, struct config_error_text *e)
{
    static bool (*const checks[CONFIG_TYPES])(
        const struct config_key *, const char *, struct config_error_text *) = {
        [CONFIG_TEXT] = value_check_word,
        [CONFIG_WORD] = value_check_word,
        [CONFIG_NUMBER] = value_check_number,
        [CONFIG_SECONDS] = value_check_number,
        [CONFIG_SIZE] = value_check_number,
        [CONFIG_BOOLEAN] = value_check_word,
        [CONFIG_USER] = value_check_user,
        [CONFIG_PATH] = value_check_path,
        [CONFIG_FILE] = value_check_path,
        [CONFIG_FOLDER] = value_check_folder,
        [CONFIG_IPV4] = value_check_address,
        [CONFIG_IPV6] = value_check_address,
        [CONFIG_ADDRESS] = value_check_address,
        [CONFIG_TARGET] = value_check_target,
        [CONFIG_LIST] = value_check_element,
        [CONFIG_WORDS] = value_check_element,
        [CONFIG_METHODS] = value_check_element,
        [CONFIG_SERVERS] = value_check_server,
        [CONFIG_PREFIXES] = value_check_prefix,
        [CONFIG_USERS] = value_check_glob,
        [CONFIG_DESTINATIONS] = value_check_destination,
        [CONFIG_PORTS] = value_check_ports,
        [CONFIG_GROUP] = value_check_system_group,
        [CONFIG_LISTEN] = value_check_listen,
        [CONFIG_GROUPS] = value_check_group,
        [CONFIG_TIMES] = value_check_times,
    };
    return checks[key->type] == NULL || checks[key->type](key, text, e);
}
