/* SPDX-License-Identifier: Apache-2.0 */
/* The program as it is run: its report, and that no case says it did something else than it
 * is called. */
#include "check.h"

#include <unistd.h>

#include "document.h"
#include "run.h"

static struct kw_run r;

TEST(help__its_own_and_the_librarys_words)
{
    kw_run_line(&r, 0, KEYWARD_BENCH, "micro --help");
    CHECK_HAS(r.out, "usage: keyward-bench micro");
    CHECK_HAS(r.out, "--benchmark_filter");
}

TEST(verb__program_not_beside_it__three_and_where)
{
    char folder[] = "/tmp/keyward-test-XXXXXX";
    CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
    kw_run_line(&r, 0, "/bin/cp", "%s .", KEYWARD_BENCH);
    kw_run_line(&r, 3, "./keyward-bench", "micro");
    CHECK_HAS(r.err, folder);
    CHECK_HAS(r.err, "/keyward-bench-micro: No such file");
    kw_run_line(&r, 0, "/bin/rm", "-r %s", folder);
}

/* A moment for each: it is asked what is measured, not how long that takes. */
TEST(report__every_family__is_in_it_and_did_what_it_says)
{
    static const char *const names[] = {"floor/empty",
                                        "floor/aes_256_gcm_encrypt",
                                        "envelope/parse",
                                        "envelope/prove",
                                        "policy/verdict",
                                        "codec/parse_decrypt",
                                        "secret/take_give",
                                        "keyring/by_key_id/versions:64",
                                        "cache/hit/entries:1024",
                                        "cache/miss/entries:1024",
                                        "cache/evict/entries:1024"};
    size_t at, found = 0;
    json_t *one;
    kw_run_line(&r, 0, KEYWARD_BENCH, "micro --json --benchmark_min_time=0.0001");
    json_t *root = kw_parsed(r.out);
    json_array_foreach(json_object_get(root, "benchmarks"), at, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            found += strcmp(name, names[i]) == 0;
        kw_holds(json_incref(one), "error_occurred absent, iterations > 0");
    }
    CHECK(found == sizeof names / sizeof names[0]);
    kw_holds(root, "context/tool = keyward-bench micro");
}

KW_SUITE("bench/micro/program")
