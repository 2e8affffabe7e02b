/* SPDX-License-Identifier: ISC */
/*
 * MB per CPU second of lib/krb5msg beside libgssapi's gss_wrap_iov and gss_unwrap_iov, in place, on
 * contexts of the same throwaway realm. The two take turns in short rounds, and the table has the
 * medians, so that a busy machine disturbs both alike. "Together" is krb5msg_wrap_many(), with which the
 * relay seals a stream. Arguments: message size, rounds.
 */
#include "tests/unit/krb5_realm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gssapi/gssapi_ext.h>

#define BENCH_BATCH 16 /* messages sealed, then opened */
#define BENCH_ROUNDS_MAX 1001
#define BENCH_BATCHES 24 /* in a round */

struct bench {
    struct realm_pair gss;
    struct krb5msg *ours[2]; /* who seals, who opens */
    size_t size;
    bool conf;
    uint8_t *slots[BENCH_BATCH];
    size_t token_len;
};

enum { BENCH_GSS, BENCH_OURS, BENCH_MANY, BENCH_WAYS };

/* CPU seconds of one kind of work: [way][seal, open] */
struct bench_round {
    double seconds[BENCH_WAYS][2];
};

static double
bench_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
bench_die(const char *what)
{
    (void)fprintf(stderr, "%s failed\n", what);
    exit(EXIT_FAILURE);
}

static void
bench_iov(const struct bench *b, uint8_t *slot, gss_iov_buffer_desc iov[4])
{
    OM_uint32 minor;
    iov[0] = (gss_iov_buffer_desc){ GSS_IOV_BUFFER_TYPE_HEADER, GSS_C_EMPTY_BUFFER };
    iov[1] = (gss_iov_buffer_desc){ GSS_IOV_BUFFER_TYPE_DATA, { b->size, slot } };
    iov[2] = (gss_iov_buffer_desc){ GSS_IOV_BUFFER_TYPE_PADDING, GSS_C_EMPTY_BUFFER };
    iov[3] = (gss_iov_buffer_desc){ GSS_IOV_BUFFER_TYPE_TRAILER, GSS_C_EMPTY_BUFFER };
    if (gss_wrap_iov_length(&minor, b->gss.initiator, b->conf, 0, NULL, iov, 4) != GSS_S_COMPLETE) {
        bench_die("gss_wrap_iov_length");
    }
    iov[0].buffer.value = slot;
    for (int i = 1; i < 4; i++) {
        iov[i].buffer.value = (uint8_t *)iov[i - 1].buffer.value + iov[i - 1].buffer.length;
    }
}

static void
bench_gss_seal(struct bench *b)
{
    OM_uint32 minor;
    gss_iov_buffer_desc iov[4];
    for (int i = 0; i < BENCH_BATCH; i++) {
        bench_iov(b, b->slots[i], iov);
        if (gss_wrap_iov(&minor, b->gss.initiator, b->conf, 0, NULL, iov, 4) != GSS_S_COMPLETE) {
            bench_die("gss_wrap_iov");
        }
        b->token_len =
            (size_t)((uint8_t *)iov[3].buffer.value + iov[3].buffer.length - b->slots[i]);
    }
}

static void
bench_gss_open(struct bench *b)
{
    OM_uint32 minor;
    for (int i = 0; i < BENCH_BATCH; i++) {
        gss_iov_buffer_desc iov[2] = {
            { GSS_IOV_BUFFER_TYPE_STREAM, { b->token_len, b->slots[i] } },
            { GSS_IOV_BUFFER_TYPE_DATA, GSS_C_EMPTY_BUFFER },
        };
        if (gss_unwrap_iov(&minor, b->gss.acceptor, NULL, NULL, iov, 2) != GSS_S_COMPLETE ||
            iov[1].buffer.length != b->size) {
            bench_die("gss_unwrap_iov");
        }
    }
}

static void
bench_our_seal(struct bench *b)
{
    for (int i = 0; i < BENCH_BATCH; i++) {
        if (krb5msg_wrap(b->ours[0], b->conf, b->slots[i], b->size, &b->token_len) != KRB5MSG_OK) {
            bench_die("krb5msg_wrap");
        }
    }
}

static void
bench_our_seal_many(struct bench *b)
{
    struct krb5msg_message messages[BENCH_BATCH];
    for (int i = 0; i < BENCH_BATCH; i++) {
        messages[i] = (struct krb5msg_message){ .token = b->slots[i], .plain_len = b->size };
    }
    if (!b->conf) {
        bench_our_seal(b); /* there is nothing to do side by side */
        return;
    }
    if (krb5msg_wrap_many(b->ours[0], messages, BENCH_BATCH) != KRB5MSG_OK) {
        bench_die("krb5msg_wrap_many");
    }
    b->token_len = messages[0].token_len;
}

static void
bench_our_open(struct bench *b)
{
    struct krb5msg_plain plain;
    for (int i = 0; i < BENCH_BATCH; i++) {
        if (krb5msg_unwrap(b->ours[1], b->slots[i], b->token_len, &plain) != KRB5MSG_OK ||
            plain.len != b->size) {
            bench_die("krb5msg_unwrap");
        }
    }
}

static void (*const bench_work[BENCH_WAYS][2])(struct bench *) = {
    [BENCH_GSS] = { bench_gss_seal, bench_gss_open },
    [BENCH_OURS] = { bench_our_seal, bench_our_open },
    [BENCH_MANY] = { bench_our_seal_many, bench_our_open },
};

