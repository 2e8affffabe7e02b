/* SPDX-License-Identifier: ISC */
/* The metrics's program; started by sallyportd. */
#include "src/metrics/metrics.h"

int
main(int argc, char **argv, char **envp)
{
    return metrics_main(argc, argv, envp);
}
