/* SPDX-License-Identifier: ISC */
/* src/core/notify.c, with a service manager's socket of both kinds. */
#include "tests/unit/core_unit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "src/core/notify.h"

static int
listen_at(const struct sockaddr_un *sun, socklen_t len)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)sun, len), 0);
    return fd;
}

static void
expect_ready(int fd)
{
    char text[64];

    assert_int_equal(notify_send("READY=1"), 1);
    ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);

    assert_int_equal(n, 7);
    assert_memory_equal(text, "READY=1", 7);
    close(fd);
}

static void
test_path(void **state)
{
    char dir[] = "/tmp/test-notify-XXXXXX";
    struct sockaddr_un sun = { .sun_family = AF_UNIX };

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_true(snprintf(sun.sun_path, sizeof sun.sun_path, "%s/notify", dir) > 0);
    int fd = listen_at(&sun, sizeof sun);

    setenv("NOTIFY_SOCKET", sun.sun_path, 1);
    expect_ready(fd);
    assert_int_equal(notify_send("STOPPING=1"), -1); /* the manager is gone */
    assert_int_equal(errno, ECONNREFUSED);
    unlink(sun.sun_path);
    rmdir(dir);
}

static void
test_abstract(void **state)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    char name[64];

    (void)state;
    int n = snprintf(name, sizeof name, "@test-notify-%ld", (long)getpid());

    memcpy(sun.sun_path + 1, name + 1, (size_t)n - 1);
    int fd = listen_at(&sun, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n));

    setenv("NOTIFY_SOCKET", name, 1);
    expect_ready(fd);
}

static void
test_nobody(void **state)
{
    char text[200];

    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_send("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "", 1);
    assert_int_equal(notify_send("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "relative", 1);
    assert_int_equal(notify_send("READY=1"), -1);
    assert_int_equal(errno, EINVAL);
    memset(text, 'x', sizeof text - 1);
    text[0] = '/';
    text[sizeof text - 1] = '\0';
    setenv("NOTIFY_SOCKET", text, 1);
    assert_int_equal(notify_send("READY=1"), -1);
    assert_int_equal(errno, EINVAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_abstract),
        cmocka_unit_test(test_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
