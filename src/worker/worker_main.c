/* SPDX-License-Identifier: ISC */
/*
 * Start of a worker in the visible order: channel and configuration, what needs files, chroot and
 * ids, seccomp, loop. Everything that goes wrong before the loop runs is fatal.
 */
#include "src/worker/worker.h"

#include "auth/builtin.h"
#include "lib/base/fd.h"
#include "lib/base/secret.h"
#include "src/core/log.h"
#include "src/core/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define PAIRS_LIMIT_LEAST 1024 /* descriptors, for conversations' pairs to be kept */

static void
open_image(struct worker *w)
{
    const char *why = NULL;

    w->image = image_adopt(w->child.image_fd, &why);
    if (w->image == NULL)
        log_fatal("policy image: %s", why);
}

/* The face of a method that protects messages, and what its libraries read from files. */
static void
find_protection(struct worker *w, uint32_t i, const char *name)
{
    char error[512];
    const struct auth_protect_module *face =
        auth_protect_find(name, auth_module_dir(), error, sizeof error);

    if (face == NULL)
        log_fatal("%s", error);
    if (face->start != NULL && face->start(error, sizeof error) < 0)
        log_fatal("module %s: %s", name, error);
    w->host.protect[i] = face;
}

static void
find_modules(struct worker *w)
{
    const struct image_settings *settings = image_settings(w->image);

    if (settings->modules.count > SESSION_MODULES_MAX)
        log_fatal("%u methods are configured; at most %d work", settings->modules.count,
            SESSION_MODULES_MAX);
    for (uint32_t i = 0; i < settings->modules.count; i++) {
        const char *name = image_string(w->image, image_module(w->image, i)->name);
        char error[512];

        w->host.modules[i] = auth_wire_find(name, auth_module_dir(), error, sizeof error);
        if (w->host.modules[i] == NULL)
            log_fatal("%s", error);
        if (w->host.modules[i]->protects)
            find_protection(w, i, name);
    }
}

static void
make_resolver(struct worker *w)
{
    const struct image_settings *settings = image_settings(w->image);
    struct resolver_settings rs = {
        .timeout_ms = settings->resolver.timeout * 1000,
        .attempts = settings->resolver.attempts,
        .hosts = settings->resolver.hosts != 0,
    };
    uint32_t count = settings->resolver.servers.count;

    _Static_assert(IMAGE_SERVERS_MAX == RESOLVER_SERVERS_MAX, "what is configured is taken");
    w->host.resolver = resolver_new(w->child.loop, &rs);
    if (w->host.resolver == NULL)
        log_fatal("resolver: %s", strerror(errno));
    if (count > 0 && resolver_set_servers(w->host.resolver,
                         IMAGE_AT(w->image, settings->resolver.servers, struct addr, 0), count) < 0)
        log_fatal("resolver: servers: %s", strerror(errno));
}

/* An association takes up to three more than the two that the number of sessions is counted by. */
static uint32_t
udp_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > UINT32_MAX)
        return 0;
    return (uint32_t)(limit.rlim_cur - limit.rlim_cur / 4);
}

/* With a small limit the master's plan leaves none beside the sessions' (master_capacity.c). */
static unsigned
pairs_kept(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= PAIRS_LIMIT_LEAST
        ? AUTHLINK_PAIRS_MAX
        : 0;
}

static void
make_host(struct worker *w)
{
    struct session_host *host = &w->host;

    host->loop = w->child.loop;
    host->dial.user_timeout_ms = WORKER_USER_TIMEOUT_MS;
    host->own = &w->own;
    host->udp_descriptors = udp_descriptors();
    host->authlink = &w->authlink;
    host->ring = w->child.ring;
    host->ended = worker_session_ended;
    host->rejudged = worker_rejudged;
    host->requested = worker_requested;
    host->table = table_open_writer(w->child.table_fd);
    host->stats = stats_open_writer(w->child.table_fd, TABLE_STATS_AT);
    host->scratch = malloc(SESSION_SCRATCH_SIZE);
    host->secret_scratch = secret_alloc(SESSION_SETUP_READ);
    if (host->table == NULL || host->stats == NULL || host->scratch == NULL || host->secret_scratch == NULL ||
        worker_ended_init(w) < 0 || worker_requested_init(w) < 0)
        log_fatal("no memory for the session table: %s", strerror(errno));
    if (audit_waits_open(&host->audit, host->loop, host->ring, w->child.accepted_fd) < 0)
        log_fatal("event loop: %s", strerror(errno));
    fd_close(&w->child.table_fd);
    budgets_open(&host->budgets, host, worker_budget_ask);
    authlink_init(&w->authlink, w->child.loop, pairs_kept());
    worker_adopt_first(w);
}

static void
see_own_addresses(struct worker *w)
{
    if (policy_own_read(&w->own) < 0)
        log_fatal("addresses of this host: %s", strerror(errno));
}

static void
worker_free(struct worker *w)
{
    session_end_all(&w->host, w->stop_reason);
    worker_ended_flush(w);
    authlink_close(&w->authlink);
    resolver_free(&w->host.resolver);
    pipes_free(&w->host.pipes);
    table_close(&w->host.table);
    stats_close(&w->host.stats);
    audit_waits_close(&w->host.audit);
    worker_reload_free(w);
    session_host_free(&w->host);
    budgets_close(&w->host.budgets);
    secret_free(w->host.secret_scratch, SESSION_SETUP_READ);
    free(w->host.scratch);
    free(w->host.udp);
    free(w->ended);
    free(w->requested.ids);
    image_close(&w->image);
    child_end(&w->child);
}

int
worker_main(int argc, char **argv, char **envp)
{
    static struct worker w = {
        .child = {
            .role = IPC_WORKER,
            .program = "sallyport-worker",
            .handlers = worker_handlers,
            .stop = worker_stop,
            .orphaned = worker_orphaned,
            .owner = &w,
        },
        .stop_reason = REASON_SHUTDOWN,
    };

    child_begin(&w.child, argc, argv, envp);
    open_image(&w);
    find_modules(&w);
    make_host(&w);
    make_resolver(&w);
    see_own_addresses(&w);
    child_cage(&w.child);
    if (!secret_all_locked())
        log_warn("the limit of locked memory is too low to keep passwords out of swap");
    if (sandbox_seccomp(SANDBOX_WORKER) < 0)
        log_fatal("seccomp: %s", strerror(errno));
    worker_title_changed(&w);
    child_ready(&w.child);
    if (loop_run(w.child.loop) < 0)
        log_fatal("epoll: %s", strerror(errno));
    worker_free(&w);
    return 0;
}
