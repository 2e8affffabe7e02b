/* SPDX-License-Identifier: ISC */
/*
 * Addresses, prefixes, globs over names and ports. Serves config_check.c and the writers of the
 * image. A value that is wrong is an answer.
 */
#include "src/config/config_value.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DNS_PORT 53

bool
config_value_listen(const char *text, struct addr *out, struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    if (addr_parse(text, out) != 0) {
        config_value_error(e, "%s is no address with a port; allowed are \"ADDR:PORT\" and "
                              "\"[ADDR6]:PORT\"",
            config_quote(text, quoted));
        return false;
    }
    const struct addr plain = addr_unmap(out);
    if (plain.family != out->family) {
        config_value_error(e, "%s is an IPv4 address in IPv6 form; write the IPv4 address",
            config_quote(text, quoted));
        return false;
    }
    return true;
}

bool
config_value_listen_or_none(const char *text, struct addr *out, struct config_error_text *e)
{
    memset(out, 0, sizeof(*out));
    return text[0] == '\0' || config_value_listen(text, out, e);
}

bool
config_value_server(const char *text, struct addr *out, struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    if (addr_parse_ip(text, out) == 0) {
        out->port = DNS_PORT;
        return true;
    }
    if (addr_parse(text, out) == 0 && out->port != 0) {
        return true;
    }
    config_value_error(e, "%s is no address; allowed are \"ADDR\", \"ADDR:PORT\" and "
                          "\"[ADDR6]:PORT\"",
        config_quote(text, quoted));
    return false;
}

enum addr_family
config_value_family(const struct config_key *key)
{
    return key->type == CONFIG_IPV4   ? ADDR_IPV4
           : key->type == CONFIG_IPV6 ? ADDR_IPV6
                                      : ADDR_NONE;
}

/* What others can be told: one host. Loopback and link-local ones are for who is near enough. */
static bool
address_is_host(const struct addr *a)
{
    static const char *const ranges[] = { "unspecified", "this-network", "broadcast", "multicast" };
    const char *special = addr_special(a, NULL);
    for (size_t i = 0; special != NULL && i < SP_COUNT(ranges); i++) {
        if (strcmp(special, ranges[i]) == 0) {
            return false;
        }
    }
    return addr_unmap(a).family == a->family;
}

bool
config_value_address(enum addr_family family, const char *text, struct addr *out,
    struct config_error_text *e)
{
    static const char *const names[] = { [ADDR_NONE] = "IP", [ADDR_IPV4] = "IPv4",
        [ADDR_IPV6] = "IPv6" };
    char quoted[CONFIG_QUOTE_MAX];
    memset(out, 0, sizeof(*out));
    if (text[0] == '\0') {
        return true;
    }
    if (addr_parse_ip(text, out) == 0 &&
        (family == ADDR_NONE ? address_is_host(out)
                             : out->family == family && !addr_is_zero(out))) {
        return true;
    }
    config_value_error(e, "%s is not allowed; allowed is an %s address%s, or \"\" for none",
        config_quote(text, quoted), names[family], family == ADDR_NONE ? " of one host" : "");
    return false;
}

/* True when text is ADDR/BITS with bits set behind BITS; *network is the prefix that was meant. */
static bool
prefix_has_host_bits(const char *text, struct addr_prefix *network)
{
    char copy[ADDR_TEXT_MAX];
    const char *slash = strchr(text, '/');
    const size_t len = slash != NULL ? (size_t)(slash - text) : 0;
    struct addr a;
    if (len == 0 || len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    char *end = copy;
    const unsigned long bits = strtoul(slash + 1, &end, 10);
    if (addr_parse_ip(copy, &a) != 0 || *end != '\0' || slash[1] < '0' || slash[1] > '9' ||
        (slash[1] == '0' && slash[2] != '\0') ||
        bits > (a.family == ADDR_IPV4 ? 32UL : 128UL)) {
        return false;
    }
    *network = (struct addr_prefix){ .family = a.family, .bits = (uint8_t)bits };
    for (unsigned i = 0; i < bits; i++) {
        const uint8_t bit = (uint8_t)(0x80U >> (i % 8));
        network->ip[i / 8] = (uint8_t)(network->ip[i / 8] | (a.ip[i / 8] & bit));
    }
    return true;
}

static void
prefix_error(const char *text, struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    char shown[ADDR_TEXT_MAX];
    struct addr_prefix network;
    config_quote(text, quoted);
    if (prefix_has_host_bits(text, &network)) {
        addr_prefix_format(&network, shown);
        config_value_error(e, "%s has bits set behind its prefix; write \"%s\"", quoted, shown);
    } else {
        config_value_error(e, "%s is no prefix; allowed are \"ADDR\" and \"ADDR/BITS\"", quoted);
    }
}

/* True when the prefix lies wholly inside the special range its first address is in. */
static bool
prefix_opens_special(const struct addr_prefix *p)
{
    const struct addr first = p->family == ADDR_IPV4 ? addr_ipv4(p->ip, 0) : addr_ipv6(p->ip, 0);
    struct addr_prefix range;
    if (addr_special(&first, &range) == NULL) {
        return false;
    }
    /* 0.0.0.0/8 begins with 0.0.0.0, which is a range of its own inside the one that counts. */
    struct addr last = first;
    for (unsigned i = p->bits; i < (p->family == ADDR_IPV4 ? 32U : 128U); i++) {
        last.ip[i / 8] = (uint8_t)(last.ip[i / 8] | (0x80U >> (i % 8)));
    }
    return addr_prefix_within(p, &range) ||
           (addr_special(&last, &range) != NULL && addr_prefix_within(p, &range));
}

bool
config_value_prefix(const char *text, struct image_prefix *out, struct config_error_text *e)
{
    memset(out, 0, sizeof(*out));
    if (addr_prefix_parse(text, &out->prefix) != 0) {
        prefix_error(text, e);
        return false;
    }
    out->opens_special = prefix_opens_special(&out->prefix);
    return true;
}

/* Why the len bytes of one label of a glob can never be part of a name, or NULL. */
static const char *
glob_label_why(const char *label, size_t len)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-*?";
    for (size_t i = 0; i < len; i++) {
        if (strchr(allowed, label[i]) == NULL && (unsigned char)label[i] < 0x80) {
            return "allowed are letters, digits and - _ . * ?";
        }
    }
    if (len == 0) {
        return "it has an empty label";
    }
    if (len > 63 && memchr(label, '*', len) == NULL) {
        return "a label has at most 63 octets";
    }
    return NULL;
}

