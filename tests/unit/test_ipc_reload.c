/* SPDX-License-Identifier: ISC */
/* src/core/ipc_reload.c: each body there and back, every truncation, and values no encoder writes. */
#include "tests/unit/core_unit.h"

#include "src/core/ipc_private.h"
#include "src/core/ipc_reload.h"

typedef size_t recode(const struct ipc_message *m, uint8_t *out, size_t size);

#define RECODE(name, type)                                                                         \
    static size_t name(const struct ipc_message *m, uint8_t *out, size_t size)                     \
    {                                                                                              \
        static type value;                                                                         \
        memset(&value, 0xa5, sizeof value);                                                        \
        return name##_decode(m, &value) == 0 ? name##_encode(&value, out, size) : 0;               \
    }

RECODE(ipc_listeners, struct ipc_listeners)
RECODE(ipc_prepare, struct ipc_prepare)
RECODE(ipc_prepared, struct ipc_prepared)
RECODE(ipc_kill, struct ipc_kill)
RECODE(ipc_rejudged, struct ipc_rejudged)

static size_t
ipc_generation(const struct ipc_message *m, uint8_t *out, size_t size)
{
    uint64_t value;

    return ipc_generation_decode(m, &value) == 0 ? ipc_generation_encode(value, out, size) : 0;
}

struct sample {
    enum ipc_type type;
    recode *recode;
    size_t entry; /* a body cut by whole ones of these is another body */
    size_t min_len;
    size_t max_len;
    uint8_t min[IPC_BODY_MAX];
    uint8_t max[IPC_BODY_MAX];
};

static struct sample samples[] = {
    { .type = IPC_LISTENERS, .recode = ipc_listeners },
    { .type = IPC_PREPARE, .recode = ipc_prepare },
    { .type = IPC_PREPARED, .recode = ipc_prepared },
    { .type = IPC_COMMIT, .recode = ipc_generation },
    { .type = IPC_ABORT, .recode = ipc_generation },
    { .type = IPC_KILL, .recode = ipc_kill, .entry = 8 },
    { .type = IPC_REJUDGED, .recode = ipc_rejudged },
};

static struct sample *
sample_of(enum ipc_type type)
{
    for (size_t i = 0; i < SP_COUNT(samples); i++) {
        if (samples[i].type == type)
            return &samples[i];
    }
    fail();
    return NULL;
}

#define FILL(type, encode, small, big)                                                             \
    do {                                                                                           \
        struct sample *s_ = sample_of(type);                                                       \
        s_->min_len = encode(small, s_->min, sizeof s_->min);                                      \
        s_->max_len = encode(big, s_->max, sizeof s_->max);                                        \
    } while (0)

static int
make_samples(void **state)
{
    static struct ipc_prepare none = { .generation = 1 }, most = { .generation = UINT64_MAX };
    static struct ipc_prepared yes = { .generation = 2, .ok = true }, no = { .generation = 3 };
    static struct ipc_kill one = { 1, { 7 } }, many = { .count = IPC_KILL_MAX };
    static struct ipc_rejudged rejudged = { 9, 25000 };

    (void)state;
    most.listeners.count = IPC_LISTENERS_MAX;
    for (uint16_t i = 0; i < IPC_LISTENERS_MAX; i++)
        most.listeners.numbers[i] = (uint16_t)(IPC_LISTENER_NUMBERS - 1 - i);
    memset(no.error, 'n', sizeof no.error - 1);
    for (uint16_t i = 0; i < IPC_KILL_MAX; i++)
        many.ids[i] = UINT64_MAX - i;
    FILL(IPC_LISTENERS, ipc_listeners_encode, &none.listeners, &most.listeners);
    FILL(IPC_PREPARE, ipc_prepare_encode, &none, &most);
    FILL(IPC_PREPARED, ipc_prepared_encode, &yes, &no);
    FILL(IPC_COMMIT, ipc_generation_encode, 1, UINT64_MAX);
    FILL(IPC_ABORT, ipc_generation_encode, 1, UINT64_MAX);
    FILL(IPC_KILL, ipc_kill_encode, &one, &many);
    FILL(IPC_REJUDGED, ipc_rejudged_encode, &rejudged, &rejudged);
    return 0;
}

static size_t
pass(const struct sample *s, const uint8_t *body, size_t len, uint8_t *out)
{
    static struct ipc_message m;

    m.type = s->type;
    m.len = len;
    memcpy(m.body, body, len);
    return s->recode(&m, out, IPC_BODY_MAX);
}

