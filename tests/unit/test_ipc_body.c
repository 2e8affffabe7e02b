/* SPDX-License-Identifier: ISC */
/* src/core/ipc_body.c: each body there and back, the table's limits, and bytes nobody encoded. */
#include "tests/unit/core_unit.h"

#include <signal.h>

#include "src/core/ipc.h"
#include "src/core/ipc_audit.h"
#include "src/core/ipc_budget.h"
#include "src/core/ipc_limits.h"
#include "src/core/ipc_metrics.h"
#include "src/core/ipc_private.h"

/* One kind of body: decodes, and encodes what it decoded again. Returns its length, 0 when refused. */
typedef size_t recode(const struct ipc_message *m, uint8_t *out, size_t size);

#define RECODE(name, type)                                                                         \
    static size_t name(const struct ipc_message *m, uint8_t *out, size_t size)                     \
    {                                                                                              \
        type value;                                                                                \
        memset(&value, 0xa5, sizeof value);                                                        \
        return name##_decode(m, &value) == 0 ? name##_encode(&value, out, size) : 0;               \
    }

RECODE(ipc_init, struct ipc_init)
RECODE(ipc_queue_receive, struct ipc_queue_receive)
RECODE(ipc_pipes, struct ipc_pipes)
RECODE(ipc_file, struct ipc_file)
RECODE(ipc_file_result, struct ipc_file_result)
RECODE(ipc_auth_result, struct ipc_auth_result)
RECODE(ipc_ring, struct ipc_ring)
RECODE(ipc_audit_state, struct ipc_audit_state)
RECODE(ipc_penalty, struct ipc_penalty)
RECODE(ipc_budget_ask, struct ipc_budget_ask)

static size_t
ipc_metrics(const struct ipc_message *m, uint8_t *out, size_t size)
{
    enum metrics_format format;

    return ipc_metrics_decode(m, &format) == 0 ? ipc_metrics_encode(format, out, size) : 0;
}

static size_t
ipc_verdicts(const struct ipc_message *m, uint8_t *out, size_t size)
{
    struct ipc_verdict list[IPC_VERDICTS_MAX];
    size_t count = 0;

    return ipc_verdicts_decode(m, list, &count) == 0 ? ipc_verdicts_encode(list, count, out, size) : 0;
}

static size_t
ipc_grants(const struct ipc_message *m, uint8_t *out, size_t size)
{
    struct ipc_budget_grant list[IPC_GRANTS_MAX];
    size_t count = 0;

    return ipc_budget_grants_decode(m, list, &count) == 0
        ? ipc_budget_grants_encode(list, count, out, size)
        : 0;
}

static size_t
ipc_requested(const struct ipc_message *m, uint8_t *out, size_t size)
{
    uint64_t ids[IPC_REQUESTED_MAX];
    size_t count = 0;

    return ipc_requested_decode(m, ids, &count) == 0 ? ipc_requested_encode(ids, count, out, size) : 0;
}

static size_t
ipc_u32(const struct ipc_message *m, uint8_t *out, size_t size)
{
    uint32_t value;

    return ipc_u32_decode(m, &value) == 0 ? ipc_u32_encode(value, out, size) : 0;
}

static size_t
ipc_sessions(const struct ipc_message *m, uint8_t *out, size_t size)
{
    struct ipc_session list[IPC_SESSIONS_MAX];
    size_t count = 0;

    return ipc_sessions_decode(m, list, &count) == 0 ? ipc_sessions_encode(list, count, out, size)
                                                     : 0;
}

static size_t
ipc_ended(const struct ipc_message *m, uint8_t *out, size_t size)
{
    uint64_t ids[IPC_ENDED_MAX];
    size_t count = 0;

    return ipc_ended_decode(m, ids, &count) == 0 ? ipc_ended_encode(ids, count, out, size) : 0;
}

/* Shortest and longest body of each message, and how it is read. */
struct sample {
    enum ipc_type type;
    recode *recode;
    size_t min_len;
    size_t max_len;
    uint8_t min[IPC_BODY_MAX];
    uint8_t max[IPC_BODY_MAX];
};

static struct sample samples[IPC_TYPE_COUNT];

/* The part of a body that holds the length of text, so that it can be cut anywhere inside. */
static void
add(enum ipc_type type, recode *fn, size_t min_len, size_t max_len)
{
    samples[type].type = type;
    samples[type].recode = fn;
    samples[type].min_len = min_len;
    samples[type].max_len = max_len;
}

