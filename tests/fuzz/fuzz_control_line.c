/* SPDX-License-Identifier: ISC */
/* src/core/control_line.c: any bytes as a line of the control protocol. What is read can be written, and reads
   the same again. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/core/control_line.h"

static void
check(const struct control_line *line)
{
    struct buffer out = BUFFER_INIT;
    struct control_writer w = { .to = &out, .limit = 1U << 20 };
    struct control_line again;
    const char *why = NULL;

    if (line->word[0] != '\0')
        control_put_word(&w, line->word);
    for (size_t i = 0; i < line->count; i++)
        control_put(&w, line->fields[i].name, line->fields[i].value);
    control_put_end(&w);
    FUZZ_ASSERT(!w.failed);
    FUZZ_ASSERT(control_line_parse((char *)buffer_data(&out), buffer_len(&out) - 1, &again, &why) == 0);
    FUZZ_ASSERT(strcmp(again.word, line->word) == 0 && again.count == line->count);
    for (size_t i = 0; i < line->count; i++) {
        FUZZ_ASSERT(strcmp(again.fields[i].name, line->fields[i].name) == 0);
        FUZZ_ASSERT(strcmp(again.fields[i].value, line->fields[i].value) == 0);
    }
    buffer_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct control_line line;
    const char *why = NULL;

    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    if (control_line_parse(text, size, &line, &why) == 0) {
        FUZZ_ASSERT(line.count <= CONTROL_FIELDS_MAX);
        check(&line);
    } else {
        FUZZ_ASSERT(why != NULL);
    }
    free(text);
    return 0;
}
