/* SPDX-License-Identifier: ISC */
/*
 * The command line. Serves client_main.c. What is wrong with it is said in one line with the
 * usage's place; nothing is guessed, and an option that would have no effect is refused.
 */
#include "src/client/client_private.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
    OPTION_VIA = 256,
    OPTION_AUTH,
    OPTION_PROTECTION,
    OPTION_SERVICE,
    OPTION_NEC,
    OPTION_USER,
    OPTION_PASSWORD_FILE,
    OPTION_TIMEOUT,
    OPTION_SOCKS4,
    OPTION_SOCKS4A,
    OPTION_LINES,
    OPTION_WAIT
};

static const char usage_text[] =
    "usage: sallyport connect --via HOST[:PORT] [OPTION...] TARGET PORT\n"
    "  joins standard input and output to PORT of TARGET, through a SOCKS gateway\n"
    "       sallyport bind --via HOST[:PORT] [OPTION...] PEER PORT\n"
    "  the same with a connection that PEER makes to the gateway; 0.0.0.0 0: anybody\n"
    "       sallyport udp --via HOST[:PORT] [OPTION...] TARGET PORT\n"
    "  sends what it reads as datagrams to TARGET, and writes what TARGET answers\n"
    "      --via HOST[:PORT]      the gateway (port 1080)\n"
    "      --auth METHOD          gssapi (the default: Kerberos), userpass or none\n"
    "      --protection LEVEL     with gssapi: none, integrity, confidentiality (the default) or\n"
    "                             selective\n"
    "      --service NAME         with gssapi: the gateway's service (rcmd)\n"
    "      --nec                  with gssapi: the level unwrapped, for gateways of the NEC form\n"
    "      --user NAME            with userpass: the name (SALLYPORT_USER, or the login name)\n"
    "      --password-file FILE   with userpass: the password is FILE's first line\n"
    "                             (SALLYPORT_PASSWORD, or it is asked for)\n"
    "      --socks4, --socks4a    speak SOCKS 4 or 4A, without a login; --user is the USERID\n"
    "      --timeout SECONDS      for all until TARGET is connected, or bind listens (60)\n"
    "      --lines                with udp: every line is a datagram, every answer a line\n"
    "      --wait SECONDS         with udp: for another answer after the end of input (1)\n"
    "  -V, --version              print the version\n"
    "  -h, --help                 print this\n";

