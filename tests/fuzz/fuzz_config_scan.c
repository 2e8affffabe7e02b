/* SPDX-License-Identifier: ISC */
/* src/config/config_scan.c: any bytes as a configuration, which includes itself where it includes
   anything. What the scan lets pass, libconfuse must read without a complaint, value for value, and
   every row must lead back to a line there is. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#include "lib/base/fd.h"
#include "src/config/config_parse.h"
#include "src/config/config_scan.h"

struct input {
    const uint8_t *data;
    size_t size;
    unsigned opened;
};

static int
input_open(const char *path, void *ctx)
{
    struct input *in = ctx;
    FUZZ_ASSERT(path != NULL);
    FUZZ_ASSERT(++in->opened <= 1 + CONFIG_INCLUDES_MAX);
    return memfd_sealed("fuzz", in->data, in->size);
}

static const struct config_section *
lookup(const char *name, void *ctx, char *error, size_t size)
{
    (void)ctx;
    FUZZ_ASSERT(size > 0);
    error[0] = '\0';
    return config_section_find(name);
}

static unsigned
lines_of(const uint8_t *data, size_t size)
{
    unsigned lines = 1;
    for (size_t i = 0; i < size; i++) {
        lines += data[i] == '\n';
    }
    return lines;
}

static void
check_rows(const struct config_flat *flat, unsigned lines)
{
    for (uint32_t i = 1; i <= flat->row_count; i++) {
        unsigned line = 0;
        FUZZ_ASSERT(config_flat_where(flat, i, &line) != NULL);
        FUZZ_ASSERT(line >= 1 && line <= lines);
    }
}

/* Sound statements, whatever they say: the flat text is what it is also after a complaint. */
static void
check_parse(const struct config_flat *flat, struct config_messages *messages)
{
    const struct config_section *sections[64];
    struct config_schema schema = { sections, 0 };
    const struct config_section *own = config_sections(&schema.count);
    struct config_model model = { .flat = NULL };
    const unsigned before = messages->errors;
    FUZZ_ASSERT(schema.count <= 64);
    for (size_t i = 0; i < schema.count; i++) {
        sections[i] = &own[i];
    }
    config_parse(flat, &schema, &model, messages);
    FUZZ_ASSERT(messages->errors == before && !model.failed);
    for (uint32_t i = 0; i < model.value_count; i++) {
        FUZZ_ASSERT(strpbrk(model.values[i].text, "\n\r\x7f") == NULL);
    }
    config_model_free(&model);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size, 0 };
    struct config_messages messages = { .text = BUFFER_INIT };
    struct config_flat flat = { .text = NULL };
    const struct config_source source = { .open = input_open, .ctx = &in, .path = "fuzz" };
    const struct scan_request request = { .source = &source, .messages = &messages,
        .lookup = lookup };
    config_scan(&request, &flat);
    FUZZ_ASSERT(!flat.failed);
    check_rows(&flat, lines_of(data, size));
    check_parse(&flat, &messages);
    config_flat_free(&flat);
    buffer_clear(&messages.text);
    return 0;
}
