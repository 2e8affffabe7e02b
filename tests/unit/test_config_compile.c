/* SPDX-License-Identifier: ISC */
/* src/config/config_compile.c and what it drives: a sound configuration becomes the image it says. */
#include "tests/unit/config_rig.h"

#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#define LISTEN "listen \"127.0.0.1:0\" { methods = { \"none\" } }\n"
#define RULE "rule \"all\" { action = allow }\n"

static const char *
text_at(const struct rig *r, struct image_text t)
{
    return image_string(r->image, t);
}

static void
test_builtin(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, NULL);
    const struct image_settings *s = image_settings(r.image);
    assert_int_equal(r.messages.warnings, 0);
    assert_int_equal(s->listeners.count, 2);
    assert_string_equal(text_at(&r, image_listener(r.image, 0)->name), "127.0.0.1:1080");
    assert_string_equal(text_at(&r, image_listener(r.image, 1)->name), "[::1]:1080");
    assert_int_equal(s->modules.count, 1);
    assert_int_equal(image_module(r.image, 0)->method, 0);
    assert_int_equal(image_module(r.image, 0)->has_secret, 0);
    assert_int_equal(s->log.target, IMAGE_LOG_STDERR);
    assert_string_equal(text_at(&r, s->config_file), "");
    assert_int_equal(image_header(r.image)->rules.count, 1);
    rig_free(&r);
}

/* The modules are those of the preset, in its order; the last of them. */
static const struct image_module *
methods_preset(const struct rig *r)
{
    const char *at = METHODS_PRESET;
    const uint32_t count = image_settings(r->image)->modules.count;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = text_at(r, image_module(r->image, i)->name);
        const size_t len = strcspn(at, " ");
        assert_int_equal(strlen(name), len);
        assert_memory_equal(name, at, len);
        at += len + (at[len] == ' ');
    }
    assert_string_equal(at, "");
    return image_module(r->image, count - 1);
}

static void
test_presets(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, "listen \"0.0.0.0:1080\" { }\n" RULE);
    const struct image_settings *s = image_settings(r.image);
    assert_string_equal(text_at(&r, s->config_file), RIG_MAIN);
    assert_string_equal(text_at(&r, s->user), "sallyport");
    assert_string_equal(text_at(&r, s->auth_user), "sallyport-auth");
    assert_string_equal(text_at(&r, s->log_user), "sallyport-log");
    assert_string_equal(text_at(&r, s->pid_file), "");
    assert_int_equal(s->workers, 6); /* the rig has 6 CPUs */
    assert_int_equal(s->timeouts.negotiate, 30);
    assert_int_equal(s->timeouts.connect, 30);
    assert_int_equal(s->timeouts.bind, 120);
    assert_int_equal(s->timeouts.idle, 7200);
    assert_int_equal(s->timeouts.half_closed, 300);
    assert_int_equal(s->timeouts.udp, 300);
    assert_int_equal(s->timeouts.stop, 20);
    assert_int_equal(s->timeouts.drain, 3600);
    assert_int_equal(s->timeouts.orphan, 300);
    assert_int_equal(s->limits.sessions, 100000);
    assert_int_equal(s->resolver.servers.count, 0);
    assert_int_equal(s->resolver.timeout, 5);
    assert_int_equal(s->resolver.attempts, 2);
    assert_int_equal(s->resolver.prefer, IMAGE_PREFER_ANY);
    assert_int_equal(s->resolver.hosts, 1);
    assert_int_equal(s->egress_ipv4.family, ADDR_NONE);
    assert_int_equal(s->log.target, IMAGE_LOG_SYSLOG);
    assert_string_equal(text_at(&r, s->log.path), "/dev/log");
    assert_int_equal(s->log.facility, LOG_LOCAL0);
    assert_int_equal(s->log.format, IMAGE_LOG_KEYVALUE);
    assert_int_equal(s->log.all_events, 0);
    assert_int_equal(s->log.interim, 0);
    assert_int_equal(s->log.required, 0);
    const struct image_module *m = methods_preset(&r);
    assert_string_equal(text_at(&r, m->name), "userpass");
    assert_int_equal(m->method, 2);
    assert_int_equal(m->has_secret, 1);
    assert_int_equal(m->processes, 3); /* half as many as workers */
    assert_int_equal(m->step_seconds, 60);
    assert_string_equal(image_option(r.image, NULL, m, "remember", 0), "60");
    assert_null(image_option(r.image, NULL, m, "nope", 0));
    rig_free(&r);
}

