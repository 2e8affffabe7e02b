/* SPDX-License-Identifier: ISC */
/* See gssapi_gate.h. */
#include "tests/unit/gssapi_gate.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "auth/builtin.h"
#include "lib/base/fd.h"

struct gate_section gate_section;

static const char *
gate_value(const void *ctx, const char *name, unsigned i)
{
    const struct gate_section *s = ctx;
    if (strcmp(name, "service") == 0) {
        return i < SP_COUNT(s->service) ? s->service[i] : NULL;
    }
    if (strcmp(name, "mechanisms") == 0) {
        return i < SP_COUNT(s->mechanisms) ? s->mechanisms[i] : NULL;
    }
    if (i > 0) {
        return NULL;
    }
    if (strcmp(name, "end-with-ticket") == 0) {
        return s->end_with_ticket ? "true" : "false";
    }
    return strcmp(name, "replay-cache") == 0 ? s->replay_cache
                                             : strcmp(name, "keytab") == 0 ? "/etc/krb5.keytab" : NULL;
}

const struct auth_config gate_config = { &gate_section, gate_value };

void
gate_reset(void)
{
    gate_section = (struct gate_section){ .service = { "rcmd", "socks" },
        .mechanisms = { "krb5" },
        .replay_cache = "",
        .end_with_ticket = true };
}

const struct auth_secret_module *
gate_face(void)
{
    char error[256];
    const struct auth_secret_module *m =
        auth_secret_find("gssapi", "/nowhere", error, sizeof error);
    assert_non_null(m);
    return m;
}

/* ---- the broker ---- */

static int
gate_descriptor(const void *ctx, const char *name)
{
    assert_string_equal(name, "keytab");
    return *(const int *)ctx;
}

static void *gate_mapped;
static size_t gate_mapped_len;

static const void *
gate_content(const void *ctx, const char *name, size_t *len)
{
    const int fd = gate_descriptor(ctx, name);
    const off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
    *len = size > 0 ? (size_t)size : 0;
    if (size <= 0) {
        return size == 0 ? "" : NULL;
    }
    gate_mapped = mmap(NULL, *len, PROT_READ, MAP_SHARED, fd, 0);
    gate_mapped_len = *len;
    assert_true(gate_mapped != MAP_FAILED);
    return gate_mapped;
}

/* What sallyport-auth gets: a sealed copy, unmapped after open(), the descriptor closed some day. */
void *
gate_open(const char *keytab, char *error, size_t size)
{
    int file = open(keytab, O_RDONLY | O_CLOEXEC);
    int fd = file >= 0 ? memfd_copy("keytab", file, 1 << 20) : -1;
    const struct auth_files files = { &fd, gate_descriptor, gate_content };
    error[0] = '\0';
    void *module = gate_face()->open(&gate_config, &files, error, size);
    if (gate_mapped != NULL) {
        assert_int_equal(munmap(gate_mapped, gate_mapped_len), 0);
    }
    gate_mapped = NULL;
    fd_close(&file);
    fd_close(&fd);
    return module;
}

void
gate_close(void *module)
{
    gate_face()->close(module);
}

/* ---- clients ---- */

gss_buffer_desc
gate_client_step(struct gate_client *client, const void *in, size_t len)
{
    OM_uint32 minor;
    gss_name_t name = GSS_C_NO_NAME;
    gss_buffer_desc text = { strlen(client->service), (void *)(uintptr_t)client->service };
    gss_buffer_desc token = { len, (void *)(uintptr_t)in };
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    struct gss_channel_bindings_struct binding = {
        .application_data = { client->binding != NULL ? strlen(client->binding) : 0,
            (void *)(uintptr_t)client->binding },
    };
    assert_int_equal(gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &name), 0);
    client->major = gss_init_sec_context(&client->minor, client->cred, &client->context, name,
        (gss_OID)(uintptr_t)client->mechanism, client->flags, 0,
        client->binding != NULL ? &binding : GSS_C_NO_CHANNEL_BINDINGS,
        in != NULL ? &token : GSS_C_NO_BUFFER, NULL, &out, NULL, NULL);
    (void)gss_release_name(&minor, &name);
    return out;
}

void
gate_client_end(struct gate_client *client)
{
    OM_uint32 minor;
    (void)gss_delete_sec_context(&minor, &client->context, GSS_C_NO_BUFFER);
}

/* ---- conversations ---- */

struct gate_result *
gate_result_new(void)
{
    struct gate_result *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->answer = malloc(AUTH_TOKEN_MAX);
    assert_non_null(r->answer);
    return r;
}

void
gate_result_free(struct gate_result *result)
{
    free(result->answer);
    free(result);
}

struct gate_conversation
gate_begin(void *module)
{
    const struct gate_conversation c = { .module = module,
        .state = calloc(1, gate_face()->state_size) };
    assert_non_null(c.state);
    return c;
}

void
gate_step(struct gate_conversation *conversation, const void *in, size_t len,
    struct gate_result *result)
{
    const struct auth_opening opening = { .session = 1,
        .method = 1,
        .initiator = conversation->initiator,
        .listener = "127.0.0.1:1080",
        .client = "127.0.0.1:4000",
        .local = "127.0.0.1:1080",
        .binding = (const uint8_t *)conversation->binding,
        .binding_len = conversation->binding != NULL ? strlen(conversation->binding) : 0,
        .config = &gate_config };
    memset(&result->identity, 0, sizeof result->identity);
    memset(result->blob, 0, sizeof result->blob);
    struct auth_step out = { .identity = &result->identity,
        .answer = { result->answer, AUTH_TOKEN_MAX, 0 },
        .protect = { result->blob, sizeof result->blob, 0 } };
    uint8_t *copy = unit_copy(in, len);
    gate_face()->step(conversation->module, conversation->state, &opening, copy, len, &out);
    free(copy);
    result->outcome = out.outcome;
    result->reason = out.reason != NULL ? out.reason : "";
    result->answer_len = out.answer.len;
    result->blob_len = out.protect.len;
    assert_true(result->identity.groups_len <= sizeof result->groups);
    if (result->identity.groups_len > 0) {
        memcpy(result->groups, result->identity.groups, result->identity.groups_len);
    }
}

void
gate_end(struct gate_conversation *conversation)
{
    gate_face()->end(conversation->module, conversation->state);
    free(conversation->state);
}

void
gate_try(void *module, const void *in, size_t len, struct gate_result *result)
{
    struct gate_conversation c = gate_begin(module);
    gate_step(&c, in, len, result);
    gate_end(&c);
}

void
gate_login(void *module, struct gate_client *client, struct gate_result *result)
{
    OM_uint32 minor;
    struct gate_conversation c = gate_begin(module);
    gss_buffer_desc token = gate_client_step(client, NULL, 0);
    result->outcome = AUTH_CONTINUE;
    while (token.length > 0) {
        assert_int_equal(result->outcome, AUTH_CONTINUE);
        gate_step(&c, token.value, token.length, result);
        (void)gss_release_buffer(&minor, &token);
        if (result->answer_len > 0) {
            token = gate_client_step(client, result->answer, result->answer_len);
        }
    }
    gate_end(&c);
}
