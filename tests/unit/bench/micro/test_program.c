/* SPDX-License-Identifier: Apache-2.0 */
/* The program as it is run: its report, and that the cases did what they are called. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "run.h"

static struct kw_run r;
#define RUN(...)                                                                         \
    kw_run(&r, (const char *const[]){KEYWARD_BENCH, "micro", __VA_ARGS__, NULL})
/* A moment for each: it is asked what is measured, not how long that takes. */
#define MOMENT "--benchmark_min_time=0.0001"

static const char *name_of(const json_t *benchmarks, size_t at)
{
    return json_string_value(json_object_get(json_array_get(benchmarks, at), "name"));
}

static double number(const json_t *benchmark, const char *name)
{
    const json_t *n = json_object_get(benchmark, name);
    if (!json_is_number(n))
        fail_msg("no %s", name);
    return json_number_value(n);
}

TEST(filter__matches_nothing__two)
{
    RUN(MOMENT, "--benchmark_filter=cahce");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "no case matches the filter");
}

TEST(option__unknown__two)
{
    RUN("--benchmark_fliter=cache");
    CHECK(r.status == 2);
    CHECK_HAS(r.err, "--benchmark_fliter=cache");
}

static void copy(const char *from, const char *to)
{
    static char bytes[1 << 16];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    ssize_t n = 0;
    CHECK(in >= 0 && out >= 0);
    while ((n = read(in, bytes, sizeof bytes)) > 0)
        CHECK(write(out, bytes, (size_t)n) == n);
    CHECK(n == 0 && close(in) == 0 && close(out) == 0);
}

TEST(verb__program_not_beside_it__three_and_where)
{
    char folder[] = "/tmp/keyward-test-XXXXXX", path[64];
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/keyward-bench", folder);
    copy(KEYWARD_BENCH, path);
    kw_run(&r, (const char *const[]){path, "micro", NULL});
    CHECK(r.status == 3);
    CHECK_HAS(r.err, folder);
    CHECK_HAS(r.err, "keyward-bench-micro is not there");
    CHECK(unlink(path) == 0 && rmdir(folder) == 0);
}

TEST(help__says_whose_options__zero)
{
    RUN("--help");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "usage: keyward-bench micro");
    CHECK_HAS(r.out, "--benchmark_filter");
}

/* What the cache itself counted is what the case says it did. */
static void check_counters(const json_t *b)
{
    static const struct {
        const char *prefix, *counter, *never;
        bool all_of_them; /* a turn is as many as the cache has entries */
    } rows[] = {{"cache/hit/", "hits", "misses", false},
                {"cache/miss/", "misses", "hits", false},
                {"cache/insert/", "puts", "evicted", false},
                {"cache/evict/", "evicted", NULL, false},
                {"cache/expire/", "expired", NULL, true}};
    const char *name = json_string_value(json_object_get(b, "name"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strncmp(name, rows[i].prefix, strlen(rows[i].prefix)) != 0)
            continue;
        const char *entries = strchr(name, ':');
        CHECK(entries != NULL);
        double wanted = number(b, "iterations");
        if (rows[i].all_of_them)
            wanted *= strtod(entries + 1, NULL);
        double counted = number(b, rows[i].counter);
        CHECK(wanted > 0 && counted >= wanted && counted <= wanted);
        CHECK(rows[i].never == NULL || !(number(b, rows[i].never) > 0));
    }
}

TEST(report__every_family__is_in_it_and_did_what_it_says)
{
    static const char *const families[] = {"floor/empty",
                                           "floor/aes_256_gcm_encrypt/",
                                           "floor/aes_256_gcm_decrypt/",
                                           "envelope/parse",
                                           "envelope/write",
                                           "envelope/prove",
                                           "cache/hit/",
                                           "cache/miss/",
                                           "cache/insert/",
                                           "cache/evict/",
                                           "cache/expire/",
                                           "policy/verdict",
                                           "codec/parse_decrypt",
                                           "codec/pack_decrypt",
                                           "wire/round_trip/",
                                           "secret/take_give/",
                                           "secret/wipe/",
                                           "keyring/by_key_id/"};
    RUN("--json", MOMENT);
    CHECK(r.status == 0);
    json_t *root = json_loads(r.out, 0, NULL);
    const json_t *all = json_object_get(root, "benchmarks");
    CHECK_STR(
        json_string_value(json_object_get(json_object_get(root, "context"), "tool")),
        "keyward-bench micro");
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        bool found = false;
        for (size_t k = 0; k < json_array_size(all); k++)
            found =
                found || strncmp(name_of(all, k), families[i], strlen(families[i])) == 0;
        if (!found)
            fail_msg("no %s", families[i]);
    }
    for (size_t k = 0; k < json_array_size(all); k++) {
        CHECK(json_object_get(json_array_get(all, k), "error_occurred") == NULL);
        CHECK(number(json_array_get(all, k), "iterations") > 0);
        check_counters(json_array_get(all, k));
    }
    json_decref(root);
}

TEST(list__names_only__nothing_is_run)
{
    RUN("--benchmark_list_tests=true", "--benchmark_filter=^cache/hit");
    CHECK(r.status == 0);
    CHECK_HAS(r.out, "cache/hit/entries:64\n");
    CHECK(strstr(r.out, "cache/miss") == NULL);
}

KW_CASES("bench/micro/program", CASE(filter__matches_nothing__two),
         CASE(option__unknown__two), CASE(verb__program_not_beside_it__three_and_where),
         CASE(help__says_whose_options__zero),
         CASE(report__every_family__is_in_it_and_did_what_it_says),
         CASE(list__names_only__nothing_is_run))
