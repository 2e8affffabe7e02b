/* SPDX-License-Identifier: ISC */
/* src/config/image.c, image_check.c: what is not sound is refused, whatever it is. */
#include "tests/unit/config_rig.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/fd.h"

static const char sample[] =
    "methods = { \"none\", \"userpass\", \"testseal\" }\n"
    "listen \"127.0.0.1:0\" { service = { \"x\", \"y\" } protection = \"none\" }\n"
    "listen \"[::1]:0\" { methods = { \"userpass\" } }\n"
    "listen \"[::1]:1\" { methods = { \"ident\" } }\n"
    "udp { port-min = 2000 port-max = 2001 advertise = \"192.0.2.7\" }\nbind { port-min = 3000\n"
    " port-max = 3000 advertise = \"2001:db8::7\" }\nlog { target = \"file:/x\" }\n"
    "resolver { servers = { \"192.0.2.1\" } }\negress { ipv4 = \"192.0.2.9\" }\n"
    "rule \"a\" { action = allow client = { \"10.0.0.0/8\" } user = { \"u*\" }\n"
    " method = { \"none\", \"ident\" } bind-any = true\n"
    " destination = { \"*.x\", \"192.0.2.0/24\" } port = { \"1-2\" }\n"
    " group = { \"staff\", \"admins\" } time = { \"Mon-Fri 7-20\", \"Sat\" } bandwidth = 1m }\n"
    "metrics { listen = \"127.0.0.1:9180\" }\n"
    "rule \"b\" { action = deny protection = \"integrity\" }\ntestseal { service = { } }\n";

static const char *
open_error(const void *data, size_t size)
{
    const char *why = NULL;
    int fd = memfd_sealed("image", data, size);
    assert_true(fd >= 0);
    struct image *image = image_open(fd, &why);
    fd_close(&fd);
    if (image != NULL) {
        image_close(&image);
        assert_null(image);
        return NULL;
    }
    assert_non_null(why);
    return why;
}

/* Reads everything an image refers to; a sanitizer or the kernel sees what lies outside. */
static size_t
walk_texts(const struct image *image, struct image_list list)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        sum += strlen(image_string(image, *IMAGE_AT(image, list, struct image_text, i)));
    }
    return sum;
}

static size_t
walk_options(const struct image *image, struct image_list list)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        const struct image_option *o = IMAGE_AT(image, list, struct image_option, i);
        assert_true(o->kind <= IMAGE_OPTION_EMPTY);
        sum += strlen(image_string(image, o->key)) + strlen(image_string(image, o->value));
    }
    return sum;
}

static void
walk_addr(const struct addr *a)
{
    assert_true(a->family == ADDR_NONE || a->family == ADDR_IPV4 || a->family == ADDR_IPV6);
}

static size_t
walk(const struct image *image)
{
    const struct image_settings *s = image_settings(image);
    size_t sum = strlen(image_string(image, s->user)) + strlen(image_string(image, s->log.path));
    assert_true(s->udp.filtering <= IMAGE_UDP_NONE);
    assert_true(s->udp.port_min <= s->udp.port_max && s->bind.port_min <= s->bind.port_max);
    assert_true((s->udp.port_max | s->bind.port_max) <= UINT16_MAX);
    walk_addr(&s->udp.advertise);
    walk_addr(&s->bind.advertise);
    walk_addr(&s->metrics);
    sum += walk_texts(image, s->groups) + s->zone.count;
    assert_true(s->zone.count > 0);
    for (uint32_t i = 0; i < s->listeners.count; i++) {
        const struct image_listener *l = image_listener(image, i);
        for (uint32_t j = 0; j < l->modules.count; j++) {
            const struct image_module *m =
                image_module(image, *IMAGE_AT(image, l->modules, uint32_t, j));
            const char *value = image_option(image, l, m, "service", 1);
            sum += m->method + (value != NULL ? strlen(value) : 0);
        }
        sum += walk_options(image, l->overrides) + l->ident;
        assert_true(l->ident + l->modules.count > 0);
    }
    for (uint32_t i = 0; i < s->modules.count; i++) {
        sum += image_option(image, NULL, image_module(image, i), "x", 0) != NULL;
        sum += walk_options(image, image_module(image, i)->options);
    }
    for (uint32_t i = 0; i < image_header(image)->rules.count; i++) {
        const struct image_rule *r = image_rule(image, i);
        assert_true(r->protection <= IMAGE_PROTECTION_MAX);
        sum += walk_texts(image, r->users) + walk_texts(image, r->names);
        for (uint32_t j = 0; j < r->ports.count; j++) {
            sum += IMAGE_AT(image, r->ports, struct image_ports, j)->low;
        }
        for (uint32_t j = 0; j < r->groups.count; j++) {
            assert_true(*IMAGE_AT(image, r->groups, uint32_t, j) < s->groups.count);
        }
        for (uint32_t j = 0; j < r->times.count; j++) {
            assert_true(IMAGE_AT(image, r->times, struct image_window, j)->to <= 1440);
        }
        for (uint32_t j = 0; j < r->methods.count; j++) {
            sum += *IMAGE_AT(image, r->methods, uint8_t, j);
        }
    }
    return sum;
}

