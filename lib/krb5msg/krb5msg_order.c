/* SPDX-License-Identifier: ISC */
/*
 * Sequence numbers of what arrives: strictly one after the other, or a sliding window. Numbers are
 * compared by their distance, modulo 2^64. Serves krb5msg_unwrap(), after the message verified.
 * Nothing is fatal.
 */
#include "lib/krb5msg/krb5msg_local.h"

#include <stdlib.h>
#include <string.h>

#define ORDER_WORDS (KRB5MSG_WINDOW / 64)
#define ORDER_HALF (UINT64_C(1) << 63)

static uint64_t *
order_word(const struct krb5msg_order *o, uint64_t seq)
{
    return &o->seen[seq / 64 % ORDER_WORDS];
}

static uint64_t
order_bit(uint64_t seq)
{
    return UINT64_C(1) << (seq % 64);
}

enum krb5msg_result
krb5msg_order_judge(const struct krb5msg_order *o, uint64_t seq)
{
    const uint64_t ahead = seq - o->next;
    const uint64_t behind = o->next - seq;
    if (o->seen == NULL) {
        return ahead == 0           ? KRB5MSG_OK
               : ahead < ORDER_HALF ? KRB5MSG_OUT_OF_SEQUENCE
                                    : KRB5MSG_REPLAY;
    }
    if (ahead < ORDER_HALF) {
        return KRB5MSG_OK;
    }
    if (behind > KRB5MSG_WINDOW) {
        return KRB5MSG_TOO_OLD;
    }
    return (*order_word(o, seq) & order_bit(seq)) != 0 ? KRB5MSG_REPLAY : KRB5MSG_OK;
}

/* Those skipped between the old and the new end of the window have not been seen. */
static void
order_advance(struct krb5msg_order *o, uint64_t seq)
{
    if (seq - o->next >= KRB5MSG_WINDOW) {
        memset(o->seen, 0, ORDER_WORDS * sizeof(o->seen[0]));
    } else {
        for (uint64_t skipped = o->next; skipped != seq; skipped++) {
            *order_word(o, skipped) &= ~order_bit(skipped);
        }
    }
    o->next = seq + 1;
}

void
krb5msg_order_take(struct krb5msg_order *o, uint64_t seq)
{
    if (o->seen == NULL) {
        o->next = seq + 1;
        return;
    }
    if (seq - o->next < ORDER_HALF) {
        order_advance(o, seq);
    }
    *order_word(o, seq) |= order_bit(seq);
}

bool
krb5msg_order_use_window(struct krb5msg_order *o)
{
    if (o->seen != NULL) {
        return true;
    }
    o->seen = malloc(ORDER_WORDS * sizeof(o->seen[0]));
    if (o->seen == NULL) {
        return false;
    }
    memset(o->seen, 0xff, ORDER_WORDS * sizeof(o->seen[0]));
    return true;
}

void
krb5msg_order_free(struct krb5msg_order *o)
{
    free(o->seen);
    o->seen = NULL;
}