static void
test_there_and_back(void **state)
{
    uint8_t out[IPC_BODY_MAX];

    (void)state;
    for (size_t i = 0; i < SP_COUNT(samples); i++) {
        const struct sample *s = &samples[i];

        assert_int_equal(ipc_table[s->type].min_len, s->min_len);
        assert_int_equal(ipc_table[s->type].max_len, s->max_len);
        assert_int_equal(pass(s, s->min, s->min_len, out), s->min_len);
        assert_memory_equal(out, s->min, s->min_len);
        assert_int_equal(pass(s, s->max, s->max_len, out), s->max_len);
        assert_memory_equal(out, s->max, s->max_len);
    }
}

/* Cut anywhere, or with a byte more. */
static void
test_wrong_lengths(void **state)
{
    uint8_t out[IPC_BODY_MAX], body[IPC_BODY_MAX] = { 0 };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(samples); i++) {
        const struct sample *s = &samples[i];

        memcpy(body, s->max, s->max_len);
        for (size_t len = 0; len < s->max_len; len++) {
            if (s->entry == 0 || len < s->min_len || (len - s->min_len) % s->entry != 0)
                assert_int_equal(pass(s, body, len, out), 0);
        }
        assert_int_equal(pass(s, body, s->max_len + 1, out), 0);
    }
}

/* There is one form of each body: what is taken is written again byte for byte. */
static void
test_spoiled_bodies(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    uint8_t out[IPC_BODY_MAX], body[IPC_BODY_MAX];
    int refused = 0, taken = 0;

    (void)state;
    for (int n = 0; n < 100000; n++) {
        const struct sample *s = &samples[unit_random(&random) % SP_COUNT(samples)];
        bool small = unit_random(&random) % 2 == 0;
        size_t len = small ? s->min_len : s->max_len;

        memcpy(body, small ? s->min : s->max, len);
        for (int k = 0; k < 3; k++)
            body[unit_random(&random) % (len < 64 ? len : 64)] = (uint8_t)unit_random(&random);
        size_t again = pass(s, body, len, out);

        taken += again > 0;
        refused += again == 0;
        if (again > 0) {
            assert_int_equal(again, len);
            assert_memory_equal(out, body, len);
        }
    }
    assert_true(refused > 1000 && taken > 1000);
}

static void
test_listener_numbers(void **state)
{
    struct ipc_listeners in = { 2, { 5, 5 } }, out;
    struct ipc_message m = { .type = IPC_LISTENERS };

    (void)state;
    m.len = ipc_listeners_encode(&in, m.body, sizeof m.body);
    assert_int_equal(ipc_listeners_decode(&m, &out), -1);
    in.numbers[1] = IPC_LISTENER_NUMBERS;
    m.len = ipc_listeners_encode(&in, m.body, sizeof m.body);
    assert_int_equal(ipc_listeners_decode(&m, &out), -1);
    in.numbers[1] = IPC_LISTENER_NUMBERS - 1;
    m.len = ipc_listeners_encode(&in, m.body, sizeof m.body);
    assert_int_equal(ipc_listeners_decode(&m, &out), 0);
    assert_int_equal(out.count, 2);
    assert_int_equal(out.numbers[0], 5);
    assert_int_equal(out.numbers[1], IPC_LISTENER_NUMBERS - 1);
}

static void
test_refused_values(void **state)
{
    struct ipc_kill kill = { 2, { 1, 0 } }, killed;
    struct ipc_prepare prepare = { .generation = 0 }, prepared;
    struct ipc_message m = { .type = IPC_KILL };

    (void)state;
    m.len = ipc_kill_encode(&kill, m.body, sizeof m.body);
    assert_int_equal(ipc_kill_decode(&m, &killed), -1);
    kill.ids[1] = 2;
    m.len = ipc_kill_encode(&kill, m.body, sizeof m.body);
    assert_int_equal(ipc_kill_decode(&m, &killed), 0);
    assert_int_equal(killed.count, 2);
    m.len = ipc_prepare_encode(&prepare, m.body, sizeof m.body);
    assert_int_equal(ipc_prepare_decode(&m, &prepared), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_wrong_lengths),
        cmocka_unit_test(test_spoiled_bodies),
        cmocka_unit_test(test_listener_numbers),
        cmocka_unit_test(test_refused_values),
    };

    return cmocka_run_group_tests(tests, make_samples, NULL);
}
