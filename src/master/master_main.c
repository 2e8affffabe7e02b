/* SPDX-License-Identifier: ISC */
/*
 * The master from its first to its last line: options, configuration, users, listeners, children in
 * their order, the loop. Until everything runs each failure is fatal and names its reason.
 */
#include "src/master/master.h"
#include "src/master/master_control.h"
#include "src/master/master_private.h"

#include "lib/base/fd.h"
#include "src/core/log.h"
#include "src/core/log_event.h"
#include "src/core/notify.h"
#include "src/core/title.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES_SECONDS 30 /* for the pools to judge their files at the first start */

static struct master the_master;

/* Descriptors 0 to 2 are open, so that nothing of ours becomes one of them. */
static void
ensure_stdio(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    fd_close(&fd);
}

static void
master_init(struct master *m)
{
    m->wake_fd = m->ring_data = m->ring_index = m->own_pidfd = m->config.fd = -1;
    m->acceptor.reserve = m->metrics.listen_fd = -1;
    for (unsigned i = 0; i < METRICS_FORMAT_COUNT; i++)
        m->metrics.kept[i].fd = -1;
    m->daemon.status_fd = m->daemon.output[0] = m->daemon.output[1] = -1;
}

/* ---- preparing ---- */

static void
prepare_users(struct master *m)
{
    char error[512];

    m->users.privileged = geteuid() == 0;
    if (!m->users.privileged) {
        log_info("started by an ordinary user: the children keep its privileges");
        return;
    }
    if (users_resolve(&m->users, m->settings, m->config.image, error, sizeof error) < 0
        || users_empty_dir(RUNDIR, m->empty_dir, sizeof m->empty_dir, error, sizeof error) < 0)
        log_fatal("%s", error);
    /* They outlive the image they were named by. */
    for (size_t i = 0; i < m->users.outsider_count; i++) {
        m->users.outsiders[i].name = strdup(m->users.outsiders[i].name);
        if (m->users.outsiders[i].name == NULL)
            log_fatal("no memory");
    }
}

void
capacity_need_of(const struct master *m, struct capacity_need *out)
{
    struct capacity_need need = { .descriptors = fd_raise_limit(), .workers = m->settings->workers,
        .listeners = m->settings->listeners.count, .sessions = m->settings->limits.sessions,
        .privileged = m->users.privileged };

    for (uint32_t i = 0; i < m->settings->modules.count; i++) {
        const struct image_module *module = image_module(m->config.image, i);

        if (!module->has_secret)
            continue;
        need.pools++;
        need.pool_processes += module->processes;
    }
    *out = need;
}

static void
prepare_capacity(struct master *m)
{
    struct capacity_need need;

    capacity_need_of(m, &need);
    need.pool_processes += metrics_wanted(m);
    m->capacity = capacity_plan(&need);
    capacity_tell(&need, &m->capacity);
}

static void
prepare_ring(struct master *m)
{
    m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    m->own_pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (m->wake_fd < 0 || m->own_pidfd < 0 || ring_create(1, &m->ring_data, &m->ring_index) < 0)
        log_fatal("event ring: %s", strerror(errno));
    m->ring = ring_writer_open(m->ring_data, m->ring_index, m->wake_fd);
    if (m->ring == NULL)
        log_fatal("event ring: %s", strerror(errno));
    if (m->options.detach && m->settings->log.target == IMAGE_LOG_STDERR)
        log_warn("log.target is \"stderr\", which -d gives up: nothing of the audit is kept");
    /* With the audit on standard error too, a diagnostic in both would stand there twice. */
    if (m->settings->log.target != IMAGE_LOG_STDERR)
        log_to_ring(m->ring);
}

static void
turn_end(void *ctx)
{
    limits_turn_end(ctx);
    door_turn_end(ctx);
    dispatch_flush(ctx);
}

