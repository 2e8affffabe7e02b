/* SPDX-License-Identifier: ISC */
/* lib/base/name.c and the address parsers: any bytes as a name; the same, cut at the first line
   end, as pattern and text of a glob. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "lib/base/name.h"

static void
fuzz_canonical(const uint8_t *data, size_t size)
{
    char out[NAME_SIZE];
    char again[NAME_SIZE];
    struct addr addr;
    struct addr ignored;
    const char *why;
    switch (name_canonical(data, size, out, &addr, &why)) {
    case NAME_OK:
        FUZZ_ASSERT(why == NULL && strlen(out) > 0 && strlen(out) <= NAME_MAX_LEN);
        FUZZ_ASSERT(strlen(out) == size || strlen(out) == size - 1);
        FUZZ_ASSERT(addr_parse_ip(out, &ignored) != 0);
        FUZZ_ASSERT(name_canonical(out, strlen(out), again, &ignored, &why) == NAME_OK);
        FUZZ_ASSERT(strcmp(out, again) == 0);
        FUZZ_ASSERT(glob_match(out, out) || strpbrk(out, "*?") != NULL);
        break;
    case NAME_ADDRESS:
        FUZZ_ASSERT(why == NULL && addr.port == 0);
        FUZZ_ASSERT(addr.family == ADDR_IPV4 || addr.family == ADDR_IPV6);
        break;
    case NAME_BAD:
        FUZZ_ASSERT(why != NULL && out[0] == '\0');
        break;
    }
}

static void
fuzz_address_text(const char *text)
{
    char again[ADDR_TEXT_MAX];
    struct addr a;
    struct addr b;
    struct addr_prefix p;
    struct addr_prefix q;
    if (addr_parse(text, &a) == 0) {
        FUZZ_ASSERT(addr_format(&a, again) > 0);
        FUZZ_ASSERT(addr_parse(again, &b) == 0 && addr_equal(&a, &b));
    }
    if (addr_prefix_parse(text, &p) == 0) {
        FUZZ_ASSERT(addr_prefix_format(&p, again) > 0);
        FUZZ_ASSERT(addr_prefix_parse(again, &q) == 0 && memcmp(&p, &q, sizeof(p)) == 0);
        FUZZ_ASSERT(addr_prefix_within(&p, &q));
    }
    if (addr_parse_ip(text, &a) == 0 && addr_special(&a, &p) != NULL) {
        FUZZ_ASSERT(addr_prefix_contains(&p, &a));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_canonical(data, size);
    char *text = malloc(size + 1);
    FUZZ_ASSERT(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    fuzz_address_text(text);
    char *line_end = strchr(text, '\n');
    if (line_end != NULL) {
        *line_end = '\0';
        (void)glob_match(text, line_end + 1);
        FUZZ_ASSERT(glob_match("*", text));
    }
    free(text);
    return 0;
}