static void
test_settings(void **state)
{
    struct rig r;
    char text[ADDR_TEXT_MAX];
    (void)state;
    rig_good(&r, "user = a\nauth-user = 'b'\nlog-user = \"c\"\nworkers = 2 pid-file = \"/p\"\n"
                 "resolver { servers = { \"192.0.2.1\", \"[2001:db8::1]:54\" } timeout = 7\n"
                 " attempts = 3 prefer = ipv6 hosts = false }\n"
                 "egress { ipv4 = \"192.0.2.9\" ipv6 = \"2001:db8::9\" }\n"
                 "timeouts { negotiate = 1 connect = 2 idle = 4 half-closed = 5 stop = 6\n"
                 " orphan = 8 }\nlimits { sessions = 10000000 }\n"
                 "log { target = \"file:/var/log/x y\" facility = \"authpriv\" format = json\n"
                 " events = all }\ncontrol { socket = \"\" }\n" LISTEN RULE);
    const struct image_settings *s = image_settings(r.image);
    assert_string_equal(text_at(&r, s->user), "a");
    assert_string_equal(text_at(&r, s->auth_user), "b");
    assert_string_equal(text_at(&r, s->log_user), "c");
    assert_string_equal(text_at(&r, s->pid_file), "/p");
    assert_string_equal(text_at(&r, s->control_socket), "");
    assert_int_equal(s->workers, 2);
    assert_int_equal(s->resolver.servers.count, 2);
    addr_format(IMAGE_AT(r.image, s->resolver.servers, struct addr, 0), text);
    assert_string_equal(text, "192.0.2.1:53");
    addr_format(IMAGE_AT(r.image, s->resolver.servers, struct addr, 1), text);
    assert_string_equal(text, "[2001:db8::1]:54");
    assert_int_equal(s->resolver.timeout, 7);
    assert_int_equal(s->resolver.attempts, 3);
    assert_int_equal(s->resolver.prefer, IMAGE_PREFER_IPV6);
    assert_int_equal(s->resolver.hosts, 0);
    addr_format_ip(&s->egress_ipv4, text);
    assert_string_equal(text, "192.0.2.9");
    addr_format_ip(&s->egress_ipv6, text);
    assert_string_equal(text, "2001:db8::9");
    assert_int_equal(s->timeouts.negotiate, 1);
    assert_int_equal(s->timeouts.connect, 2);
    assert_int_equal(s->timeouts.idle, 4);
    assert_int_equal(s->timeouts.half_closed, 5);
    assert_int_equal(s->timeouts.stop, 6);
    assert_int_equal(s->timeouts.orphan, 8);
    assert_int_equal(s->limits.sessions, 10000000);
    assert_int_equal(s->log.target, IMAGE_LOG_FILE);
    assert_string_equal(text_at(&r, s->log.path), "/var/log/x y");
    assert_int_equal(s->log.facility, LOG_AUTHPRIV);
    assert_int_equal(s->log.format, IMAGE_LOG_JSON);
    assert_int_equal(s->log.all_events, 1);
    rig_free(&r);
}

static void
test_log_target(void **state)
{
    static const struct {
        const char *text;
        enum image_log_target target;
        const char *path;
    } rows[] = {
        { "syslog", IMAGE_LOG_SYSLOG, "/dev/log" },
        { "syslog:/run/x", IMAGE_LOG_SYSLOG, "/run/x" },
        { "stderr", IMAGE_LOG_STDERR, "" },
        { "file:/a", IMAGE_LOG_FILE, "/a" },
    };
    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct rig r;
        char text[256];
        snprintf(text, sizeof(text), LISTEN "log { target = \"%s\" }\n" RULE, rows[i].text);
        rig_good(&r, text);
        assert_int_equal(image_settings(r.image)->log.target, rows[i].target);
        assert_string_equal(text_at(&r, image_settings(r.image)->log.path), rows[i].path);
        rig_free(&r);
    }
}

