/* SPDX-License-Identifier: ISC */
/*
 * The keytab the acceptor works with. A credential's allowed enctypes restrict a session's keys, not
 * the service's own: so keys of other enctypes, and with them tickets somebody made by breaking one, are
 * left out. Serves the pool; errors are errno's.
 */
#include "auth/gssapi/gssapi_keytab.h"

#include <errno.h>

#include "lib/base/fd.h"
#include "lib/base/secret.h"

#define FORMAT 0x0502

/* Bytes written, or 0 when it does not fit: the original's size is enough. */
static size_t
usable_write(const void *data, size_t len, uint8_t *out)
{
    struct gssapi_keytab keytab;
    struct gssapi_keytab_entry entry;
    struct writer w = writer_init(out, len);

    writer_u16_be(&w, FORMAT);
    if (gssapi_keytab_begin(&keytab, data, len) != 0)
        return 0;
    while (gssapi_keytab_next(&keytab, &entry) > 0)
        if (gssapi_keytab_is_usable(&entry))
            writer_bytes(&w, entry.raw.data, entry.raw.len);
    return writer_len(&w);
}

int
gssapi_keytab_usable(const void *data, size_t len)
{
    uint8_t *copy = secret_alloc(len);

    if (copy == NULL)
        return -1;
    const size_t used = usable_write(data, len, copy);
    int fd = -1;

    if (used > 0)
        fd = memfd_sealed("sallyport-keytab", copy, used);
    else
        errno = EINVAL;
    secret_free(copy, len);
    return fd;
}
