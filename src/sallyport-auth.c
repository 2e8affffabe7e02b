/* SPDX-License-Identifier: ISC */
/* sallyport-auth: a process of a method's pool, started by sallyportd. */
#include "src/authd/authd.h"

int
main(int argc, char **argv, char **envp)
{
    return authd_main(argc, argv, envp);
}