static void
test_listeners(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, "methods = { \"userpass\", \"none\" }\nlisten \"0.0.0.0:1080\" { }\n"
                 "listen \"[::]:1080\" { methods = { \"none\" } }\n"
                 "listen \"127.0.0.1:0\" { }\nlisten \"[::1]:0\" { }\n" RULE);
    const struct image_settings *s = image_settings(r.image);
    assert_int_equal(s->listeners.count, 4);
    assert_int_equal(s->modules.count, 2);
    /* By name, whatever stands first. */
    assert_string_equal(text_at(&r, image_module(r.image, 0)->name), "none");
    const struct image_listener *l = image_listener(r.image, 0);
    assert_int_equal(l->addr.family, ADDR_IPV4);
    assert_int_equal(l->addr.port, 1080);
    assert_int_equal(l->modules.count, 2);
    assert_int_equal(*IMAGE_AT(r.image, l->modules, uint32_t, 0), 1);
    assert_int_equal(*IMAGE_AT(r.image, l->modules, uint32_t, 1), 0);
    l = image_listener(r.image, 1);
    assert_int_equal(l->modules.count, 1);
    assert_int_equal(*IMAGE_AT(r.image, l->modules, uint32_t, 0), 0);
    assert_ptr_equal(image_module_by_method(r.image, 0), image_module(r.image, 0));
    assert_null(image_module_by_method(r.image, 1));
    rig_free(&r);
}

/* A general method that no listener offers is no module of the image; its section is checked. */
static void
test_unused_module(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, LISTEN RULE "userpass { file = \"/x\" }\n");
    assert_int_equal(image_settings(r.image)->modules.count, 1);
    rig_free(&r);
    rig_init(&r, LISTEN RULE "userpass { remember = -1 }\n");
    rig_compile(&r);
    assert_int_equal(r.messages.errors, 1);
    rig_free(&r);
}

static void
test_rules(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, LISTEN "rule \"one \\\"x\\\"\" {\n action = \"deny\"\n client = 10.0.0.0/8\n"
                        " user = { \"*@X\", \"bob\" }\n method = { \"none\" }\n"
                        " command = { \"bind\", \"udp\" }\n"
                        " destination = { \"*.Example.COM.\", \"::1\", \"a?c\", \"192.0.2.0/24\",\n"
                        "   \"::ffff:127.0.0.0/104\", \"0.0.0.0/8\", \"126.0.0.0/7\" }\n"
                        " port = { \"443\", \"8000-8999\" }\n}\n" RULE);
    const struct image_rule *rule = image_rule(r.image, 0);
    assert_int_equal(image_header(r.image)->rules.count, 2);
    assert_string_equal(text_at(&r, rule->title), "one \"x\"");
    assert_int_equal(rule->action, IMAGE_DENY);
    assert_int_equal(rule->has, 63);
    assert_int_equal(rule->commands, IMAGE_COMMAND_BIND | IMAGE_COMMAND_UDP);
    assert_int_equal(rule->clients.count, 1);
    assert_int_equal(rule->users.count, 2);
    assert_string_equal(text_at(&r, *IMAGE_AT(r.image, rule->users, struct image_text, 1)), "bob");
    assert_int_equal(rule->methods.count, 1);
    assert_int_equal(rule->names.count, 2);
    assert_string_equal(
        text_at(&r, *IMAGE_AT(r.image, rule->names, struct image_text, 0)), "*.example.com");
    assert_int_equal(rule->prefixes.count, 5);
    static const unsigned opens[] = { 1, 0, 1, 1, 0 };
    for (uint32_t i = 0; i < 5; i++) {
        const struct image_prefix *p = IMAGE_AT(r.image, rule->prefixes, struct image_prefix, i);
        assert_int_equal(p->opens_special, opens[i]);
    }
    assert_int_equal(rule->ports.count, 2);
    assert_int_equal(IMAGE_AT(r.image, rule->ports, struct image_ports, 1)->high, 8999);
    rule = image_rule(r.image, 1);
    assert_int_equal(rule->has, 0);
    assert_int_equal(rule->action, IMAGE_ALLOW);
    assert_int_equal(rule->commands, 7);
    rig_free(&r);
}