static void
test_not_sealed(void **state)
{
    const char *why = NULL;
    struct rig r;
    (void)state;
    rig_later(&r, sample);
    int fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(fd_write_all(fd, r.compiled, r.size), 0);
    assert_null(image_open(fd, &why));
    assert_int_equal(errno, EPERM);
    assert_string_equal(why, "not a memfd sealed against every change");
    fd_close(&fd);
    rig_free(&r);
}

static void
test_header(void **state)
{
    struct rig r;
    (void)state;
    rig_later(&r, sample);
    struct image_header *h = r.compiled;
    assert_null(open_error(r.compiled, r.size));
    assert_string_equal(open_error("", 1), "size out of bounds");
    assert_string_equal(open_error(r.compiled, sizeof(*h) - 1), "size out of bounds");
    assert_string_equal(open_error(r.compiled, r.size - 1), "another size than it says");
    h->version++;
    assert_string_equal(open_error(r.compiled, r.size), "another version");
    h->magic++;
    assert_string_equal(open_error(r.compiled, r.size), "no policy image");
    rig_free(&r);
}

static void
test_fields(void **state)
{
    struct rig r;
    (void)state;
    rig_later(&r, sample);
    struct image_header *h = r.compiled;
    const struct image_header good = *h;
    struct image_listener *l = (void *)((uint8_t *)r.compiled + h->settings.listeners.off);
    h->settings.user.off = (uint32_t)r.size;
    assert_string_equal(open_error(r.compiled, r.size), "a text lies outside or has no end");
    *h = good;
    h->settings.user.len++;
    assert_string_equal(open_error(r.compiled, r.size), "a text lies outside or has no end");
    *h = good;
    h->rules.count = UINT32_MAX;
    assert_string_equal(open_error(r.compiled, r.size), "a list lies outside");
    *h = good;
    h->rules.off += 4;
    assert_string_equal(open_error(r.compiled, r.size), "a list lies outside");
    *h = good;
    h->settings.workers = 0;
    assert_string_equal(open_error(r.compiled, r.size), "no workers");
    *h = good;
    h->settings.log.format = 2;
    assert_string_equal(open_error(r.compiled, r.size), "unknown format of the audit");
    *h = good;
    l->addr.family = 5;
    assert_string_equal(open_error(r.compiled, r.size), "an address has no family");
    l->addr.family = ADDR_IPV4;
    uint32_t *module = (void *)((uint8_t *)r.compiled + l->modules.off);
    *module = good.settings.modules.count;
    assert_string_equal(
        open_error(r.compiled, r.size), "a listener names a module that is not there");
    rig_free(&r);
}

static void *
inside(struct rig *r, struct image_list list)
{
    assert_true(list.count > 0);
    return (uint8_t *)r->compiled + list.off;
}

