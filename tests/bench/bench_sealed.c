/* SPDX-License-Identifier: ISC */
/*
 * MB per CPU second of a thread that relays between a sealed and a plain TCP connection on loopback,
 * system calls and all, beside the rate of libgssapi's gss_wrap_iov and gss_unwrap_iov alone, in place,
 * measured before and after each row, and beside the same relay without protection, copying. The two
 * peers are processes of their own. Arguments: megabytes a row, bytes of the client's messages.
 */
#include "tests/unit/krb5_realm.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gssapi/gssapi_ext.h>

#include "auth/gssapi/gssapi_blob.h"
#include "auth/gssapi/gssapi_protect_local.h"
#include "lib/base/fd.h"
#include "src/session/relay.h"

struct row {
    const struct realm *realm;
    int32_t enctype; /* 0: not protected */
    const char *name;
    bool conf;
    bool opening; /* the sealed side is the source */
    size_t total; /* bytes of plaintext */
    size_t message;
};

static void
die(const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static double
cpu_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- libgssapi alone ---- */

static size_t
bench_wrap(const struct realm_pair *pair, bool conf, uint8_t *slot, size_t len)
{
    OM_uint32 minor;
    gss_iov_buffer_desc iov[4] = {
        { GSS_IOV_BUFFER_TYPE_HEADER, GSS_C_EMPTY_BUFFER },
        { GSS_IOV_BUFFER_TYPE_DATA, { len, slot } },
        { GSS_IOV_BUFFER_TYPE_PADDING, GSS_C_EMPTY_BUFFER },
        { GSS_IOV_BUFFER_TYPE_TRAILER, GSS_C_EMPTY_BUFFER },
    };

    if (gss_wrap_iov_length(&minor, pair->initiator, conf, 0, NULL, iov, 4) != GSS_S_COMPLETE)
        die("gss_wrap_iov_length");
    iov[0].buffer.value = slot;
    for (int i = 1; i < 4; i++)
        iov[i].buffer.value = (uint8_t *)iov[i - 1].buffer.value + iov[i - 1].buffer.length;
    if (gss_wrap_iov(&minor, pair->initiator, conf, 0, NULL, iov, 4) != GSS_S_COMPLETE)
        die("gss_wrap_iov");
    return (size_t)((uint8_t *)iov[3].buffer.value + iov[3].buffer.length - slot);
}

static void
bench_unwrap(const struct realm_pair *pair, uint8_t *slot, size_t len)
{
    OM_uint32 minor;
    gss_iov_buffer_desc iov[2] = {
        { GSS_IOV_BUFFER_TYPE_STREAM, { len, slot } },
        { GSS_IOV_BUFFER_TYPE_DATA, GSS_C_EMPTY_BUFFER },
    };

    if (gss_unwrap_iov(&minor, pair->acceptor, NULL, NULL, iov, 2) != GSS_S_COMPLETE)
        die("gss_unwrap_iov");
}

/* MB per CPU second of the row's kind of work. */
static double
gss_rate(const struct row *row)
{
    static uint8_t slot[70000];
    struct realm_pair pair;
    double seconds = 0;
    const int count = 300;

    if (!realm_pair_make(row->realm, row->enctype, true, &pair))
        die("context");
    for (int i = 0; i < count; i++) {
        double from = cpu_now(), middle;
        size_t len = bench_wrap(&pair, row->conf, slot, row->message);

        middle = cpu_now();
        bench_unwrap(&pair, slot, len);
        seconds += row->opening ? cpu_now() - middle : middle - from;
    }
    realm_pair_free(&pair);
    return (double)row->message * count / 1e6 / seconds;
}

/* ---- the peers ---- */

static void *
end_state(const struct row *row, enum krb5msg_role role)
{
    struct gssapi_context context = { .role = role, .enctype = row->enctype,
        .key_len = krb5msg_key_len(row->enctype) };
    uint8_t blob[GSSAPI_BLOB_MAX];
    const char *error = "no context";
    size_t len = gssapi_blob_encode(&context, blob, sizeof blob);
    struct gssapi_protect *p = gssapi_protect_make(blob, len, role, &error);

    if (p == NULL)
        die(error);
    gssapi_level_take(
        p, row->conf ? AUTH_PROTECTION_CONFIDENTIALITY : AUTH_PROTECTION_INTEGRITY);
    return p;
}

static void
tcp_pair(int *ours, int *theirs)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof sin;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&sin, sizeof sin) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&sin, &len) < 0)
        die("listen");
    *theirs = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(*theirs, (struct sockaddr *)&sin, sizeof sin) < 0)
        die("connect");
    *ours = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    fd_close(&listener);
}

static void
send_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n < 0)
            die("send");
        data += n;
        len -= (size_t)n;
    }
}

static void
peer_source(const struct row *row, int fd)
{
    static uint8_t room[CHANNEL_HEAD + CHANNEL_ROOM_MIN + CHANNEL_TAIL];
    void *state = row->enctype != 0 && row->opening ? end_state(row, KRB5MSG_INITIATOR) : NULL;
    size_t left = row->total;

    while (left > 0) {
        size_t piece = left < row->message ? left : row->message;
        struct auth_sealed out = { room + CHANNEL_HEAD, piece };

        if (state != NULL && auth_gssapi_protect.seal(state, out.data, piece, &out) < 0)
            die("seal");
        send_all(fd, out.data, out.len);
        left -= piece;
    }
    exit(0);
}

