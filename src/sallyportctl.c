/* SPDX-License-Identifier: ISC */
/* sallyportctl. Everything it is lies in src/ctl/. */
#include "src/ctl/ctl.h"

int
main(int argc, char **argv)
{
    return ctl_main(argc, argv);
}
