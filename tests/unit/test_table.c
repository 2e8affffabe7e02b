/* SPDX-License-Identifier: ISC */
/* src/core/table.c: slots, a reader in another process's place, and a map full of nonsense. */
#include "tests/unit/core_unit.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "lib/base/fd.h"
#include "src/core/stats.h"
#include "src/core/table.h"

#define CAPACITY 100U

struct rig {
    int fd;
    struct table *writer;
    struct table *reader;
};

static int
setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);

    if (r == NULL || (r->fd = table_create(CAPACITY)) < 0)
        return -1;
    r->writer = table_open_writer(r->fd);
    r->reader = table_open_reader(r->fd);
    *state = r;
    return r->writer == NULL || r->reader == NULL;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    table_close(&r->writer);
    table_close(&r->reader);
    fd_close(&r->fd);
    free(r);
    return 0;
}

static void
test_take_and_give(void **state)
{
    struct rig *r = *state;
    struct table_slot *slots[CAPACITY];
    struct table_slot copy;

    assert_int_equal(table_capacity(r->writer), CAPACITY);
    assert_int_equal(table_capacity(r->reader), CAPACITY);
    assert_int_equal(table_read(r->reader, 0, false, &copy), 0);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        slots[i] = table_take(r->writer, i + 1000);
        assert_non_null(slots[i]);
        assert_int_equal(slots[i]->bytes_up, 0);
        slots[i]->bytes_up = 7;
    }
    assert_null(table_take(r->writer, 1));
    uint64_t sum = 0;

    for (uint32_t i = 0; i < CAPACITY; i++) {
        assert_int_equal(table_read(r->reader, i, false, &copy), 1);
        sum += copy.id - 1000;
    }
    assert_int_equal(sum, CAPACITY * (CAPACITY - 1) / 2);
    assert_int_equal(table_read(r->reader, CAPACITY, true, &copy), 0);
    table_give(r->writer, slots[40]);
    table_give(r->writer, slots[50]);
    assert_int_equal(table_read(r->reader, 40, false, &copy), 0);
    struct table_slot *again = table_take(r->writer, 9);

    assert_ptr_equal(again, slots[50]);
    assert_int_equal(again->bytes_up, 0);
    assert_ptr_equal(table_take(r->writer, 10), slots[40]);
    assert_null(table_take(r->writer, 11));
}

static void
test_changing_slot(void **state)
{
    struct rig *r = *state;
    struct table_slot *slot = table_take(r->writer, 5);
    struct table_slot copy;

    table_change_begin(slot);
    table_text(slot->user, sizeof slot->user, "alice", 5);
    slot->address = addr_ipv4((const uint8_t[]) { 192, 0, 2, 1 }, 80);
    assert_int_equal(table_read(r->reader, 0, false, &copy), -1);
    assert_int_equal(table_read(r->reader, 0, true, &copy), 1); /* after its writer died */
    assert_int_equal(copy.id, 5);
    table_change_end(slot);
    assert_int_equal(table_read(r->reader, 0, false, &copy), 1);
    assert_string_equal(copy.user, "alice");
    assert_true(addr_equal(&copy.address, &slot->address));
}

static void
test_text(void **state)
{
    char field[8];

    (void)state;
    memset(field, 'x', sizeof field);
    table_text(field, sizeof field, "abc", 3);
    assert_memory_equal(field, "abc\0\0\0\0\0", 8);
    table_text(field, sizeof field, "abcdefghijk", 11);
    assert_string_equal(field, "abcdefg");
    table_text(field, sizeof field, NULL, 0);
    assert_string_equal(field, "");
}

/* A slot whose fields always change together is never seen half changed. */
static void
test_copies_are_whole(void **state)
{
    struct rig *r = *state;
    struct table_slot copy;
    int whole = 0, tries = 0;

    fflush(NULL);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct table_slot *slot = table_take(r->writer, 1);

        for (uint64_t n = 0;; n++) {
            table_change_begin(slot);
            slot->bytes_up = n;
            memset(slot->destination, (int)('a' + n % 26), sizeof slot->destination - 1);
            slot->wire_down = n;
            table_change_end(slot);
        }
    }
    while (whole < 20000 && tries < 50000000) {
        tries++;
        if (table_read(r->reader, 0, false, &copy) != 1 || copy.bytes_up == 0)
            continue;
        whole++;
        assert_int_equal(copy.bytes_up, copy.wire_down);
        assert_int_equal(copy.destination[0], 'a' + (int)(copy.bytes_up % 26));
        assert_int_equal(copy.destination[254], copy.destination[0]);
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(whole > 100);
}

/* Whatever a worker wrote, the master's copy has texts that end and addresses that are some. */
static void
test_hostile_slots(void **state)
{
    struct rig *r = *state;
    struct unit_random random = UNIT_RANDOM_INIT;
    size_t size = TABLE_STATS_AT + stats_size() + CAPACITY * sizeof(struct table_slot);
    uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    struct table_slot copy;
    int used = 0;

    assert_ptr_not_equal(map, MAP_FAILED);
    for (int round = 0; round < 100; round++) {
        unit_random_fill(&random, map, size);
        struct table *reader = table_open_reader(r->fd); /* the header is nonsense too */

        assert_non_null(reader);
        assert_int_equal(table_capacity(reader), CAPACITY);
        for (uint32_t i = 0; i < CAPACITY; i++) {
            if (table_read(reader, i, true, &copy) != 1)
                continue;
            used++;
            char text[ADDR_TEXT_MAX];

            assert_true(strlen(copy.user) < sizeof copy.user);
            assert_true(strlen(copy.destination) < sizeof copy.destination);
            assert_true(strlen(copy.rule) < sizeof copy.rule);
            assert_true(strlen(copy.method) < sizeof copy.method);
            assert_true(addr_format(&copy.client, text) < sizeof text);
        }
        table_close(&reader);
    }
    assert_true(used > 1000);
    munmap(map, size);
    assert_null(table_open_writer(r->fd));
    assert_int_equal(errno, EINVAL);
}

static void
test_wrong_descriptors(void **state)
{
    int small = memfd_fixed("small", 100);

    (void)state;
    assert_null(table_open_reader(small));
    assert_int_equal(errno, EINVAL);
    assert_null(table_open_writer(-1));
    fd_close(&small);
}

static void
test_words(void **state)
{
    static const struct {
        uint8_t protocol, command;
        const char *words[2];
    } rows[] = {
        { 4, 1, { "socks4", "connect" } },
        { TABLE_SOCKS4A, 2, { "socks4a", "bind" } },
        { 5, 3, { "socks5", "udp" } },
    };

    (void)state;
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        struct table_slot slot = { .protocol = rows[i].protocol, .command = rows[i].command };

        assert_string_equal(table_protocol(&slot), rows[i].words[0]);
        assert_string_equal(table_command(&slot), rows[i].words[1]);
    }
    for (unsigned n = 0; n < 256; n++) { /* whatever a broken worker left there */
        struct table_slot slot = { .protocol = (uint8_t)n, .command = (uint8_t)n };

        assert_int_equal(table_protocol(&slot) != NULL, n == 4 || n == 5 || n == TABLE_SOCKS4A);
        assert_int_equal(table_command(&slot) != NULL, n >= 1 && n <= 3);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test_setup_teardown(test_take_and_give, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changing_slot, setup, teardown),
        cmocka_unit_test(test_text),
        cmocka_unit_test_setup_teardown(test_copies_are_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_slots, setup, teardown),
        cmocka_unit_test(test_wrong_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