static const struct option long_options[] = {
    { "via", required_argument, NULL, OPTION_VIA },
    { "auth", required_argument, NULL, OPTION_AUTH },
    { "protection", required_argument, NULL, OPTION_PROTECTION },
    { "service", required_argument, NULL, OPTION_SERVICE },
    { "nec", no_argument, NULL, OPTION_NEC },
    { "user", required_argument, NULL, OPTION_USER },
    { "password-file", required_argument, NULL, OPTION_PASSWORD_FILE },
    { "timeout", required_argument, NULL, OPTION_TIMEOUT },
    { "socks4", no_argument, NULL, OPTION_SOCKS4 },
    { "socks4a", no_argument, NULL, OPTION_SOCKS4A },
    { "lines", no_argument, NULL, OPTION_LINES },
    { "wait", required_argument, NULL, OPTION_WAIT },
    { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* What was given, to tell what would have no effect. */
struct given {
    bool via;
    const char *gssapi;   /* an option that needs gssapi */
    const char *userpass; /* one that needs userpass; "--user" goes with SOCKS 4, too */
    const char *udp;      /* one that needs udp */
    bool auth;
};

static enum client_options_result
usage(void)
{
    fputs("sallyport: try \"sallyport --help\"\n", stderr);
    return CLIENT_OPTIONS_USAGE;
}

static enum client_options_result
answer(int option)
{
    if (option == 'V')
        puts("sallyport " PACKAGE_VERSION);
    else
        fputs(usage_text, stdout);
    return fflush(stdout) == 0 ? CLIENT_OPTIONS_DONE : CLIENT_OPTIONS_USAGE;
}

/* word is what getopt_long() has just read. 0, or -1 after the complaint. */
static int
option_take(struct client_options *o, struct given *given, int option, const char *word)
{
    switch (option) {
    case OPTION_VIA:
        given->via = true;
        return client_value_via(o, optarg);
    case OPTION_AUTH:
        given->auth = true;
        return client_value_auth(o, optarg);
    case OPTION_PROTECTION:
        given->gssapi = "--protection";
        return client_value_protection(o, optarg);
    case OPTION_SERVICE:
        given->gssapi = "--service";
        return client_value_text(&o->service, "--service", optarg);
    case OPTION_NEC:
        given->gssapi = "--nec";
        o->nec = true;
        return 0;
    case OPTION_USER:
        given->userpass = "--user";
        return client_value_text(&o->user, "--user", optarg);
    case OPTION_PASSWORD_FILE:
        given->userpass = "--password-file";
        return client_value_text(&o->password_file, "--password-file", optarg);
    case OPTION_TIMEOUT:
        return client_value_seconds("--timeout", optarg, 1, &o->timeout);
    case OPTION_SOCKS4:
    case OPTION_SOCKS4A:
        o->version = option == OPTION_SOCKS4 ? CLIENT_SOCKS4 : CLIENT_SOCKS4A;
        return 0;
    case OPTION_LINES:
        given->udp = "--lines";
        o->lines = true;
        return 0;
    case OPTION_WAIT:
        given->udp = "--wait";
        return client_value_seconds("--wait", optarg, 0, &o->wait);
    case ':':
        client_fail(CLIENT_USAGE, "%s needs a value", word);
        return -1;
    default:
        client_fail(CLIENT_USAGE, "%s is no option, or takes no value", word);
        return -1;
    }
}

/* SOCKS 4 knows no method, no datagrams, and one kind of name. */
static const char *
socks4_judge(struct client_options *o, const struct given *given)
{
    if (o->version == CLIENT_SOCKS5)
        return NULL;
    if (given->auth && o->auth != SOCKS_METHOD_NONE)
        return "SOCKS 4 has no login: --auth none is all that goes with it";
    if (o->command == SOCKS_UDP_ASSOCIATE)
        return "SOCKS 4 has no datagrams";
    if (o->user != NULL && strlen(o->user) > SOCKS4_TEXT_MAX)
        return "--user has more than the 255 bytes of a USERID";
    o->auth = SOCKS_METHOD_NONE;
    return NULL;
}

static const char *
given_effect(const struct client_options *o, const struct given *given)
{
    const bool userid = o->version != CLIENT_SOCKS5 && o->password_file == NULL;

    if (given->gssapi != NULL && o->auth != SOCKS_METHOD_GSSAPI)
        return "gssapi";
    if (given->userpass != NULL && o->auth != SOCKS_METHOD_USERPASS && !userid)
        return "userpass";
    return NULL;
}

static int
given_judge(struct client_options *o, const struct given *given)
{
    const char *wrong = socks4_judge(o, given);
    const char *method = wrong == NULL ? given_effect(o, given) : NULL;

    if (wrong != NULL)
        client_fail(CLIENT_USAGE, "%s", wrong);
    else if (method != NULL)
        client_fail(CLIENT_USAGE, "%s goes with --auth %s alone",
            strcmp(method, "gssapi") == 0 ? given->gssapi : given->userpass, method);
    else if (given->udp != NULL && o->command != SOCKS_UDP_ASSOCIATE)
        client_fail(CLIENT_USAGE, "%s goes with udp alone", given->udp);
    else if (!given->via)
        client_fail(CLIENT_USAGE, "--via HOST[:PORT] is missing: the gateway");
    else
        return 0;
    return -1;
}

static const char *
target_word(const struct client_options *o)
{
    return o->command == SOCKS_BIND ? "PEER" : "TARGET";
}

/* NULL, or what is wrong with a target that is a name, or an address. */
static const char *
target_judge(const struct client_options *o, bool brackets, bool name)
{
    if (brackets && name)
        return "brackets are for addresses";
    if (o->version == CLIENT_SOCKS4 && name)
        return "SOCKS 4 takes no names: --socks4a does";
    if (o->version != CLIENT_SOCKS5 && !name && o->target.addr.family != ADDR_IPV4)
        return "SOCKS 4 takes no IPv6 addresses";
    return NULL;
}

/* The name as the gateway will see it; an address as one. */
static int
target_read(struct client_options *o, const char *host, const char *port)
{
    const size_t len = strlen(host);
    const bool brackets = len >= 2 && host[0] == '[' && host[len - 1] == ']';
    const char *why = NULL;
    const enum name_status status = name_canonical(
        brackets ? host + 1 : host, brackets ? len - 2 : len, o->name, &o->target.addr, &why);

    if (status != NAME_BAD)
        why = target_judge(o, brackets, status == NAME_OK);
    if (why != NULL) {
        client_fail(CLIENT_USAGE, "%s \"%s\": %s", target_word(o), host, why);
        return -1;
    }
    const long least = o->command == SOCKS_BIND ? 0 : 1; /* where a peer comes from is its affair */

    if (client_value_port(port, least, &o->target.port) != 0) {
        client_fail(CLIENT_USAGE, "PORT \"%s\": %ld to 65535 is wanted", port, least);
        return -1;
    }
    if (status == NAME_OK)
        o->target.addr = (struct addr){ .family = ADDR_NONE };
    o->target.name = o->name;
    const bool bare = strchr(host, ':') != NULL && !brackets;
    (void)snprintf(o->target_text, sizeof o->target_text, "%s%.255s%s:%u", bare ? "[" : "", host,
        bare ? "]" : "", (unsigned)o->target.port);
    return 0;
}

static void
options_preset(struct client_options *o)
{
    *o = (struct client_options){
        .port = CLIENT_PORT,
        .auth = SOCKS_METHOD_GSSAPI,
        .protection = AUTH_PROTECTION_CONFIDENTIALITY,
        .service = "rcmd",
        .timeout = CLIENT_TIMEOUT,
        .wait = CLIENT_WAIT,
    };
}

static int
command_read(struct client_options *o, int words, char **word)
{
    static const struct {
        const char *word;
        enum socks_command command;
    } commands[] = {
        { "connect", SOCKS_CONNECT },
        { "bind", SOCKS_BIND },
        { "udp", SOCKS_UDP_ASSOCIATE },
    };

    for (size_t i = 0; words > 0 && i < SP_COUNT(commands); i++) {
        if (strcmp(word[0], commands[i].word) != 0)
            continue;
        o->command = commands[i].command;
        if (words == 3)
            return 0;
        client_fail(CLIENT_USAGE, "%s takes %s and PORT", word[0], target_word(o));
        return -1;
    }
    client_fail(CLIENT_USAGE, "\"connect\", \"bind\" and \"udp\" are what it can do");
    return -1;
}

enum client_options_result
client_options_read(struct client_options *o, int argc, char **argv)
{
    struct given given = { .via = false };
    int option;

    options_preset(o);
    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":Vh", long_options, NULL)) != -1) {
        if (option == 'V' || option == 'h')
            return answer(option);
        if (option_take(o, &given, option, argv[optind - 1]) != 0)
            return usage();
    }
    char **word = argv + optind;

    if (command_read(o, argc - optind, word) != 0 || given_judge(o, &given) != 0 ||
        target_read(o, word[1], word[2]) != 0)
        return usage();
    return CLIENT_OPTIONS_RUN;
}
