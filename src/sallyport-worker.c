/* SPDX-License-Identifier: ISC */
/* sallyport-worker: started by sallyportd alone, never by hand. */
#include "src/worker/worker.h"

int
main(int argc, char **argv)
{
    extern char **environ;

    return worker_main(argc, argv, environ);
}