/* Presets may be written out, also where nothing else is available yet. */
static void
test_later_presets(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r,
        LISTEN "timeouts { udp = 300 }\nsocks4 { enabled = true ident-timeout = 10 }\n"
               "udp { enabled = true filtering = endpoint } bind { port-min = 0 }\n"
               "metrics { listen = \"\" }\nlimits { failures = 10 penalty = 60 }\n"
               "rule \"r\" { action = allow bandwidth = 0 bind-any = false }\n");
    rig_free(&r);
}

static void
test_warnings(void **state)
{
    struct rig r;
    (void)state;
    rig_good(&r, LISTEN);
    assert_string_equal(r.text, "main.conf: warning: no rule: every request will be refused\n");
    rig_free(&r);
    rig_good(&r, LISTEN "rule \"r\" {\n action = allow\n method = { \"userpass\" } }\n");
    assert_string_equal(
        r.text, "main.conf:4: rule \"r\": method: warning: no listener offers \"userpass\"\n");
    rig_free(&r);
}

/* --- includes ---------------------------------------------------------------------------------- */

static void
test_include(void **state)
{
    static const char a[] = LISTEN "\nworkers = 3\ninclude(\"c\")";
    static const char b[] = "rule \"b\" { action = deny }";
    struct rig r;
    (void)state;
    rig_init(&r, "include(\"a\")\n" RULE "include('b')\n");
    rig_file(&r, "a", a, strlen(a));
    rig_file(&r, "b", b, strlen(b));
    rig_file(&r, "c", "", 0);
    rig_compile(&r);
    assert_non_null(r.image);
    assert_int_equal(image_header(r.image)->rules.count, 2);
    assert_int_equal(image_settings(r.image)->workers, 3);
    assert_int_equal(r.opened, 4);
    rig_free(&r);
}

/* Complaints name the file that is wrong, and the line in it, also after a file that was included. */
static void
test_include_lines(void **state)
{
    static const char a[] = "# x\n\n/* y */ rule \"r\" {\n action = perhaps\n}\nworkers = 1\n";
    struct rig r;
    (void)state;
    rig_init(&r, "\n" LISTEN "include(\"a\")\n\nworkers = 2\nlog {\n format = x }\n");
    rig_file(&r, "a", a, strlen(a));
    rig_compile(&r);
    assert_string_equal(r.text,
        "main.conf:5: workers: repeated; it is set at a:6 already, allowed is once\n"
        "a:4: rule \"r\": action: \"perhaps\" is not allowed; allowed are \"deny\" and \"allow\"\n"
        "main.conf:7: section \"log\": format: \"x\" is not allowed; allowed are \"keyvalue\" and "
        "\"json\"\n");
    rig_free(&r);
}

static void
test_include_bounds(void **state)
{
    static const char self[] = "include(\"self\")\n";
    static const char empty[] = "include(\"e\")\n";
    struct rig r;
    char *many = malloc(66 * sizeof(empty));
    size_t len = 0;
    (void)state;
    rig_init(&r, self);
    rig_file(&r, "self", self, strlen(self));
    rig_compile(&r);
    assert_non_null(strstr(r.text, "self:1: include: files include each other more than 8 deep\n"));
    rig_free(&r);
    assert_non_null(many);
    for (int i = 0; i < 65; i++) {
        memcpy(many + len, empty, sizeof(empty));
        len += sizeof(empty) - 1;
    }
    rig_init(&r, many);
    rig_file(&r, "e", "", 0);
    rig_compile(&r);
    assert_non_null(strstr(r.text, "main.conf:65: include: more than 64 files are included\n"));
    assert_int_equal(r.opened, 65);
    rig_free(&r);
    many[len - strlen(empty)] = '\0';
    rig_init(&r, many);
    rig_file(&r, "e", "", 0);
    rig_compile(&r);
    assert_null(strstr(r.text, "include"));
    rig_free(&r);
    free(many);
}

