/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench - measures any KMS v2 socket and any token: a table of verbs */
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const struct {
    const char *name, *summary;
    kw_bench_verb *run; /* NULL: the script's verb, or the program beside this one */
    const char *beside;
} verbs[] = {
    {"load", "drive a KMS v2 socket and say what a call costs", kw_bench_load},
    {"token", "wrap and unwrap in a token, without any server", kw_bench_token},
    {"wall", "the way to workers and back, without any token", kw_bench_wall},
    {"serve", "serve a socket with a cipher, a token or nothing behind it",
     kw_bench_serve},
    {"echo", "serve a socket that answers its input: the transport's ceiling",
     .beside = "keyward-bench-echo"},
    {"storm", "API servers that start together: how long until they are ready",
     kw_bench_storm},
    {"gap", "restart a plugin and say what a client misses"},
    {"rounds", "several of these by turns, and their ratios"},
    {"plan", "can this token carry this cluster?"},
    {"compare", "is it slower?  two runs, or one and a baseline"},
    {"micro", "parts of keyward by themselves, with Google Benchmark",
     .beside = "keyward-bench-micro"},
    {"report", "one page of a results folder"},
    {"split", "one such run of two things, told apart"},
};

static int bench_usage(FILE *out, int status)
{
    fputs("usage: keyward-bench VERB [options]\n\n", out);
    for (size_t i = 0; i < KW_COUNT(verbs); i++)
        fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
    fputs("\nkeyward-bench VERB --help tells more; keyward-bench --version\n", out);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return bench_usage(stderr, KW_BENCH_USAGE);
    if (strcmp(argv[1], "--help") == 0)
        return bench_usage(stdout, KW_BENCH_GOOD);
    if (strcmp(argv[1], "--version") == 0)
        return printf("keyward-bench %s\n", KW_VERSION) > 0 ? KW_BENCH_GOOD
                                                            : KW_BENCH_UNABLE;
    for (size_t i = 0; i < KW_COUNT(verbs); i++)
        if (strcmp(verbs[i].name, argv[1]) == 0)
            return verbs[i].run != NULL      ? verbs[i].run(argc - 1, argv + 1)
                   : verbs[i].beside != NULL ? kw_beside_exec(verbs[i].beside, argv + 1)
                                             : kw_analysis_exec(argc - 1, argv + 1);
    fprintf(stderr, "keyward-bench: '%s' is no verb\n", argv[1]);
    return bench_usage(stderr, KW_BENCH_USAGE);
}
