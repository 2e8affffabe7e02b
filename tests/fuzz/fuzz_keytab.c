/* SPDX-License-Identifier: ISC */
/* auth/gssapi: any bytes as a keytab. */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

#include "auth/gssapi/gssapi_keytab.h"
#include "auth/gssapi/gssapi_options.h"

static const char *
value(const void *ctx, const char *name, unsigned i)
{
    (void)ctx;
    return strcmp(name, "service") == 0 && i == 0 ? "rcmd" : NULL;
}

/* Entries in data; -1 when it is refused. */
static int
count(const uint8_t *data, size_t size, int *usable)
{
    struct gssapi_keytab k;
    struct gssapi_keytab_entry e;
    char text[40];
    int n = 0;
    int more;

    *usable = 0;
    if (gssapi_keytab_begin(&k, data, size) != 0)
        return -1;
    while ((more = gssapi_keytab_next(&k, &e)) > 0) {
        gssapi_keytab_principal(&e, text, sizeof text);
        FUZZ_ASSERT(strlen(text) < sizeof text && e.count > 0);
        FUZZ_ASSERT(e.raw.data >= data && e.raw.data + e.raw.len <= data + size);
        *usable += gssapi_keytab_is_usable(&e);
        n++;
    }
    FUZZ_ASSERT((more < 0) == (k.error != NULL) && k.at <= size);
    return more < 0 ? -1 : n;
}

/* What is left for libkrb5 are the usable entries, and they read as they did. */
static void
usable_check(const uint8_t *data, size_t size, int usable)
{
    static uint8_t copy[1 << 20];
    int still;
    const int fd = gssapi_keytab_usable(data, size);

    FUZZ_ASSERT(fd >= 0);
    const ssize_t len = read(fd, copy, sizeof copy);

    FUZZ_ASSERT(len >= 2 && (size_t)len <= size);
    FUZZ_ASSERT(count(copy, (size_t)len, &still) == usable && still == usable);
    (void)close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct auth_config config = { NULL, value };
    char error[300] = "";
    int usable;
    const int entries = count(data, size, &usable);
    const int good = gssapi_check_file(&config, "keytab", "kt", data, size, error, sizeof error);

    /* A complaint names the file; without one there is a key. */
    FUZZ_ASSERT((good != 0) == (strncmp(error, "kt: ", 4) == 0));
    FUZZ_ASSERT(strlen(error) < sizeof error);
    FUZZ_ASSERT(good != 0 || usable > 0);
    FUZZ_ASSERT(entries >= 0 || good != 0);
    if (entries >= 0)
        usable_check(data, size, usable);
    return 0;
}
