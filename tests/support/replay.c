/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds every file of a folder to a fuzz target, and every prefix of it: seeds replay in
 * the ordinary test run without a fuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Each prefix in a block of its own size, so that a sanitizer sees a read past its
 * end. */
static void feed(const uint8_t *data, size_t len)
{
    size_t stride = len > 4096 ? len / 1024 : 1;
    for (size_t n = 0; n <= len; n += (n + stride > len && n < len) ? len - n : stride) {
        uint8_t *copy = malloc(n ? n : 1);
        if (copy == NULL)
            abort();
        for (size_t i = 0; i < n; i++)
            copy[i] = data[i];
        LLVMFuzzerTestOneInput(copy, n);
        free(copy);
    }
}

static int replay(const char *folder, const char *name)
{
    static uint8_t data[1 << 20];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        return 1;
    }
    size_t len = fread(data, 1, sizeof data, f);
    fclose(f);
    feed(data, len);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned fed = 0;
    DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
    if (d == NULL) {
        fprintf(stderr, "usage: %s FOLDER-OF-SEEDS\n", argv[0]);
        return 2;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.') {
            if (replay(argv[1], e->d_name) != 0)
                return 1;
            fed++;
        }
    closedir(d);
    printf("%u seeds replayed\n", fed);
    return fed > 0 ? 0 : 1;
}