static void
fill(char *text, size_t size)
{
    memset(text, 'm', size - 1);
    text[size - 1] = '\0';
}

static void
sample_init(void)
{
    struct ipc_init small = { .role = IPC_WORKER };
    struct ipc_init big = { .role = IPC_AUTH, .number = 65535, .incarnation = UINT32_MAX,
        .privileged = true, .debug = true, .out_of_tree = true, .uid = 1, .gid = 2,
        .capacity = 3 };
    struct sample *s = &samples[IPC_INIT];

    fill(big.label, sizeof big.label);
    fill(big.module, sizeof big.module);
    fill(big.chroot_dir, sizeof big.chroot_dir);
    add(IPC_INIT, ipc_init, ipc_init_encode(&small, s->min, sizeof s->min),
        ipc_init_encode(&big, s->max, sizeof s->max));
}

static void
sample_numbers(void)
{
    static const enum ipc_type types[] = { IPC_PING, IPC_PONG, IPC_LOST, IPC_STOP, IPC_RING_DRAIN,
        IPC_RING_DRAINED, IPC_QUEUE_SEND };

    for (size_t i = 0; i < SP_COUNT(types); i++) {
        struct sample *s = &samples[types[i]];

        add(types[i], ipc_u32, ipc_u32_encode(0, s->min, sizeof s->min),
            ipc_u32_encode(UINT32_MAX, s->max, sizeof s->max));
    }
    struct sample *q = &samples[IPC_QUEUE_RECEIVE];
    struct ipc_queue_receive queue = { 7, 8 };

    add(IPC_QUEUE_RECEIVE, ipc_queue_receive,
        ipc_queue_receive_encode(&queue, q->min, sizeof q->min),
        ipc_queue_receive_encode(&queue, q->max, sizeof q->max));
    struct sample *p = &samples[IPC_PIPES];
    struct ipc_pipes one = { 1, 4096 }, many = { IPC_FDS_MAX / 2, 1U << 20 };

    add(IPC_PIPES, ipc_pipes, ipc_pipes_encode(&one, p->min, sizeof p->min),
        ipc_pipes_encode(&many, p->max, sizeof p->max));
}

static void
sample_sessions(void)
{
    struct ipc_session list[IPC_SESSIONS_MAX];
    uint64_t ids[IPC_ENDED_MAX];
    struct sample *s = &samples[IPC_SESSIONS], *e = &samples[IPC_ENDED];

    for (size_t i = 0; i < SP_COUNT(list); i++)
        list[i] = (struct ipc_session) { .id = i + 1, .listener = (uint16_t)i,
            .client = addr_ipv4((const uint8_t[]) { 192, 0, 2, 1 }, (uint16_t)i),
            .local = addr_ipv6((const uint8_t[16]) { 0xfe, 0x80, [15] = 9 }, 1080) };
    for (size_t i = 0; i < SP_COUNT(ids); i++)
        ids[i] = UINT64_MAX - i;
    add(IPC_SESSIONS, ipc_sessions, ipc_sessions_encode(list, 1, s->min, sizeof s->min),
        ipc_sessions_encode(list, IPC_SESSIONS_MAX, s->max, sizeof s->max));
    add(IPC_ENDED, ipc_ended, ipc_ended_encode(ids, 1, e->min, sizeof e->min),
        ipc_ended_encode(ids, IPC_ENDED_MAX, e->max, sizeof e->max));
}

static void
sample_files(void)
{
    struct ipc_file_result small = { .file = { .kind = IPC_FILE_LOG } };
    struct ipc_file_result big
        = { .file = { .kind = IPC_FILE_MODULE, .generation = 9 }, .accepted = true };
    struct sample *f = &samples[IPC_FILE], *r = &samples[IPC_FILE_RESULT];

    fill(big.file.option, sizeof big.file.option);
    fill(big.error, sizeof big.error);
    add(IPC_FILE, ipc_file, ipc_file_encode(&small.file, f->min, sizeof f->min),
        ipc_file_encode(&big.file, f->max, sizeof f->max));
    add(IPC_FILE_RESULT, ipc_file_result, ipc_file_result_encode(&small, r->min, sizeof r->min),
        ipc_file_result_encode(&big, r->max, sizeof r->max));
}

