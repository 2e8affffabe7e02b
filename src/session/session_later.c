/* SPDX-License-Identifier: ISC */
/* What other parts bring; used only until they do. */
#include "src/session/session_private.h"

__attribute__((weak)) void
session_rule_changed(struct session *s)
{
    (void)s;
}
