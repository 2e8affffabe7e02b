/* SPDX-License-Identifier: ISC */
/*
 * Keytab entries: size (4), count of components (2), realm, components, name type (4), time (4),
 * version (1), enctype (2), key, and since long a version of 4 octets behind it; all big-endian. A
 * negative size is a hole, size 0 the end. Every error is a text; nothing is fatal.
 */
#include "auth/gssapi/gssapi_keytab.h"

#include <string.h>

#include "auth/gssapi/gssapi_enctype.h"

#define FORMAT_OLD 0x0501
#define FORMAT 0x0502
#define SIZE 4 /* octets before an entry */
#define NAME_TYPE_AND_TIME 8

static int
keytab_fail(struct gssapi_keytab *k, const char *error)
{
    k->error = error;
    return -1;
}

int
gssapi_keytab_begin(struct gssapi_keytab *keytab, const void *data, size_t len)
{
    *keytab = (struct gssapi_keytab) { .start = data, .cursor = cursor_init(data, len) };
    if (len == 0)
        return keytab_fail(keytab, "the file is empty: no keytab");
    const uint16_t format = cursor_u16_be(&keytab->cursor);

    if (!cursor_ok(&keytab->cursor) || (format != FORMAT && format != FORMAT_OLD))
        return keytab_fail(keytab, "not a keytab: it does not begin with the octets 05 02");
    if (format == FORMAT_OLD)
        return keytab_fail(keytab,
            "a keytab of the old format 05 01; export the keys again in format 05 02");
    return 0;
}

static struct gssapi_text
text_read(struct cursor *c)
{
    const size_t len = cursor_u16_be(c);

    return (struct gssapi_text) { .data = cursor_bytes(c, len), .len = len };
}

static void
version_read(struct cursor *c, struct gssapi_keytab_entry *out)
{
    /* Older writers leave it out, or 0: then the octet before the key counts. */
    if (cursor_left(c) < sizeof(uint32_t))
        return;
    const uint32_t version = cursor_u32_be(c);

    if (version != 0)
        out->kvno = version;
}

static int
entry_read(struct gssapi_keytab *k, const uint8_t *data, size_t len,
    struct gssapi_keytab_entry *out)
{
    struct cursor c = cursor_init(data, len);

    *out = (struct gssapi_keytab_entry) { .count = cursor_u16_be(&c) };
    if (cursor_ok(&c) && (out->count == 0 || out->count > GSSAPI_KEYTAB_COMPONENTS))
        return keytab_fail(k, "a principal without components, or with too many");
    out->realm = text_read(&c);
    for (unsigned i = 0; i < out->count && cursor_ok(&c); i++)
        out->components[i] = text_read(&c);
    cursor_skip(&c, NAME_TYPE_AND_TIME);
    out->kvno = cursor_u8(&c);
    out->enctype = (int16_t)cursor_u16_be(&c);
    out->key_len = cursor_u16_be(&c);
    cursor_skip(&c, out->key_len);
    if (!cursor_ok(&c))
        return keytab_fail(k, "an entry is shorter than what it says to hold");
    version_read(&c, out);
    return 0;
}

int
gssapi_keytab_next(struct gssapi_keytab *keytab, struct gssapi_keytab_entry *out)
{
    struct cursor *c = &keytab->cursor;

    while (cursor_ok(c) && cursor_left(c) > 0) {
        keytab->at = cursor_used(c, keytab->start);
        const int64_t size = (int32_t)cursor_u32_be(c);
        const size_t len = (size_t)(size < 0 ? -size : size);
        const uint8_t *data = cursor_bytes(c, len);

        if (data == NULL)
            return keytab_fail(keytab, "the file ends inside an entry");
        if (size == 0)
            return 0;
        if (size > 0 && entry_read(keytab, data, len, out) < 0)
            return -1;
        if (size > 0) {
            out->raw = (struct gssapi_text) { data - SIZE, len + SIZE };
            return 1;
        }
    }
    return 0;
}

/* ---- what an entry is ---- */

/* Appends what fits. The new length. */
static size_t
text_add(char *out, size_t size, size_t at, char before, struct gssapi_text text)
{
    if (before != '\0' && at + 1 < size)
        out[at++] = before;
    for (size_t i = 0; i < text.len && at + 1 < size; i++)
        out[at++] = text.data[i] > 0x20 && text.data[i] < 0x7f ? (char)text.data[i] : '?';
    out[at] = '\0';
    return at;
}

void
gssapi_keytab_principal(const struct gssapi_keytab_entry *entry, char *out, size_t size)
{
    size_t at = 0;

    if (size == 0)
        return;
    for (unsigned i = 0; i < entry->count; i++)
        at = text_add(out, size, at, i > 0 ? '/' : '\0', entry->components[i]);
    (void)text_add(out, size, at, '@', entry->realm);
}

bool
gssapi_keytab_is_service(const struct gssapi_keytab_entry *entry, const char *service)
{
    const struct gssapi_text *first = &entry->components[0];

    return first->len == strlen(service) && memcmp(first->data, service, first->len) == 0;
}

bool
gssapi_keytab_is_usable(const struct gssapi_keytab_entry *entry)
{
    const size_t len = gssapi_enctype_key_len(entry->enctype);

    return len != 0 && entry->key_len == len;
}
