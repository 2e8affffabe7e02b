/* SPDX-License-Identifier: ISC */
/*
 * The system calls a worker, the logger and the metrics process may make. Serves those three. What
 * opens or looks up a path answers EACCES, since libraries try it and go on without; everything else outside the tables ends
 * the process. Rules look at one argument of a call alone: libseccomp 2.5.4 can merge several into a
 * weaker filter, therefore the unit test tries every row by doing it.
 */
#include "src/core/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { BASE = 1, WORKER = 2, LOGGER = 4, METRICS = 8 };

/* Calls allowed whatever their arguments. */
struct call_row {
    int number;
    unsigned who;
};

#define CALL(name, who) { SCMP_SYS(name), who }
static const struct call_row call_table[] = {
    /* memory; mmap and mprotect are argument rules */
    CALL(brk, BASE),
    CALL(munmap, BASE),
    CALL(mremap, BASE),
    CALL(madvise, BASE),
    CALL(mlock, BASE),
    CALL(mlock2, BASE),
    CALL(munlock, BASE),
    CALL(getrandom, BASE),
    /* the loop */
    CALL(epoll_create1, BASE),
    CALL(epoll_ctl, BASE),
    CALL(epoll_wait, BASE),
    CALL(epoll_pwait, BASE),
    CALL(epoll_pwait2, BASE),
    CALL(eventfd2, BASE),
    CALL(timerfd_create, BASE),
    CALL(timerfd_settime, BASE),
    CALL(signalfd4, BASE),
    CALL(poll, BASE),
    CALL(ppoll, BASE),
    /* clocks, where the vDSO cannot answer */
    CALL(clock_gettime, BASE),
    CALL(clock_getres, BASE),
    CALL(gettimeofday, BASE),
    CALL(time, BASE),
    /* descriptors */
    CALL(read, BASE),
    CALL(readv, BASE),
    CALL(write, BASE),
    CALL(writev, BASE),
    CALL(close, BASE),
    CALL(close_range, BASE),
    CALL(fcntl, BASE),
    CALL(fstat, BASE),
    CALL(lseek, BASE),
    CALL(dup, BASE),
    CALL(pipe2, WORKER),
    CALL(splice, WORKER),
    CALL(fdatasync, LOGGER),
    /* sockets; socket and socketpair are argument rules */
    CALL(connect, WORKER | LOGGER),
    CALL(shutdown, BASE),
    CALL(recvfrom, BASE),
    CALL(recvmsg, BASE),
    CALL(recvmmsg, BASE),
    CALL(sendto, BASE),
    CALL(sendmsg, BASE),
    CALL(sendmmsg, BASE),
    CALL(getsockopt, BASE),
    CALL(setsockopt, BASE),
    CALL(bind, WORKER),
    CALL(listen, WORKER),
    CALL(accept4, WORKER | METRICS),
    CALL(getsockname, WORKER | METRICS),
    CALL(getpeername, WORKER | METRICS),
    /* who and where we are */
    CALL(getpid, BASE),
    CALL(getppid, BASE),
    CALL(gettid, BASE),
    CALL(getuid, BASE),
    CALL(geteuid, BASE),
    CALL(getgid, BASE),
    CALL(getegid, BASE),
    CALL(uname, BASE),
    CALL(sysinfo, BASE),
    CALL(sched_getaffinity, BASE),
    CALL(sched_yield, BASE),
    CALL(rseq, BASE),
    CALL(futex, BASE),
    /* signals and the end */
    CALL(rt_sigaction, BASE),
    CALL(rt_sigprocmask, BASE),
    CALL(rt_sigreturn, BASE),
    CALL(sigaltstack, BASE),
    CALL(tgkill, BASE),
    CALL(restart_syscall, BASE),
    CALL(exit, BASE),
    CALL(exit_group, BASE),
};

/* Calls decided by one argument. Rows of one call differ in one value alone. */
struct argument_row {
    int number;
    unsigned who;
    uint32_t action;
    struct scmp_arg_cmp compare;
};

#define ARGUMENT(name, who, ...) { SCMP_SYS(name), who, SCMP_ACT_ALLOW, { __VA_ARGS__ } }
#define DENY_IF(name, who, ...) { SCMP_SYS(name), who, SCMP_ACT_ERRNO(EACCES), { __VA_ARGS__ } }
static const struct argument_row argument_table[] = {
    ARGUMENT(socket, WORKER | LOGGER, 0, SCMP_CMP_EQ, AF_UNIX, 0),
    ARGUMENT(socket, WORKER, 0, SCMP_CMP_EQ, AF_INET, 0),
    ARGUMENT(socket, WORKER, 0, SCMP_CMP_EQ, AF_INET6, 0),
    ARGUMENT(socketpair, WORKER, 0, SCMP_CMP_EQ, AF_UNIX, 0),
    ARGUMENT(mmap, BASE, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
    ARGUMENT(mprotect, BASE, 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
    ARGUMENT(ioctl, BASE, 1, SCMP_CMP_EQ, FIONREAD, 0),
    ARGUMENT(ioctl, BASE, 1, SCMP_CMP_EQ, FIONBIO, 0),
    ARGUMENT(ioctl, BASE, 1, SCMP_CMP_EQ, TIOCOUTQ, 0),
    ARGUMENT(prctl, BASE, 0, SCMP_CMP_EQ, PR_SET_NAME, 0),
    /* Asking for a limit, not setting one. */
    ARGUMENT(prlimit64, BASE, 2, SCMP_CMP_EQ, 0, 0),
    /* fstat of today's libc, a descriptor and an empty path; without the flag it looks up a path. */
    ARGUMENT(newfstatat, BASE, 3, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH),
    DENY_IF(newfstatat, BASE, 3, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0),
};

static const int path_table[] = {
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(openat2),
    SCMP_SYS(creat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(statx),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),
};

static int
add_calls(scmp_filter_ctx filter, unsigned who)
{
    int rc = 0;

    for (size_t i = 0; i < SP_COUNT(call_table) && rc == 0; i++) {
        if ((call_table[i].who & who) != 0)
            rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call_table[i].number, 0);
    }
    return rc;
}

static int
add_arguments(scmp_filter_ctx filter, unsigned who)
{
    int rc = 0;

    for (size_t i = 0; i < SP_COUNT(argument_table) && rc == 0; i++) {
        const struct argument_row *row = &argument_table[i];

        if ((row->who & who) != 0)
            rc = seccomp_rule_add_array(filter, row->action, row->number, 1, &row->compare);
    }
    return rc;
}

static int
add_paths(scmp_filter_ctx filter)
{
    int rc = 0;

    for (size_t i = 0; i < SP_COUNT(path_table) && rc == 0; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), path_table[i], 0);
    return rc;
}

int
sandbox_seccomp(enum sandbox_role role)
{
    static const unsigned roles[] = { [SANDBOX_WORKER] = WORKER, [SANDBOX_LOGGER] = LOGGER,
        [SANDBOX_METRICS] = METRICS };
    unsigned who = BASE | roles[role];
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (filter == NULL) {
        errno = ENOMEM;
        return -1;
    }
    int rc = add_calls(filter, who);

    if (rc == 0)
        rc = add_arguments(filter, who);
    if (rc == 0)
        rc = add_paths(filter);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    if (rc == 0)
        return 0;
    errno = -rc;
    return -1;
}

bool
sandbox_available(void)
{
    return true;
}
