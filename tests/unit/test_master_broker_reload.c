/* SPDX-License-Identifier: ISC */
/* src/master/master_broker_reload.c: a reload's files are tried by all and come into force with it. */
#include "tests/unit/master_rig.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"

/* What mkpasswd -m sha512crypt made of "wonderland". */
#define TABLE "alice:$6$saltsalt$KLnWsnXA3g1dE7ADO4BVEHqfmkVb3zSnLGyE5V8Y1kUvZcFJkDKrgCeLmQ5oiqYt0y4OoFS3lLAHhI8qM5gYm1\n"

static char conf[64], users[64], others[64];
static struct compiled image;

static void
write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    fd_close(&fd);
}

/* The image of a configuration whose pool 0 has that file. */
static void
load(const char *file)
{
    static struct master_options options = { .config = conf };
    char text[512];

    compiled_free(&image);
    assert_true(snprintf(text, sizeof text,
                    "methods = { \"userpass\" }\nlisten \"127.0.0.1:0\" { }\nuserpass { file = \"%s\" }\n"
                    "log { target = \"stderr\" }\nrule \"all\" { action = \"allow\" }\n", file)
        < (int)sizeof text);
    write_file(conf, text, 0644);
    assert_int_equal(config_load(&options, &image), 0);
}

/* A pool of three whose file "file", with the content "old" as generation 1, is at `users`. */
static int
setup(void **state)
{
    long pid = (long)getpid();

    assert_true(snprintf(conf, sizeof conf, "/tmp/sallyport-unit-%ld.conf", pid) > 0);
    assert_true(snprintf(users, sizeof users, "/tmp/sallyport-unit-%ld.users", pid) > 0);
    assert_true(snprintf(others, sizeof others, "/tmp/sallyport-unit-%ld.others", pid) > 0);
    write_file(users, TABLE, 0600);
    write_file(others, TABLE "\n\n", 0600);
    image = (struct compiled) { .fd = -1 };
    load(users);
    if (rig_setup_pool(state, users) != 0)
        return -1;
    struct rig *r = *state;

    r->m.options.config = conf;
    reload_init(&r->m);
    assert_int_equal(stat(users, &r->m.broker.files[0].seen), 0);
    memcpy(r->m.broker.files[0].option, "file", 5);
    return 0;
}

static int
teardown(void **state)
{
    struct rig *r = *state;

    compiled_free(&image);
    loop_task_cancel(r->m.loop, &r->m.reload.task);
    (void)unlink(conf);
    (void)unlink(users);
    (void)unlink(others);
    return rig_teardown(state);
}

static struct brokered *
file(struct rig *r)
{
    return &r->m.broker.files[0];
}

static void
begin(struct rig *r)
{
    char error[512] = "";

    if (broker_reload_begin(&r->m, image.image, error, sizeof error) != 0)
        fail_msg("%s", error);
    r->m.reload.phase = RELOAD_FILES;
}

static void
assert_offered(struct rig *r, uint32_t generation)
{
    for (int i = 0; i < RIG_WORKERS; i++) {
        struct ipc_message m;
        struct ipc_file f;

        assert_true(rig_receive(r, i, &m));
        assert_int_equal(m.type, IPC_FILE);
        assert_int_equal(ipc_file_decode(&m, &f), 0);
        assert_int_equal(f.generation, generation);
        assert_false(rig_receive(r, i, &m));
    }
}

static void
assert_silence(struct rig *r)
{
    struct ipc_message m;

    for (int i = 0; i < RIG_WORKERS; i++)
        assert_false(rig_receive(r, i, &m));
}

static void
answer(struct rig *r, int i, uint32_t generation, bool accepted)
{
    struct ipc_file_result result = {
        .file = { .kind = IPC_FILE_MODULE, .generation = generation, .option = "file" },
        .accepted = accepted,
    };

    if (!accepted)
        assert_true(snprintf(result.error, sizeof result.error, "users:1: no") > 0);
    assert_true(broker_result(&r->workers[i], &result));
}

static void
what_did_not_change_is_not_offered(void **state)
{
    struct rig *r = *state;

    begin(r);
    assert_false(broker_reload_pending(&r->m));
    assert_silence(r);
    broker_reload_end(&r->m, true);
    assert_silence(r);
    assert_int_equal(file(r)->current_generation, 1);
}

