/* SPDX-License-Identifier: ISC */
/*
 * The inside of sallyport-metrics: metrics over HTTP, from a process that holds nothing but its listening
 * socket and its channel to the master. libmicrohttpd runs in our loop, without a thread.
 */
#ifndef SP_METRICS_METRICS_PRIVATE_H
#define SP_METRICS_METRICS_PRIVATE_H

#include <microhttpd.h>
#include <stdbool.h>

#include "src/core/child.h"
#include "src/core/ipc_metrics.h"

#define METRICS_CONNECTIONS_MAX 64
#define METRICS_ADDRESS_MAX 16 /* of one address, but where all clients have the same: at loopback */
#define METRICS_CONNECTION_MEMORY 16384 /* bytes of request line, headers and reply's headers */
#define METRICS_SECONDS 10              /* for a request and its answer, and between two */
#define METRICS_ANSWER_SECONDS 3        /* for the master to render */
#define METRICS_FRESH_US CLOCK_SECOND_US

struct metrics;

/* One HTTP request under way. */
struct request {
    struct request *next; /* of those that wait for the master */
    struct MHD_Connection *connection;
    enum metrics_format format;
    bool waiting;  /* suspended, in the list */
    bool resumed;  /* it has waited */
};

/* One connection; it has so much time for a request. */
struct visitor {
    struct metrics *x;
    struct MHD_Connection *connection;
    struct loop_timer timer;
};

/* What the master renders in one format. */
struct text {
    struct metrics *x;
    struct MHD_Response *response; /* NULL: none yet, or the master had none */
    struct mono made;
    struct loop_timer patience; /* armed while the master is asked for it */
};

struct metrics {
    struct child child;
    int listen_fd; /* the daemon's once it runs */
    struct MHD_Daemon *daemon;
    int epoll_fd; /* the daemon's */
    struct loop_io io;
    struct loop_timer timer; /* the daemon's next timeout */
    struct loop_task drive;
    struct text texts[METRICS_FORMAT_COUNT];
    struct request *waiting;
};

/* ---- HTTP (metrics_http.c) ---- */

void http_start(struct metrics *x); /* fatal when it cannot */
void http_stop(struct metrics *x);
/* The daemon has something to do; in the next turn. */
void http_drive(struct metrics *x);

/* ---- what is told (metrics_text.c) ---- */

void text_init(struct metrics *x);
void text_free(struct metrics *x);
/* The text of the format when it is fresh, else NULL. */
struct MHD_Response *text_fresh(struct metrics *x, enum metrics_format format);
/* Asks the master and suspends the request until text_arrived(). False: the master cannot be asked. */
bool text_await(struct metrics *x, struct request *request);
void text_forget(struct metrics *x, struct request *request); /* it ends */
void text_arrived(struct child *child, struct ipc_message *message); /* METRICS_TEXT */
void text_abandon(struct metrics *x); /* everybody goes on without */

#endif
