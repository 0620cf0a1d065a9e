/* SPDX-License-Identifier: Apache-2.0 */
/* The program as it is run: its report, and that no case says it did something else than it
 * is called. */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "run.h"

static struct kw_run r;
#define RUN(...)                                                                         \
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "micro", __VA_ARGS__, NULL})

TEST(words_it_does_not_take__two_and_what_it_takes)
{
    RUN("--benchmark_filter=cahce");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "no case matches the filter");
    RUN("--benchmark_fliter=cache");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--benchmark_fliter=cache");
    RUN("--help");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "usage: keyward-bench micro");
    CHECK_HAS(r.out, "--benchmark_filter");
}

TEST(verb__program_not_beside_it__three_and_where)
{
    char folder[] = "/tmp/keyward-test-XXXXXX", path[64], micro[96];
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/keyward-bench", folder);
    snprintf(micro, sizeof micro, "%s-micro: No such file", path);
    kw_run(&r, (const char *const[]){"/bin/cp", KEYWARD_BENCH, path, NULL});
    CHECK(r.status == 0);
    kw_run(&r, (const char *const[]){path, "micro", NULL});
    CHECK(unlink(path) == 0 && rmdir(folder) == 0);
    CHECK(r.status == 3);
    CHECK_HAS(r.err, micro);
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
                                        "cache/evict/entries:1024",
                                        "wire/round_trip/in_flight:8/real_time"};
    RUN("--json", "--benchmark_min_time=0.0001");
    CHECK(r.status == 0);
    json_t *root = json_loads(r.out, 0, NULL);
    const json_t *all = json_object_get(root, "benchmarks"), *one;
    size_t at, found = 0;
    CHECK_STR(
        json_string_value(json_object_get(json_object_get(root, "context"), "tool")),
        "keyward-bench micro");
    json_array_foreach(all, at, one)
    {
        CHECK(json_object_get(one, "error_occurred") == NULL);
        CHECK(json_integer_value(json_object_get(one, "iterations")) > 0);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            found +=
                strcmp(json_string_value(json_object_get(one, "name")), names[i]) == 0;
    }
    CHECK(found == sizeof names / sizeof names[0]);
    json_decref(root);
}

KW_CASES("bench/micro/program", CASE(words_it_does_not_take__two_and_what_it_takes),
         CASE(verb__program_not_beside_it__three_and_where),
         CASE(report__every_family__is_in_it_and_did_what_it_says))
