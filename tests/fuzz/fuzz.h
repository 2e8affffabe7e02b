/* SPDX-License-Identifier: ISC */
/*
 * What a fuzz target looks like: one entry that takes any bytes. libFuzzer's own main() calls it
 * (`make fuzz`), and replay_main.c does for the corpus (`make check`). FUZZ_ASSERT says what must
 * hold for whatever came in; a broken one ends the program where a fuzzer and a test see it.
 */
#ifndef SP_TESTS_FUZZ_FUZZ_H
#define SP_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_ASSERT(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