static void
prepare_loop(struct master *m)
{
    m->loop = loop_new();
    if (m->loop == NULL || signals_init(m) < 0 || daemon_relay(m) < 0)
        log_fatal("event loop: %s", strerror(errno));
    m->started = loop_wall(m->loop);
    if (sessions_init(&m->sessions, m->started, m->capacity.sessions) < 0)
        log_fatal("session table: %s", strerror(errno));
    metrics_init(m);
    accept_init(m);
    dispatch_init(m);
    reload_init(m);
    limits_init(m);
    loop_set_turn_end(m->loop, turn_end, m);
}

/* ---- places ---- */

static struct place *
add_place(struct master *m, enum ipc_role role, uint32_t number, const struct user *user)
{
    struct place *place = &m->places[m->place_count++];

    *place = (struct place) { .m = m, .role = role, .number = (uint16_t)number, .user = *user,
        .next_seq = 1 };
    return place;
}

static void
label_place(struct place *place, const char *prefix, uint32_t number)
{
    int n = snprintf(place->label, sizeof place->label, "%s%u", prefix, (unsigned)number);

    if (n < 0 || (size_t)n >= sizeof place->label)
        log_fatal("the name %s is too long", prefix);
}

static void
add_pool(struct master *m, uint32_t pool)
{
    const struct image_module *module = image_module(m->config.image, pool);
    const char *name = image_string(m->config.image, module->name);
    struct user user;
    char prefix[IPC_LABEL_MAX];
    char error[512];

    if (pool_user(m, m->config.image, module, &user, error, sizeof error) < 0)
        log_fatal("%s", error);
    if (snprintf(prefix, sizeof prefix, "%s-", name) >= (int)sizeof prefix)
        log_fatal("the name of method %s is too long", name);
    for (uint32_t i = 1; i <= module->processes; i++) {
        struct place *place = add_place(m, IPC_AUTH, i, &user);

        place->pool = pool;
        label_place(place, prefix, i);
    }
}

static void
make_places(struct master *m)
{
    uint32_t modules = m->settings->modules.count;
    size_t count = 2 + m->capacity.workers;

    if (modules > MASTER_POOLS_MAX)
        log_fatal("%u methods; at most %d are allowed", (unsigned)modules, MASTER_POOLS_MAX);
    for (uint32_t i = 0; i < modules; i++)
        count += image_module(m->config.image, i)->processes;
    m->places = calloc(count, sizeof *m->places);
    if (m->places == NULL)
        log_fatal("no memory for %zu processes", count);
    (void)snprintf(add_place(m, IPC_LOGGER, 1, &m->users.log)->label, IPC_LABEL_MAX, "logger");
    for (uint32_t i = 0; i < modules; i++) {
        if (image_module(m->config.image, i)->has_secret)
            add_pool(m, i);
    }
    if (metrics_wanted(m))
        (void)snprintf(add_place(m, IPC_METRICS, 1, &m->users.worker)->label, IPC_LABEL_MAX, "metrics");
    m->workers = &m->places[m->place_count];
    for (uint32_t i = 1; i <= m->capacity.workers; i++)
        label_place(add_place(m, IPC_WORKER, i, &m->users.worker), "", i);
}

/* ---- starting ---- */

static void
await_role(struct master *m, enum ipc_role role)
{
    for (uint32_t i = 0; i < m->place_count; i++) {
        struct place *place = &m->places[i];

        if (place->role == role && m->stop == STOP_NOT && spawn(place) < 0)
            master_fail(m, "starting %s %s: %s", role_name(role), place->label, strerror(errno));
    }
    /* Each process has a limit of its own; one that does not make it ends the start. */
    while (m->stop == STOP_NOT && !watch_all_running(m, role)) {
        if (loop_turn(m->loop, -1) < 0)
            master_fail(m, "event loop: %s", strerror(errno));
    }
}

static void
await_files(struct master *m)
{
    struct mono deadline = mono_add_seconds(loop_now(m->loop), FILES_SECONDS);

    while (m->stop == STOP_NOT && !broker_settled(m)) {
        if (!mono_before(loop_now(m->loop), deadline))
            master_fail(m, "the authentication processes do not take their files");
        if (loop_turn(m->loop, 100) < 0)
            master_fail(m, "event loop: %s", strerror(errno));
    }
}

