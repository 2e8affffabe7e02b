/* SPDX-License-Identifier: ISC */
/*
 * Runs a fuzz target over files, each given to it in a heap block of exactly its size. Without
 * arguments: every file of the target's corpus, and none there is an error.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#ifndef REPLAY_TARGET
#error "REPLAY_TARGET names the folder in tests/fuzz/corpus"
#endif

#define REPLAY_MAX (1024L * 1024)

static uint8_t *
replay_read(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rbe");
    if (f == NULL) {
        return NULL;
    }
    uint8_t *data = NULL;
    long len = -1;
    if (fseek(f, 0, SEEK_END) == 0 && (len = ftell(f)) >= 0 && len <= REPLAY_MAX &&
        fseek(f, 0, SEEK_SET) == 0 && (data = malloc(len > 0 ? (size_t)len : 1)) != NULL &&
        fread(data, 1, (size_t)len, f) != (size_t)len) {
        free(data);
        data = NULL;
    }
    (void)fclose(f);
    *size = (size_t)len;
    return data;
}

static int
replay_file(const char *path)
{
    size_t size = 0;
    uint8_t *data = replay_read(path, &size);
    if (data == NULL) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        return -1;
    }
    /* Said before, so that the last line names the file that broke it. */
    (void)printf("%s\n", path);
    (void)fflush(stdout);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

static int
replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        (void)fprintf(stderr, "%s: %s\n", folder, strerror(errno));
        return -1;
    }
    int files = 0;
    int result = 0;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char path[4096];
        if (e->d_name[0] == '.') {
            continue;
        }
        const int n = snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (n < 0 || (size_t)n >= sizeof(path) || replay_file(path) != 0) {
            result = -1;
        }
        files++;
    }
    (void)closedir(dir);
    (void)printf(REPLAY_TARGET ": %d files\n", files);
    return files > 0 ? result : -1;
}

int
main(int argc, char **argv)
{
    int result = 0;
    for (int i = 1; i < argc; i++) {
        result |= replay_file(argv[i]);
    }
    if (argc < 2) {
        char folder[4096];
        const char *top = getenv("top_srcdir");
        const int n = snprintf(
            folder, sizeof(folder), "%s/tests/fuzz/corpus/" REPLAY_TARGET, top != NULL ? top : ".");
        result = n < 0 || (size_t)n >= sizeof(folder) ? -1 : replay_folder(folder);
    }
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
