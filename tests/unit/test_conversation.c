/* SPDX-License-Identifier: ISC */
/* src/authlink/conversation.c */
#include "tests/unit/unit.h"

#include "src/authlink/conversation.h"

static uint8_t packet[CONVERSATION_MAX];

static struct conversation_open
sample_open(void)
{
    static const uint8_t binding[] = { 1, 2, 3 };
    static const uint8_t bytes[] = "\005alice\006secret";
    struct conversation_open open = {
        .session = UINT64_C(0x1122334455667788),
        .method = 2,
        .listener = "[::1]:1080",
        .client = addr_ipv4((const uint8_t[4]) { 192, 0, 2, 7 }, 40000),
        .local = addr_ipv6((const uint8_t[16]) { 0x20, 1, 0xd, 0xb8, [15] = 1 }, 1080),
        .binding = binding,
        .binding_len = sizeof binding,
        .deadline_ms = 29000,
        .bytes = bytes,
        .len = sizeof bytes - 1,
    };

    open.local.scope = 3;
    return open;
}

static struct conversation_result
sample_result(void)
{
    return (struct conversation_result) {
        .outcome = AUTH_SUCCESS,
        .answer = (const uint8_t *)"token",
        .answer_len = 5,
        .user = "alice@EXAMPLE.COM",
        .mechanism = "krb5",
        .enctype = "aes256-cts-hmac-sha1-96",
        .account = "alice",
        .groups = (const uint8_t *)"staff\0wheel",
        .groups_len = sizeof "staff\0wheel",
        .end = INT64_C(1900000000),
        .protect = (const uint8_t *)"blob",
        .protect_len = 4,
    };
}

static void
put(uint8_t **at, const void *data, size_t len)
{
    memcpy(*at, data, len);
    *at += len;
}

/* Writes a field behind the len bytes of packet; returns the new length. */
static size_t
append_field(size_t len, uint16_t tag, const void *data, uint32_t n)
{
    uint8_t *at = packet + len;

    put(&at, &tag, sizeof tag);
    put(&at, &n, sizeof n);
    put(&at, data, n);
    return (size_t)(at - packet);
}

static void
test_open_round_trip(void **state)
{
    struct conversation_open in = sample_open();
    struct conversation_open out;
    char listener[256];
    const size_t len = conversation_open_encode(&in, packet, sizeof packet);

    (void)state;
    assert_true(len > 0);
    assert_int_equal(conversation_open_decode(packet, len, &out, listener), 0);
    assert_false(out.initiator);
    assert_true(out.session == in.session);
    assert_int_equal(out.method, 2);
    assert_string_equal(out.listener, "[::1]:1080");
    assert_true(addr_equal(&out.client, &in.client));
    assert_true(addr_equal(&out.local, &in.local));
    assert_int_equal(out.local.scope, 3);
    assert_int_equal(out.binding_len, 3);
    assert_memory_equal(out.binding, in.binding, 3);
    assert_int_equal(out.deadline_ms, 29000);
    assert_int_equal(out.len, in.len);
    assert_memory_equal(out.bytes, in.bytes, in.len);
    /* Bytes are borrowed, not copied. */
    assert_true(out.bytes > packet && out.bytes < packet + len);
}

static void
test_open_absent_fields(void **state)
{
    struct conversation_open in = sample_open();
    struct conversation_open out;
    char listener[256];

    (void)state;
    in.initiator = true;
    in.listener = NULL;
    in.local = (struct addr) { .family = ADDR_NONE };
    in.binding_len = 0;
    in.len = 0;
    const size_t len = conversation_open_encode(&in, packet, sizeof packet);

    assert_int_equal(conversation_open_decode(packet, len, &out, listener), 0);
    assert_true(out.initiator);
    assert_string_equal(out.listener, "");
    assert_int_equal(out.local.family, ADDR_NONE);
    assert_null(out.binding);
    assert_int_equal(out.len, 0);
    assert_non_null(out.bytes);
}

