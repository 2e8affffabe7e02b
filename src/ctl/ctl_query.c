/* SPDX-License-Identifier: ISC */
/* From a question in words to a query of the policy. Serves explain and test. Whatever is wrong is said with
   what is allowed. */
#include "src/ctl/ctl_policy.h"

#include "lib/base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PORT_MAX 65535U

int
ctl_wrong(char error[CTL_QUESTION_ERROR], const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (vsnprintf(error, CTL_QUESTION_ERROR, fmt, args) < 0)
        error[0] = '\0';
    va_end(args);
    return -1;
}

/* ---- words ---- */

struct word {
    const char *text;
    uint32_t value;
};

static const struct word protections[] = { { "none", IMAGE_PROTECTION_NONE },
    { "integrity", IMAGE_PROTECTION_INTEGRITY }, { "selective", IMAGE_PROTECTION_INTEGRITY },
    { "confidentiality", IMAGE_PROTECTION_CONFIDENTIALITY } };
static const struct word commands[] = { { "connect", IMAGE_COMMAND_CONNECT }, { "bind", IMAGE_COMMAND_BIND },
    { "udp", IMAGE_COMMAND_UDP } };
/* Those that every build knows; the image knows those it offers. */
static const struct word methods[] = { { "none", 0 }, { "gssapi", 1 }, { "userpass", 2 },
    { "ident", IMAGE_METHOD_IDENT } };

static const struct word *
find_word(const struct word *words, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i].text, text) == 0)
            return &words[i];
    }
    return NULL;
}

static int
read_method(const struct image *image, const struct ctl_question *in, struct policy_query *q,
    char error[CTL_QUESTION_ERROR])
{
    const char *text = in->method;
    const struct image_list *list = &image_settings(image)->modules;
    const struct word *word;

    for (uint32_t i = 0; i < list->count; i++) {
        const struct image_module *module = image_module(image, i);
        const char *name = image_string(image, module->name);
        /* Not said: of the methods offered, the first that tells who the client is. */
        bool match = text != NULL ? strcmp(name, text) == 0 : in->user != NULL && module->method != 0;

        if (match) {
            q->method = module->method;
            return 0;
        }
    }
    if (text == NULL)
        return 0;
    word = find_word(methods, SP_COUNT(methods), text);
    if (word == NULL)
        return ctl_wrong(error, "method: \"%s\" is none that is offered, and none of \"none\", \"gssapi\", "
            "\"userpass\" and \"ident\"", text);
    q->method = (uint8_t)word->value;
    return 0;
}

/* Minutes matter: they are what windows are made of. */
static int
read_when(const char *text, struct policy_query *q, char error[CTL_QUESTION_ERROR])
{
    struct tm tm;

    if (text == NULL) {
        q->when = (int64_t)(wall_read().us / CLOCK_SECOND_US);
        return 0;
    }
    memset(&tm, 0, sizeof tm);
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

    if (end == NULL || *end != '\0') {
        memset(&tm, 0, sizeof tm);
        end = strptime(text, "%Y-%m-%dT%H:%MZ", &tm);
    }
    const struct tm written = tm;

    q->when = (int64_t)timegm(&tm);
    /* The 31st of a month with 30 days is another day by now. */
    if (end == NULL || *end != '\0' || tm.tm_mday != written.tm_mday)
        return ctl_wrong(error, "when: \"%s\" is no time; allowed is UTC such as 2026-01-31T18:30Z", text);
    return 0;
}

/* ---- addresses ---- */

static int
read_address(const char *key, const char *text, struct addr *out, char error[CTL_QUESTION_ERROR])
{
    struct addr read;

    if (addr_parse_ip(text, &read) < 0)
        return ctl_wrong(error, "%s: \"%s\" is no address; allowed are such as 192.0.2.7 and 2001:db8::7", key,
            text);
    read = addr_unmap(&read);
    *out = read;
    return 0;
}

static int
read_port(const char *text, uint16_t *port, char error[CTL_QUESTION_ERROR])
{
    size_t digits = strspn(text, "0123456789");
    unsigned long value = digits > 0 && digits < 6 ? strtoul(text, NULL, 10) : PORT_MAX + 1UL;

    if (text[digits] != '\0' || value > PORT_MAX)
        return ctl_wrong(error, "to: \"%s\" is no port; allowed are 0 to 65535", text);
    *port = (uint16_t)value;
    return 0;
}

/* HOST:PORT, an address of IPv6 in brackets. */
static int
read_to(const char *text, struct ctl_query *out, char error[CTL_QUESTION_ERROR])
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    size_t len = colon == NULL ? 0 : (size_t)(colon - text);
    const char *why = NULL;

    if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    } else if (len > 0 && memchr(text, ':', len) != NULL) {
        return ctl_wrong(error, "to: \"%s\": an address of IPv6 stands in brackets", text);
    }
    if (len == 0)
        return ctl_wrong(error, "to: \"%s\" is not HOST:PORT", text);
    if (read_port(colon + 1, &out->q.port, error) < 0)
        return -1;
    switch (name_canonical(host, len, out->name, &out->q.address, &why)) {
    case NAME_OK:
        out->q.name = out->name;
        return 0;
    case NAME_ADDRESS:
        out->q.address.port = 0;
        return 0;
    default:
        return ctl_wrong(error, "to: \"%.*s\": %s", (int)len, host, why);
    }
}

