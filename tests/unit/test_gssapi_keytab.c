/* SPDX-License-Identifier: ISC */
/* auth/gssapi: the keytab parser, and what an administrator is told about a keytab. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "auth/gssapi/gssapi_enctype.h"
#include "auth/gssapi/gssapi_keytab.h"
#include "auth/gssapi/gssapi_options.h"
#include "lib/base/cursor.h"
#include "lib/krb5msg/krb5msg.h"

/* ---- a keytab written by hand ---- */

static uint8_t file[4096];
static size_t file_len;

static void
file_begin(uint16_t format)
{
    struct writer w = writer_init(file, sizeof file);

    writer_u16_be(&w, format);
    file_len = writer_len(&w);
}

static void
text_put(struct writer *w, const char *text)
{
    writer_u16_be(w, (uint16_t)strlen(text));
    writer_text(w, text);
}

struct given {
    const char *service, *host;
    uint8_t kvno;
    uint32_t kvno32; /* 0: left out */
    uint16_t enctype, key_len;
};

static void
file_add(const struct given *g)
{
    struct writer w = writer_init(file + file_len, sizeof file - file_len);
    uint8_t *size = writer_reserve(&w, 4);

    writer_u16_be(&w, 2);
    text_put(&w, "EXAMPLE.COM");
    text_put(&w, g->service);
    text_put(&w, g->host);
    writer_u32_be(&w, 1);
    writer_u32_be(&w, 1700000000);
    writer_u8(&w, g->kvno);
    writer_u16_be(&w, g->enctype);
    writer_u16_be(&w, g->key_len);
    for (unsigned i = 0; i < g->key_len; i++)
        writer_u8(&w, 0xaa);
    if (g->kvno32 != 0)
        writer_u32_be(&w, g->kvno32);
    struct writer head = writer_init(size, 4);

    writer_u32_be(&head, (uint32_t)writer_len(&w) - 4);
    file_len += writer_len(&w);
}

static void
file_hole(uint32_t len)
{
    struct writer w = writer_init(file + file_len, sizeof file - file_len);

    writer_u32_be(&w, (uint32_t)-len);
    for (uint32_t i = 0; i < len; i++)
        writer_u8(&w, 0);
    file_len += writer_len(&w);
}

static const struct given rcmd_aes = { "rcmd", "gw.example.com", 3, 0, 18, 32 };
static const struct given host_rc4 = { "host", "gw.example.com", 2, 0, 23, 16 };

/* ---- the parser ---- */

static void
test_entries(void **state)
{
    static const struct given many = { "socks", "gw", 255, 1000, 17, 16 };
    struct gssapi_keytab k;
    struct gssapi_keytab_entry e;
    char text[64];

    (void)state;
    file_begin(0x0502);
    file_hole(40);
    file_add(&rcmd_aes);
    file_hole(1);
    file_add(&many);
    assert_int_equal(gssapi_keytab_begin(&k, file, file_len), 0);
    assert_int_equal(gssapi_keytab_next(&k, &e), 1);
    assert_int_equal(e.kvno, 3);
    assert_int_equal(e.enctype, 18);
    assert_true(gssapi_keytab_is_usable(&e));
    assert_true(gssapi_keytab_is_service(&e, "rcmd"));
    assert_false(gssapi_keytab_is_service(&e, "rcm"));
    assert_false(gssapi_keytab_is_service(&e, "rcmd2"));
    gssapi_keytab_principal(&e, text, sizeof text);
    assert_string_equal(text, "rcmd/gw.example.com@EXAMPLE.COM");
    gssapi_keytab_principal(&e, text, 8);
    assert_string_equal(text, "rcmd/gw");
    assert_int_equal(gssapi_keytab_next(&k, &e), 1);
    assert_int_equal(e.kvno, 1000);
    assert_int_equal(gssapi_keytab_next(&k, &e), 0);
    assert_int_equal(gssapi_keytab_next(&k, &e), 0);
    /* A size of 0 ends it, whatever follows. */
    memset(file + file_len, 0, 4);
    file[file_len + 4] = 0xff;
    assert_int_equal(gssapi_keytab_begin(&k, file, file_len + 5), 0);
    assert_int_equal(gssapi_keytab_next(&k, &e), 1);
    assert_int_equal(gssapi_keytab_next(&k, &e), 1);
    assert_int_equal(gssapi_keytab_next(&k, &e), 0);
}

static void
test_truncated(void **state)
{
    (void)state;
    file_begin(0x0502);
    file_add(&rcmd_aes);
    for (size_t len = 0; len < file_len; len++) {
        struct gssapi_keytab k;
        struct gssapi_keytab_entry e;
        uint8_t *copy = unit_copy(file, len);

        if (len < 2) {
            assert_int_equal(gssapi_keytab_begin(&k, copy, len), -1);
        } else {
            assert_int_equal(gssapi_keytab_begin(&k, copy, len), 0);
            assert_int_equal(gssapi_keytab_next(&k, &e), len == 2 ? 0 : -1);
        }
        free(copy);
    }
}