static void
test_open_refuses_values(void **state)
{
    struct conversation_open in = sample_open();
    struct conversation_open out;
    char listener[256];
    static char long_listener[300];
    static uint8_t binding[CONVERSATION_BINDING_MAX + 1];

    (void)state;
    in.session = 0;
    size_t len = conversation_open_encode(&in, packet, sizeof packet);
    assert_int_equal(conversation_open_decode(packet, len, &out, listener), -1);
    in = sample_open();
    in.client.family = 5;
    len = conversation_open_encode(&in, packet, sizeof packet);
    assert_int_equal(conversation_open_decode(packet, len, &out, listener), -1);
    in = sample_open();
    in.client.ip[9] = 1; /* IPv4 has four octets */
    len = conversation_open_encode(&in, packet, sizeof packet);
    assert_int_equal(conversation_open_decode(packet, len, &out, listener), -1);
    in = sample_open();
    memset(long_listener, 'x', sizeof long_listener - 1);
    in.listener = long_listener;
    assert_int_equal(conversation_open_encode(&in, packet, sizeof packet), 0);
    in = sample_open();
    in.binding = binding;
    in.binding_len = sizeof binding;
    assert_int_equal(conversation_open_encode(&in, packet, sizeof packet), 0);
}

static void
test_open_every_truncation(void **state)
{
    struct conversation_open in = sample_open();
    struct conversation_open out;
    char listener[256];
    const size_t len = conversation_open_encode(&in, packet, sizeof packet);

    (void)state;
    for (size_t n = 0; n < len; n++) {
        uint8_t *copy = unit_copy(packet, n);

        assert_int_equal(conversation_open_decode(copy, n, &out, listener), -1);
        free(copy);
    }
    for (size_t room = 0; room < len; room++) {
        uint8_t *out_room = unit_copy(packet, room);

        assert_int_equal(conversation_open_encode(&in, out_room, room), 0);
        free(out_room);
    }
}

static void
test_unknown_fields(void **state)
{
    struct conversation_open in = sample_open();
    struct conversation_open out;
    char listener[256];
    const size_t len = conversation_open_encode(&in, packet, sizeof packet);

    (void)state;
    size_t more = append_field(len, 0x0123, "later", 5);
    assert_int_equal(conversation_open_decode(packet, more, &out, listener), 0);
    assert_memory_equal(out.bytes, in.bytes, in.len);
    more = append_field(len, 0x0124, "", 0);
    assert_int_equal(conversation_open_decode(packet, more, &out, listener), 0);
    more = append_field(len, 0x8123, "must", 4);
    assert_int_equal(conversation_open_decode(packet, more, &out, listener), -1);
}

static void
test_repeated_field(void **state)
{
    struct conversation_open in = sample_open();
    struct conversation_open out;
    char listener[256];
    const uint8_t method = 2;
    const size_t len = conversation_open_encode(&in, packet, sizeof packet);

    (void)state;
    assert_int_equal(
        conversation_open_decode(packet, append_field(len, 0x8003, &method, 1), &out, listener), -1);
}

/* Each required field left out, each fixed length wrong by one. */
static void
test_required_fields(void **state)
{
    static const struct {
        uint16_t tag;
        uint32_t len;
    } fields[] = { { 0x8001, 1 }, { 0x8002, 8 }, { 0x8003, 1 }, { 0x8005, 24 }, { 8, 4 } };
    static const uint8_t values[5][25] = {
        { 0 }, { 1 }, { 2 }, { 4, 0, 0x10, 0x20, 0, 0, 0, 0, 127, 0, 0, 1 }, { 1, 2, 3, 4 }
    };
    struct conversation_open out;
    char listener[256];

    (void)state;
    /* left: this one is absent; longer: this one has a byte too many. 5: none. */
    for (size_t left = 0; left <= 5; left++) {
        for (size_t longer = 0; longer <= 5; longer++) {
            size_t len = 4;

            memcpy(packet, (const uint16_t[]) { 1, 1 }, 4);
            for (size_t i = 0; i < 5; i++)
                if (i != left)
                    len = append_field(len, fields[i].tag, values[i],
                        fields[i].len + (i == longer ? 1 : 0));
            len = append_field(len, 0x8009, "x", 1);
            const bool right = left == 5 && longer == 5;

            assert_int_equal(conversation_open_decode(packet, len, &out, listener),
                right ? 0 : -1);
        }
    }
}

static void
test_type_and_version(void **state)
{
    struct conversation_open in = sample_open();
    struct conversation_open out;
    struct conversation_result result;
    const uint8_t *bytes;
    size_t bytes_len;
    char listener[256];
    const size_t len = conversation_open_encode(&in, packet, sizeof packet);

    (void)state;
    assert_int_equal(conversation_result_decode(packet, len, &result), -1);
    assert_int_equal(conversation_next_decode(packet, len, &bytes, &bytes_len), -1);
    packet[2] = 2;
    packet[3] = 2;
    assert_int_equal(conversation_open_decode(packet, len, &out, listener), -1);
}

