/* SPDX-License-Identifier: ISC */
/*
 * Memory for passwords and keys. Serves the workers (buffers that carry a login, message keys) and
 * the auth processes. Memory that cannot be locked is used unlocked, and secret_all_locked() says
 * so; a block that never came from here is our bug: abort. For one thread.
 */
#include "lib/base/secret.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define SECRET_REGION 65536U

/* A free block is all zero but for the link to the next one. */
struct secret_block {
    struct secret_block *next;
};

struct secret_class {
    size_t size;
    struct secret_block *free;
    uint8_t *fresh; /* rest of the youngest region, never handed out yet */
    size_t fresh_len;
};

static struct secret_class secret_classes[] = {
    { 64, NULL, NULL, 0 },
    { 256, NULL, NULL, 0 },
    { 1024, NULL, NULL, 0 },
    { 4096, NULL, NULL, 0 },
    { 16384, NULL, NULL, 0 },
    { SECRET_REGION, NULL, NULL, 0 },
};

static bool secret_unlocked;
static bool secret_fork_watched;

/* After a fork the blocks read as zero and are no longer locked: the child begins anew. */
static void
secret_forked(void)
{
    for (size_t i = 0; i < SP_COUNT(secret_classes); i++) {
        secret_classes[i].free = NULL;
        secret_classes[i].fresh = NULL;
        secret_classes[i].fresh_len = 0;
    }
}

static struct secret_class *
secret_class_of(size_t size)
{
    for (size_t i = 0; i < SP_COUNT(secret_classes); i++) {
        if (size <= secret_classes[i].size) {
            return &secret_classes[i];
        }
    }
    return NULL;
}

static void *
secret_map(size_t len)
{
    if (!secret_fork_watched) {
        if (pthread_atfork(NULL, NULL, secret_forked) != 0) {
            errno = ENOMEM;
            return NULL;
        }
        secret_fork_watched = true;
    }
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        errno = ENOMEM;
        return NULL;
    }
    /* Kernels without these advices still give memory; secret_process() keeps cores away too. */
    (void)madvise(p, len, MADV_DONTDUMP);
    (void)madvise(p, len, MADV_WIPEONFORK);
    if (mlock(p, len) != 0) {
        secret_unlocked = true;
    }
    return p;
}

static void *
secret_take(struct secret_class *class)
{
    struct secret_block *block = class->free;
    if (block != NULL) {
        class->free = block->next;
        block->next = NULL;
        return block;
    }
    if (class->fresh_len == 0) {
        class->fresh = secret_map(SECRET_REGION);
        if (class->fresh == NULL) {
            return NULL;
        }
        class->fresh_len = SECRET_REGION;
    }
    void *p = class->fresh;
    class->fresh += class->size;
    class->fresh_len -= class->size;
    return p;
}

size_t
secret_usable(size_t size)
{
    if (size == 0 || size > SECRET_MAX) {
        return 0;
    }
    const struct secret_class *class = secret_class_of(size);
    if (class != NULL) {
        return class->size;
    }
    return (size + SECRET_REGION - 1) / SECRET_REGION * SECRET_REGION;
}

void *
secret_alloc(size_t size)
{
    if (size == 0 || size > SECRET_MAX) {
        errno = EINVAL;
        return NULL;
    }
    struct secret_class *class = secret_class_of(size);
    return class != NULL ? secret_take(class) : secret_map(secret_usable(size));
}

void
secret_free(void *p, size_t size)
{
    if (p == NULL) {
        return;
    }
    const size_t usable = secret_usable(size);
    if (usable == 0) {
        abort();
    }
    const int saved = errno;
    explicit_bzero(p, usable);
    struct secret_class *class = secret_class_of(size);
    if (class != NULL) {
        struct secret_block *block = p;
        block->next = class->free;
        class->free = block;
    } else {
        (void)munmap(p, usable);
    }
    errno = saved;
}

bool
secret_all_locked(void)
{
    return !secret_unlocked;
}

bool
secret_equal(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *x = a;
    const volatile uint8_t *y = b;
    uint8_t diff = 0;
    for (size_t i = 0; i < len; i++) {
        diff |= (uint8_t)(x[i] ^ y[i]);
    }
    return diff == 0;
}

int
secret_process(void)
{
    const struct rlimit none = { 0, 0 };
    if (setrlimit(RLIMIT_CORE, &none) != 0) {
        return -1;
    }
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -1;
}
