/* SPDX-License-Identifier: ISC */
/*
 * src/core/sandbox_seccomp.c: every row is tried by doing it, each in a child of its own, in every
 * role. What is allowed must work, a path answers EACCES, everything else must end the process.
 */
#include "tests/unit/core_unit.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>

#include "src/core/log.h"
#include "src/core/loop.h"
#include "src/core/sandbox.h"

enum outcome { WORKS, DENIED, KILLED };

/* Made before the filter is loaded. */
static int pair[2];

static int file_fd;
static void *page;

static bool
ok(long result)
{
    return result >= 0;
}

/* A call may fail for its own reasons as long as the filter lets it through. */
static bool
passed(long result)
{
    return result >= 0 || (errno != EACCES && errno != EPERM);
}

static bool
do_memory(void)
{
    char *p = malloc(8U << 20);
    void *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == NULL || m == MAP_FAILED)
        return false;
    memset(p, 1, 8U << 20);
    free(p);
    m = mremap(m, 8192, 16384, MREMAP_MAYMOVE);
    return m != MAP_FAILED && ok(mprotect(m, 4096, PROT_READ)) && ok(madvise(m, 4096, MADV_DONTNEED))
        && passed(mlock(m, 4096)) && passed(munlock(m, 4096)) && ok(munmap(m, 16384));
}

static bool
do_loop(void)
{
    struct loop *loop = loop_new();
    bool good = loop != NULL && loop_turn(loop, 0) == 0;
    struct timespec none = { 0, 0 };
    struct epoll_event ev;
    int ep = epoll_create1(EPOLL_CLOEXEC);

    loop_free(&loop);
    return good && ok(epoll_pwait(ep, &ev, 1, 0, NULL)) && ok(epoll_pwait2(ep, &ev, 1, &none, NULL))
        && ok(close(ep));
}

static bool
do_event_descriptors(void)
{
    sigset_t set;
    struct itimerspec when = { { 0, 0 }, { 1, 0 } };
    int e = eventfd(0, EFD_NONBLOCK);
    int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

    sigemptyset(&set);
    return ok(e) && ok(t) && ok(timerfd_settime(t, 0, &when, NULL))
        && ok(signalfd(-1, &set, SFD_NONBLOCK)) && ok(close_range(500, ~0U, 0));
}

static bool
do_messages(void)
{
    char c = 'x';
    struct iovec iov = { &c, 1 };
    struct mmsghdr m = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
    struct pollfd p = { .fd = pair[0], .events = POLLOUT };
    int pending = 0;

    return ok(send(pair[0], &c, 1, MSG_DONTWAIT)) && ok(sendmsg(pair[0], &m.msg_hdr, MSG_DONTWAIT))
        && sendmmsg(pair[0], &m, 1, MSG_DONTWAIT) == 1 && ok(poll(&p, 1, 0))
        && ok(ioctl(pair[1], FIONREAD, &pending)) && ok(recv(pair[1], &c, 1, MSG_DONTWAIT))
        && ok(recvmsg(pair[1], &m.msg_hdr, MSG_DONTWAIT))
        && recvmmsg(pair[1], &m, 1, MSG_DONTWAIT, NULL) == 1 && ok(ioctl(pair[0], TIOCOUTQ, &pending))
        && ok(shutdown(pair[0], SHUT_WR));
}

static bool
do_options(void)
{
    int value = 1;
    socklen_t len = sizeof value;

    return ok(setsockopt(pair[0], SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value))
        && ok(getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &value, &len))
        && ok(fcntl(pair[0], F_SETFL, O_NONBLOCK)) && ok(ioctl(pair[0], FIONBIO, &value))
        && ok(dup(pair[0]));
}

static bool
do_files(void)
{
    struct stat st;
    struct iovec iov = { (void *)(uintptr_t) "x", 1 };

    return ok(write(file_fd, "x", 1)) && ok(writev(file_fd, &iov, 1)) && ok(fstat(file_fd, &st))
        && ok(lseek(file_fd, 0, SEEK_SET)) && ok(read(file_fd, &st, 1)) && ok(readv(file_fd, &iov, 0));
}

static bool
do_who(void)
{
    struct utsname name;
    struct sysinfo info;
    struct rlimit limit;
    cpu_set_t cpus;
    char bytes[8];

    return ok(getpid()) && ok(getppid()) && ok(syscall(SYS_gettid)) && ok(geteuid()) && ok(getegid())
        && ok(uname(&name)) && ok(sysinfo(&info)) && ok(getrandom(bytes, sizeof bytes, 0))
        && ok(getrlimit(RLIMIT_NOFILE, &limit)) && ok(sched_getaffinity(0, sizeof cpus, &cpus))
        && ok(sched_yield()) && ok(prctl(PR_SET_NAME, "caged", 0, 0, 0));
}

