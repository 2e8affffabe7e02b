/* SPDX-License-Identifier: ISC */
/*
 * What a verdict costs with many rules, and a look-up in list files of many entries: time, size of the
 * image, time and memory of the compiler. bench_policy [RULES [ENTRIES]], 10000 and 1000000.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "src/config/config.h"
#include "src/config/image_set.h"
#include "src/policy/policy.h"

#define QUERIES 65536U
#define SECONDS_SHOWN 0.3 /* a measurement goes on for so long */

/* --- files and images ----------------------------------------------------------------------------- */

static int main_file = -1;
static int list_file = -1;

static void
die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static double
seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
open_file(const char *path, void *ctx)
{
    (void)ctx;
    const int fd = dup(strcmp(path, "list") == 0 ? list_file : main_file);
    if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0) {
        die("dup");
    }
    return fd;
}

/* In a child, as the master does it: its memory is all the compiler's. */
static void
compile(int image_fd)
{
    const struct config_source source = { .open = open_file, .path = "main", .cpus = 4 };
    struct config_messages messages = { .text = BUFFER_INIT };
    size_t size = 0;
    void *image = config_compile(&source, &messages, &size);
    if (image == NULL) {
        (void)fprintf(stderr, "%.*s\n", (int)buffer_len(&messages.text),
            (const char *)buffer_head(&messages.text));
        _exit(EXIT_FAILURE);
    }
    _exit(fd_write_all(image_fd, image, size) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static struct image *
image_of(const char *what)
{
    struct rusage usage;
    struct image *image;
    const char *why = NULL;
    int status = 0;
    int fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const double begin = seconds();
    const pid_t child = fork();
    if (child == 0) {
        compile(fd);
    }
    if (wait4(child, &status, 0, &usage) != child || status != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        die("compile");
    }
    const double end = seconds();
    image = image_open(fd, &why);
    if (image == NULL) {
        (void)fprintf(stderr, "%s\n", why);
        exit(EXIT_FAILURE);
    }
    printf("%-30s image %8.1f KB, compiled in %6.3f s with %5.1f MB, opened in %6.2f ms\n", what,
        (double)image_header(image)->size / 1024, end - begin, (double)usage.ru_maxrss / 1024,
        (seconds() - end) * 1e3);
    fd_close(&fd);
    return image;
}

static FILE *
write_file(int *fd)
{
    if (*fd >= 0) {
        fd_close(fd);
    }
    *fd = memfd_create("file", MFD_CLOEXEC);
    FILE *f = fdopen(dup(*fd), "w");
    if (f == NULL) {
        die("memfd");
    }
    return f;
}

static void
write_head(FILE *f)
{
    (void)fprintf(f, "methods = { \"none\", \"userpass\" }\nlisten \"127.0.0.1:0\" { }\n");
}

static void
write_end(FILE *f)
{
    if (fclose(f) != 0) {
        die("write");
    }
}

/* --- many rules ----------------------------------------------------------------------------------- */

enum kind { BY_CLIENT, BY_PREFIX, BY_NAME, BY_USER, BY_PORT, BY_ALL, KINDS };
static const char *const kinds[KINDS] = { "clients", "prefixes", "names", "users", "ports",
    "a mixture" };

static void
write_rule(FILE *f, enum kind kind, unsigned i)
{
    (void)fprintf(f, "rule \"r%u\" { action = %s ", i, i % 3 == 0 ? "deny" : "allow");
    switch (kind == BY_ALL ? (enum kind)(i % BY_ALL) : kind) {
    case BY_CLIENT:
        (void)fprintf(f, "client = { \"10.%u.%u.0/24\" }", i / 256 % 256, i % 256);
        break;
    case BY_PREFIX:
        (void)fprintf(f, "destination = { \"172.%u.%u.0/24\", \"2001:db8:%x::/48\" }",
            i / 256 % 256, i % 256, i % 65536);
        break;
    case BY_NAME:
        (void)fprintf(f, "destination = { \"*.d%u.example.com\", \"www.n%u.example.org\" }", i, i);
        break;
    case BY_USER:
        (void)fprintf(f, "user = { \"u%u@EXAMPLE.COM\", \"*-%u@EXAMPLE.COM\" }", i, i);
        break;
    default:
        (void)fprintf(f, "command = connect port = { \"%u\", \"9000-9100\" } method = userpass",
            8000 + i % 900);
        break;
    }
    (void)fprintf(f, " }\n");
}

/* Nothing matches: every rule is looked at. */
static struct policy_query
last_query(void)
{
    struct policy_query q = { .user = "alice.example@EXAMPLE.COM",
        .method = 2,
        .command = IMAGE_COMMAND_CONNECT,
        .name = "www.some-host.example.net",
        .port = 443,
        .when = 1785542400 };
    const uint8_t client[4] = { 192, 0, 2, 1 };
    const uint8_t address[4] = { 198, 51, 100, 1 };
    q.client = addr_ipv4(client, 0);
    q.address = addr_ipv4(address, 0);
    return q;
}

static void
bench_rules(enum kind kind, unsigned count)
{
    char what[64];
    FILE *f = write_file(&main_file);
    write_head(f);
    for (unsigned i = 0; i < count; i++) {
        write_rule(f, kind, i);
    }
    write_end(f);
    (void)snprintf(what, sizeof(what), "%u rules by %s", count, kinds[kind]);
    struct image *image = image_of(what);
    struct policy_query q = last_query();
    struct policy_verdict v;
    unsigned rounds = 0;
    const double begin = seconds();
    double end = begin;
    while (end - begin < SECONDS_SHOWN) {
        q.port = (uint16_t)(443 + rounds % 2);
        v = policy_judge(image, NULL, &q);
        if (v.rule != POLICY_NO_RULE) {
            die("a rule matches");
        }
        rounds++;
        end = seconds();
    }
    printf("    decision %9.2f us, %5.2f ns a rule", (end - begin) * 1e6 / rounds,
        (end - begin) * 1e9 / rounds / count);
    q.address.family = ADDR_NONE;
    const double early = seconds();
    const bool refused = policy_refuses_any(image, &q, &v);
    printf("; before the address is known %.2f us (%s)\n", (seconds() - early) * 1e6,
        refused ? "refused" : "goes on");
    image_close(&image);
}

/* --- lists ---------------------------------------------------------------------------------------- */

static uint64_t
mixed(uint64_t i)
{
    i = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    i = (i ^ i >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    i = (i ^ i >> 27) * UINT64_C(0x94d049bb133111eb);
    return i ^ i >> 31;
}

/* Entry i of a list. listed: as in the file; else an address or a name that it matches, or, with i beyond
   the list, one that it does not. */
typedef void entry_text(char *text, size_t size, uint64_t i, bool listed);

static void
entry_name(char *text, size_t size, uint64_t i, bool listed)
{
    (void)listed;
    (void)snprintf(text, size, "h%07" PRIx64 ".d%" PRIu64 ".example.com", mixed(i) >> 36, i % 9999 + i / 1000);
}

static void
entry_suffix(char *text, size_t size, uint64_t i, bool listed)
{
    (void)snprintf(text, size, "%s.s%08" PRIx64 ".example.com", listed ? "*" : "www.host", mixed(i) >> 32);
}

static void
entry_four(char *text, size_t size, uint64_t i, bool listed)
{
    const uint32_t ip = (uint32_t)(mixed(i) >> 32);
    (void)snprintf(text, size, listed ? "%u.%u.%u.0/24" : "%u.%u.%u.9",
        i % 2 == 0 ? 1 + (ip >> 24) % 100 : 100 + (ip >> 24) % 100, ip >> 16 & 255, ip >> 8 & 255);
}

static void
entry_host4(char *text, size_t size, uint64_t i, bool listed)
{
    const uint32_t ip = (uint32_t)(mixed(i) >> 32);
    (void)listed;
    (void)snprintf(text, size, "%u.%u.%u.%u", 1 + (ip >> 24) % 220, ip >> 16 & 255, ip >> 8 & 255,
        ip & 255);
}

static void
entry_six(char *text, size_t size, uint64_t i, bool listed)
{
    const uint64_t ip = mixed(i);
    (void)snprintf(text, size, listed ? "2001:%x:%x:%x::/64" : "2001:%x:%x:%x::9",
        (unsigned)(ip >> 16 & 0xffff), (unsigned)(ip >> 32 & 0xffff), (unsigned)(ip >> 48));
}

static const struct {
    const char *what;
    entry_text *text;
    bool names;
} lists[] = {
    { "names", entry_name, true },
    { "suffixes", entry_suffix, true },
    { "IPv4 hosts", entry_host4, false },
    { "IPv4 /24", entry_four, false },
    { "IPv6 /64", entry_six, false },
};

struct probe {
    char name[64];
    struct addr address;
};

static void
bench_probes(const struct image *image, const char *what, const struct probe *probes, bool names)
{
    const struct image_set *set = image_set(image, 0);
    struct addr_prefix found;
    unsigned rounds = 0;
    unsigned hits = 0;
    const double begin = seconds();
    double end = begin;
    while (end - begin < SECONDS_SHOWN) {
        for (unsigned i = 0; i < QUERIES; i++) {
            hits += names ? image_set_has_name(image, set, probes[i].name)
                          : image_set_longest(image, set, &probes[i].address, &found);
        }
        rounds++;
        end = seconds();
    }
    printf("    %-5s %6.1f ns (%3.0f %% found)\n", what, (end - begin) * 1e9 / rounds / QUERIES,
        100.0 * hits / rounds / QUERIES);
}

static void
fill_probes(struct probe *probes, size_t list, uint64_t from, uint64_t count)
{
    for (unsigned i = 0; i < QUERIES; i++) {
        lists[list].text(probes[i].name, sizeof(probes[i].name), from + mixed(i + 77) % count, false);
        if (!lists[list].names && addr_parse_ip(probes[i].name, &probes[i].address) != 0) {
            die(probes[i].name);
        }
    }
}

static void
bench_list(size_t list, unsigned count)
{
    char text[128];
    struct probe *probes = calloc(QUERIES, sizeof(*probes));
    FILE *f = write_file(&list_file);
    for (unsigned i = 0; i < count; i++) {
        lists[list].text(text, sizeof(text), i, true);
        (void)fprintf(f, "%s\n", text);
    }
    write_end(f);
    f = write_file(&main_file);
    write_head(f);
    (void)fprintf(f, "rule \"l\" { action = allow destination = \"@list\" }\n");
    write_end(f);
    (void)snprintf(text, sizeof(text), "list of %u %s", count, lists[list].what);
    struct image *image = image_of(text);
    if (probes == NULL) {
        die("probes");
    }
    fill_probes(probes, list, 0, count);
    bench_probes(image, "hit", probes, lists[list].names);
    fill_probes(probes, list, UINT64_C(1) << 40, UINT64_C(1) << 40);
    bench_probes(image, "miss", probes, lists[list].names);
    free(probes);
    image_close(&image);
}

int
main(int argc, char **argv)
{
    const unsigned rules = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
    const unsigned entries = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : IMAGE_SET_ENTRIES_MAX;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        bench_rules((enum kind)kind, rules);
    }
    for (unsigned kind = 0; kind < KINDS; kind++) {
        bench_rules((enum kind)kind, rules / 10);
    }
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        bench_list(i, entries);
    }
    return EXIT_SUCCESS;
}
