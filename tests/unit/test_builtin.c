/* SPDX-License-Identifier: ISC */
/* auth/builtin_wire.c, builtin_protect.c, builtin_secret.c, builtin_load.c and builtin_dir.c, with real
   shared objects. */
#include "tests/unit/unit.h"

#include "auth/builtin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"

static char dir[256];
static char error[1024];

static void
path_of(char out[PATH_MAX], const char *file)
{
    const int n = snprintf(out, PATH_MAX, "%s/%s", dir, file);

    assert_true(n > 0 && n < PATH_MAX);
}

/* Copies tests/module/.libs/FROM of the build tree as FILE into the folder. */
static void
place(const char *from, const char *file, mode_t mode)
{
    const char *build = getenv("top_builddir");
    char source[PATH_MAX];
    char target[PATH_MAX];
    char chunk[8192];
    ssize_t n;

    assert_true(snprintf(source, sizeof source, "%s/tests/module/.libs/%s",
                    build != NULL ? build : ".", from) < (int)sizeof source);
    path_of(target, file);
    int in = open(source, O_RDONLY | O_CLOEXEC);
    int out = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

    if (in < 0)
        fail_msg("%s: %s", source, strerror(errno));
    assert_true(out >= 0);
    while ((n = read(in, chunk, sizeof chunk)) > 0)
        assert_int_equal(fd_write_all(out, chunk, (size_t)n), 0);
    assert_int_equal(fchmod(out, mode), 0);
    fd_close(&in);
    fd_close(&out);
}

static const char *const placed[] = { "testpriv-wire.so", "testpriv-secret.so", "future-wire.so",
    "other-wire.so", "other-secret.so", "link-wire.so", "text-wire.so", "pipe-wire.so", "open-wire.so",
    "testseal-protect.so", "other-protect.so", "open-protect.so", "testpriv-protect.so" };

static int
setup(void **state)
{
    const char *base = getenv("TMPDIR");

    (void)state;
    assert_true(snprintf(dir, sizeof dir, "%s/builtin.XXXXXX", base != NULL ? base : "/tmp") <
        (int)sizeof dir);
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chmod(dir, 0755), 0);
    return 0;
}

static int
teardown(void **state)
{
    char path[PATH_MAX];

    (void)state;
    for (size_t i = 0; i < SP_COUNT(placed); i++) {
        path_of(path, placed[i]);
        (void)unlink(path);
    }
    return rmdir(dir);
}

static const struct auth_wire_module *
find_wire(const char *name)
{
    memset(error, 0, sizeof error);
    return auth_wire_find(name, dir, error, sizeof error);
}

static const struct auth_protect_module *
find_protect(const char *name)
{
    memset(error, 0, sizeof error);
    return auth_protect_find(name, dir, error, sizeof error);
}

static const struct auth_secret_module *
find_secret(const char *name)
{
    memset(error, 0, sizeof error);
    return auth_secret_find(name, dir, error, sizeof error);
}

#define COMPLAINS(part)                                                                            \
    do {                                                                                           \
        if (strstr(error, part) == NULL)                                                           \
            fail_msg("\"%s\" does not say \"%s\"", error, part);                                   \
    } while (0)

static const char *const built_in[] = {
#define AUTH_BUILTIN_WIRE(name) #name,
#include "auth/builtin.def"
    NULL
};

static const char *const built_in_protect[] = {
#define AUTH_BUILTIN_PROTECT(name) #name,
#include "auth/builtin.def"
    NULL
};

static const char *const built_in_secret[] = {
#define AUTH_BUILTIN_SECRET(name) #name,
#include "auth/builtin.def"
    NULL
};

static void
test_built_in(void **state)
{
    (void)state;
    for (size_t i = 0; built_in[i] != NULL; i++) {
        const struct auth_wire_module *m = find_wire(built_in[i]);

        assert_non_null(m);
        assert_string_equal(m->name, built_in[i]);
        assert_int_equal(m->version, AUTH_MODULE_VERSION);
        assert_non_null(m->config.options);
        if (strcmp(m->name, "none") == 0) {
            assert_int_equal(m->method, 0);
            assert_false(m->needs_pool);
        }
    }
    for (size_t i = 0; built_in_protect[i] != NULL; i++) {
        assert_string_equal(find_protect(built_in_protect[i])->name, built_in_protect[i]);
        assert_true(find_wire(built_in_protect[i])->protects);
    }
    for (size_t i = 0; built_in_secret[i] != NULL; i++)
        assert_string_equal(find_secret(built_in_secret[i])->name, built_in_secret[i]);
}

