/* SPDX-License-Identifier: ISC */
/*
 * What the texts of values mean. Each function returns true, or false with error filled: what is
 * wrong, what is allowed. The same functions check a configuration and fill its image.
 */
#ifndef SP_CONFIG_VALUE_H
#define SP_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/name.h"
#include "src/config/config_message.h"
#include "src/config/config_options.h"
#include "src/config/image.h"

#define VALUE_GROUP_MAX 255U /* bytes of a group's name */
#define VALUE_USER_GLOB_MAX 1023U /* bytes; an audited name has not more */

struct config_error_text {
    char text[CONFIG_ERROR_MAX];
};

void config_value_error(struct config_error_text *e, const char *fmt, ...) SP_PRINTF(2, 3);

/* Any value of any key: its form, its range, its words. Not whether methods, files, users exist. */
bool config_value_check(const struct config_key *key, const char *text,
    struct config_error_text *e);

/* NUMBER, SECONDS, SIZE within the key's bounds. */
bool config_value_number(const struct config_key *key, const char *text, uint64_t *out,
    struct config_error_text *e);

/* Place of text among words, or -1. */
int config_value_word(const char *const *words, const char *text);

/* Short enough for the name of a socket. */
bool config_value_socket(const char *path, struct config_error_text *e);

/* "syslog", "syslog:/path", "stderr", "file:/path". *path points into text or to a constant. */
bool config_value_target(const char *text, enum image_log_target *target, const char **path,
    struct config_error_text *e);

/* "ADDR:PORT", "[ADDR6]:PORT", port 0..65535. */
bool config_value_listen(const char *text, struct addr *out, struct config_error_text *e);

/* "ADDR" or with a port; port 53 when there is none. */
bool config_value_server(const char *text, struct addr *out, struct config_error_text *e);

/* "" (ADDR_NONE) or an address of the family; ADDR_NONE: of either, which somebody can reach. */
enum addr_family config_value_family(const struct config_key *key); /* of IPV4, IPV6, ADDRESS */
bool config_value_address(enum addr_family family, const char *text, struct addr *out,
    struct config_error_text *e);

/* opens_special too. */
bool config_value_prefix(const char *text, struct image_prefix *out, struct config_error_text *e);

struct config_destination {
    bool is_prefix;
    struct image_prefix prefix;
    const char *list;     /* "@PATH": the path, in the value itself; else NULL */
    char glob[NAME_SIZE]; /* lower case */
};
bool config_value_destination(const char *text, struct config_destination *out,
    struct config_error_text *e);

/* "" is ADDR_NONE, else as config_value_listen(). */
bool config_value_listen_or_none(const char *text, struct addr *out, struct config_error_text *e);

/* Days, times or both: "Mon-Fri 07:00-20:00", "Sat,Sun", "22:00-06:00"; a window for each range of
   times. Midnight at the end is 1440 in out. *count is how many of VALUE_WINDOWS_MAX. */
#define VALUE_WINDOWS_MAX 8U
bool config_value_times(const char *text, struct image_window out[VALUE_WINDOWS_MAX], uint32_t *count,
    struct config_error_text *e);

bool config_value_ports(const char *text, struct image_ports *out, struct config_error_text *e);

#endif
