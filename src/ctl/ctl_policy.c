/* SPDX-License-Identifier: ISC */
/*
 * The policy that is asked: the image in force, which the gateway hands out as a descriptor, or one that is
 * compiled here from a file, by the same code as sallyportd's. Serves explain and test.
 */
#include "src/ctl/ctl_policy.h"

#include "auth/builtin.h"
#include "lib/base/fd.h"
#include "src/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- of the gateway ---- */

static enum ctl_status
of_gateway(const struct ctl *ctl, struct ctl_policy *out)
{
    const struct ctl_request request = { .command = "image" };
    const char *why = "the gateway passed none";
    struct ctl_answer a;
    enum ctl_status status = ctl_ask(ctl, &request, &a);
    int result = 1;

    if (status != CTL_OK)
        return status;
    while (result > 0)
        result = ctl_next(&a);
    if (result == 0 && a.passed >= 0)
        out->image = image_open(a.passed, &why);
    /* Whatever it was, it is no verdict. */
    status = ctl_end(&a, result) == CTL_OK ? CTL_OK : CTL_UNJUDGED;
    if (status == CTL_OK && out->image == NULL)
        return ctl_fail(CTL_UNJUDGED, "the policy of the gateway cannot be read: %s",
            why == NULL ? strerror(errno) : why);
    if (status != CTL_OK) {
        image_close(&out->image);
        return status;
    }
    /* The gateway's host is this one. Without its addresses the answer could be another than the gateway's. */
    if (policy_own_read(&out->own_list) < 0) {
        status = ctl_fail(CTL_UNJUDGED, "addresses of this host: %s", strerror(errno));
        image_close(&out->image);
        return status;
    }
    out->own = &out->own_list;
    return CTL_OK;
}

/* ---- of a file ---- */

struct opening {
    const char *main_file;
    bool opened; /* the main file: relative to the working folder, the others to its own */
};

/* struct config_source's open. */
static int
open_file(const char *path, void *ctx)
{
    struct opening *o = ctx;
    const char *slash = strrchr(o->main_file, '/');
    char whole[4096];
    struct stat st;
    bool beside = o->opened && path[0] != '/' && slash != NULL;
    int follow = o->opened ? O_NOFOLLOW : 0; /* as the gateway does */
    int n = snprintf(whole, sizeof whole, "%.*s%s", beside ? (int)(slash + 1 - o->main_file) : 0,
        o->main_file, path);

    o->opened = true;
    if (n < 0 || (size_t)n >= sizeof whole) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | follow);

    if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
        fd_close(&fd);
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    }
    return fd;
}

/* Complaints are the file's words: shown as text, a line each. */
static void
print_messages(const struct config_messages *messages)
{
    size_t len = buffer_len(&messages->text);
    char *text = malloc(len + 1);

    if (text == NULL)
        return;
    if (len > 0)
        memcpy(text, buffer_head(&messages->text), len);
    text[len] = '\0';
    for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        ctl_print(stderr, line);
        fputc('\n', stderr);
    }
    free(text);
}

static enum ctl_status
of_file(const char *file, struct ctl_policy *out)
{
    struct opening opening = { .main_file = file };
    const struct config_source source = { .open = open_file, .ctx = &opening, .path = file,
        .module_dir = auth_module_dir(), .cpus = 1 };
    struct config_messages messages = { .text = BUFFER_INIT };
    const char *why = "no memory";
    size_t size = 0;
    void *compiled = config_compile(&source, &messages, &size);
    int fd = compiled == NULL ? -1 : memfd_sealed("sallyport-image", compiled, size);

    free(compiled);
    print_messages(&messages);
    buffer_clear(&messages.text);
    if (fd >= 0)
        out->image = image_open(fd, &why);
    fd_close(&fd);
    if (out->image != NULL)
        return CTL_OK;
    return messages.errors > 0 ? CTL_USAGE : ctl_fail(CTL_USAGE, "%s: %s", file, why);
}

enum ctl_status
ctl_policy_open(const struct ctl *ctl, const char *file, struct ctl_policy *out)
{
    memset(out, 0, sizeof *out);
    return file == NULL ? of_gateway(ctl, out) : of_file(file, out);
}

void
ctl_policy_close(struct ctl_policy *policy)
{
    image_close(&policy->image);
}

enum ctl_status
ctl_judged(enum ctl_status verdict)
{
    return ctl_flush(CTL_OK) == CTL_OK ? verdict : CTL_UNJUDGED;
}