static void
test_next(void **state)
{
    const uint8_t *bytes;
    size_t bytes_len;
    size_t len = conversation_next_encode("response", 8, packet, sizeof packet);

    (void)state;
    assert_int_equal(conversation_next_decode(packet, len, &bytes, &bytes_len), 0);
    assert_int_equal(bytes_len, 8);
    assert_memory_equal(bytes, "response", 8);
    len = conversation_next_encode("", 0, packet, sizeof packet);
    assert_int_equal(conversation_next_decode(packet, len, &bytes, &bytes_len), 0);
    assert_int_equal(bytes_len, 0);
}

static void
test_size_limit(void **state)
{
    static uint8_t token[AUTH_TOKEN_MAX];
    static uint8_t room[CONVERSATION_MAX + 64];
    const uint8_t *bytes;
    size_t bytes_len;
    const size_t frame = 4 + 6;

    (void)state;
    assert_int_equal(conversation_next_encode(token, sizeof token, room, sizeof room), 0);
    assert_int_equal(
        conversation_next_encode(token, CONVERSATION_MAX - frame, room, sizeof room),
        CONVERSATION_MAX);
    assert_int_equal(conversation_next_decode(room, CONVERSATION_MAX, &bytes, &bytes_len), 0);
    assert_int_equal(bytes_len, CONVERSATION_MAX - frame);
    assert_int_equal(conversation_next_decode(room, sizeof room, &bytes, &bytes_len), -1);
    /* Tokens of Kerberos with many groups. */
    assert_true(conversation_next_encode(token, 65535, room, sizeof room) > 0);
}

static void
test_result_success(void **state)
{
    struct conversation_result in = sample_result();
    struct conversation_result out;
    const size_t len = conversation_result_encode(&in, packet, sizeof packet);

    (void)state;
    assert_int_equal(conversation_result_decode(packet, len, &out), 0);
    assert_int_equal(out.outcome, AUTH_SUCCESS);
    assert_int_equal(out.answer_len, 5);
    assert_memory_equal(out.answer, "token", 5);
    assert_string_equal(out.user, in.user);
    assert_string_equal(out.mechanism, in.mechanism);
    assert_string_equal(out.enctype, in.enctype);
    assert_string_equal(out.account, in.account);
    assert_int_equal(out.groups_len, in.groups_len);
    assert_memory_equal(out.groups, in.groups, in.groups_len);
    assert_true(out.end == in.end);
    assert_int_equal(out.protect_len, 4);
    assert_string_equal(out.reason, "");
}

static void
test_result_failure_hides_identity(void **state)
{
    struct conversation_result in = sample_result();
    struct conversation_result out;

    (void)state;
    in.outcome = AUTH_FAILURE;
    in.reason = "wrong-password";
    const size_t len = conversation_result_encode(&in, packet, sizeof packet);

    assert_int_equal(conversation_result_decode(packet, len, &out), 0);
    assert_int_equal(out.outcome, AUTH_FAILURE);
    assert_string_equal(out.reason, "wrong-password");
    assert_string_equal(out.user, "");
    assert_null(out.protect);
    assert_null(out.groups);
}

static void
test_result_refuses(void **state)
{
    struct conversation_result in = sample_result();
    struct conversation_result out;
    const uint8_t outcome = AUTH_CONTINUE;
    size_t len;

    (void)state;
    in.user = "";
    len = conversation_result_encode(&in, packet, sizeof packet);
    assert_int_equal(conversation_result_decode(packet, len, &out), -1);
    in = sample_result();
    in.groups_len -= 1; /* the last name is not ended */
    len = conversation_result_encode(&in, packet, sizeof packet);
    assert_int_equal(conversation_result_decode(packet, len, &out), -1);
    in = sample_result();
    in.end = -1;
    len = conversation_result_encode(&in, packet, sizeof packet);
    assert_int_equal(conversation_result_decode(packet, len, &out), -1);
    for (unsigned bad = 0; bad < 256; bad++) {
        in = sample_result();
        in.outcome = (enum auth_outcome)bad;
        len = conversation_result_encode(&in, packet, sizeof packet);
        assert_int_equal(conversation_result_decode(packet, len, &out),
            bad >= 1 && bad <= 3 ? 0 : -1);
    }
    /* A name without success. */
    memcpy(packet, (const uint16_t[]) { 3, 1 }, 4);
    len = append_field(append_field(4, 0x8001, &outcome, 1), 0x8003, "alice", 6);
    assert_int_equal(conversation_result_decode(packet, len, &out), -1);
}