static void
sample_others(void)
{
    static struct ipc_auth_result small = { .session = 1 };
    static struct ipc_auth_result big
        = { .worker = 1, .incarnation = 2, .session = UINT64_MAX, .success = true };
    struct ipc_ring empty = { 0 }, ring = { .ring = 12 };
    struct sample *a = &samples[IPC_AUTH_RESULT], *r = &samples[IPC_RING_ADD];

    fill(big.user, sizeof big.user);
    fill(ring.label, sizeof ring.label);
    add(IPC_AUTH_RESULT, ipc_auth_result, ipc_auth_result_encode(&small, a->min, sizeof a->min),
        ipc_auth_result_encode(&big, a->max, sizeof a->max));
    add(IPC_RING_ADD, ipc_ring, ipc_ring_encode(&empty, r->min, sizeof r->min),
        ipc_ring_encode(&ring, r->max, sizeof r->max));
}

static void
sample_audit(void)
{
    struct ipc_audit_state small = { 0 }, big = { true, { INT64_MAX }, 1, 2, UINT64_MAX };
    struct sample *s = &samples[IPC_AUDIT_STATE];

    add(IPC_AUDIT_STATE, ipc_audit_state, ipc_audit_state_encode(&small, s->min, sizeof s->min),
        ipc_audit_state_encode(&big, s->max, sizeof s->max));
}

static void
sample_limits(void)
{
    static struct ipc_penalty one
        = { .client = { .family = ADDR_IPV6, .bits = 64, .ip = { 0xfd, [7] = 1 } }, .user = "u" };
    static struct ipc_penalty most = { .seconds = UINT32_MAX,
        .client = { .family = ADDR_IPV4, .bits = 32, .ip = { 192, 0, 2, 1 } } };
    struct ipc_verdict verdicts[IPC_VERDICTS_MAX];
    struct sample *r = &samples[IPC_REQUESTED], *v = &samples[IPC_VERDICT],
                  *p = &samples[IPC_PENALTY];
    uint64_t ids[IPC_REQUESTED_MAX];

    for (size_t i = 0; i < SP_COUNT(ids); i++)
        ids[i] = UINT64_MAX - i;
    for (size_t i = 0; i < SP_COUNT(verdicts); i++)
        verdicts[i] = (struct ipc_verdict) { UINT64_MAX - i,
            i % 2 == 0 ? IPC_VERDICT_GO : IPC_VERDICT_SESSIONS };
    fill(most.user, sizeof most.user);
    add(IPC_REQUESTED, ipc_requested, ipc_requested_encode(ids, 1, r->min, sizeof r->min),
        ipc_requested_encode(ids, SP_COUNT(ids), r->max, sizeof r->max));
    add(IPC_VERDICT, ipc_verdicts, ipc_verdicts_encode(verdicts, 1, v->min, sizeof v->min),
        ipc_verdicts_encode(verdicts, SP_COUNT(verdicts), v->max, sizeof v->max));
    add(IPC_PENALTY, ipc_penalty, ipc_penalty_encode(&one, p->min, sizeof p->min),
        ipc_penalty_encode(&most, p->max, sizeof p->max));
}

static void
sample_metrics(void)
{
    static const enum ipc_type types[] = { IPC_METRICS_ASK, IPC_METRICS_TEXT };

    for (size_t i = 0; i < SP_COUNT(types); i++) {
        struct sample *s = &samples[types[i]];

        add(types[i], ipc_metrics, ipc_metrics_encode(METRICS_OPENMETRICS, s->min, sizeof s->min),
            ipc_metrics_encode(METRICS_CLASSIC, s->max, sizeof s->max));
    }
}

static void
sample_budget(void)
{
    static struct ipc_budget_ask none;
    static struct ipc_budget_ask most = { UINT64_MAX, UINT32_MAX, 1, UINT32_MAX, "" };
    struct ipc_budget_grant grants[IPC_GRANTS_MAX];
    struct sample *a = &samples[IPC_BUDGET_ASK], *g = &samples[IPC_BUDGET_GRANT];

    for (uint32_t i = 0; i < SP_COUNT(grants); i++)
        grants[i] = (struct ipc_budget_grant) { i, UINT32_MAX - i };
    fill(most.user, sizeof most.user);
    add(IPC_BUDGET_ASK, ipc_budget_ask, ipc_budget_ask_encode(&none, a->min, sizeof a->min),
        ipc_budget_ask_encode(&most, a->max, sizeof a->max));
    add(IPC_BUDGET_GRANT, ipc_grants, ipc_budget_grants_encode(grants, 1, g->min, sizeof g->min),
        ipc_budget_grants_encode(grants, SP_COUNT(grants), g->max, sizeof g->max));
}

