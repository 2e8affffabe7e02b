/* SPDX-License-Identifier: ISC */
/* A throwaway Kerberos realm; see krb5_realm.h. What fails is said on standard error, with the end
   of the log of the program that failed. */
#include "tests/unit/krb5_realm.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5/krb5.h>

#define REALM "SALLYPORT.TEST"
#define REALM_ENCTYPES                                                                             \
    "aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96 "                                             \
    "aes256-cts-hmac-sha384-192 aes128-cts-hmac-sha256-128"
#define REALM_START_MS 5000
#define REALM_TRIES 5 /* ports, should somebody take ours before the KDC does */

bool
realm_path(const struct realm *r, const char *name, char *out, size_t size)
{
    const int n = snprintf(out, size, "%s/%s", r->folder, name);
    return n > 0 && (size_t)n < size;
}

static bool
realm_write(const struct realm *r, const char *name, const char *text)
{
    char path[512];
    FILE *f = realm_path(r, name, path, sizeof(path)) ? fopen(path, "we") : NULL;
    if (f == NULL) {
        return false;
    }
    const bool ok = fputs(text, f) >= 0;
    return fclose(f) == 0 && ok;
}

static bool
realm_setenv(const struct realm *r, const char *name, const char *prefix, const char *file)
{
    char value[600];
    const int n = snprintf(value, sizeof(value), "%s%s/%s", prefix, r->folder, file);
    return n > 0 && (size_t)n < sizeof(value) && setenv(name, value, 1) == 0;
}

static bool
realm_environment(const struct realm *r)
{
    return realm_setenv(r, "KRB5_CONFIG", "", "krb5.conf") &&
           realm_setenv(r, "KRB5_KDC_PROFILE", "", "kdc.conf") &&
           realm_setenv(r, "KRB5_KTNAME", "FILE:", "keytab") &&
           setenv("KRB5CCNAME", "MEMORY:realm", 1) == 0 &&
           setenv("KRB5RCACHENAME", "none:", 1) == 0;
}

static int
realm_free_port(void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(sin);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0 &&
                    getsockname(fd, (struct sockaddr *)&sin, &len) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return ok ? ntohs(sin.sin_port) : -1;
}

static bool
realm_configure(const struct realm *r, int port)
{
    char text[2048];
    int n = snprintf(text, sizeof(text),
        "[libdefaults]\n default_realm = " REALM "\n dns_lookup_kdc = false\n"
        " dns_lookup_realm = false\n dns_canonicalize_hostname = false\n rdns = false\n"
        " udp_preference_limit = 1\n forwardable = true\n"
        /* one more, for acceptors to refuse */
        " permitted_enctypes = " REALM_ENCTYPES " camellia256-cts-cmac\n"
        "[realms]\n " REALM " = {\n  kdc = 127.0.0.1:%d\n"
        /* warden is root here; other principals of one component have their own name */
        "  auth_to_local = RULE:[1:$1](^warden$)s/.*/root/\n  auth_to_local = DEFAULT\n }\n",
        port);
    if (n < 0 || (size_t)n >= sizeof(text) || !realm_write(r, "krb5.conf", text)) {
        return false;
    }
    n = snprintf(text, sizeof(text),
        "[kdcdefaults]\n kdc_listen = 127.0.0.1:%d\n kdc_tcp_listen = 127.0.0.1:%d\n"
        "[realms]\n " REALM " = {\n  database_name = %s/principal\n  key_stash_file = %s/stash\n"
        "  max_life = 1h\n }\n"
        "[logging]\n kdc = FILE:%s/kdc.log\n default = FILE:%s/kdc.log\n",
        port, port, r->folder, r->folder, r->folder, r->folder);
    return n > 0 && (size_t)n < sizeof(text) && realm_write(r, "kdc.conf", text);
}

/* Never returns. The programs of a KDC lie where an ordinary user's PATH does not look. */
static void
realm_exec(const struct realm *r, char *const argv[])
{
    char log[512];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int out = realm_path(r, "log", log, sizeof(log))
                        ? open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
                        : -1;
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ||
        setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin", 1) != 0) {
        _exit(126);
    }
    (void)execvp(argv[0], argv);
    _exit(errno == ENOENT ? 127 : 126);
}

