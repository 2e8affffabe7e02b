/* SPDX-License-Identifier: ISC */
/* src/config: any text as the value of every key, and as a time window. What is refused is told why, in
   text that is no longer than it may be; what is accepted lies within its bounds. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/config/config_value.h"

static void
check_keys(const char *text)
{
    size_t count = 0;
    const struct config_section *sections = config_sections(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < sections[i].count; j++) {
            struct config_error_text error = { .text = "" };
            if (!config_value_check(&sections[i].keys[j], text, &error)) {
                FUZZ_ASSERT(error.text[0] != '\0');
                FUZZ_ASSERT(strnlen(error.text, sizeof(error.text)) < sizeof(error.text));
            }
        }
    }
}

static void
check_times(const char *text)
{
    struct image_window windows[VALUE_WINDOWS_MAX];
    struct config_error_text error;
    uint32_t count = UINT32_MAX;
    if (!config_value_times(text, windows, &count, &error)) {
        FUZZ_ASSERT(strstr(error.text, " is no time window; ") != NULL);
        return;
    }
    FUZZ_ASSERT(count >= 1 && count <= VALUE_WINDOWS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        FUZZ_ASSERT(windows[i].days >= 1 && windows[i].days <= 0x7f);
        FUZZ_ASSERT(windows[i].days == windows[0].days);
        FUZZ_ASSERT(windows[i].from < 1440 && windows[i].to >= 1 && windows[i].to <= 1440);
        FUZZ_ASSERT(windows[i].from != windows[i].to);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FUZZ_ASSERT(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    check_keys(text);
    check_times(text);
    free(text);
    return 0;
}
