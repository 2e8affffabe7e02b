/* SPDX-License-Identifier: ISC */
/* src/client/client_output.c: what it never does is wait, or set O_NONBLOCK for others. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "src/client/client_output.h"

enum { MANY = 1 << 20 };

/* Writes until it would wait; reads all of that; the octets in order, and the flags as they were.
 */
static void
fill_and_drain(struct client_output *out, int reader)
{
    const int flags = fcntl(out->fd, F_GETFL);
    uint8_t *data = malloc(MANY);
    uint8_t *got = malloc(MANY);
    struct unit_random r = UNIT_RANDOM_INIT;
    size_t written = 0;
    size_t read_len = 0;

    assert_true(data != NULL && got != NULL && (flags & O_NONBLOCK) == 0);
    unit_random_fill(&r, data, MANY);
    while (written < MANY) {
        const ssize_t n = client_output_write(out, data + written, MANY - written);
        if (n < 0)
            break;
        assert_true(n > 0);
        written += (size_t)n;
    }
    assert_int_equal(errno, EAGAIN);
    assert_true(written >= PIPE_BUF && written < MANY);
    while (read_len < written) {
        const ssize_t n = read(reader, got + read_len, MANY - read_len);
        assert_true(n > 0);
        read_len += (size_t)n;
    }
    assert_memory_equal(data, got, written);
    assert_int_equal(fcntl(out->fd, F_GETFL), flags);
    free(data);
    free(got);
}

static void
reader_sees_the_end(struct client_output *out, int *reader)
{
    char octet;

    client_output_end(out);
    assert_int_equal(out->fd, -1);
    assert_int_equal(read(*reader, &octet, 1), 0);
    fd_close(reader);
}

static void
a_pipe(void **state)
{
    (void)state;
    struct client_output out;
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    client_output_init(&out, fds[1]);
    assert_int_equal(out.kind, CLIENT_OUTPUT_PIPE);
    fill_and_drain(&out, fds[0]);
    out.small = true; /* a kernel that knows no RWF_NOWAIT for pipes */
    fill_and_drain(&out, fds[0]);
    reader_sees_the_end(&out, &fds[0]);
}

static void
a_socket(void **state)
{
    (void)state;
    struct client_output out;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    int input = dup(fds[1]); /* as standard input it stays open */
    assert_true(input >= 0);
    client_output_init(&out, fds[1]);
    assert_int_equal(out.kind, CLIENT_OUTPUT_SOCKET);
    fill_and_drain(&out, fds[0]);
    reader_sees_the_end(&out, &fds[0]);
    fd_close(&input);
}

static void
a_file(void **state)
{
    (void)state;
    struct client_output out;
    uint8_t data[] = "some octets";
    char got[sizeof data];
    int fd = memfd_create("output", MFD_CLOEXEC);
    int copy = dup(fd);

    assert_true(fd >= 0 && copy >= 0);
    client_output_init(&out, fd);
    assert_int_equal(out.kind, CLIENT_OUTPUT_OTHER);
    assert_int_equal(client_output_write(&out, data, sizeof data), sizeof data);
    client_output_end(&out);
    assert_int_equal(pread(copy, got, sizeof got, 0), sizeof data);
    assert_memory_equal(got, data, sizeof data);
    fd_close(&copy);
}

static void
nobody_reads(void **state)
{
    (void)state;
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    uint8_t data[] = "x";

    assert_int_equal(sigaction(SIGPIPE, &ignore, NULL), 0);
    for (int kind = 0; kind < 3; kind++) {
        struct client_output out;
        int fds[2];

        assert_int_equal(kind == 2 ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds), 0);
        fd_close(&fds[0]);
        client_output_init(&out, fds[1]);
        out.small = kind == 1;
        assert_int_equal(client_output_write(&out, data, 1), -1);
        assert_int_equal(errno, EPIPE);
        client_output_end(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe),
        cmocka_unit_test(a_socket),
        cmocka_unit_test(a_file),
        cmocka_unit_test(nobody_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