static pid_t
realm_spawn(const struct realm *r, char *const argv[])
{
    const pid_t pid = fork();
    if (pid == 0) {
        realm_exec(r, argv);
    }
    return pid;
}

static void
realm_complain(const struct realm *r, const char *program, const char *package, int status)
{
    char path[512];
    char line[512];
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        (void)fprintf(stderr, "%s is missing: install the package %s\n", program, package);
        return;
    }
    (void)fprintf(stderr, "%s failed, wait status %d\n", program, status);
    FILE *f = realm_path(r, "log", path, sizeof(path)) ? fopen(path, "re") : NULL;
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        (void)fputs(line, stderr);
    }
    if (f != NULL) {
        (void)fclose(f);
    }
}

static bool
realm_run(const struct realm *r, const char *package, char *const argv[])
{
    int status = 0;
    const pid_t pid = realm_spawn(r, argv);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        realm_complain(r, argv[0], package, status);
        return false;
    }
    return true;
}

#define ARG(text) ((char *)(uintptr_t)(text))

static bool
realm_database(const struct realm *r)
{
    char add[512];
    char list[512];
    char *const create[] = { ARG("kdb5_util"), ARG("-r"), ARG(REALM), ARG("create"), ARG("-s"),
        ARG("-P"), ARG("master"), NULL };
    char *const alice[] = { ARG("kadmin.local"), ARG("-q"), ARG("addprinc -pw alice alice"), NULL };
    char *const gateway[] = { ARG("kadmin.local"), ARG("-q"), add, NULL };
    char *const keytab[] = { ARG("kadmin.local"), ARG("-q"), list, NULL };
    const int n = snprintf(add, sizeof(add),
        "addprinc -randkey -e \"aes256-cts-hmac-sha1-96:normal,aes128-cts-hmac-sha1-96:normal,"
        "aes256-cts-hmac-sha384-192:normal,aes128-cts-hmac-sha256-128:normal\" rcmd/gateway");
    const int k =
        snprintf(list, sizeof(list), "ktadd -norandkey -k %s/keytab rcmd/gateway", r->folder);
    return n > 0 && (size_t)n < sizeof(add) && k > 0 && (size_t)k < sizeof(list) &&
           realm_run(r, "krb5-kdc", create) && realm_run(r, "krb5-admin-server", alice) &&
           realm_run(r, "krb5-admin-server", gateway) && realm_run(r, "krb5-admin-server", keytab);
}

bool
realm_admin(const struct realm *r, const char *query)
{
    char *const argv[] = { ARG("kadmin.local"), ARG("-q"), ARG(query), NULL };
    return realm_run(r, "krb5-admin-server", argv);
}

static bool
realm_connects(int port)
{
    const struct sockaddr_in sin = { .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)&sin, sizeof(sin)) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return ok;
}

static int64_t
realm_now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until the KDC listens; false when it ended or takes too long. */
static bool
realm_listens(struct realm *r, int port, int *status)
{
    const int64_t end = realm_now_ms() + REALM_START_MS;
    while (realm_now_ms() < end) {
        if (waitpid(r->kdc, status, WNOHANG) == r->kdc) {
            r->kdc = -1;
            return false;
        }
        if (realm_connects(port)) {
            return true;
        }
        (void)poll(NULL, 0, 10);
    }
    return false;
}

void
realm_end_kdc(struct realm *r)
{
    if (r->kdc > 0) {
        (void)kill(r->kdc, SIGKILL);
        (void)waitpid(r->kdc, NULL, 0);
    }
    r->kdc = -1;
}

static bool
realm_kdc(struct realm *r)
{
    char *const argv[] = { ARG("krb5kdc"), ARG("-n"), ARG("-r"), ARG(REALM), NULL };
    int status = 0;
    for (int i = 0; i < REALM_TRIES; i++) {
        const int port = realm_free_port();
        if (port < 0 || !realm_configure(r, port) || (r->kdc = realm_spawn(r, argv)) < 0) {
            return false;
        }
        if (realm_listens(r, port, &status)) {
            return true;
        }
        realm_end_kdc(r);
    }
    realm_complain(r, "krb5kdc", "krb5-kdc", status);
    return false;
}