/* Why a lower-case glob of at most 253 octets is not allowed, or NULL. */
static const char *
glob_why(const char *glob)
{
    const char *label = glob;
    if (glob[0] == '.') {
        return "names below a domain are \"*.example.com\"";
    }
    if (strspn(glob, "0123456789.*?") == strlen(glob) && strpbrk(glob, "0123456789") != NULL) {
        return "it is neither an address nor a name; allowed are \"ADDR\" and \"ADDR/BITS\"";
    }
    for (;;) {
        const size_t len = strcspn(label, ".");
        const char *why = glob_label_why(label, len);
        if (why != NULL) {
            return why;
        }
        if (label[len] == '\0') {
            break;
        }
        label += len + 1;
    }
    const bool hex = label[0] == '0' && label[1] == 'x';
    const char *digits = hex ? "0123456789abcdef" : "0123456789";
    return strspn(label + (hex ? 2 : 0), digits) == strlen(label + (hex ? 2 : 0))
               ? "no name ends in a number"
               : NULL;
}

/* Copies the glob in lower case, without one trailing dot. False when it is too long. */
static bool
glob_lower(const char *text, char out[NAME_SIZE])
{
    size_t len = strlen(text);
    if (len > 1 && text[len - 1] == '.') {
        len--;
    }
    if (len > NAME_MAX_LEN) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    }
    out[len] = '\0';
    return true;
}

bool
config_value_destination(const char *text, struct config_destination *out,
    struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    memset(out, 0, sizeof(*out));
    if (text[0] == '@') {
        out->list = text + 1;
        if (text[1] == '\0' || strlen(text) >= PATH_MAX) {
            config_value_error(e, "%s is not allowed; allowed is \"@PATH\"", config_quote(text, quoted));
        }
        return text[1] != '\0' && strlen(text) < PATH_MAX;
    }
    struct addr_prefix p;
    out->is_prefix = strpbrk(text, "/:") != NULL || addr_prefix_parse(text, &p) == 0;
    if (out->is_prefix) {
        return config_value_prefix(text, &out->prefix, e);
    }
    if (!glob_lower(text, out->glob)) {
        config_value_error(e, "%s is not allowed; a name has at most %d octets",
            config_quote(text, quoted), NAME_MAX_LEN);
        return false;
    }
    const char *why = glob_why(out->glob);
    if (why != NULL) {
        config_value_error(e, "%s is not allowed; %s", config_quote(text, quoted), why);
    }
    return why == NULL;
}

/* "1".."65535" without leading zeros up to end; 0 when it is something else. */
static uint16_t
port_parse(const char *text, const char *end)
{
    unsigned n = 0;
    if (text == end || end - text > 5 || *text == '0') {
        return 0;
    }
    for (; text < end; text++) {
        if (*text < '0' || *text > '9') {
            return 0;
        }
        n = 10 * n + (unsigned)(*text - '0');
    }
    return n <= UINT16_MAX ? (uint16_t)n : 0;
}

bool
config_value_ports(const char *text, struct image_ports *out, struct config_error_text *e)
{
    char quoted[CONFIG_QUOTE_MAX];
    const char *end = text + strlen(text);
    const char *dash = strchr(text, '-');
    out->low = port_parse(text, dash != NULL ? dash : end);
    out->high = dash != NULL ? port_parse(dash + 1, end) : out->low;
    if (out->low != 0 && out->high >= out->low) {
        return true;
    }
    config_value_error(e, "%s is no port; allowed are 1..65535 and ranges like \"8000-8999\"",
        config_quote(text, quoted));
    return false;
}