/* --- raw text ---------------------------------------------------------------------------------- */

static void
test_nul(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r, "x");
    r.files[0].text = "workers = 1\n# \0\n";
    r.files[0].len = 16;
    rig_compile(&r);
    assert_string_equal(r.text, "main.conf:2: NUL byte; only text is allowed\n");
    rig_free(&r);
}

static void
test_size(void **state)
{
    struct rig r;
    char *large = malloc(CONFIG_FILE_MAX + 1);
    (void)state;
    assert_non_null(large);
    memset(large, ' ', CONFIG_FILE_MAX + 1);
    memcpy(large, LISTEN RULE, strlen(LISTEN RULE));
    rig_init(&r, "x");
    r.files[0].text = large;
    r.files[0].len = CONFIG_FILE_MAX;
    rig_compile(&r);
    assert_non_null(r.image);
    rig_free(&r);
    rig_init(&r, "x");
    r.files[0].text = large;
    r.files[0].len = CONFIG_FILE_MAX + 1;
    rig_compile(&r);
    assert_string_equal(
        r.text, "main.conf: \"main.conf\" is too large; allowed are 16777216 bytes\n");
    rig_free(&r);
    free(large);
}

static void
test_missing(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r, "");
    r.source.path = "/other.conf";
    rig_compile(&r);
    assert_string_equal(
        r.text, "/other.conf: cannot open \"/other.conf\": No such file or directory\n");
    rig_free(&r);
}

/* Twenty thousand rules: linear, so it only has to end. */
static void
test_large(void **state)
{
    struct rig r;
    const unsigned count = 20000;
    const size_t size = 160 * (size_t)count + 256;
    char *text = malloc(size);
    size_t len = 0;
    (void)state;
    assert_non_null(text);
    len += (size_t)snprintf(text, size, "%s", LISTEN);
    for (unsigned i = 0; i < count; i++) {
        len += (size_t)snprintf(text + len, size - len,
            "rule \"rule %u\" { action = allow client = { \"10.0.0.0/8\", \"fd00::/8\" }\n"
            " destination = { \"*.e%u.example\", \"203.0.113.%u\" } port = { 443 } }\n",
            i, i, i % 256);
    }
    rig_good(&r, text);
    assert_int_equal(image_header(r.image)->rules.count, count);
    assert_string_equal(text_at(&r, image_rule(r.image, count - 1)->title), "rule 19999");
    rig_free(&r);
    free(text);
}

/* --- the sample -------------------------------------------------------------------------------- */

static char *
read_sample(void)
{
    char path[4096];
    const char *top = getenv("top_srcdir");
    char *text = calloc(1, 65536);
    snprintf(path, sizeof(path), "%s/etc/sallyport.conf.sample", top != NULL ? top : ".");
    FILE *f = fopen(path, "re");
    if (f == NULL || text == NULL) {
        fail_msg("cannot read %s", path);
    }
    assert_in_range(fread(text, 1, 65535, f), 1, 65534);
    fclose(f);
    return text;
}

