/* SPDX-License-Identifier: ISC */
/* In place of sandbox_seccomp.c when the build leaves the filter out. */
#include "src/core/sandbox.h"

int
sandbox_seccomp(enum sandbox_role role)
{
    (void)role;
    return 0;
}

bool
sandbox_available(void)
{
    return false;
}
