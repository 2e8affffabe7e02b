/* SPDX-License-Identifier: ISC */
/*
 * A manual page that comes from a table: written to standard output with the argument "print", else compared
 * with the one in the tree. Serves doc/events.c and doc/metrics.c; what goes wrong is told and is the exit
 * status.
 */
#ifndef SP_DOC_PAGE_H
#define SP_DOC_PAGE_H

#include <stdio.h>

struct page {
    const char *program; /* "events" */
    const char *page;    /* "sallyport-events.7", in doc/ */
    const char *table;   /* "src/core/event.def" */
    void (*put)(FILE *out);
};

/* The whole of main(). */
int page_main(const struct page *p, int argc, char **argv);

#endif