static bool
realm_ok(const char *what, OM_uint32 major, OM_uint32 minor)
{
    if (!GSS_ERROR(major)) {
        return true;
    }
    OM_uint32 more = 0;
    OM_uint32 ignored;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    (void)gss_display_status(&ignored, minor, GSS_C_MECH_CODE, GSS_C_NO_OID, &more, &text);
    (void)fprintf(stderr, "%s: %.*s\n", what, (int)text.length, (const char *)text.value);
    (void)gss_release_buffer(&ignored, &text);
    return false;
}

static bool
realm_name(const char *text, gss_name_t *out)
{
    OM_uint32 minor;
    gss_buffer_desc buffer = { strlen(text), ARG(text) };
    const OM_uint32 major =
        gss_import_name(&minor, &buffer, (gss_OID)GSS_KRB5_NT_PRINCIPAL_NAME, out);
    return realm_ok("gss_import_name", major, minor);
}

static bool
realm_credentials(struct realm *r)
{
    OM_uint32 minor;
    gss_name_t alice = GSS_C_NO_NAME;
    gss_OID_set_desc krb5 = { 1, (gss_OID)gss_mech_krb5 };
    gss_buffer_desc password = { 5, ARG("alice") };
    if (!realm_name("alice@" REALM, &alice) || !realm_name("rcmd/gateway@" REALM, &r->service)) {
        return false;
    }
    OM_uint32 major = gss_acquire_cred_with_password(
        &minor, alice, &password, 0, &krb5, GSS_C_INITIATE, &r->client, NULL, NULL);
    bool ok = realm_ok("alice's ticket", major, minor);
    major = gss_acquire_cred(&minor, r->service, 0, &krb5, GSS_C_ACCEPT, &r->server, NULL, NULL);
    ok = realm_ok("the gateway's keytab", major, minor) && ok;
    (void)gss_release_name(&minor, &alice);
    return ok;
}

bool
realm_login(const char *principal, const char *ccache)
{
    krb5_context context = NULL;
    krb5_principal client = NULL;
    krb5_ccache cache = NULL;
    krb5_creds creds = { 0 };
    krb5_error_code code = krb5_init_context(&context);
    if (code == 0) {
        code = krb5_parse_name(context, principal, &client);
    }
    if (code == 0) {
        code = krb5_get_init_creds_password(
            context, &creds, client, principal, NULL, NULL, 0, NULL, NULL);
    }
    if (code == 0 && (code = krb5_cc_resolve(context, ccache, &cache)) == 0 &&
        (code = krb5_cc_initialize(context, cache, client)) == 0) {
        code = krb5_cc_store_cred(context, cache, &creds);
    }
    if (code != 0) {
        const char *text = krb5_get_error_message(context, code);
        (void)fprintf(stderr, "a ticket for %s: %s\n", principal, text);
        krb5_free_error_message(context, text);
    }
    krb5_free_cred_contents(context, &creds);
    krb5_free_principal(context, client);
    if (cache != NULL) {
        (void)krb5_cc_close(context, cache);
    }
    krb5_free_context(context);
    return code == 0;
}

bool
realm_start(struct realm *r)
{
    const char *tmp = getenv("TMPDIR");
    memset(r, 0, sizeof(*r));
    r->kdc = -1;
    const int n = snprintf(
        r->folder, sizeof(r->folder), "%s/sallyport-realm-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (n < 0 || (size_t)n >= sizeof(r->folder) || mkdtemp(r->folder) == NULL) {
        (void)fprintf(stderr, "no folder for the realm: %s\n", strerror(errno));
        return false;
    }
    const bool ok = realm_environment(r) && realm_configure(r, 1) && realm_database(r) &&
                    realm_kdc(r) && realm_credentials(r);
    if (!ok) {
        realm_stop(r);
    }
    return ok;
}

void
realm_stop(struct realm *r)
{
    OM_uint32 minor;
    realm_end_kdc(r);
    (void)gss_release_cred(&minor, &r->client);
    (void)gss_release_cred(&minor, &r->server);
    (void)gss_release_name(&minor, &r->service);
    DIR *dir = opendir(r->folder);
    for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
        (void)unlinkat(dirfd(dir), e->d_name, 0);
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    (void)rmdir(r->folder);
}

