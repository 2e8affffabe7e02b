/* SPDX-License-Identifier: ISC */
/* The start of sallyport-metrics. */
#ifndef SP_METRICS_METRICS_H
#define SP_METRICS_METRICS_H

int metrics_main(int argc, char **argv, char **envp);

#endif