/* It compiles; and what it shows as defaults compiles to the same, so they are the defaults. */
static void
test_sample(void **state)
{
    struct rig r;
    struct rig defaults;
    char *text = read_sample();
    (void)state;
    if (strstr(METHODS_PRESET, "gssapi") == NULL) {
        free(text);
        print_message("the sample offers gssapi, which this tree was configured without\n");
        skip();
        return;
    }
    rig_good(&r, text);
    assert_string_equal(r.text, "");
    assert_int_equal(image_settings(r.image)->listeners.count, 2);
    assert_int_equal(image_header(r.image)->rules.count, 2);
    for (char *at = text; (at = strstr(at, "# ")) != NULL; at++) {
        const char *end = strchr(at, '\n');
        const char *sign = strchr(at, '=');
        const bool indented = at > text + 4 && strncmp(at - 4, "    ", 4) == 0;
        if (sign != NULL && sign < end && (indented || at[-1] == '\n') &&
            memmem(at, (size_t)(end - at), "example", 7) == NULL && at[2] >= 'a' && at[2] <= 'z') {
            at[0] = ' ';
        }
    }
    rig_good(&defaults, text);
    assert_non_null(strstr(text, "\n  workers   = 0"));
    assert_non_null(strstr(text, "      format   = \"keyvalue\""));
    assert_non_null(strstr(text, "      end-with-ticket = true"));
    assert_int_equal(image_settings(r.image)->modules.count, 2);
    assert_int_equal(r.size, defaults.size);
    assert_memory_equal(r.compiled, defaults.compiled, r.size);
    rig_free(&r);
    rig_free(&defaults);
    free(text);
}

/* --- users ------------------------------------------------------------------------------------- */

static void
test_users(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r, "user = nobody\nauth-user = nobody\nlog-user = no-such-user\n" LISTEN RULE);
    r.source.privileged = true;
    rig_compile(&r);
    assert_string_equal(r.text,
        "main.conf:2: auth-user: the same user as user; the three must differ\n"
        "main.conf:3: log-user: no user \"no-such-user\" on this system; make it with "
        "\"useradd -r\" or name another\n");
    rig_free(&r);
    rig_init(&r, "user = nobody\nauth-user = root\nlog-user = daemon\n" LISTEN RULE);
    r.source.privileged = true;
    rig_compile(&r);
    assert_string_equal(
        r.text, "main.conf:2: auth-user: \"root\" is root; allowed is any other user\n");
    rig_free(&r);
    rig_init(&r, "user = nobody\nauth-user = \"a b\"\nlog-user = daemon\n" LISTEN RULE);
    r.source.privileged = true;
    rig_compile(&r);
    assert_string_equal(r.text, "main.conf:2: auth-user: \"a b\" is no name of a user; allowed are letters, "
                                "digits and _ . -\n"); /* once */
    rig_free(&r);
    rig_init(&r, "user = nobody\nauth-user = bin\nlog-user = daemon\n" LISTEN RULE);
    r.source.privileged = true;
    rig_compile(&r);
    assert_non_null(r.image);
    rig_free(&r);
}

/* --- modules' files ---------------------------------------------------------------------------- */

#define USERS "listen \"127.0.0.1:0\" { methods = \"userpass\" }\n" RULE "userpass {\n file = \"/users\" }\n"

static void
test_check_files(void **state)
{
    static const char good[] = "bob:$6$saltsalt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130"
                               "MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.\n";
    static const char bad[] = "bob:$apr1$x$y\n";
    struct rig r;
    (void)state;
    rig_init(&r, USERS); /* not asked for: not opened */
    rig_compile(&r);
    assert_non_null(r.image);
    assert_int_equal(r.opened, 1);
    rig_free(&r);
    rig_init(&r, USERS);
    r.source.check_files = true;
    rig_compile(&r);
    assert_string_equal(r.text, "main.conf:4: section \"userpass\": file: cannot read \"/users\": No "
                                "such file or directory\n");
    rig_free(&r);
    rig_init(&r, USERS);
    rig_file(&r, "/users", good, strlen(good));
    r.source.check_files = true;
    rig_compile(&r);
    assert_non_null(r.image);
    assert_int_equal(image_option(r.image, NULL, image_module(r.image, 0), "file", 0)[0], '/');
    rig_free(&r);
    rig_init(&r, USERS);
    rig_file(&r, "/users", bad, strlen(bad));
    r.source.check_files = true;
    rig_compile(&r);
    assert_non_null(strstr(r.text, "/users:1: "));
    assert_int_equal(r.messages.errors, 1);
    rig_free(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_log_target),
        cmocka_unit_test(test_listeners),
        cmocka_unit_test(test_unused_module),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_later_presets),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_include),
        cmocka_unit_test(test_include_lines),
        cmocka_unit_test(test_include_bounds),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_check_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
