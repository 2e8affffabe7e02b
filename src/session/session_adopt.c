/* SPDX-License-Identifier: ISC */
/*
 * An image comes into force in two steps: everything that can fail, then what cannot. Serves src/worker. No
 * session holds anything of an image, so that the one before can be closed at once.
 */
#include "src/session/session_private.h"

#include <stdio.h>
#include <stdlib.h>

struct session_adoption {
    const struct image *image;
    uint64_t *group_bits;
    uint32_t count;
    struct {
        uint32_t number;
        struct session_listener *listener;
    } list[];
};

void
session_abandon(struct session_host *host, struct session_adoption **adoption)
{
    struct session_adoption *a = *adoption;

    *adoption = NULL;
    if (a == NULL)
        return;
    for (uint32_t i = 0; i < a->count; i++)
        listener_release(host, &a->list[i].listener);
    free(a->group_bits);
    free(a);
}

static bool
number_good(const struct session_adoption *a, uint32_t number)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (a->list[i].number == number)
            return false;
    return number < SESSION_LISTENERS_MAX;
}

static int
add_listener(struct session_host *host, struct session_adoption *a, uint32_t number, char *error,
    size_t size)
{
    struct session_listener *l;

    if (!number_good(a, number)) {
        (void)snprintf(error, size, "listener number %u is no number or another's", number);
        return -1;
    }
    l = listener_make(host, a->image, a->count, error, size);
    if (l == NULL)
        return -1;
    a->list[a->count].number = number;
    a->list[a->count++].listener = l;
    return 0;
}

struct session_adoption *
session_prepare(struct session_host *host, const struct image *image, const uint16_t *numbers,
    size_t count, char *error, size_t size)
{
    size_t listeners = image_settings(image)->listeners.count;
    struct session_adoption *a;

    if (numbers != NULL && count != listeners) {
        (void)snprintf(error, size, "%zu numbers for %zu listeners", count, listeners);
        return NULL;
    }
    a = calloc(1, sizeof *a + listeners * sizeof a->list[0]);
    if (a != NULL)
        a->group_bits = groups_spare(image);
    if (a == NULL || a->group_bits == NULL) {
        (void)snprintf(error, size, "no memory for %zu listeners", listeners);
        session_abandon(host, &a);
        return NULL;
    }
    a->image = image;
    for (size_t i = 0; i < listeners; i++)
        if (add_listener(host, a, numbers != NULL ? numbers[i] : (uint32_t)i, error, size) < 0) {
            session_abandon(host, &a);
            return NULL;
        }
    return a;
}

void
session_commit(struct session_host *host, struct session_adoption **adoption)
{
    struct session_adoption *a = *adoption;
    const struct image_settings *settings = image_settings(a->image);

    for (uint32_t i = 0; i < a->count; i++) {
        struct session_listener **at = &host->listeners[a->list[i].number];

        listener_release(host, at);
        *at = a->list[i].listener;
    }
    groups_adopt(&host->groups, a->image, &a->group_bits);
    host->image = a->image;
    host->epoch++;
    host->all_events = settings->log.all_events != 0;
    host->dial.prefer = (enum dial_prefer)settings->resolver.prefer;
    host->dial.egress_ipv4 = settings->egress_ipv4;
    host->dial.egress_ipv6 = settings->egress_ipv6;
    budgets_adopt(&host->budgets);
    interim_adopt(host);
    free(a);
    *adoption = NULL;
}

void
session_host_free(struct session_host *host)
{
    for (uint32_t i = 0; i < SESSION_LISTENERS_MAX; i++)
        listener_release(host, &host->listeners[i]);
    groups_free(&host->groups);
    interim_close(host);
    loop_timer_cancel(host->loop, &host->rejudge.pause);
    loop_task_cancel(host->loop, &host->rejudge.task);
    loop_task_cancel(host->loop, &host->kill.task);
    free(host->kill.ids);
    host->kill.ids = NULL;
    idmap_free(&host->verdicts);
}