static void
test_result_texts(void **state)
{
    struct conversation_result out;
    const uint8_t outcome = AUTH_SUCCESS;
    size_t len;

    (void)state;
    memcpy(packet, (const uint16_t[]) { 3, 1 }, 4);
    const size_t head = append_field(4, 0x8001, &outcome, 1);

    len = append_field(head, 0x8003, "alice", 6);
    assert_int_equal(conversation_result_decode(packet, len, &out), 0);
    len = append_field(head, 0x8003, "alice", 5); /* no NUL */
    assert_int_equal(conversation_result_decode(packet, len, &out), -1);
    len = append_field(head, 0x8003, "al\0ce", 6); /* one inside */
    assert_int_equal(conversation_result_decode(packet, len, &out), -1);
    len = append_field(head, 0x8003, "", 1); /* no name */
    assert_int_equal(conversation_result_decode(packet, len, &out), -1);
}

static void
test_result_bounds(void **state)
{
    static char name[AUTH_NAME_MAX + 1];
    static uint8_t groups[64 * 1024 + 1];
    struct conversation_result in = sample_result();

    (void)state;
    memset(name, 'n', AUTH_NAME_MAX - 1);
    in.user = name;
    in.groups = groups;
    in.groups_len = sizeof groups - 1;
    assert_true(conversation_result_encode(&in, packet, sizeof packet) > 0);
    in.groups_len = sizeof groups;
    assert_int_equal(conversation_result_encode(&in, packet, sizeof packet), 0);
    in.groups_len = 0;
    name[AUTH_NAME_MAX - 1] = 'n';
    assert_int_equal(conversation_result_encode(&in, packet, sizeof packet), 0);
    in = sample_result();
    in.protect = groups;
    in.protect_len = 4097;
    assert_int_equal(conversation_result_encode(&in, packet, sizeof packet), 0);
}

static void
test_result_every_truncation(void **state)
{
    struct conversation_result in = sample_result();
    struct conversation_result out;
    const size_t len = conversation_result_encode(&in, packet, sizeof packet);
    size_t accepted = 0;

    (void)state;
    for (size_t n = 0; n < len; n++) {
        uint8_t *copy = unit_copy(packet, n);

        /* The optional fields at the end may be missing, but only whole. */
        if (conversation_result_decode(copy, n, &out) == 0)
            accepted++;
        free(copy);
    }
    /* Seven optional fields stand behind the name. */
    assert_int_equal(accepted, 6);
}

static void
test_random_changes(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    struct conversation_open in = sample_open();
    struct conversation_open out;
    char listener[256];
    const size_t len = conversation_open_encode(&in, packet, sizeof packet);

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint8_t *copy = unit_copy(packet, len);

        for (int j = 0; j < 3; j++)
            copy[unit_random(&random) % len] = (uint8_t)unit_random(&random);
        if (conversation_open_decode(copy, len, &out, listener) == 0) {
            assert_true(out.session != 0);
            assert_true(strlen(out.listener) < sizeof listener);
            assert_true(out.bytes >= copy && out.bytes + out.len <= copy + len);
        }
        free(copy);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_round_trip),
        cmocka_unit_test(test_open_absent_fields),
        cmocka_unit_test(test_open_refuses_values),
        cmocka_unit_test(test_open_every_truncation),
        cmocka_unit_test(test_unknown_fields),
        cmocka_unit_test(test_repeated_field),
        cmocka_unit_test(test_required_fields),
        cmocka_unit_test(test_type_and_version),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_size_limit),
        cmocka_unit_test(test_result_success),
        cmocka_unit_test(test_result_failure_hides_identity),
        cmocka_unit_test(test_result_refuses),
        cmocka_unit_test(test_result_texts),
        cmocka_unit_test(test_result_bounds),
        cmocka_unit_test(test_result_every_truncation),
        cmocka_unit_test(test_random_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
