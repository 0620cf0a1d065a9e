/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench-micro - Google Benchmark over the parts of keyward */
#include "micro.h"

#include <stdio.h>
#include <string.h>

#include <keyward/limits.h>
#include <keyward/secret.h>

/* Beside the cache's slots: some seeds, a block of the codec, a few thousand small loans.
 */
#define ARENA_BESIDE (2u << 20)

bool kw_micro_failed(struct kw_micro *m, kw_err e)
{
    char text[128];
    if (!kw_failed(e))
        return false;
    snprintf(text, sizeof text, "%s at %s", kw_code_name(e.code),
             e.where != NULL ? e.where : "?");
    kw_micro_fail(m, text);
    return true;
}

/* splitmix64: no secret hangs on it. */
void kw_micro_fill(void *dst, size_t len, uint64_t seed)
{
    uint8_t *to = dst;
    for (size_t i = 0; i < len; i++) {
        uint64_t z = seed + (i / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        to[i] = (uint8_t)((z ^ (z >> 31)) >> (i % 8 * 8));
    }
}

static void help(void)
{
    fputs("usage: keyward-bench micro [options]\n\n"
          "Measures the parts of keyward by themselves.  The options are Google "
          "Benchmark's:\n",
          stdout);
    fflush(stdout);
}

/* The largest caches want more locked memory than an ordinary user has: what does not fit
 * is left out, aloud and in the report. */
static int64_t entries_max;

static void fit_caches(void)
{
    char text[160];
    entries_max = KW_MICRO_ENTRIES_MAX;
    while (entries_max > 64 &&
           (uint64_t)entries_max * KW_SEED_MAX + ARENA_BESIDE > kw_arena_allowed())
        entries_max /= 4;
    if (entries_max == KW_MICRO_ENTRIES_MAX)
        return;
    snprintf(text, sizeof text,
             "caches over %lld entries: RLIMIT_MEMLOCK is too small (ulimit -l)",
             (long long)entries_max);
    fprintf(stderr, "keyward-bench micro: left out: %s\n", text);
    kw_micro_context("left_out", text);
}

static bool arena_open;

static bool begin(void)
{
    struct kw_note note = {{0}};
    kw_err e = kw_arena_open((size_t)entries_max * KW_SEED_MAX + ARENA_BESIDE,
                             KW_ARENA_AUTO, &note);
    if (kw_failed(e))
        fprintf(stderr, "keyward-bench micro: %s\n", note.text);
    arena_open = !kw_failed(e);
    return arena_open;
}

int main(int argc, char **argv)
{
    static char json[] = "--benchmark_format=json";
    for (int i = 1; i < argc; i++) /* as every other verb has it */
        if (strcmp(argv[i], "--json") == 0)
            argv[i] = json;
    fit_caches();
    kw_micro_context("tool", "keyward-bench micro");
    kw_micro_context("keyward_version", KW_VERSION);
    kw_micro_context("keyward_build", KW_BUILD_TYPE);
    const struct kw_micro_case *const families[] = {
        kw_micro_floor,  kw_micro_envelope, kw_micro_cache(entries_max),
        kw_micro_policy, kw_micro_codec,    kw_micro_wire,
        kw_micro_secret, kw_micro_keyring};
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        kw_micro_register(families[i]);
    static const struct kw_micro_program program = {help, begin};
    int code = kw_micro_main(argc, argv, &program);
    if (arena_open)
        kw_arena_close();
    return code;
}
