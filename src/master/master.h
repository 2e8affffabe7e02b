/* SPDX-License-Identifier: ISC */
/* sallyportd: the master process. src/sallyportd.c calls this and nothing else. */
#ifndef SP_MASTER_MASTER_H
#define SP_MASTER_MASTER_H

/* Runs until told to stop. Returns the exit status: 0 ended in order, 1 the environment or the
   configuration does not allow to run, 2 wrong usage. */
int master_main(int argc, char **argv, char **envp);

#endif