static int
make_samples(void **state)
{
    (void)state;
    sample_init();
    sample_numbers();
    sample_sessions();
    sample_files();
    sample_others();
    sample_audit();
    sample_limits();
    sample_metrics();
    sample_budget();
    return 0;
}

/* Decodes len bytes as a message of the sample's type, with the descriptors its body asks for. */
static size_t
pass(const struct sample *s, const uint8_t *body, size_t len, uint8_t *out)
{
    struct ipc_message m = { .type = s->type, .len = len };
    struct ipc_pipes pipes;

    memcpy(m.body, body, len);
    if (s->type == IPC_SESSIONS)
        m.fd_count = len / IPC_SESSION_LEN;
    if (s->type == IPC_PIPES && ipc_pipes_read(&m, &pipes) == 0)
        m.fd_count = (size_t)pipes.count * 2;
    return s->recode(&m, out, IPC_BODY_MAX);
}

static void
test_limits_of_the_table(void **state)
{
    (void)state;
    for (int i = 0; i < IPC_TYPE_COUNT; i++) {
        /* Rows behind STOP may have codecs, and tests, of their own. */
        if (i > IPC_STOP && samples[i].recode == NULL)
            continue;
        assert_int_equal(ipc_table[i].min_len, samples[i].min_len);
        assert_int_equal(ipc_table[i].max_len, samples[i].max_len);
        assert_true(ipc_table[i].max_len <= IPC_BODY_MAX);
        assert_true(ipc_table[i].max_fds <= IPC_FDS_MAX);
    }
    assert_int_equal(ipc_table[IPC_READY].max_len, 0);
    assert_int_equal(ipc_table[IPC_SESSIONS].max_fds, IPC_SESSIONS_MAX);
}

static void
test_there_and_back(void **state)
{
    uint8_t out[IPC_BODY_MAX];

    (void)state;
    for (int i = 0; i < IPC_TYPE_COUNT; i++) {
        const struct sample *s = &samples[i];

        if (s->recode == NULL)
            continue;
        assert_int_equal(pass(s, s->min, s->min_len, out), s->min_len);
        assert_memory_equal(out, s->min, s->min_len);
        assert_int_equal(pass(s, s->max, s->max_len, out), s->max_len);
        assert_memory_equal(out, s->max, s->max_len);
    }
}

/* Cut anywhere, or with a byte more: refused, unless whole entries are left. */
static void
test_wrong_lengths(void **state)
{
    uint8_t out[IPC_BODY_MAX], body[IPC_BODY_MAX + 1] = { 0 };

    (void)state;
    for (int i = 0; i < IPC_TYPE_COUNT; i++) {
        const struct sample *s = &samples[i];
        size_t entry = i == IPC_SESSIONS ? IPC_SESSION_LEN
            : i == IPC_ENDED || i == IPC_REQUESTED || i == IPC_BUDGET_GRANT ? 8
            : i == IPC_VERDICT ? 9 : 0;

        if (s->recode == NULL)
            continue;
        memcpy(body, s->max, s->max_len);
        for (size_t len = 0; len < s->max_len; len++) {
            if (entry == 0 || len == 0 || len % entry != 0)
                assert_int_equal(pass(s, body, len, out), 0);
        }
        if (s->max_len < IPC_BODY_MAX)
            assert_int_equal(pass(s, body, s->max_len + 1, out), 0);
    }
}

