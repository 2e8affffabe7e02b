/* SPDX-License-Identifier: ISC */
/* sallyport: the client. Everything it is lies in src/client/. */
#include "src/client/client.h"

int
main(int argc, char **argv)
{
    return client_main(argc, argv);
}
