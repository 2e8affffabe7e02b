/* SPDX-License-Identifier: ISC */
/* What a session holds before it relays: made with it, given back when the relay begins. */
#include "src/session/session_private.h"

#include "lib/base/secret.h"

#include "src/net/ident.h"

#include <stdlib.h>

struct session_setup *
setup_new(struct session *s)
{
    struct session_setup *setup = calloc(1, sizeof *setup);

    if (setup == NULL)
        return NULL;
    setup->session = s;
    setup->in = BUFFER_INIT_SECRET;
    setup->out = BUFFER_INIT;
    setup->conversation.fd = -1;
    return setup;
}

void
setup_end_conversation(struct session_setup *setup)
{
    authlink_end(&setup->conversation);
    secret_free(setup->wire, setup->wire_size);
    setup->wire = NULL;
}

void
setup_free(struct session_setup **setup)
{
    struct session_setup *s = *setup;

    if (s == NULL)
        return;
    setup_end_conversation(s);
    verdict_forget(s->session);
    if (s->protect != NULL)
        session_protect_face(s->session)->free(s->protect);
    ident_free(&s->ident);
    audit_wait_end(&s->audit);
    resolver_cancel(&s->query);
    dial_free(&s->dial);
    bind_free(s->session, &s->bind);
    buffer_clear(&s->in);
    buffer_clear(&s->out);
    free(s);
    *setup = NULL;
}