static void
test_unknown(void **state)
{
    (void)state;
    assert_null(find_wire("nobody"));
    COMPLAINS("no authentication method \"nobody\"; built in: ");
    if (built_in[0] != NULL)
        COMPLAINS(built_in[0]);
    COMPLAINS(dir);
    assert_null(find_secret("nobody"));
    COMPLAINS("method \"nobody\" has no secret face");
    assert_null(find_protect("nobody"));
    COMPLAINS("method \"nobody\" has no protect face: not built in, and no ");
    COMPLAINS("/nobody-protect.so");
    /* none protects nothing, and has no pool. */
    assert_null(find_protect("none"));
    assert_null(find_secret("none"));
    assert_null(find_wire(""));
    COMPLAINS("no authentication method");
    assert_null(auth_wire_find("nobody", "/nowhere/at/all", error, sizeof error));
    COMPLAINS("no authentication method");
}

/* A name never leads out of the folder. */
static void
test_names(void **state)
{
    static const char *const bad[] = { "../testpriv", "a/b", "Testpriv", "test priv", "test.priv",
        "..", "0123456789012345678901234567890123", "testpriv\n" };

    (void)state;
    place("testpriv-wire.so", "testpriv-wire.so", 0755);
    for (size_t i = 0; i < SP_COUNT(bad); i++) {
        assert_null(find_wire(bad[i]));
        COMPLAINS("no authentication method");
        assert_null(find_secret(bad[i]));
        assert_null(find_protect(bad[i]));
        COMPLAINS("is no name of an authentication method");
    }
}

static void
test_shared(void **state)
{
    (void)state;
    place("testpriv-wire.so", "testpriv-wire.so", 0755);
    place("testpriv-secret.so", "testpriv-secret.so", 0644);
    const struct auth_wire_module *w = find_wire("testpriv");
    const struct auth_secret_module *s = find_secret("testpriv");

    assert_non_null(w);
    assert_non_null(s);
    assert_int_equal(w->method, 0x80);
    assert_int_equal(s->method, 0x80);
    assert_ptr_equal(find_wire("testpriv"), w);
}

static void
test_file_mode(void **state)
{
    (void)state;
    place("testpriv-wire.so", "testpriv-wire.so", 0775);
    assert_null(find_wire("testpriv"));
    COMPLAINS("testpriv-wire.so: mode 0775; must not be writable by group or others");
    place("testpriv-wire.so", "testpriv-wire.so", 0757);
    assert_null(find_wire("testpriv"));
    COMPLAINS("must not be writable by group or others");
}

static void
test_folder_mode(void **state)
{
    (void)state;
    place("testpriv-wire.so", "testpriv-wire.so", 0755);
    assert_int_equal(chmod(dir, 0777), 0);
    assert_null(find_wire("testpriv"));
    COMPLAINS(dir);
    COMPLAINS(": mode 0777; must not be writable by group or others");
    assert_int_equal(chmod(dir, 0755), 0);
    assert_non_null(find_wire("testpriv"));
}

static void
test_owner(void **state)
{
    char path[PATH_MAX];

    (void)state;
    if (geteuid() != 0) {
        print_message("only root can give a file away: not tested\n");
        skip();
    }
    place("testpriv-wire.so", "testpriv-wire.so", 0755);
    path_of(path, "testpriv-wire.so");
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_null(find_wire("testpriv"));
    COMPLAINS("testpriv-wire.so: belongs to user 65534; must belong to root");
    assert_int_equal(chown(path, 0, 0), 0);
    assert_int_equal(chown(dir, 65534, 65534), 0);
    assert_null(find_wire("testpriv"));
    COMPLAINS("belongs to user 65534");
}

static void
test_kinds_of_file(void **state)
{
    char path[PATH_MAX];
    char target[PATH_MAX];

    (void)state;
    place("testpriv-wire.so", "testpriv-wire.so", 0755);
    path_of(target, "testpriv-wire.so");
    path_of(path, "link-wire.so");
    assert_int_equal(symlink(target, path), 0);
    assert_null(find_wire("link"));
    COMPLAINS("link-wire.so: must not be a symbolic link");
    path_of(path, "pipe-wire.so");
    assert_int_equal(mkfifo(path, 0644), 0);
    assert_null(find_wire("pipe"));
    COMPLAINS("pipe-wire.so: must be a regular file");
    path_of(path, "text-wire.so");
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    assert_int_equal(fd_write_all(fd, "no object\n", 10), 0);
    fd_close(&fd);
    assert_null(find_wire("text"));
    COMPLAINS("text-wire.so: ");
    /* The folder is a file. */
    assert_null(auth_wire_find("testpriv", path, error, sizeof error));
    COMPLAINS("text-wire.so: Not a directory");
}

static void
test_version(void **state)
{
    (void)state;
    place("future-wire.so", "testpriv-wire.so", 0755);
    place("future-secret.so", "testpriv-secret.so", 0755);
    assert_null(find_wire("testpriv"));
    COMPLAINS("module testpriv: interface version 99; this program has 2");
    assert_null(find_secret("testpriv"));
    COMPLAINS("module testpriv: interface version 99; this program has 2");
}

