/* SPDX-License-Identifier: ISC */
#include "tests/unit/sealed_rig.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "auth/gssapi/gssapi_blob.h"
#include "auth/gssapi/gssapi_protect_local.h"
#include "lib/base/fd.h"

const struct sealed_kind sealed_kinds[] = {
    { &face, AUTH_PROTECTION_NONE },
    { &face_silent, AUTH_PROTECTION_NONE },
    { &auth_gssapi_protect, AUTH_PROTECTION_INTEGRITY },
    { &auth_gssapi_protect, AUTH_PROTECTION_CONFIDENTIALITY },
};
const size_t sealed_kind_count = SP_COUNT(sealed_kinds);

void
tcp_pair(int *near_fd, int *far_fd)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    socklen_t len = sizeof sin;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&sin, sizeof sin), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&sin, &len), 0);
    *far_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*far_fd, (struct sockaddr *)&sin, sizeof sin), 0);
    *near_fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    assert_true(*near_fd >= 0);
    assert_int_equal(fd_set_nonblock(*far_fd), 0);
    fd_close(&listener);
}

static void *
gssapi_state(bool ours, enum auth_protection level)
{
    struct gssapi_context context = {
        .role = ours ? KRB5MSG_ACCEPTOR : KRB5MSG_INITIATOR,
        .acceptor_subkey = true,
        .enctype = KRB5MSG_AES256_SHA1,
        .send_seq = ours ? 5000 : 7000,
        .recv_seq = ours ? 7000 : 5000,
        .key = { 1, 2, 3 },
        .key_len = 32,
    };
    uint8_t blob[GSSAPI_BLOB_MAX];
    const char *error = NULL;
    size_t len = gssapi_blob_encode(&context, blob, sizeof blob);
    struct gssapi_protect *p = gssapi_protect_make(blob, len, context.role, &error);

    assert_non_null(p);
    gssapi_level_take(p, level);
    return p;
}

void *
sealed_state(const struct sealed_kind *kind, bool ours)
{
    if (kind->module != &auth_gssapi_protect)
        return face_state();
    return gssapi_state(ours, kind->level);
}

void
wire_add(struct wire *w, const void *data, size_t len)
{
    if (w->len + len > w->size) {
        w->size = (w->len + len) * 2;
        w->data = realloc(w->data, w->size);
        assert_non_null(w->data);
    }
    memcpy(w->data + w->len, data, len);
    w->len += len;
}

void
wire_message(struct wire *w, const struct sealed_kind *kind, void *peer, const void *plain,
    size_t len)
{
    static uint8_t room[CHANNEL_HEAD + CHANNEL_ROOM_MIN + CHANNEL_TAIL];
    struct auth_sealed sealed;

    assert_true(len <= kind->module->plain_max(peer));
    if (len > 0)
        memcpy(room + CHANNEL_HEAD, plain, len);
    assert_int_equal(kind->module->seal(peer, room + CHANNEL_HEAD, len, &sealed), 0);
    wire_add(w, sealed.data, sealed.len);
}

void
wire_stream(struct wire *w, const struct sealed_kind *kind, void *peer, const void *plain,
    size_t len, size_t most, struct unit_random *random)
{
    size_t done = 0;

    while (done < len) {
        size_t piece = unit_random(random) % 8 == 0 ? 0 : 1 + unit_random(random) % most;

        if (piece > len - done)
            piece = len - done;
        wire_message(w, kind, peer, (const uint8_t *)plain + done, piece);
        done += piece;
    }
}

void
wire_free(struct wire *w)
{
    free(w->data);
    *w = (struct wire) { NULL, 0, 0 };
}
