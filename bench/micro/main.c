/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench-micro - Google Benchmark over the parts of keyward */
#include "micro.h"

#include <stdio.h>
#include <string.h>

#include <keyward/limits.h>
#include <keyward/secret.h>

/* Beside the cache's slots: some seeds, and a block of the codec. */
#define ARENA_BESIDE (1u << 20)

void kw_micro_fill(void *dst, size_t len, uint64_t seed)
{
    uint8_t *to = dst;
    for (size_t i = 0; i < len; i++) { /* Knuth's MMIX: any bytes, the same in each run */
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        to[i] = (uint8_t)(seed >> 56);
    }
}

static void micro_help(void)
{
    fputs("usage: keyward-bench micro [options]\n\n"
          "Measures the parts of keyward by themselves.  The options are Google "
          "Benchmark's:\n",
          stdout);
    fflush(stdout);
}

/* The largest caches want more locked memory than an ordinary user has: what does not fit
 * is left out, aloud and in the report. */
static int64_t entries_that_fit(void)
{
    char text[160];
    int64_t most = KW_MICRO_ENTRIES_MAX;
    while (most > 64 && (uint64_t)most * KW_SEED_MAX + ARENA_BESIDE > kw_arena_allowed())
        most /= 4;
    if (most == KW_MICRO_ENTRIES_MAX)
        return most;
    snprintf(text, sizeof text,
             "caches over %lld entries: RLIMIT_MEMLOCK is too small (ulimit -l)",
             (long long)most);
    fprintf(stderr, "keyward-bench micro: left out: %s\n", text);
    kw_micro_context("left_out", text);
    return most;
}

int main(int argc, char **argv)
{
    static char json[] = "--benchmark_format=json";
    struct kw_note note = {{0}};
    const int64_t most = entries_that_fit();
    for (int i = 1; i < argc; i++) /* as every other verb has it */
        if (strcmp(argv[i], "--json") == 0)
            argv[i] = json;
    kw_err e =
        kw_arena_open((size_t)most * KW_SEED_MAX + ARENA_BESIDE, KW_ARENA_AUTO, &note);
    if (kw_failed(e)) {
        fprintf(stderr, "keyward-bench micro: %s\n", note.text);
        return 3;
    }
    kw_micro_context("tool", "keyward-bench micro");
    kw_micro_context("keyward_version", KW_VERSION);
    kw_micro_context("keyward_build", KW_BUILD_TYPE);
    kw_micro_register(kw_micro_parts);
    kw_micro_register(kw_micro_cache(most));
    int code = kw_micro_main(argc, argv, micro_help);
    kw_arena_close();
    return code;
}