static void
start_family(struct master *m)
{
    programs_find(m);
    watch_init(m);
    await_role(m, IPC_LOGGER);
    await_role(m, IPC_AUTH);
    await_files(m);
    await_role(m, IPC_WORKER);
    await_role(m, IPC_METRICS);
}

static void
write_pid_file(struct master *m)
{
    const char *name = image_string(m->config.image, m->settings->pid_file);
    char *path = name[0] == '\0' ? NULL : path_beside(m->options.config, name);

    if (name[0] != '\0' && (path == NULL || pid_file_write(&m->daemon, path) < 0))
        master_fail(m, "pid-file %s: %s", name, strerror(errno));
    free(path);
}

static void
start_serving(struct master *m)
{
    if (m->stop != STOP_NOT)
        return;
    write_pid_file(m);
    m->serving = true;
    accept_resume(m, PAUSE_START);
    broker_start(m);
    reload_start(m);
    events_gateway_start(m);
    if (notify_send("READY=1") < 0)
        log_warn("telling the service manager: %s", strerror(errno));
    log_info("ready");
    daemon_release(m);
}

/* ---- the end ---- */

static void
master_free(struct master *m)
{
    pid_file_remove(&m->daemon);
    reload_cancel(m, "the gateway has stopped");
    control_close(m);
    corpses_free(m);
    broker_close(m);
    dispatch_close(m);
    accept_close(m);
    limits_close(m);
    listeners_free(m);
    watch_cancel_respawns(m);
    loop_timer_cancel(m->loop, &m->tick);
    if (m->daemon.output[0] >= 0)
        loop_io_del(m->loop, &m->daemon.io, m->daemon.output[0]);
    fd_close(&m->daemon.output[0]);
    fd_close(&m->daemon.output[1]);
    log_to_ring(NULL);
    ring_writer_close(&m->ring);
    fd_close(&m->ring_data);
    fd_close(&m->ring_index);
    fd_close(&m->own_pidfd);
    fd_close(&m->wake_fd);
    sessions_free(&m->sessions);
    metrics_free(m);
    free(m->places);
    m->places = NULL;
    compiled_free(&m->config);
    free(m->config_name);
    loop_free(&m->loop);
}

/* The daemon works in "/", so the configuration needs its whole name. */
static void
detach(struct master *m)
{
    if (m->options.config != NULL) {
        char *whole = realpath(m->options.config, NULL);

        if (whole == NULL)
            log_fatal("%s: %s", m->options.config, strerror(errno));
        m->options.config = m->config_name = whole;
    }
    daemon_fork(&m->daemon);
}

static int
run(struct master *m)
{
    char error[512];

    inherited_collect(&m->inherited);
    if (m->options.detach)
        detach(m);
    if (config_load(&m->options, &m->config) < 0)
        return EXIT_FAILURE;
    m->settings = image_settings(m->config.image);
    prepare_users(m);
    prepare_capacity(m);
    prepare_ring(m);
    prepare_loop(m);
    make_places(m);
    if (listeners_open(m) < 0)
        return EXIT_FAILURE;
    if (broker_init(m, error, sizeof error) < 0
        || folders_provide(m, m->config.image, true, error, sizeof error) < 0)
        log_fatal("%s", error);
    if (control_open(m, error, sizeof error) < 0)
        log_fatal("%s", error);
    title_set("master, starting");
    start_family(m);
    start_serving(m);
    int result = loop_run(m->loop);

    if (result < 0)
        log_error("event loop: %s", strerror(errno));
    else
        log_info("stopped");
    master_free(m);
    return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
master_main(int argc, char **argv, char **envp)
{
    struct master *m = &the_master;

    title_init(argc, argv, envp);
    ensure_stdio();
    log_init("sallyportd");
    switch (options_read(&m->options, argc, argv)) {
    case OPTIONS_USAGE:
        return 2;
    case OPTIONS_DONE:
        return EXIT_SUCCESS;
    case OPTIONS_RUN:
        break;
    }
    master_init(m);
    log_set_debug(m->options.debug);
    options_default_config(&m->options);
    if (m->options.check || m->options.print)
        return check_configuration(m);
    return run(m);
}
