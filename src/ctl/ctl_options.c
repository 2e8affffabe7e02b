/* SPDX-License-Identifier: ISC */
/* The options of one command. Serves every command; what is wrong is said with the command's name. */
#include "src/ctl/ctl_private.h"

#include <getopt.h>
#include <limits.h>
#include <string.h>

#define OPTIONS_MAX 24
#define OPTION_FIRST 256

/* getopt's tables, made of ours. */
struct tables {
    struct option longs[OPTIONS_MAX + 2];
    char shorts[2 * OPTIONS_MAX + 8];
    const char *socket;
};

static bool
takes_value(const struct ctl_option *o)
{
    return o->value != NULL || o->list != NULL;
}

static void
make_tables(struct tables *t, const struct ctl_option *options, size_t count)
{
    size_t at = 0;

    memset(t, 0, sizeof *t);
    t->shorts[at++] = ':';
    t->shorts[at++] = 's';
    t->shorts[at++] = ':';
    for (size_t i = 0; i < count && i < OPTIONS_MAX; i++) {
        t->longs[i] = (struct option) { options[i].name,
            takes_value(&options[i]) ? required_argument : no_argument, NULL, OPTION_FIRST + (int)i };
        if (options[i].letter == 0)
            continue;
        t->shorts[at++] = options[i].letter;
        if (takes_value(&options[i]))
            t->shorts[at++] = ':';
    }
    t->longs[count < OPTIONS_MAX ? count : OPTIONS_MAX]
        = (struct option) { "socket", required_argument, NULL, 's' };
}

static const struct ctl_option *
find(const struct ctl_option *options, size_t count, int code)
{
    if (code >= OPTION_FIRST)
        return &options[code - OPTION_FIRST];
    for (size_t i = 0; i < count; i++) {
        if (options[i].letter == code)
            return &options[i];
    }
    return NULL;
}

static enum ctl_status
store(const struct ctl_option *o)
{
    if (o->list != NULL) {
        if (o->list->count == CTL_LIST_MAX)
            return ctl_usage("--%s is given more than %d times", o->name, CTL_LIST_MAX);
        o->list->values[o->list->count++] = optarg;
        return CTL_OK;
    }
    if (o->value == NULL) {
        *o->flag = true;
        return CTL_OK;
    }
    if (*o->value != NULL)
        return ctl_usage("--%s is given twice", o->name);
    *o->value = optarg;
    return CTL_OK;
}

enum ctl_status
ctl_options(struct ctl *ctl, int argc, char **argv, const struct ctl_option *options, size_t count,
    int *rest)
{
    struct tables t;
    int code;

    make_tables(&t, options, count);
    optind = 0;
    opterr = 0;
    while ((code = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1) {
        const struct ctl_option *o;

        if (code == 's') {
            ctl->socket = optarg;
            continue;
        }
        if (code == ':')
            return ctl_usage("%s: %s wants a value", argv[0], argv[optind - 1]);
        o = code == '?' ? NULL : find(options, count, code);
        /* A letter among others: optind has not passed its word yet. */
        if (o == NULL && optopt > 0 && optopt <= UCHAR_MAX)
            return ctl_usage("%s knows no -%c", argv[0], optopt);
        if (o == NULL)
            return ctl_usage("%s knows no %s", argv[0], argv[optind - 1]);
        enum ctl_status status = store(o);

        if (status != CTL_OK)
            return status;
    }
    *rest = optind;
    return CTL_OK;
}

enum ctl_status
ctl_options_only(struct ctl *ctl, int argc, char **argv, const struct ctl_option *options, size_t count)
{
    int rest = 0;
    enum ctl_status status = ctl_options(ctl, argc, argv, options, count, &rest);

    if (status == CTL_OK && rest < argc)
        return ctl_usage("%s: unexpected argument \"%s\"", argv[0], argv[rest]);
    return status;
}
