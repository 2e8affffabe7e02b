/* SPDX-License-Identifier: ISC */
/* sallyportd: the master program. Everything it is lies in src/master/. */
#include "src/master/master.h"

int
main(int argc, char **argv, char **envp)
{
    return master_main(argc, argv, envp);
}
