/* SPDX-License-Identifier: ISC */
/* Configurations in memory; see config_rig.h. */
#include "tests/unit/config_rig.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/fd.h"

static int
rig_open(const char *path, void *ctx)
{
    struct rig *r = ctx;
    for (unsigned i = 0; i < r->file_count; i++) {
        if (strcmp(r->files[i].name, path) == 0) {
            r->opened++;
            return memfd_sealed("rig", r->files[i].text, r->files[i].len);
        }
    }
    errno = ENOENT;
    return -1;
}

void
rig_file(struct rig *r, const char *name, const char *text, size_t len)
{
    assert_true(r->file_count < RIG_FILES_MAX);
    r->files[r->file_count].name = name;
    r->files[r->file_count].text = text;
    r->files[r->file_count].len = len;
    r->file_count++;
}

/* Where the build tree has the methods that were not built in. */
static const char *
rig_module_dir(void)
{
    static char dir[4096];
    const char *top = getenv("top_builddir");
    const int n = snprintf(dir, sizeof(dir), "%s/modules", top != NULL ? top : ".");
    assert_in_range(n, 1, sizeof(dir) - 1);
    return dir;
}

void
rig_init(struct rig *r, const char *text)
{
    memset(r, 0, sizeof(*r));
    r->messages.text = BUFFER_INIT;
    r->source = (struct config_source){
        .open = rig_open,
        .ctx = r,
        .path = text != NULL ? RIG_MAIN : NULL,
        .module_dir = rig_module_dir(),
        .cpus = 6,
    };
    if (text != NULL) {
        rig_file(r, RIG_MAIN, text, strlen(text));
    }
}

void
rig_compile(struct rig *r)
{
    const char *why = NULL;
    r->compiled = config_compile(&r->source, &r->messages, &r->size);
    const size_t len = buffer_len(&r->messages.text);
    r->text = malloc(len + 1);
    assert_non_null(r->text);
    memcpy(r->text, buffer_head(&r->messages.text), len);
    r->text[len] = '\0';
    assert_true((r->compiled == NULL) == (r->messages.errors > 0));
    if (r->compiled != NULL) {
        int fd = memfd_sealed("image", r->compiled, r->size);
        assert_true(fd >= 0);
        r->image = image_open(fd, &why);
        fd_close(&fd);
        if (r->image == NULL) {
            fail_msg("image_open: %s", why);
        }
    }
}

void
rig_free(struct rig *r)
{
    image_close(&r->image);
    free(r->compiled);
    free(r->text);
    buffer_clear(&r->messages.text);
    memset(r, 0, sizeof(*r));
}

void
rig_good(struct rig *r, const char *text)
{
    rig_init(r, text);
    rig_compile(r);
    if (r->image == NULL) {
        fail_msg("%s", r->text);
    }
}

void
rig_later(struct rig *r, const char *text)
{
    rig_init(r, text);
    r->source.later = true;
    rig_compile(r);
    if (r->image == NULL) {
        fail_msg("%s", r->text);
    }
}
