/* SPDX-License-Identifier: ISC */
/* sallyportctl: what the person on call asks a gateway, and what a configuration would decide. */
#ifndef SP_CTL_CTL_H
#define SP_CTL_CTL_H

int ctl_main(int argc, char **argv);

#endif
