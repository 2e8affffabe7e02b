/* SPDX-License-Identifier: ISC */
#include "tests/unit/protect_face.h"

struct face_state {
    uint32_t sent, received;
};

unsigned face_live;

void *
face_state(void)
{
    face_live++;
    return calloc(1, sizeof(struct face_state));
}

static void
face_free(void *protect)
{
    face_live--;
    free(protect);
}

static size_t
face_plain_max(const void *protect)
{
    (void)protect;
    return FACE_PLAIN_MAX;
}

static void
face_change(uint8_t *data, size_t len, uint32_t number)
{
    for (size_t i = 0; i < len; i++)
        data[i] ^= (uint8_t)(0x5b + number);
}

static uint32_t
face_sum(const uint8_t *data, size_t len, uint32_t number)
{
    uint32_t sum = 2166136261U ^ number;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ data[i]) * 16777619U;
    return sum;
}

static int
face_seal(void *protect, uint8_t *plain, size_t len, struct auth_sealed *out)
{
    struct face_state *s = protect;
    uint32_t sum;

    assert_true(len <= FACE_PLAIN_MAX);
    /* All of the room that was promised is used, so that whoever needs the bytes in it notices. */
    memset(plain - 64, 0xee, 64);
    memset(plain + len, 0xee, 64);
    face_change(plain, len, s->sent);
    sum = face_sum(plain, len, s->sent++);
    plain[-3] = 0x5a;
    plain[-2] = (uint8_t)(len >> 8);
    plain[-1] = (uint8_t)len;
    memcpy(plain + len, &sum, sizeof sum);
    out->data = plain - FACE_HEAD;
    out->len = FACE_HEAD + len + FACE_TAIL;
    return 0;
}

static enum auth_frame
face_bad(struct auth_opened *out, const char *error)
{
    out->error = error;
    return AUTH_FRAME_BAD;
}

static enum auth_frame
face_open(void *protect, uint8_t *data, size_t len, struct auth_opened *out)
{
    struct face_state *s = protect;
    size_t plain_len;
    uint32_t sum;

    out->used = 0;
    if (len >= 1 && data[0] != 0x5a)
        return face_bad(out, "wrong-type");
    if (len < FACE_HEAD)
        return AUTH_FRAME_MORE;
    plain_len = (size_t)data[1] << 8 | data[2];
    if (plain_len > FACE_PLAIN_MAX)
        return face_bad(out, "wrong-length");
    out->used = FACE_HEAD + plain_len + FACE_TAIL;
    if (len < out->used)
        return AUTH_FRAME_MORE;
    memcpy(&sum, data + FACE_HEAD + plain_len, sizeof sum);
    if (sum != face_sum(data + FACE_HEAD, plain_len, s->received))
        return face_bad(out, "bad-checksum");
    face_change(data + FACE_HEAD, plain_len, s->received++);
    out->plain = data + FACE_HEAD;
    out->plain_len = plain_len;
    return AUTH_FRAME_READY;
}

static enum auth_frame
face_silent_open(void *protect, uint8_t *data, size_t len, struct auth_opened *out)
{
    enum auth_frame frame = face_open(protect, data, len, out);

    if (frame == AUTH_FRAME_MORE)
        out->used = 0;
    return frame;
}

const struct auth_protect_module face = {
    .version = AUTH_MODULE_VERSION,
    .name = "face",
    .head = FACE_HEAD,
    .tail = FACE_TAIL,
    .message_max = FACE_MESSAGE_MAX,
    .free = face_free,
    .plain_max = face_plain_max,
    .seal = face_seal,
    .open = face_open,
};

const struct auth_protect_module face_silent = {
    .version = AUTH_MODULE_VERSION,
    .name = "face_silent",
    .head = FACE_HEAD,
    .tail = FACE_TAIL,
    .message_max = FACE_MESSAGE_MAX,
    .free = face_free,
    .plain_max = face_plain_max,
    .seal = face_seal,
    .open = face_silent_open,
};