static bool
realm_exchange(const struct realm *r, OM_uint32 flags, struct realm_pair *out)
{
    OM_uint32 minor;
    OM_uint32 major;
    gss_buffer_desc there = GSS_C_EMPTY_BUFFER;
    gss_buffer_desc back = GSS_C_EMPTY_BUFFER;
    major =
        gss_init_sec_context(&minor, r->client, &out->initiator, r->service, (gss_OID)gss_mech_krb5,
            flags, 0, GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, NULL, &there, NULL, NULL);
    bool ok = realm_ok("gss_init_sec_context", major, minor);
    if (ok) {
        major = gss_accept_sec_context(&minor, &out->acceptor, r->server, &there,
            GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, &back, NULL, NULL, NULL);
        ok = realm_ok("gss_accept_sec_context", major, minor) && major == GSS_S_COMPLETE;
    }
    (void)gss_release_buffer(&minor, &there);
    if (ok && back.length > 0) {
        major = gss_init_sec_context(&minor, r->client, &out->initiator, r->service,
            (gss_OID)gss_mech_krb5, flags, 0, GSS_C_NO_CHANNEL_BINDINGS, &back, NULL, &there, NULL,
            NULL);
        ok = realm_ok("gss_init_sec_context", major, minor) && major == GSS_S_COMPLETE;
    }
    (void)gss_release_buffer(&minor, &back);
    return ok;
}

bool
realm_pair_make(const struct realm *r, int32_t enctype, bool mutual, struct realm_pair *out)
{
    OM_uint32 minor;
    krb5_enctype only = enctype;
    const OM_uint32 flags = GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_CONF_FLAG |
                            GSS_C_INTEG_FLAG | (mutual ? GSS_C_MUTUAL_FLAG : 0U);
    out->initiator = GSS_C_NO_CONTEXT;
    out->acceptor = GSS_C_NO_CONTEXT;
    const OM_uint32 major = gss_krb5_set_allowable_enctypes(&minor, r->client, 1, &only);
    if (!realm_ok("gss_krb5_set_allowable_enctypes", major, minor) ||
        !realm_exchange(r, flags, out)) {
        realm_pair_free(out);
        return false;
    }
    return true;
}

void
realm_pair_free(struct realm_pair *pair)
{
    OM_uint32 minor;
    (void)gss_delete_sec_context(&minor, &pair->initiator, GSS_C_NO_BUFFER);
    (void)gss_delete_sec_context(&minor, &pair->acceptor, GSS_C_NO_BUFFER);
}

bool
realm_import(gss_ctx_id_t *end, struct krb5msg **out, struct krb5msg_import *seen)
{
    OM_uint32 minor;
    void *exported = NULL;
    const OM_uint32 major = gss_krb5_export_lucid_sec_context(&minor, end, 1, &exported);
    if (!realm_ok("gss_krb5_export_lucid_sec_context", major, minor)) {
        return false;
    }
    const gss_krb5_lucid_context_v1_t *lucid = exported;
    const gss_krb5_lucid_key_t *key = lucid->cfx_kd.have_acceptor_subkey != 0
                                          ? &lucid->cfx_kd.acceptor_subkey
                                          : &lucid->cfx_kd.ctx_key;
    *seen = (struct krb5msg_import){
        .enctype = (int32_t)key->type,
        .role = lucid->initiate != 0 ? KRB5MSG_INITIATOR : KRB5MSG_ACCEPTOR,
        .acceptor_subkey = lucid->cfx_kd.have_acceptor_subkey != 0,
        .key = key->data,
        .key_len = key->length,
        .send_seq = lucid->send_seq,
        .recv_seq = lucid->recv_seq,
    };
    const enum krb5msg_result result =
        lucid->protocol == 1 ? krb5msg_new(seen, out) : KRB5MSG_WRONG_ENCTYPE;
    (void)gss_krb5_free_lucid_sec_context(&minor, exported);
    seen->key = NULL;
    return result == KRB5MSG_OK;
}
