/* SPDX-License-Identifier: ISC */
/* The one place that calls libconfuse: flat text in, model out. */
#ifndef SP_CONFIG_PARSE_H
#define SP_CONFIG_PARSE_H

#include "src/config/config.h"
#include "src/config/config_model.h"

/* All sections that may stand in the text; the first is "". */
struct config_schema {
    const struct config_section *const *sections;
    size_t count;
};

/* Parses flat into model (empty before). Complaints go to messages. Not reentrant: libconfuse's
   lexer is one. */
void config_parse(const struct config_flat *flat, const struct config_schema *schema,
    struct config_model *model, struct config_messages *messages);

#endif