static void
a_new_content_comes_into_force_with_the_reload(void **state)
{
    struct rig *r = *state;

    write_file(users, TABLE "\n", 0600);
    begin(r);
    assert_offered(r, 2);
    for (int i = 0; i < RIG_WORKERS; i++) {
        assert_true(broker_reload_pending(&r->m));
        answer(r, i, 2, true);
    }
    assert_false(broker_reload_pending(&r->m));
    assert_int_equal(file(r)->current_generation, 1);
    /* The look of every 5 s leaves it alone meanwhile. */
    broker_look(&r->m, false);
    assert_silence(r);
    broker_reload_end(&r->m, true);
    assert_int_equal(file(r)->current_generation, 2);
    assert_silence(r);
}

static void
given_up_everybody_gets_the_old_one_back(void **state)
{
    struct rig *r = *state;

    write_file(users, TABLE "\n", 0600);
    begin(r);
    assert_offered(r, 2);
    answer(r, 0, 2, true);
    broker_reload_end(&r->m, false);
    assert_int_equal(file(r)->current_generation, 1);
    assert_offered(r, 1); /* those that have not answered, too */
    /* The content was not at fault: the next look offers it by itself. */
    r->m.reload.phase = RELOAD_IDLE;
    broker_look(&r->m, false);
    assert_offered(r, 3);
}

static void
a_refusal_is_the_reloads_answer(void **state)
{
    struct rig *r = *state;

    write_file(users, TABLE "\n", 0600);
    begin(r);
    assert_offered(r, 2);
    answer(r, 0, 2, true);
    answer(r, 1, 2, false);
    assert_true(r->m.reload.refused);
    assert_string_equal(r->m.reload.why, "users:1: no");
    assert_int_equal(rig_events(r, EVENT_GATEWAY_RELOAD_FAILED), 0);
    answer(r, 2, 2, true);
    broker_reload_end(&r->m, false);
    assert_int_equal(file(r)->current_generation, 1);
    assert_true(file(r)->current >= 0 && file(r)->candidate < 0);
    r->m.reload.phase = RELOAD_IDLE;
    rig_drain(r, 0);
    rig_drain(r, 1);
    rig_drain(r, 2);
    broker_look(&r->m, false);
    assert_silence(r);
}

static void
another_path(void **state)
{
    struct rig *r = *state;

    load(others);
    begin(r);
    assert_offered(r, 2);
    for (int i = 0; i < RIG_WORKERS; i++)
        answer(r, i, 2, true);
    assert_string_equal(file(r)->path, users);
    broker_reload_end(&r->m, true);
    assert_string_equal(file(r)->path, others);
    assert_non_null(broker_find(&r->m, others));
    assert_null(broker_find(&r->m, users));
    broker_look(&r->m, false);
    assert_silence(r);
}

static void
another_path_given_up(void **state)
{
    struct rig *r = *state;

    load(others);
    begin(r);
    assert_offered(r, 2);
    broker_reload_end(&r->m, false);
    assert_string_equal(file(r)->path, users);
    assert_null(file(r)->next_path);
    assert_offered(r, 1);
}

static void
a_file_that_may_not_be_read(void **state)
{
    struct rig *r = *state;
    char error[512] = "";

    load(others);
    assert_int_equal(chmod(others, 0644), 0);
    assert_int_equal(broker_reload_begin(&r->m, image.image, error, sizeof error), -1);
    assert_non_null(strstr(error, others));
    assert_silence(r);
    assert_string_equal(file(r)->path, users);
    assert_false(file(r)->held);
}

/* Another option's file is known to those alone that start with the new image. */
static void
one_comes_and_one_goes(void **state)
{
    struct rig *r = *state;

    memcpy(file(r)->option, "gone", 5);
    begin(r);
    assert_int_equal(r->m.broker.count, 2);
    assert_silence(r);
    broker_send(&r->workers[0]);
    rig_drain(r, 0);
    broker_reload_end(&r->m, false);
    assert_null(r->m.broker.files[1].row);
    begin(r);
    broker_reload_end(&r->m, true);
    assert_null(file(r)->row);
    assert_string_equal(r->m.broker.files[1].option, "file");
    assert_true(r->m.broker.files[1].current >= 0);
    assert_true(broker_settled(&r->m));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_did_not_change_is_not_offered),
        TEST(a_new_content_comes_into_force_with_the_reload),
        TEST(given_up_everybody_gets_the_old_one_back),
        TEST(a_refusal_is_the_reloads_answer),
        TEST(another_path),
        TEST(another_path_given_up),
        TEST(a_file_that_may_not_be_read),
        TEST(one_comes_and_one_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