/* What a decoder takes, the encoder writes again byte for byte: there is one form of each body. */
static void
test_spoiled_bodies(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    uint8_t out[IPC_BODY_MAX], body[IPC_BODY_MAX];
    int refused = 0, taken = 0;

    (void)state;
    for (int n = 0; n < 200000; n++) {
        const struct sample *s = &samples[unit_random(&random) % (IPC_STOP + 1)];
        bool small = unit_random(&random) % 2 == 0;
        size_t len = small ? s->min_len : s->max_len;

        if (s->recode == NULL)
            continue;
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
test_values(void **state)
{
    struct ipc_init in = { .role = IPC_LOGGER, .number = 3, .incarnation = 70000, .debug = true,
        .uid = 101, .gid = 102, .capacity = 5, .label = "logger", .chroot_dir = "/var/empty" };
    struct ipc_init out;
    struct ipc_message m = { .type = IPC_INIT };

    (void)state;
    m.len = ipc_init_encode(&in, m.body, sizeof m.body);
    assert_int_equal(ipc_init_decode(&m, &out), 0);
    assert_int_equal(out.role, IPC_LOGGER);
    assert_int_equal(out.number, 3);
    assert_int_equal(out.incarnation, 70000);
    assert_true(out.debug && !out.privileged && !out.out_of_tree && !out.plain_log);
    assert_int_equal(out.uid, 101);
    assert_int_equal(out.gid, 102);
    assert_string_equal(out.label, "logger");
    assert_string_equal(out.module, "");
    assert_string_equal(out.chroot_dir, "/var/empty");
}

static void
test_counts_must_agree(void **state)
{
    struct ipc_session list[2] = { { .id = 1 }, { .id = 2 } };
    struct ipc_message m = { .type = IPC_SESSIONS };
    size_t count = 0;

    (void)state;
    m.len = ipc_sessions_encode(list, 2, m.body, sizeof m.body);
    m.fd_count = 1;
    assert_int_equal(ipc_sessions_decode(&m, list, &count), -1);
    m.fd_lost = 1;
    assert_int_equal(ipc_sessions_decode(&m, list, &count), 0);
    assert_int_equal(count, 2);
    list[1].id = 0;
    m.len = ipc_sessions_encode(list, 2, m.body, sizeof m.body);
    assert_int_equal(ipc_sessions_decode(&m, list, &count), -1);
}

/* What no encoder is asked to write. */
static void
test_limits_that_are_none(void **state)
{
    struct ipc_penalty p = { .client = { .family = ADDR_IPV6, .bits = 64 }, .user = "u" };
    struct ipc_verdict v = { 1, IPC_VERDICT_SESSIONS + 1 }, list[IPC_VERDICTS_MAX];
    struct ipc_message m = { .type = IPC_PENALTY };
    size_t count;

    (void)state;
    m.len = ipc_penalty_encode(&p, m.body, sizeof m.body);
    assert_int_equal(ipc_penalty_decode(&m, &p), 0);
    assert_int_equal(p.client.bits, 64);
    p.client.ip[8] = 1; /* beyond the /64 */
    m.len = ipc_penalty_encode(&p, m.body, sizeof m.body);
    assert_int_equal(ipc_penalty_decode(&m, &p), -1);
    p = (struct ipc_penalty) { .client = { .family = ADDR_IPV4, .bits = 32 } };
    m.len = ipc_penalty_encode(&p, m.body, sizeof m.body);
    assert_int_equal(ipc_penalty_decode(&m, &p), -1); /* nobody */
    m.len = ipc_verdicts_encode(&v, 1, m.body, sizeof m.body);
    assert_int_equal(ipc_verdicts_decode(&m, list, &count), -1);
    v = (struct ipc_verdict) { 0, IPC_VERDICT_GO };
    m.len = ipc_verdicts_encode(&v, 1, m.body, sizeof m.body);
    assert_int_equal(ipc_verdicts_decode(&m, list, &count), -1);
}

static void
act_text_without_end(void *arg)
{
    struct ipc_ring ring;
    uint8_t out[64];

    (void)arg;
    memset(&ring, 'x', sizeof ring);
    (void)ipc_ring_encode(&ring, out, sizeof out);
}

static void
test_small_buffer_and_endless_text(void **state)
{
    struct ipc_ring ring = { .label = "worker 1" };
    uint8_t out[8];

    (void)state;
    assert_int_equal(ipc_ring_encode(&ring, out, sizeof out), 0);
    unit_assert_signal(unit_fork(act_text_without_end, NULL, (char[128]) { 0 }, 128), SIGABRT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_of_the_table),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_wrong_lengths),
        cmocka_unit_test(test_spoiled_bodies),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_counts_must_agree),
        cmocka_unit_test(test_limits_that_are_none),
        cmocka_unit_test(test_small_buffer_and_endless_text),
    };

    return cmocka_run_group_tests(tests, make_samples, NULL);
}
