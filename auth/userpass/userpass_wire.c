/* SPDX-License-Identifier: ISC */
/*
 * Method 0x02, RFC 1929, in the worker: framing only. Serves the authenticate phase. What to think
 * of a name or password is the pool's; so zero lengths pass here and come back as a failed login.
 */
#include <string.h>

#include "auth/userpass/userpass_options.h"
#include "lib/socks/userpass.h"

static enum auth_frame
userpass_frame(void *state, const void *data, size_t len, struct auth_frame_result *out)
{
    struct userpass_message m;

    (void)state;
    memset(out, 0, sizeof *out);
    switch (userpass_decode(data, len, &m)) {
    case SOCKS_MORE:
        return AUTH_FRAME_MORE;
    case SOCKS_BAD:
        out->error = m.error;
        return AUTH_FRAME_BAD;
    case SOCKS_DONE:
        break;
    }
    out->used = m.used;
    /* ULEN UNAME PLEN PASSWD: what follows VER is what the pool reads. */
    out->payload = (const uint8_t *)data + 1;
    out->payload_len = m.used - 1;
    memcpy(out->claimed, m.user, m.user_len);
    out->claimed_len = m.user_len;
    return AUTH_FRAME_READY;
}

static int
status_put(uint8_t status, struct auth_out *out)
{
    if (out->size - out->len < USERPASS_STATUS_SIZE)
        return -1;
    userpass_status_encode(status, out->data + out->len);
    out->len += USERPASS_STATUS_SIZE;
    return 0;
}

static int
userpass_answer(void *state, enum auth_outcome outcome, const void *answer, size_t len,
    struct auth_out *out)
{
    (void)state;
    (void)answer;
    /* One message, one answer: there is nothing to go on with. */
    if (outcome == AUTH_CONTINUE || len != 0)
        return -1;
    return status_put(outcome == AUTH_SUCCESS ? USERPASS_SUCCESS : USERPASS_FAILURE, out);
}

static void
userpass_refuse(void *state, struct auth_out *out)
{
    (void)state;
    (void)status_put(USERPASS_FAILURE, out);
}

AUTH_WIRE_MODULE(userpass) = {
    .version = AUTH_MODULE_VERSION,
    .name = "userpass",
    .method = USERPASS_METHOD,
    .needs_pool = true,
    .no_groups = true,
    .message_max = USERPASS_MESSAGE_MAX,
    .state_size = 0,
    .config = {
        .pool = &userpass_pool,
        .options = userpass_options,
        .check = userpass_check,
        .check_file = userpass_check_file,
    },
    .frame = userpass_frame,
    .answer = userpass_answer,
    .refuse = userpass_refuse,
};