/* The rows of listeners, their kinds, and what a rule wants. */
static void
test_options(void **state)
{
    static const char kind[] = "an option is of a kind that it cannot be";
    struct rig r;
    (void)state;
    rig_later(&r, sample);
    const struct image_header *h = r.compiled;
    struct image_listener *l = inside(&r, h->settings.listeners);
    const struct image_list good = l->overrides;
    struct image_option *o = inside(&r, l->overrides);
    const struct image_option row = *o;
    struct image_module *m = (struct image_module *)inside(&r, h->settings.modules) + 1;
    struct image_option *keys = inside(&r, m->options);
    struct image_rule *rule = inside(&r, h->rules);
    assert_null(open_error(r.compiled, r.size));
    l->overrides.count = UINT32_MAX;
    assert_string_equal(open_error(r.compiled, r.size), "a list lies outside");
    l->overrides = good;
    o->value.off = (uint32_t)r.size - 1;
    assert_string_equal(open_error(r.compiled, r.size), "a text lies outside or has no end");
    *o = row;
    o->key = (struct image_text){ .off = 0 };
    assert_string_equal(open_error(r.compiled, r.size), "an option has no name");
    *o = row;
    o->kind = IMAGE_OPTION_EMPTY;
    assert_string_equal(open_error(r.compiled, r.size), "an empty option has a value");
    o->kind = IMAGE_OPTION_FILE; /* no listener makes the broker open anything */
    assert_string_equal(open_error(r.compiled, r.size), kind);
    o->kind = IMAGE_OPTION_FOLDER;
    assert_string_equal(open_error(r.compiled, r.size), kind);
    o->kind = IMAGE_OPTION_EMPTY + 1;
    assert_string_equal(open_error(r.compiled, r.size), kind);
    *o = row;
    assert_int_equal(keys->kind, IMAGE_OPTION_FILE);
    keys->kind = IMAGE_OPTION_EMPTY + 1;
    assert_string_equal(open_error(r.compiled, r.size), kind);
    keys->kind = IMAGE_OPTION_FILE;
    rule->protection = IMAGE_PROTECTION_MAX + 1;
    assert_string_equal(open_error(r.compiled, r.size), "a rule wants unknown protection");
    rule->protection = IMAGE_PROTECTION_MAX;
    assert_null(open_error(r.compiled, r.size));
    rig_free(&r);
}

static const char *
open_socks(struct rig *r, const struct image_header *header)
{
    memcpy(r->compiled, header, sizeof(*header));
    return open_error(r->compiled, r->size);
}

/* Sets one field, looks at what is said of it, and takes the good header again. */
#define SOCKS(field, value, why)                                                                   \
    do {                                                                                           \
        changed = good;                                                                            \
        changed.settings.field = value;                                                            \
        assert_string_equal(open_socks(&r, &changed), why);                                        \
    } while (0)

static void
test_socks(void **state)
{
    static const char on_off[] = "a part of SOCKS is neither on nor off";
    static const char range[] = "a range of ports runs backwards or too far";
    struct rig r;
    (void)state;
    rig_later(&r, sample);
    const struct image_header good = *(const struct image_header *)r.compiled;
    struct image_header changed = good;
    assert_null(open_socks(&r, &good));
    SOCKS(socks4.enabled, 2, on_off);
    SOCKS(udp.enabled, 2, on_off);
    SOCKS(bind.enabled, UINT32_MAX, on_off);
    SOCKS(udp.fragments, 2, "fragments are neither taken nor dropped");
    SOCKS(udp.filtering, IMAGE_UDP_NONE + 1, "unknown filtering of datagrams");
    SOCKS(udp.port_min, 2002, range);
    SOCKS(udp.port_min, 0, range);
    SOCKS(udp.port_max, 65536, range);
    SOCKS(udp.port_max, 0, range);
    SOCKS(bind.port_min, 3001, range);
    SOCKS(bind.port_max, UINT32_MAX, range);
    SOCKS(udp.advertise.family, 5, "an address has no family");
    SOCKS(bind.advertise.family, 1, "an address has no family");
    assert_null(open_socks(&r, &good));
    rig_free(&r);
}