static bool
do_clocks(void)
{
    struct timespec ts;

    return ok(clock_gettime(CLOCK_MONOTONIC, &ts)) && ok(syscall(SYS_clock_gettime, 0, &ts))
        && ok(time(NULL));
}

static volatile sig_atomic_t handled;

static void
on_usr1(int signo)
{
    (void)signo;
    handled = 1;
}

static bool
do_signals(void)
{
    struct sigaction act = { .sa_handler = on_usr1 };
    sigset_t set;

    sigemptyset(&set);
    return ok(sigaction(SIGUSR1, &act, NULL)) && ok(sigprocmask(SIG_SETMASK, &set, NULL))
        && ok(raise(SIGUSR1)) && handled;
}

static bool
do_sockets(void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof sin;
    int four = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int two[2];

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ok(four) && passed(socket(AF_INET6, SOCK_STREAM, 0))
        && ok(bind(four, (struct sockaddr *)&sin, sizeof sin)) && ok(listen(four, 1))
        && ok(getsockname(four, (struct sockaddr *)&sin, &len))
        && passed(accept4(four, NULL, NULL, SOCK_NONBLOCK))
        && passed(getpeername(four, (struct sockaddr *)&sin, &len))
        && ok(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, two));
}

static bool
do_unix_socket(void)
{
    struct sockaddr sa = { .sa_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    return ok(fd) && connect(fd, &sa, sizeof sa) < 0 && errno != EACCES;
}

static bool
do_splice(void)
{
    int p[2];

    return ok(pipe2(p, O_NONBLOCK)) && passed(splice(pair[0], NULL, p[1], NULL, 1, SPLICE_F_NONBLOCK));
}

static bool
do_abort_path(void)
{
    log_warn("still able to speak");
    return true;
}

static bool
do_exit(void)
{
    exit(0);
}

/* ---- paths ---- */

static bool
refused(long result)
{
    return result < 0 && errno == EACCES;
}

static bool
path_calls(void)
{
    struct stat st;
    char text[64];

    return refused(open("/etc/passwd", O_RDONLY)) && refused(openat(AT_FDCWD, "/etc/passwd", O_RDONLY))
        && refused(stat("/etc/passwd", &st))
        && refused(syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &st, AT_SYMLINK_NOFOLLOW))
        && refused(syscall(SYS_stat, "/etc/passwd", &st))
        && refused(syscall(SYS_lstat, "/etc/passwd", &st)) && refused(access("/etc/passwd", R_OK))
        && refused(syscall(SYS_readlink, "/proc/self/exe", text, sizeof text))
        && refused(statx(AT_FDCWD, "/etc/passwd", 0, STATX_SIZE, (struct statx *)page));
}

/* ---- what must kill ---- */

static bool
bad_exec(void)
{
    char *argv[] = { (char *)(uintptr_t) "true", NULL };

    return execv("/bin/true", argv) == 0;
}

static bool
bad_fork(void)
{
    return fork() >= 0;
}

static bool
bad_vfork_like(void)
{
    return syscall(SYS_clone3, NULL, 0) >= 0;
}

static bool
bad_packet(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}

static bool
bad_netlink(void)
{
    return socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}

