/* SPDX-License-Identifier: ISC */
/*
 * Method 0x01 in its pool: accepts contexts, says who it is, and hands the keys over. Serves the
 * auth processes; asks no KDC. Every error of a login is a word in its failure; what opening finds
 * wrong is a text for the administrator.
 */
#include "auth/gssapi/gssapi_identity.h"

#include <gssapi/gssapi_krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/gssapi/gssapi_blob.h"
#include "auth/gssapi/gssapi_credential.h"
#include "auth/gssapi/gssapi_enctype.h"
#include "auth/gssapi/gssapi_export.h"
#include "auth/gssapi/gssapi_frame.h"
#include "auth/gssapi/gssapi_options.h"
#include "auth/gssapi/gssapi_status.h"
#include "auth/gssapi/gssapi_token.h"
#include "lib/base/clock.h"

/* SPNEGO with a mechanism guessed wrongly takes four. */
#define ROUNDS_MAX 8
#define ANONYMOUS "WELLKNOWN/ANONYMOUS@" /* RFC 8062, in any realm */
#define SERVICE_SIZE 256 /* bytes of a service's name with its NUL */

struct gssapi {
    struct gssapi_credential credential;
    struct gssapi_identities identities;
    bool krb5, spnego; /* mechanisms accepted */
};

/* One conversation. */
struct login {
    gss_ctx_id_t context;
    unsigned rounds;
    bool spnego;
    bool mic; /* SPNEGO had each side sign the mechanisms offered */
};

/* ---- opening ---- */

static void
gssapi_close(void *module)
{
    struct gssapi *g = module;

    gssapi_credential_close(&g->credential);
    gssapi_identities_close(&g->identities);
    free(g);
}

static int
module_open(struct gssapi *g, const struct auth_config *config, const struct auth_files *files,
    char *error, size_t size)
{
    const char *where = config->value(config->ctx, GSSAPI_KEYTAB_OPTION, 0);
    size_t len = 0;
    const void *data = files->content(files->ctx, GSSAPI_KEYTAB_OPTION, &len);

    if (data == NULL) {
        (void)snprintf(error, size, "the keytab did not arrive");
        return -1;
    }
    if (gssapi_check_file(config, GSSAPI_KEYTAB_OPTION, where != NULL ? where : "keytab", data, len,
            error, size) != 0)
        return -1;
    g->krb5 = gssapi_option_lists(config, GSSAPI_MECHANISMS_OPTION, "krb5");
    g->spnego = gssapi_option_lists(config, GSSAPI_MECHANISMS_OPTION, "spnego");
    if (gssapi_identities_open(&g->identities, error, size) != 0)
        return -1;
    return gssapi_credential_open(&g->credential, data, len, config, error, size);
}

static void *
gssapi_open(const struct auth_config *config, const struct auth_files *files, char *error,
    size_t size)
{
    struct gssapi *g = calloc(1, sizeof *g);

    if (g == NULL) {
        (void)snprintf(error, size, "out of memory");
        return NULL;
    }
    g->credential.fd = -1;
    if (module_open(g, config, files, error, size) == 0)
        return g;
    gssapi_close(g);
    return NULL;
}

/* ---- one round; each of these gives NULL, or the word for the audit ---- */

/* Before libgssapi sees the first token: what is not listed must not reach its parser. */
static const char *
mechanism_check(const struct gssapi *g, struct login *l, const void *in, size_t len)
{
    const enum gssapi_mechanism mechanism = gssapi_token_mechanism(in, len);

    if (mechanism == GSSAPI_MECHANISM_BAD)
        return len == 0 ? "empty-token" : "malformed-token";
    l->spnego = mechanism == GSSAPI_MECHANISM_SPNEGO;
    if ((mechanism == GSSAPI_MECHANISM_KRB5 && g->krb5) || (l->spnego && g->spnego))
        return NULL;
    return "wrong-mechanism";
}