/* Methods of listeners, modules and rules. */
static void
test_methods(void **state)
{
    struct rig r;
    (void)state;
    rig_later(&r, sample);
    const struct image_header *h = r.compiled;
    struct image_listener *l = inside(&r, h->settings.listeners);
    struct image_module *m = inside(&r, h->settings.modules);
    struct image_rule *rule = inside(&r, h->rules);
    assert_int_equal(l[2].ident, 1);
    l[2].ident = 2;
    assert_string_equal(open_error(r.compiled, r.size), "a listener has no methods");
    l[2].ident = 0;
    assert_string_equal(open_error(r.compiled, r.size), "a listener has no methods");
    l[2].ident = 1;
    m[2].method = IMAGE_METHOD_IDENT;
    assert_string_equal(open_error(r.compiled, r.size), "a module has no code of its own");
    m[2].method = 2;
    assert_int_equal(rule->bind_any, 1);
    rule->bind_any = 2;
    assert_string_equal(
        open_error(r.compiled, r.size), "a rule is neither for any peer nor for known ones");
    rule->bind_any = 0;
    assert_null(open_error(r.compiled, r.size));
    rig_free(&r);
}

/* Groups, time windows, the zone, lists in files. */
static void
test_operate(void **state)
{
    static const char outside[] = "a time window lies outside the week";
    struct rig r;
    (void)state;
    rig_later(&r, sample);
    struct image_header *h = r.compiled;
    struct image_text *groups = inside(&r, h->settings.groups);
    struct image_zone *zone = inside(&r, h->settings.zone);
    struct image_rule *rule = inside(&r, h->rules);
    struct image_window *window = inside(&r, rule->times);
    uint32_t *group = inside(&r, rule->groups);
    struct image_option *o =
        inside(&r, ((struct image_module *)inside(&r, h->settings.modules))[1].options);
    assert_null(open_error(r.compiled, r.size));
    *group = h->settings.groups.count;
    assert_string_equal(
        open_error(r.compiled, r.size), "a rule names a group that is not there");
    *group = 0;
    const struct image_text first = groups[0];
    groups[0] = groups[1];
    assert_string_equal(open_error(r.compiled, r.size), "groups are out of order");
    groups[0] = first;
    window->days = 0x80;
    assert_string_equal(open_error(r.compiled, r.size), outside);
    window->days = 1;
    window->from = 1440;
    assert_string_equal(open_error(r.compiled, r.size), outside);
    window->from = 0;
    window->to = 1441;
    assert_string_equal(open_error(r.compiled, r.size), outside);
    window->to = 1440;
    zone->offset = IMAGE_ZONE_OFFSET_MAX + 1;
    assert_string_equal(open_error(r.compiled, r.size), "a time zone lies too far away");
    zone->offset = 0;
    rule->sets = rule->groups;
    assert_string_equal(open_error(r.compiled, r.size), "a rule names a list that is not there");
    rule->sets = (struct image_list){ .off = 0 };
    o->change = 3;
    assert_string_equal(open_error(r.compiled, r.size), "an option changes in no known way");
    o->change = 0;
    const uint32_t failures = h->settings.limits.failure_window;
    h->settings.limits.failure_window = 0;
    assert_string_equal(open_error(r.compiled, r.size), "failures have no window");
    h->settings.limits.failure_window = failures;
    h->settings.metrics.family = 5;
    assert_string_equal(open_error(r.compiled, r.size), "an address has no family");
    h->settings.metrics.family = ADDR_IPV4;
    h->settings.zone = (struct image_list){ .off = 0 };
    assert_string_equal(open_error(r.compiled, r.size), "no time zone");
    rig_free(&r);
}

/* Any bytes changed: either it is refused, or all it refers to lies inside. */
static void
test_random(void **state)
{
    struct unit_random random = UNIT_RANDOM_INIT;
    struct rig r;
    unsigned opened = 0;
    (void)state;
    rig_later(&r, sample);
    for (unsigned i = 0; i < 20000; i++) {
        const char *why = NULL;
        uint8_t *copy = unit_copy(r.compiled, r.size);
        for (unsigned n = 1 + unit_random(&random) % 3; n > 0; n--) {
            copy[unit_random(&random) % r.size] = (uint8_t)unit_random(&random);
        }
        int fd = memfd_sealed("image", copy, r.size);
        struct image *image = image_open(fd, &why);
        if (image != NULL) {
            opened++;
            assert_true(walk(image) < 100000);
        }
        image_close(&image);
        fd_close(&fd);
        free(copy);
    }
    assert_in_range(opened, 100, 19900);
    rig_free(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_sealed),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_socks),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_operate),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
