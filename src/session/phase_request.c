/* SPDX-License-Identifier: ISC */
/* request: reads what the client wants (RFC 1928 section 4). */
#include "src/session/session_private.h"

static const struct {
    enum socks5_reply reply;
    enum session_reason reason;
} request_reasons[] = {
    { SOCKS5_COMMAND_NOT_SUPPORTED, REASON_BAD_COMMAND },
    { SOCKS5_ADDRESS_NOT_SUPPORTED, REASON_BAD_ADDRESS_TYPE },
};

static enum session_reason
reason_for(enum socks5_reply reply)
{
    for (size_t i = 0; i < SP_COUNT(request_reasons); i++)
        if (request_reasons[i].reply == reply)
            return request_reasons[i].reason;
    return REASON_MALFORMED;
}

static struct session_step
accept_request(struct session *s, const struct socks5_request *request)
{
    buffer_consume(&s->setup->in, request->used);
    if (request->reply != SOCKS5_SUCCEEDED)
        return step_refuse(s, reason_for(request->reply), request->reply, request->error);
    return session_request(s, request->command, &request->addr, request->name, request->name_len);
}

static struct session_step
read_request(struct session *s)
{
    struct buffer *in = &s->setup->in;
    struct socks5_request request;
    struct session_step step;

    for (;;) {
        enum socks_result r = buffer_len(in) == 0
            ? SOCKS_MORE
            : socks5_request_decode(buffer_head(in), buffer_len(in), &request);

        if (r == SOCKS_DONE)
            return accept_request(s, &request);
        if (r == SOCKS_BAD)
            return step_refuse(s, REASON_MALFORMED, SOCKS5_GENERAL_FAILURE, request.error);
        if (!client_more(s, &step))
            return step;
    }
}

static struct session_step
request_enter(struct session *s)
{
    session_deadline(s, s->setup->deadline);
    return read_request(s);
}

static struct session_step
request_event(struct session *s, enum session_event event)
{
    if (event == SESSION_TIMER)
        return step_fail(s, REASON_CLIENT_TIMEOUT, NULL);
    if (client_flush(s) < 0)
        return step_fail(s, REASON_CLIENT_GONE, NULL);
    return read_request(s);
}

const struct phase_row phase_request = { "request", request_enter, request_event, NULL };