static bool
bad_inet(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool
bad_inet6(void)
{
    return socket(AF_INET6, SOCK_STREAM, 0) >= 0;
}

static bool
bad_socketpair(void)
{
    int two[2];

    return socketpair(AF_INET, SOCK_STREAM, 0, two) >= 0;
}

static bool
bad_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool
bad_mmap(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool
bad_mprotect(void)
{
    return mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
}

static bool
bad_ioctl(void)
{
    return ioctl(0, TIOCSTI, "x") == 0;
}

static bool
bad_prctl(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static bool
bad_limit(void)
{
    const struct rlimit limit = { 10, 10 };

    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static bool
bad_kill(void)
{
    return kill(getppid(), 0) == 0;
}

static bool
bad_unlink(void)
{
    return unlink("/nonexistent") == 0;
}

static bool
bad_setuid(void)
{
    return setuid(1) == 0;
}

static bool
bad_bpf(void)
{
    return syscall(SYS_bpf, 0, NULL, 0) == 0;
}

static bool
bad_uring(void)
{
    return syscall(SYS_io_uring_setup, 1, page) >= 0;
}

static bool
bad_memory_of_others(void)
{
    return process_vm_readv(getppid(), NULL, 0, NULL, 0, 0) >= 0;
}

static const struct act_row {
    const char *name;
    bool (*act)(void);
    enum outcome worker;
    enum outcome logger;
    enum outcome metrics;
} acts[] = {
    { "memory", do_memory, WORKS, WORKS, WORKS },
    { "loop", do_loop, WORKS, WORKS, WORKS },
    { "eventfd, timerfd, signalfd", do_event_descriptors, WORKS, WORKS, WORKS },
    { "messages", do_messages, WORKS, WORKS, WORKS },
    { "socket options", do_options, WORKS, WORKS, WORKS },
    { "open files", do_files, WORKS, WORKS, WORKS },
    { "who and where", do_who, WORKS, WORKS, WORKS },
    { "clocks", do_clocks, WORKS, WORKS, WORKS },
    { "signals", do_signals, WORKS, WORKS, WORKS },
    { "internet sockets", do_sockets, WORKS, KILLED, KILLED },
    { "unix socket", do_unix_socket, WORKS, WORKS, KILLED },
    { "splice", do_splice, WORKS, KILLED, KILLED },
    { "log", do_abort_path, WORKS, WORKS, WORKS },
    { "exit", do_exit, WORKS, WORKS, WORKS },
    { "paths", path_calls, DENIED, DENIED, DENIED },
    { "execve", bad_exec, KILLED, KILLED, KILLED },
    { "fork", bad_fork, KILLED, KILLED, KILLED },
    { "clone3", bad_vfork_like, KILLED, KILLED, KILLED },
    { "AF_PACKET", bad_packet, KILLED, KILLED, KILLED },
    { "AF_NETLINK", bad_netlink, KILLED, KILLED, KILLED },
    { "AF_INET", bad_inet, WORKS, KILLED, KILLED },
    { "AF_INET6", bad_inet6, WORKS, KILLED, KILLED },
    { "socketpair(AF_INET)", bad_socketpair, KILLED, KILLED, KILLED },
    { "ptrace", bad_ptrace, KILLED, KILLED, KILLED },
    { "mmap executable", bad_mmap, KILLED, KILLED, KILLED },
    { "mprotect executable", bad_mprotect, KILLED, KILLED, KILLED },
    { "ioctl TIOCSTI", bad_ioctl, KILLED, KILLED, KILLED },
    { "PR_SET_DUMPABLE", bad_prctl, KILLED, KILLED, KILLED },
    { "setrlimit", bad_limit, KILLED, KILLED, KILLED },
    { "kill", bad_kill, KILLED, KILLED, KILLED },
    { "unlink", bad_unlink, KILLED, KILLED, KILLED },
    { "setuid", bad_setuid, KILLED, KILLED, KILLED },
    { "bpf", bad_bpf, KILLED, KILLED, KILLED },
    { "io_uring", bad_uring, KILLED, KILLED, KILLED },
    { "process_vm_readv", bad_memory_of_others, KILLED, KILLED, KILLED },
};

struct trial {
    const struct act_row *row;
    enum sandbox_role role;
};

static void
act_trial(void *arg)
{
    struct trial *t = arg;

    log_to_stderr(0);
    CHILD_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    CHILD_CHECK(sandbox_seccomp(t->role) == 0);
    if (!t->row->act())
        _exit(3);
}

static void
try_role(enum sandbox_role role)
{
    for (size_t i = 0; i < SP_COUNT(acts); i++) {
        struct trial t = { &acts[i], role };
        enum outcome expect = role == SANDBOX_WORKER ? acts[i].worker
            : role == SANDBOX_LOGGER                 ? acts[i].logger
                                                     : acts[i].metrics;
        char text[256];
        int status = unit_fork(act_trial, &t, text, sizeof text);
        bool good = expect == KILLED ? WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS
                                     : WIFEXITED(status) && WEXITSTATUS(status) == 0;

        if (!good)
            fail_msg("%s: wait status %#x %s", acts[i].name, (unsigned)status, text);
    }
}

static void
test_worker(void **state)
{
    (void)state;
    assert_true(sandbox_available());
    try_role(SANDBOX_WORKER);
}

static void
test_logger(void **state)
{
    (void)state;
    try_role(SANDBOX_LOGGER);
}

static void
test_metrics(void **state)
{
    (void)state;
    try_role(SANDBOX_METRICS);
}

static void
act_panic(void *arg)
{
    (void)arg;
    CHILD_CHECK(sandbox_seccomp(SANDBOX_WORKER) == 0);
    log_panic("caged");
}

/* Our own panic shows as SIGABRT, not as a forbidden call. */
static void
test_panic_inside(void **state)
{
    char text[256];

    (void)state;
    unit_assert_signal(unit_fork(act_panic, NULL, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, "caged"));
}

static int
prepare(void **state)
{
    (void)state;
    file_fd = memfd_create("test", MFD_CLOEXEC);
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return file_fd < 0 || page == MAP_FAILED;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worker),
        cmocka_unit_test(test_logger),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_panic_inside),
    };

    return cmocka_run_group_tests(tests, prepare, NULL);
}
