/* SPDX-License-Identifier: ISC */
/* The logger's program; started by sallyportd. */
#include "src/logger/logger.h"

int
main(int argc, char **argv, char **envp)
{
    return logger_main(argc, argv, envp);
}
