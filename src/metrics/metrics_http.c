/* SPDX-License-Identifier: ISC */
/*
 * HTTP: one resource, GET and HEAD. Serves metrics_main.c. A client is judged by what it asks for alone;
 * whatever it sends, or does not send, ends its own connection at most.
 */
#include "src/metrics/metrics_private.h"

#include "lib/base/addr.h"
#include "src/core/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* ---- answers ---- */

static enum MHD_Result
refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

    if (r == NULL)
        return MHD_NO;
    enum MHD_Result result =
        MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");

    if (status == MHD_HTTP_METHOD_NOT_ALLOWED && result == MHD_YES)
        result = MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (result == MHD_YES)
        result = MHD_queue_response(connection, status, r);
    MHD_destroy_response(r);
    return result;
}

/* A member of a list of media types, up to its comma: whether it is the type, and not with q=0. */
static bool
accepts(const char *member, size_t len, const char *type)
{
    const char *end = member + len;
    size_t size = strlen(type);

    if (len < size || strncasecmp(member, type, size) != 0 || strchr(",; \t", member[size]) == NULL)
        return false;
    for (const char *at = memchr(member, ';', len); at != NULL; at = memchr(at, ';', (size_t)(end - at))) {
        at += 1 + strspn(at + 1, " \t");
        if (strncasecmp(at, "q=", 2) == 0)
            return strspn(at + 2, "0.") < strcspn(at + 2, ",; \t");
    }
    return true;
}

/* OpenMetrics where the client names it. */
static enum metrics_format
wanted_format(struct MHD_Connection *connection)
{
    static const char type[] = "application/openmetrics-text";
    const char *accept =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);

    while (accept != NULL && *accept != '\0') {
        size_t len = strcspn(accept, ",");

        if (accepts(accept, len, type))
            return METRICS_OPENMETRICS;
        accept += len;
        accept += strspn(accept, ", \t");
    }
    return METRICS_CLASSIC;
}

static struct request *
request_begin(struct MHD_Connection *connection)
{
    struct request *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    r->connection = connection;
    r->format = wanted_format(connection);
    return r;
}

/* Called with the headers read, then with each piece of a body, then without; and after resuming. */
static enum MHD_Result
answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_size, void **context)
{
    struct metrics *x = cls;
    struct request *r = *context;

    (void)version;
    (void)upload;
    if (r == NULL) {
        if (strcmp(url, "/metrics") != 0)
            return refuse(connection, MHD_HTTP_NOT_FOUND, "Metrics are at /metrics.\n");
        if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
            return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD are allowed.\n");
        *context = request_begin(connection);
        return *context == NULL ? MHD_NO : MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    struct MHD_Response *fresh = text_fresh(x, r->format);

    if (fresh != NULL)
        return MHD_queue_response(connection, MHD_HTTP_OK, fresh);
    if (r->resumed || !text_await(x, r))
        return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "The gateway does not answer.\n");
    return MHD_YES;
}

/* ---- connections ---- */

static void
visitor_arm(struct visitor *v)
{
    if (loop_timer_set(v->x->child.loop, &v->timer,
            mono_add_seconds(loop_now(v->x->child.loop), METRICS_SECONDS)) < 0)
        log_warn("no memory for a timer");
}

/* The daemon's own timeout is for silence; who sends a byte now and then meets this one. */
static void
visitor_late(struct loop_timer *timer)
{
    struct visitor *v = (struct visitor *)((char *)timer - offsetof(struct visitor, timer));
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(v->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (info != NULL)
        (void)shutdown(info->connect_fd, SHUT_RDWR);
    http_drive(v->x);
}

static void
connection_changed(void *cls, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode what)
{
    struct metrics *x = cls;
    struct visitor *v = *context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = v = calloc(1, sizeof *v);
        if (v == NULL)
            return; /* the daemon's timeout is left */
        v->x = x;
        v->connection = connection;
        v->timer.expired = visitor_late;
        visitor_arm(v);
        return;
    }
    /* At its limit the daemon does not listen, and begins again only when it runs once more. */
    http_drive(x);
    if (v == NULL)
        return;
    loop_timer_cancel(x->child.loop, &v->timer);
    free(v);
    *context = NULL;
}

static void
request_over(void *cls, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode why)
{
    struct metrics *x = cls;
    struct request *r = *context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK && info != NULL && info->socket_context != NULL)
        visitor_arm(info->socket_context);
    if (r == NULL)
        return;
    text_forget(x, r);
    free(r);
    *context = NULL;
}

/* ---- the daemon in our loop ---- */

static void
run(struct metrics *x)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;

    if (MHD_run(x->daemon) != MHD_YES)
        log_fatal("libmicrohttpd: its event loop failed");
    loop_timer_cancel(x->child.loop, &x->timer);
    if (MHD_get_timeout(x->daemon, &ms) != MHD_YES)
        return;
    if (ms == 0)
        http_drive(x);
    else if (loop_timer_set(x->child.loop, &x->timer,
                 mono_add_us(loop_now(x->child.loop), (int64_t)ms * CLOCK_MSEC_US)) < 0)
        log_fatal("no memory for a timer");
}

static void
io_ready(struct loop_io *io, uint32_t events)
{
    (void)events;
    run((struct metrics *)((char *)io - offsetof(struct metrics, io)));
}

static void
timer_due(struct loop_timer *timer)
{
    run((struct metrics *)((char *)timer - offsetof(struct metrics, timer)));
}

static void
drive(struct loop_task *task)
{
    run((struct metrics *)((char *)task - offsetof(struct metrics, drive)));
}

void
http_drive(struct metrics *x)
{
    loop_defer(x->child.loop, &x->drive);
}

/* Who shares the scraper's address would, with a limit, keep it out with fewer connections; 0: none. */
static unsigned
address_limit(int listen_fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;

    if (getsockname(listen_fd, (struct sockaddr *)&ss, &len) < 0)
        return 0;
    struct addr bound = addr_from_sockaddr((const struct sockaddr *)&ss, len);
    const char *special = addr_special(&bound, NULL);

    return special != NULL && strcmp(special, "loopback") == 0 ? 0 : METRICS_ADDRESS_MAX;
}

void
http_start(struct metrics *x)
{
    text_init(x);
    x->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, answer, x,
        MHD_OPTION_LISTEN_SOCKET, x->listen_fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)METRICS_CONNECTIONS_MAX,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, address_limit(x->listen_fd),
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)METRICS_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)METRICS_CONNECTION_MEMORY,
        MHD_OPTION_NOTIFY_CONNECTION, connection_changed, x,
        MHD_OPTION_NOTIFY_COMPLETED, request_over, x, MHD_OPTION_END);
    if (x->daemon == NULL)
        log_fatal("libmicrohttpd: %s", strerror(errno));
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(x->daemon, MHD_DAEMON_INFO_EPOLL_FD);

    if (info == NULL)
        log_fatal("libmicrohttpd has no epoll here");
    x->epoll_fd = info->epoll_fd;
    x->io.ready = io_ready;
    x->timer.expired = timer_due;
    x->drive.run = drive;
    if (loop_io_add(x->child.loop, &x->io, x->epoll_fd, EPOLLIN) < 0)
        log_fatal("event loop: %s", strerror(errno));
}

void
http_stop(struct metrics *x)
{
    loop_io_del(x->child.loop, &x->io, x->epoll_fd);
    text_abandon(x); /* nobody may be suspended at the end */
    loop_timer_cancel(x->child.loop, &x->timer);
    MHD_stop_daemon(x->daemon);
    loop_task_cancel(x->child.loop, &x->drive); /* connections that it closed have asked for it */
    text_free(x);
}
