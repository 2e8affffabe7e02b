/* SPDX-License-Identifier: ISC */
/* Runs the tests' DNS server. Serves unit tests that need a real one. */
#include "tests/unit/dns_child.h"

#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <unistd.h>

static void
child_exec(int in, int out)
{
    const char *top = getenv("top_srcdir");
    char path[4096];

    if (snprintf(path, sizeof path, "%s/tests/system/dns_server.py", top != NULL ? top : ".")
        >= (int)sizeof path)
        _exit(126);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    close_range(3, ~0U, 0);
    execlp("python3", "python3", "-B", path, (char *)NULL);
    _exit(127);
}

static void
read_line(struct dns_child *child, char *line, size_t size)
{
    assert_non_null(fgets(line, (int)size, child->from));
    line[strcspn(line, "\n")] = '\0';
}

void
dns_child_start(struct dns_child *child)
{
    int to[2];
    int from[2];
    char line[64];

    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0)
        child_exec(to[0], from[1]);
    close(to[0]);
    close(from[1]);
    child->to = fdopen(to[1], "w");
    child->from = fdopen(from[0], "r");
    assert_true(child->to != NULL && child->from != NULL);
    read_line(child, line, sizeof line);
    child->port = (uint16_t)strtoul(line, NULL, 10);
    assert_int_not_equal(child->port, 0);
}

void
dns_child_stop(struct dns_child *child)
{
    int status = -1;

    fclose(child->to);
    fclose(child->from);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    assert_int_equal(status, 0);
}

void
dns_child_order(struct dns_child *child, const char *order)
{
    char line[256];

    fprintf(child->to, "%s\n", order);
    fflush(child->to);
    read_line(child, line, sizeof line);
    assert_string_equal(line, "ok");
}

int
dns_child_count(struct dns_child *child, const char *what)
{
    char line[256];
    char *end;

    fprintf(child->to, "count %s\n", what);
    fflush(child->to);
    read_line(child, line, sizeof line);
    long count = strtol(line, &end, 10);

    assert_true(end != line && *end == '\0');
    return (int)count;
}
