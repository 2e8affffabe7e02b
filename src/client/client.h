/* SPDX-License-Identifier: ISC */
/* sallyport: the client. */
#ifndef SP_CLIENT_CLIENT_H
#define SP_CLIENT_CLIENT_H

/* The whole program; the exit status (enum client_status). */
int client_main(int argc, char **argv);

#endif