/* ---- groups ---- */

static int
read_groups(const struct image *image, const struct ctl_question *in, struct ctl_query *out,
    char error[CTL_QUESTION_ERROR])
{
    size_t words = POLICY_GROUP_WORDS(image);
    size_t len = 0;

    if (in->user == NULL)
        return in->groups.count == 0 ? 0 : ctl_wrong(error, "group: only a user who authenticated is in groups; "
            "say user, too");
    for (size_t i = 0; i < in->groups.count; i++)
        len += strlen(in->groups.values[i]) + 1;
    char *names = malloc(len > 0 ? len : 1);

    out->groups = calloc(words > 0 ? words : 1, sizeof *out->groups);
    if (names == NULL || out->groups == NULL) {
        free(names);
        return ctl_wrong(error, "no memory");
    }
    char *at = names;

    for (size_t i = 0; i < in->groups.count; i++) {
        size_t size = strlen(in->groups.values[i]) + 1;

        memcpy(at, in->groups.values[i], size);
        at += size;
    }
    policy_groups_of(image, names, len, out->groups);
    out->q.groups = out->groups;
    free(names);
    return 0;
}

/* ---- all of it ---- */

static int
read_word(const char *key, const char *text, const struct word *words, size_t count, uint32_t *value,
    char error[CTL_QUESTION_ERROR])
{
    const struct word *word = find_word(words, count, text == NULL ? words[0].text : text);
    char allowed[128] = "";
    size_t used = 0;

    if (word != NULL) {
        *value = word->value;
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        int n = snprintf(allowed + used, sizeof allowed - used, "%s\"%s\"", i > 0 ? ", " : "",
            words[i].text);

        used += n > 0 && (size_t)n < sizeof allowed - used ? (size_t)n : 0;
    }
    return ctl_wrong(error, "%s: \"%s\" is not allowed; allowed are %s", key, text, allowed);
}

/* A BIND that names no peer, an address of zeros: whoever connects is not known yet. */
static void
mark_bind_any(struct policy_query *q)
{
    if (q->command != IMAGE_COMMAND_BIND || q->name != NULL || !addr_is_zero(&q->address))
        return;
    q->bind_any = true;
    q->address = (struct addr) { .family = ADDR_NONE };
}

int
ctl_query_make(const struct image *image, const struct ctl_question *in, struct ctl_query *out,
    char error[CTL_QUESTION_ERROR])
{
    struct policy_query *q = &out->q;

    memset(out, 0, sizeof *out);
    if (in->client == NULL || in->to == NULL)
        return ctl_wrong(error, "client and to are needed");
    q->user = in->user;
    if (read_address("client", in->client, &q->client, error) < 0 || read_method(image, in, q, error) < 0
        || read_word("protection", in->protection, protections, SP_COUNT(protections), &q->protection,
               error) < 0
        || read_word("command", in->command, commands, SP_COUNT(commands), &q->command, error) < 0
        || read_when(in->when, q, error) < 0 || read_to(in->to, out, error) < 0)
        return -1;
    if (q->user != NULL && (q->method == 0 || q->method == IMAGE_METHOD_IDENT))
        return ctl_wrong(error, "user: a session of this method has none; name a method that authenticates");
    mark_bind_any(q);
    if (in->address != NULL && q->address.family != ADDR_NONE)
        return ctl_wrong(error, "address: what \"to\" names is an address already");
    if (in->address != NULL && read_address("address", in->address, &q->address, error) < 0)
        return -1;
    return read_groups(image, in, out, error);
}

void
ctl_query_free(struct ctl_query *query)
{
    free(query->groups);
    query->groups = NULL;
}

void
ctl_verdict_text(const struct image *image, const struct policy_verdict *v, char *out, size_t size)
{
    const char *verb = v->allowed ? "allowed" : "denied";
    int n;

    if (strcmp(v->reason, "special-destination") == 0)
        n = snprintf(out, size, "denied: a special destination (%s)%s%s%s",
            v->detail == NULL ? "?" : v->detail, v->rule == POLICY_NO_RULE ? "" : ", rule \"",
            policy_rule_title(image, v->rule), v->rule == POLICY_NO_RULE ? "" : "\" does not name it");
    else if (v->rule == POLICY_NO_RULE)
        n = snprintf(out, size, "%s: no rule matches", verb);
    else
        n = snprintf(out, size, "%s by rule \"%s\"%s", verb, policy_rule_title(image, v->rule),
            v->detail != NULL && strcmp(v->detail, "bind-any") == 0 ? ", which has no bind-any" : "");
    if (n < 0)
        out[0] = '\0';
}
