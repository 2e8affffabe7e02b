/* SPDX-License-Identifier: ISC */
/* Process titles as ps shows them: "sallyport-worker: worker 2, 118 sessions". */
#ifndef SP_CORE_TITLE_H
#define SP_CORE_TITLE_H

#include "lib/base/attr.h"

/* First thing in main(), before threads and getenv users. A title has the room of argv and the
   environment the process was started with: whoever spawns with few of them pads them. */
void title_init(int argc, char **argv, char **envp);
/* Text that does not fit is cut. Nothing happens without title_init(), as in tests. */
void title_set(const char *fmt, ...) SP_PRINTF(1, 2);

#endif