static const char *
answer_take(const gss_buffer_desc *token, struct auth_out *answer)
{
    if (token->length > GSSAPI_TOKEN_MAX || token->length > answer->size)
        return "answer-too-long";
    if (token->length > 0)
        memcpy(answer->data, token->value, token->length);
    answer->len = token->length;
    return NULL;
}

/* GSS_S_COMPLETE and nothing else is success. Kerberos by itself takes one token: where libgssapi wants
   to go on, the token was none of those that begin a context, or DCE's. Delegated credentials are not asked for: so libgssapi
   drops them. */
static const char *
token_accept(const struct gssapi *g, struct login *l, const struct auth_opening *opening,
    const void *in, size_t len, struct auth_step *out)
{
    OM_uint32 minor;
    OM_uint32 ignored;
    OM_uint32 flags = 0;
    gss_buffer_desc token = { len, (void *)(uintptr_t)in };
    gss_buffer_desc answer = GSS_C_EMPTY_BUFFER;
    struct gss_channel_bindings_struct bindings = {
        .application_data = { opening->binding_len, (void *)(uintptr_t)opening->binding },
    };
    const OM_uint32 major = gss_accept_sec_context(&minor, &l->context, g->credential.cred, &token,
        opening->binding_len > 0 ? &bindings : GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, &answer,
        &flags, NULL, NULL);
    const char *reason = NULL;

    if ((flags & GSS_C_DCE_STYLE) != 0)
        reason = "dce-style";
    else if (major != GSS_S_COMPLETE && (major != GSS_S_CONTINUE_NEEDED || !l->spnego))
        reason = gssapi_status_reason(major, minor);
    else
        reason = answer_take(&answer, &out->answer);
    if (l->spnego && gssapi_token_has_mic(answer.value, answer.length))
        l->mic = true;
    (void)gss_release_buffer(&ignored, &answer);
    if (reason == NULL)
        out->outcome = major == GSS_S_COMPLETE ? AUTH_SUCCESS : AUTH_CONTINUE;
    return reason;
}

/* ---- the established context ---- */

/* What libgssapi knows of it. */
struct established {
    gss_name_t client, service;
    gss_OID mechanism;
    OM_uint32 flags;
};

/* Protection flags are not asked for: with MIT they are always there, and what counts is agreed
   later. Neither is sequencing, which curl leaves out: lib/krb5msg is strict in any case. */
static const char *
context_check(const struct established *e, const char *user)
{
    if (!gss_oid_equal(e->mechanism, gss_mech_krb5))
        return "wrong-mechanism";
    if ((e->flags & GSS_C_DCE_STYLE) != 0)
        return "dce-style";
    if ((e->flags & GSS_C_ANON_FLAG) != 0 ||
        strncmp(user, ANONYMOUS, sizeof ANONYMOUS - 1) == 0)
        return "anonymous";
    return NULL;
}

static const char *
service_check(const struct gssapi *g, const struct established *e,
    const struct auth_config *config)
{
    char name[AUTH_NAME_MAX];
    char service[SERVICE_SIZE];
    const char *reason = gssapi_identity_name(e->service, name, sizeof name);

    if (reason == NULL)
        reason = gssapi_identity_service(&g->identities, name, service, sizeof service);
    if (reason != NULL || config->value(config->ctx, GSSAPI_SERVICE_OPTION, 0) == NULL)
        return reason;
    return gssapi_option_lists(config, GSSAPI_SERVICE_OPTION, service) ? NULL : "wrong-service";
}

static const char *
context_judge(const struct gssapi *g, const struct login *l, const struct auth_config *config,
    struct auth_identity *identity, OM_uint32 *flags)
{
    struct established e = { .client = GSS_C_NO_NAME, .service = GSS_C_NO_NAME };
    OM_uint32 minor;
    const char *reason = "bad-context";

    if (gss_inquire_context(&minor, l->context, &e.client, &e.service, NULL, &e.mechanism, &e.flags,
            NULL, NULL) == GSS_S_COMPLETE) {
        reason = gssapi_identity_name(e.client, identity->user, sizeof identity->user);
        if (reason == NULL)
            reason = context_check(&e, identity->user);
        if (reason == NULL)
            reason = service_check(g, &e, config);
    }
    *flags = e.flags;
    (void)gss_release_name(&minor, &e.client);
    (void)gss_release_name(&minor, &e.service);
    return reason;
}