static void
peer_sink(int fd)
{
    static uint8_t room[262144];

    while (recv(fd, room, sizeof room, 0) > 0)
        ;
    exit(0);
}

/* ---- the relay ---- */

static void
ignore(struct channel *channel)
{
    (void)channel;
}

static void
seal_end(const struct row *row, struct channel *channel)
{
    void *state = row->enctype != 0 ? end_state(row, KRB5MSG_ACCEPTOR) : NULL;

    if (state != NULL &&
        channel_protect(channel, &auth_gssapi_protect, &state, NULL, 0) < 0)
        die("channel_protect");
}

/* CPU seconds. */
static double
relay_all(const struct row *row, int source_fd, int sink_fd)
{
    static uint8_t scratch[RELAY_SCRATCH_SIZE];
    struct loop *loop = loop_new();
    struct channel source, sink;
    struct pipe_pool pipes = { 0 };
    struct relay_shared shared = { scratch, &pipes };
    struct relay_flow flow = { .pending = BUFFER_INIT };
    enum relay_result result = RELAY_WAIT;
    double from, seconds;
    bool moved;

    if (loop == NULL || channel_open(&source, loop, source_fd, ignore) < 0 ||
        channel_open(&sink, loop, sink_fd, ignore) < 0)
        die("channel_open");
    seal_end(row, row->opening ? &source : &sink);
    from = cpu_now();
    while (result == RELAY_WAIT || result == RELAY_MORE) {
        if (loop_turn(loop, result == RELAY_MORE ? 0 : -1) < 0)
            die("loop_turn");
        result = relay_pump(&flow, &source, &sink, &shared, RELAY_UNLIMITED, &moved);
    }
    seconds = cpu_now() - from;
    if (result != RELAY_COMPLETE || flow.bytes != row->total)
        die("relay");
    channel_close(&source);
    channel_close(&sink);
    loop_free(&loop);
    return seconds;
}

static double
relay_rate(const struct row *row)
{
    int source, sink, writer, reader;
    pid_t pids[2];
    double seconds;

    tcp_pair(&source, &writer);
    tcp_pair(&sink, &reader);
    (void)fflush(stdout);
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] < 0)
            die("fork");
        if (pids[i] != 0)
            continue;
        fd_close(&source);
        fd_close(&sink);
        fd_close(i == 0 ? &reader : &writer);
        if (i == 0)
            peer_source(row, writer);
        peer_sink(reader);
    }
    fd_close(&writer);
    fd_close(&reader);
    seconds = relay_all(row, source, sink);
    for (int i = 0; i < 2; i++) {
        int status;

        if (waitpid(pids[i], &status, 0) != pids[i] || status != 0)
            die("peer");
    }
    return (double)row->total / 1e6 / seconds;
}

static void
run(const struct row *row)
{
    double gss = row->enctype != 0 ? gss_rate(row) : 0, ours = relay_rate(row);

    if (row->enctype == 0) {
        (void)printf("%-28s %-16s %-8s %10s %10.0f\n", row->name, "none", "-", "-", ours);
        return;
    }
    gss = (gss + gss_rate(row)) / 2;
    (void)printf("%-28s %-16s %-8s %10.0f %10.0f %7.1f\n", row->name,
        row->conf ? "confidentiality" : "integrity", row->opening ? "opening" : "sealing", gss,
        ours, ours / gss);
}

int
main(int argc, char **argv)
{
    static const struct {
        int32_t enctype;
        const char *name;
    } rows[] = {
        { 0, "plain, copying" },
        { KRB5MSG_AES256_SHA1, "aes256-cts-hmac-sha1-96" },
        { KRB5MSG_AES128_SHA1, "aes128-cts-hmac-sha1-96" },
        { KRB5MSG_AES256_SHA384, "aes256-cts-hmac-sha384-192" },
        { KRB5MSG_AES128_SHA256, "aes128-cts-hmac-sha256-128" },
    };
    const long megabytes = argc > 1 ? strtol(argv[1], NULL, 10) : 500;
    const long message = argc > 2 ? strtol(argv[2], NULL, 10) : 65000;
    struct realm realm;

    if (megabytes < 1 || megabytes > 100000 || message < 1 || message > 65000) {
        (void)fprintf(stderr, "usage: bench_sealed [MEGABYTES] [BYTES 1..65000]\n");
        return EXIT_FAILURE;
    }
    if (!krb5msg_start() || !realm_start(&realm))
        return EXIT_FAILURE;
    (void)printf("MB per CPU second of the relaying thread, messages of %ld bytes from the client\n",
        message);
    (void)printf("%-28s %-16s %-8s %10s %10s %7s\n", "enctype", "level", "work", "libgssapi",
        "relay", "ratio");
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        for (int k = 0; k < (rows[i].enctype == 0 ? 1 : 4); k++) {
            const struct row row = { &realm, rows[i].enctype, rows[i].name, k / 2 != 0, k % 2 != 0,
                (size_t)megabytes * 1000000, (size_t)message };

            run(&row);
        }
    }
    realm_stop(&realm);
    return EXIT_SUCCESS;
}
