/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "check.h"

#include "token_bench.h"
#include "object.h"

static struct kw_note note;

/* A keyring in memory, whose key_id is one that no ceremony gives. */
static void ring_of(struct kw_key_guard *g, const char *key_id, const char *locator)
{
    static struct kw_version v;
    v = (struct kw_version){.n = 7, .mechanism = KW_MECH_AES_256_GCM};
    snprintf(v.key_id, sizeof v.key_id, "%s", key_id);
    struct kw_object *o = kw_test_object(&v);
    o->locator_len = strlen(locator);
    kw_copy(o->locator, sizeof o->locator, kw_span_str(locator));
    *g = (struct kw_key_guard){.path = "k.json"};
    CHECK_OK(kw_keyring_new("test", &g->ring));
    CHECK_OK(kw_keyring_add(g->ring, &v));
}

TEST(allows__label_of_the_keyring__denied)
{
    struct kw_key_guard g;
    ring_of(&g, "kw-bench-0a", "loc");
    CHECK_CODE(kw_key_guard_allows(&g, "kw-bench-0a", (kw_span){0}, &note),
               KW_CODE_DENIED);
    CHECK_HAS(note.text, "label of version 7");
    CHECK_HAS(note.text, "k.json");
    kw_key_guard_close(&g);
}

TEST(allows__locator_of_the_keyring__denied)
{
    struct kw_key_guard g;
    ring_of(&g, "kw1-7-0a", "loc");
    CHECK_CODE(kw_key_guard_allows(&g, "kw-bench-0b", kw_span_str("loc"), &note),
               KW_CODE_DENIED);
    CHECK_HAS(note.text, "locator of version 7");
    kw_key_guard_close(&g);
}

TEST(allows__neither__ok)
{
    struct kw_key_guard g;
    ring_of(&g, "kw-bench-0a", "");
    CHECK_OK(kw_key_guard_allows(&g, "kw-bench-0", (kw_span){0}, &note));
    CHECK_OK(kw_key_guard_allows(&g, "kw-bench-0aa", kw_span_str("loc"), &note));
    kw_key_guard_close(&g);
    CHECK(kw_key_guard_count(&g) == 0);
    CHECK_OK(kw_key_guard_allows(&g, "kw-bench-0a", (kw_span){0}, &note));
}

TEST(open__named_and_missing__refused)
{
    struct kw_key_guard g = {.path = "x"};
    CHECK_CODE(kw_key_guard_open("/nonexistent/k.json", "/nonexistent/s.json", &g, &note),
               KW_CODE_MISSING);
    CHECK_STR(g.path, "x");
}

TEST(open__standard_missing__no_keyring)
{
    struct kw_key_guard g = {.path = "x"};
    CHECK_OK(kw_key_guard_open(NULL, "/nonexistent/s.json", &g, &note));
    CHECK(g.path == NULL && kw_key_guard_count(&g) == 0);
}

TEST(open__standard_not_understood__refused)
{
    char path[] = "/tmp/keyward-guard-XXXXXX";
    struct kw_key_guard g = {.path = "x"};
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, "{}", 2) == 2 && close(fd) == 0);
    kw_err e = kw_key_guard_open(NULL, path, &g, &note);
    (void)unlink(path);
    CHECK_CODE(e, KW_CODE_BAD_INPUT);
    CHECK_STR(g.path, "x");
}

TEST(p99__no_limit__never)
{
    struct kw_p99_watch w = {0};
    const struct kw_operations p = {1000, 1000, INT64_MAX};
    CHECK(!kw_p99_over(&w, &p, &note));
}

TEST(p99__more_than_one_in_a_hundred__over)
{
    struct kw_p99_watch w = {.limit_ns = KW_MS_NS};
    CHECK(!kw_p99_over(&w, &(struct kw_operations){200, 2, 0}, &note));
    CHECK(kw_p99_over(&w, &(struct kw_operations){400, 5, 0}, &note));
    CHECK_HAS(note.text, "3 of the last 200 operations took longer than 1ms");
}

/* One slow operation of a few says nothing yet; it stays in its window. */
TEST(p99__few_operations__waits_for_the_window)
{
    struct kw_p99_watch w = {.limit_ns = KW_MS_NS};
    CHECK(!kw_p99_over(&w, &(struct kw_operations){10, 10, 0}, &note));
    CHECK(!kw_p99_over(&w, &(struct kw_operations){99, 10, 0}, &note));
    CHECK(kw_p99_over(&w, &(struct kw_operations){100, 10, 0}, &note));
}

TEST(p99__nothing_comes_back__over)
{
    struct kw_p99_watch w = {.limit_ns = 200 * KW_MS_NS}, quick = {.limit_ns = KW_MS_NS};
    CHECK(!kw_p99_over(&w, &(struct kw_operations){0, 0, 2000 * KW_MS_NS}, &note));
    CHECK(!kw_p99_over(&quick, &(struct kw_operations){0, 0, 1000 * KW_MS_NS}, &note));
    CHECK(kw_p99_over(&quick, &(struct kw_operations){0, 0, 1001 * KW_MS_NS}, &note));
    CHECK(kw_p99_over(&w, &(struct kw_operations){0, 0, 2010 * KW_MS_NS}, &note));
    CHECK_HAS(note.text, "has not come back");
}

KW_CASES("bench/token/guard", CASE(allows__label_of_the_keyring__denied),
         CASE(allows__locator_of_the_keyring__denied), CASE(allows__neither__ok),
         CASE(open__named_and_missing__refused), CASE(open__standard_missing__no_keyring),
         CASE(open__standard_not_understood__refused), CASE(p99__no_limit__never),
         CASE(p99__more_than_one_in_a_hundred__over),
         CASE(p99__few_operations__waits_for_the_window),
         CASE(p99__nothing_comes_back__over))