/* The entry says that it is shorter than its parts. */
static void
test_short_entry(void **state)
{
    (void)state;
    for (uint8_t size = 1; size < 77; size++) {
        struct gssapi_keytab k;
        struct gssapi_keytab_entry e;

        file_begin(0x0502);
        file_add(&rcmd_aes);
        assert_int_equal(file[5], 2 + 13 + 6 + 16 + 8 + 1 + 2 + 2 + 32);
        if (size < file[5]) {
            file[5] = size;
            assert_int_equal(gssapi_keytab_begin(&k, file, file_len), 0);
            assert_int_equal(gssapi_keytab_next(&k, &e), -1);
            assert_int_equal(k.at, 2);
        }
    }
}

static void
test_enctypes(void **state)
{
    (void)state;
    for (int32_t i = -300; i < 300; i++)
        assert_int_equal(gssapi_enctype_key_len(i), krb5msg_key_len(i));
    for (unsigned i = 0; i < GSSAPI_ENCTYPES; i++)
        assert_non_null(strstr(GSSAPI_ENCTYPES_ALLOWED, gssapi_enctype_name(gssapi_enctypes[i])));
    assert_null(gssapi_enctype_name(99));
}

/* ---- what is said ---- */

static const char *services[4];

static const char *
value(const void *ctx, const char *name, unsigned i)
{
    (void)ctx;
    return strcmp(name, "service") == 0 && i < SP_COUNT(services) ? services[i] : NULL;
}

static char error[512];

static int
check(void)
{
    const struct auth_config config = { NULL, value };

    error[0] = '\0';
    return gssapi_check_file(&config, "keytab", "/etc/kt", file, file_len, error, sizeof error);
}

static void
expect(const char *text)
{
    assert_int_equal(check(), -1);
    assert_string_equal(error, text);
}

static int
each_setup(void **state)
{
    (void)state;
    memset(services, 0, sizeof services);
    services[0] = "rcmd";
    services[1] = "socks";
    return 0;
}

static void
test_no_keytab(void **state)
{
    (void)state;
    file_len = 0;
    expect("/etc/kt: the file is empty: no keytab");
    file_begin(0x0501);
    expect("/etc/kt: a keytab of the old format 05 01; export the keys again in format 05 02");
    file_begin(0x6162);
    expect("/etc/kt: not a keytab: it does not begin with the octets 05 02");
    file_begin(0x0502);
    expect("/etc/kt: the keytab holds no key; put one in with: "
           "kadmin -q \"ktadd -k /etc/kt rcmd/HOST\"");
    file_hole(100);
    assert_int_equal(check(), -1);
    file_add(&rcmd_aes);
    file_len--;
    expect("/etc/kt: entry 1, at octet 106: the file ends inside an entry");
}

static void
test_services(void **state)
{
    (void)state;
    file_begin(0x0502);
    file_add(&host_rc4);
    file_add(&host_rc4);
    expect("/etc/kt: no key for service rcmd, socks; the keytab holds "
           "host/gw.example.com@EXAMPLE.COM");
    file_add(&rcmd_aes);
    assert_int_equal(check(), 0);
    services[0] = "socks";
    services[1] = NULL;
    expect("/etc/kt: no key for service socks; the keytab holds "
           "host/gw.example.com@EXAMPLE.COM, rcmd/gw.example.com@EXAMPLE.COM");
    services[0] = NULL;
    assert_int_equal(check(), 0);
}

static void
test_weak(void **state)
{
    static const struct given odd[] = { { "rcmd", "gw", 1, 0, 23, 16 }, { "rcmd", "gw", 1, 0, 16, 24 },
        { "rcmd", "gw", 1, 0, 23, 16 }, { "rcmd", "gw", 1, 0, 77, 16 },
        { "rcmd", "gw", 1, 0, 18, 16 } };

    (void)state;
    file_begin(0x0502);
    for (size_t i = 0; i < SP_COUNT(odd); i++)
        file_add(&odd[i]);
    expect("/etc/kt: the keys for rcmd, socks have only encryption types that are not accepted: "
           "arcfour-hmac, des3-cbc-sha1, number 77, aes256-cts-hmac-sha1-96 with a key of 16 bytes; "
           "allowed: aes256-cts-hmac-sha1-96, aes128-cts-hmac-sha1-96, aes256-cts-hmac-sha384-192, "
           "aes128-cts-hmac-sha256-128");
    file_add(&rcmd_aes);
    assert_int_equal(check(), 0);
}

/* Lists end where the message would be too long, and no room is too small. */
static void
test_long(void **state)
{
    char host[32];
    const struct auth_config config = { NULL, value };
    char little[8];

    (void)state;
    file_begin(0x0502);
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(host, sizeof host, "host-number-%u", i);
        file_add(&(struct given) { "imap", host, 1, 0, 18, 32 });
    }
    assert_int_equal(check(), -1);
    assert_string_equal(error + strlen(error) - 5, ", ...");
    for (size_t size = 1; size <= sizeof little; size++) {
        assert_int_equal(
            gssapi_check_file(&config, "keytab", "/etc/kt", file, file_len, little, size), -1);
        assert_true(strlen(little) < size);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_short_entry),
        cmocka_unit_test(test_enctypes),
        cmocka_unit_test_setup(test_no_keytab, each_setup),
        cmocka_unit_test_setup(test_services, each_setup),
        cmocka_unit_test_setup(test_weak, each_setup),
        cmocka_unit_test_setup(test_long, each_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
