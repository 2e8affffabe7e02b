/* SPDX-License-Identifier: ISC */
/* Pages made from tables, see the header. top_srcdir says where the tree is. */
#include "doc/page.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX (256 * 1024)

static bool
page_same(const char *path, const char *text, size_t len)
{
    static char have[PAGE_MAX];
    FILE *in = fopen(path, "r");

    if (in == NULL) {
        perror(path);
        return false;
    }
    size_t had = fread(have, 1, sizeof have, in);

    fclose(in);
    return had == len && memcmp(have, text, len) == 0;
}

/* The page the table asks for, and the one in the tree. */
static int
page_check(const struct page *p)
{
    const char *top = getenv("top_srcdir");
    char path[4096];
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (out == NULL || snprintf(path, sizeof path, "%s/doc/%s", top != NULL ? top : ".", p->page) < 0) {
        perror(p->page);
        return EXIT_FAILURE;
    }
    p->put(out);
    fclose(out);
    bool same = page_same(path, text, len);

    free(text);
    if (!same)
        printf("%s is not what %s says; write it anew with: build/doc/%s print\n", path, p->table,
            p->program);
    return same ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
page_main(const struct page *p, int argc, char **argv)
{
    if (argc == 1)
        return page_check(p);
    if (argc != 2 || strcmp(argv[1], "print") != 0) {
        fprintf(stderr, "usage: %s [print]\n", p->program);
        return EXIT_FAILURE;
    }
    p->put(stdout);
    return ferror(stdout) || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