static void
test_symbols(void **state)
{
    (void)state;
    /* The other face's object. */
    place("testpriv-secret.so", "other-wire.so", 0755);
    assert_null(find_wire("other"));
    COMPLAINS("has no symbol sallyport_auth_wire");
    place("testpriv-wire.so", "other-secret.so", 0755);
    assert_null(find_secret("other"));
    COMPLAINS("has no symbol sallyport_auth_secret");
}

static void
test_protect(void **state)
{
    (void)state;
    place("testseal-protect.so", "testseal-protect.so", 0755);
    const struct auth_protect_module *m = find_protect("testseal");

    assert_non_null(m);
    assert_string_equal(m->name, "testseal");
    assert_ptr_equal(find_protect("testseal"), m);
    /* A wire object in its place, and another method's. */
    place("testpriv-wire.so", "testpriv-protect.so", 0755);
    assert_null(find_protect("testpriv"));
    COMPLAINS("has no symbol sallyport_auth_protect");
    place("testseal-protect.so", "other-protect.so", 0755);
    assert_null(find_protect("other"));
    COMPLAINS("module other: its protect face is incomplete");
    /* Under a name of its own: one that is mapped must not be cut. */
    place("testseal-protect.so", "open-protect.so", 0775);
    assert_null(find_protect("open"));
    COMPLAINS("must not be writable by group or others");
}

static void
test_protect_version(void **state)
{
    (void)state;
    place("futureseal-protect.so", "testseal-protect.so", 0755);
    assert_null(find_protect("testseal"));
    COMPLAINS("module testseal: interface version 99; this program has 2");
}

/* gssapi's faces fit together, built in or as the objects of this build tree. */
static void
test_gssapi(void **state)
{
    const char *build = getenv("top_builddir");
    char modules[PATH_MAX];

    (void)state;
    assert_true(snprintf(modules, sizeof modules, "%s/modules", build != NULL ? build : ".") <
        (int)sizeof modules);
    const struct auth_wire_module *w = auth_wire_find("gssapi", modules, error, sizeof error);

    if (w == NULL && strstr(error, "no authentication method \"gssapi\"") != NULL) {
        print_message("gssapi is left out of this build: not tested\n");
        skip();
    }
    assert_non_null(w);
    const struct auth_protect_module *p =
        auth_protect_find("gssapi", modules, error, sizeof error);
    const struct auth_secret_module *s = auth_secret_find("gssapi", modules, error, sizeof error);

    if (p == NULL || s == NULL)
        fail_msg("%s", error);
    assert_int_equal(w->method, 1);
    assert_int_equal(s->method, 1);
    assert_true(w->protects);
    assert_int_equal(p->start(error, sizeof error), 0);
    /* The same config face in both, so that worker and pool read the same section. */
    for (size_t i = 0; w->config.options[i].name != NULL; i++)
        assert_string_equal(w->config.options[i].name, s->config.options[i].name);
    assert_int_equal(w->config.pool->step_seconds, s->config.pool->step_seconds);
}

/* An object under another's name would be asked for by that name. */
static void
test_name_inside(void **state)
{
    (void)state;
    place("testpriv-wire.so", "open-wire.so", 0755);
    assert_null(find_wire("open"));
    COMPLAINS("module open: its wire face is incomplete");
}

static void
test_short_room(void **state)
{
    char small[8];

    (void)state;
    for (size_t room = 1; room <= sizeof small; room++) {
        memset(small, 'z', sizeof small);
        assert_null(auth_wire_find("nobody", dir, small, room));
        assert_non_null(memchr(small, '\0', room));
        for (size_t i = room; i < sizeof small; i++)
            assert_int_equal(small[i], 'z');
    }
}

/* This program lies in a folder without sallyportd, as an installed one does. */
static void
test_module_dir(void **state)
{
    (void)state;
    assert_int_equal(auth_module_dir()[0], '/');
    assert_string_equal(auth_module_dir(), MODULEDIR);
    assert_ptr_equal(auth_module_dir(), auth_module_dir());
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_built_in, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_mode, setup, teardown),
        cmocka_unit_test_setup_teardown(test_folder_mode, setup, teardown),
        cmocka_unit_test_setup_teardown(test_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kinds_of_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_symbols, setup, teardown),
        cmocka_unit_test_setup_teardown(test_protect, setup, teardown),
        cmocka_unit_test_setup_teardown(test_protect_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gssapi, setup, teardown),
        cmocka_unit_test_setup_teardown(test_name_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_short_room, setup, teardown),
        cmocka_unit_test_setup_teardown(test_module_dir, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