static void
bench_round(struct bench *b, struct bench_round *out)
{
    memset(out, 0, sizeof(*out));
    for (int i = 0; i < BENCH_WAYS * BENCH_BATCHES; i++) {
        for (int k = 0; k < 2; k++) {
            const double from = bench_now();
            bench_work[i % BENCH_WAYS][k](b);
            out->seconds[i % BENCH_WAYS][k] += bench_now() - from;
        }
    }
}

static int
bench_compare(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return (*x > *y) - (*x < *y);
}

static double
bench_median(const struct bench_round *rounds, size_t count, int who, int what)
{
    double all[BENCH_ROUNDS_MAX];
    for (size_t i = 0; i < count; i++) {
        all[i] = rounds[i].seconds[who][what];
    }
    qsort(all, count, sizeof(all[0]), bench_compare);
    return all[count / 2];
}

static void
bench_print(const struct bench *b, const struct bench_round *rounds, size_t count, const char *name)
{
    static const char *const works[] = { "seal", "open" };
    const double mb = (double)b->size * BENCH_BATCH * BENCH_BATCHES / 1e6;
    for (int what = 0; what < 2; what++) {
        const double gss = bench_median(rounds, count, BENCH_GSS, what);
        const double ours = bench_median(rounds, count, BENCH_OURS, what);
        (void)printf("%-28s %-16s %-5s %10.0f %10.0f %7.1f", name,
            b->conf ? "confidentiality" : "integrity", works[what], mb / gss, mb / ours,
            gss / ours);
        if (what == 0 && b->conf) {
            (void)printf(" %10.0f", mb / bench_median(rounds, count, BENCH_MANY, what));
        }
        (void)printf("\n");
    }
    (void)fflush(stdout);
}

static void
bench_contexts(const struct realm *r, int32_t enctype, struct bench *b)
{
    struct realm_pair pair;
    struct krb5msg_import seen;
    if (!realm_pair_make(r, enctype, true, &b->gss) || !realm_pair_make(r, enctype, true, &pair) ||
        !realm_import(&pair.initiator, &b->ours[0], &seen) ||
        !realm_import(&pair.acceptor, &b->ours[1], &seen) || seen.enctype != enctype) {
        bench_die("context");
    }
    realm_pair_free(&pair);
}

static void
bench_enctype(const struct realm *r, int32_t enctype, const char *name, size_t size, size_t rounds)
{
    static struct bench_round results[BENCH_ROUNDS_MAX];
    struct bench b = { .size = size };
    bench_contexts(r, enctype, &b);
    for (int i = 0; i < BENCH_BATCH; i++) {
        b.slots[i] = calloc(1, size + 256);
        if (b.slots[i] == NULL) {
            bench_die("calloc");
        }
    }
    for (int conf = 0; conf < 2; conf++) {
        b.conf = conf != 0;
        for (size_t i = 0; i < rounds; i++) {
            bench_round(&b, &results[i]);
        }
        bench_print(&b, results, rounds, name);
    }
    for (int i = 0; i < BENCH_BATCH; i++) {
        free(b.slots[i]);
    }
    krb5msg_free(&b.ours[0]);
    krb5msg_free(&b.ours[1]);
    realm_pair_free(&b.gss);
}

/* What a worker pays for a new session. */
static void
bench_import(void)
{
    const int count = 2000;
    static const uint8_t key[KRB5MSG_KEY_MAX] = { 1 };
    for (int32_t e = KRB5MSG_AES128_SHA1; e <= KRB5MSG_AES256_SHA384; e++) {
        const struct krb5msg_import import = {
            .enctype = e, .key = key, .key_len = krb5msg_key_len(e)
        };
        const double from = bench_now();
        for (int i = 0; i < count; i++) {
            struct krb5msg *m;
            if (krb5msg_new(&import, &m) != KRB5MSG_OK) {
                bench_die("krb5msg_new");
            }
            krb5msg_free(&m);
        }
        (void)printf(
            "import and free, enctype %d: %.1f us\n", (int)e, (bench_now() - from) / count * 1e6);
    }
}

int
main(int argc, char **argv)
{
    static const struct {
        int32_t enctype;
        const char *name;
    } rows[] = {
        { KRB5MSG_AES256_SHA1, "aes256-cts-hmac-sha1-96" },
        { KRB5MSG_AES128_SHA1, "aes128-cts-hmac-sha1-96" },
        { KRB5MSG_AES256_SHA384, "aes256-cts-hmac-sha384-192" },
        { KRB5MSG_AES128_SHA256, "aes128-cts-hmac-sha256-128" },
    };
    struct realm r;
    const long size = argc > 1 ? strtol(argv[1], NULL, 10) : 16384;
    const long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 15;
    if (size < 1 || size > 65000 || rounds < 1 || rounds > BENCH_ROUNDS_MAX) {
        (void)fprintf(stderr, "usage: bench_krb5msg [BYTES 1..65000] [ROUNDS]\n");
        return EXIT_FAILURE;
    }
    if (!krb5msg_start() || !realm_start(&r)) {
        return EXIT_FAILURE;
    }
    (void)printf("MB per CPU second, messages of %ld bytes, medians of %ld rounds\n", size, rounds);
    (void)printf("%-28s %-16s %-5s %10s %10s %7s %10s\n", "enctype", "level", "work", "libgssapi",
        "krb5msg", "ratio", "together");
    for (size_t i = 0; i < SP_COUNT(rows); i++) {
        bench_enctype(&r, rows[i].enctype, rows[i].name, (size_t)size, (size_t)rounds);
    }
    bench_import();
    realm_stop(&r);
    krb5msg_end();
    return EXIT_SUCCESS;
}