/* The keys into the blob. libgssapi grants some minutes beyond the ticket's end; a session that ends
   with its ticket would not outlive this call. */
static const char *
context_export(struct login *l, OM_uint32 flags, bool end_with_ticket, struct auth_step *out)
{
    struct gssapi_context context;
    struct auth_identity *identity = out->identity;
    int64_t end = 0;
    const char *reason = gssapi_export(&l->context, flags, &context, &end);

    /* The client's signature had the first number; ours is in send_seq. Neither comes without the other. */
    if (l->mic)
        context.recv_seq++;
    if (reason == NULL && end_with_ticket && end <= wall_read().us / CLOCK_SECOND_US)
        reason = "ticket-expired";
    if (reason == NULL) {
        const char *enctype = gssapi_enctype_name(context.enctype);

        (void)snprintf(identity->enctype, sizeof identity->enctype, "%s", enctype);
        (void)snprintf(identity->mechanism, sizeof identity->mechanism, "%s",
            l->spnego ? "spnego" : "krb5");
        identity->end = end_with_ticket ? end : 0;
        out->protect.len =
            gssapi_blob_encode(&context, out->protect.data, out->protect.size);
        reason = out->protect.len > 0 ? NULL : "export-failed";
    }
    explicit_bzero(&context, sizeof context);
    return reason;
}

/* ---- the face ---- */

static const char *
login_step(struct gssapi *g, struct login *l, const struct auth_opening *opening, const void *in,
    size_t len, struct auth_step *out)
{
    OM_uint32 flags = 0;
    const char *reason = NULL;

    if (opening->initiator)
        return "unsupported-role";
    if (++l->rounds > ROUNDS_MAX)
        return "too-many-rounds";
    if (l->rounds == 1)
        reason = mechanism_check(g, l, in, len);
    if (reason == NULL)
        reason = token_accept(g, l, opening, in, len, out);
    if (reason != NULL || out->outcome == AUTH_CONTINUE)
        return reason;
    reason = context_judge(g, l, opening->config, out->identity, &flags);
    if (reason == NULL)
        reason = context_export(l, flags, gssapi_option_is(opening->config, GSSAPI_END_OPTION), out);
    return reason != NULL ? reason : gssapi_identity_account(&g->identities, out->identity);
}

/* Nothing of what was made before it failed goes out, but for the name. */
static void
step_undo(struct auth_step *out)
{
    struct auth_identity *identity = out->identity;

    out->outcome = AUTH_FAILURE;
    out->answer.len = 0;
    explicit_bzero(out->protect.data, out->protect.len);
    out->protect.len = 0;
    identity->mechanism[0] = identity->enctype[0] = identity->account[0] = '\0';
    identity->end = 0;
    identity->groups = NULL;
    identity->groups_len = 0;
}

static void
gssapi_step(void *module, void *state, const struct auth_opening *opening, const void *in,
    size_t len, struct auth_step *out)
{
    out->outcome = AUTH_FAILURE;
    out->reason = login_step(module, state, opening, in, len, out);
    if (out->reason == NULL)
        return;
    step_undo(out);
}

static void
gssapi_end(void *module, void *state)
{
    struct login *l = state;
    OM_uint32 minor;

    (void)module;
    if (l->context != GSS_C_NO_CONTEXT)
        (void)gss_delete_sec_context(&minor, &l->context, GSS_C_NO_BUFFER);
}

AUTH_SECRET_MODULE(gssapi) = {
    .version = AUTH_MODULE_VERSION,
    .name = "gssapi",
    .method = GSSAPI_METHOD,
    .state_size = sizeof(struct login),
    .config = {
        .pool = &gssapi_pool,
        .options = gssapi_options,
        .check = gssapi_check,
        .check_file = gssapi_check_file,
    },
    .open = gssapi_open,
    .close = gssapi_close,
    .step = gssapi_step,
    .end = gssapi_end,
};
