/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "check.h"

#include "token_bench.h"
#include "object.h"

static struct kw_note note;

/* A keyring in memory, whose key_id is one that no ceremony gives. */
static struct kw_key_guard guard_of(const char *key_id, const char *locator)
{
    static struct kw_version v;
    struct kw_key_guard made = {.path = "k.json"};
    v = (struct kw_version){.n = 7, .mechanism = KW_MECH_AES_256_GCM};
    snprintf(v.key_id, sizeof v.key_id, "%s", key_id);
    struct kw_object *o = kw_test_object(&v);
    o->locator_len = strlen(locator);
    kw_copy(o->locator, sizeof o->locator, kw_span_str(locator));
    CHECK_OK(kw_keyring_new("test", &made.ring));
    CHECK_OK(kw_keyring_add(made.ring, &v));
    return made;
}

static struct kw_key_guard g;

static kw_err allows(const char *label, const char *locator)
{
    return kw_key_guard_allows(&g, label, kw_span_str(locator), &note);
}

TEST(allows__label_or_locator_of_the_keyring__denied_and_nothing_else)
{
    g = guard_of("kw-bench-0a", "loc");
    CHECK_CODE(allows("kw-bench-0a", ""), KW_CODE_DENIED);
    CHECK_HAS(note.text, "label of version 7 in the keyring k.json");
    CHECK_CODE(allows("kw-bench-0b", "loc"), KW_CODE_DENIED);
    CHECK_HAS(note.text, "locator of version 7");
    CHECK_OK(allows("kw-bench-0", "lo"));
    CHECK_OK(allows("kw-bench-0aa", ""));
    kw_key_guard_close(&g);
    CHECK_OK(allows("kw-bench-0a", ""));
    g = guard_of("kw1-7-0a", ""); /* no locator is no locator in common */
    CHECK_OK(allows("kw-bench-0a", ""));
    kw_key_guard_close(&g);
}

TEST(open__named_and_missing_or_not_understood__refused)
{
    char path[] = "/tmp/keyward-guard-XXXXXX";
    g = (struct kw_key_guard){.path = "x"};
    CHECK_CODE(kw_key_guard_open("/nonexistent/k.json", "/nonexistent/s.json", &g, &note),
               KW_CODE_MISSING);
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, "{}", 2) == 2 && close(fd) == 0);
    kw_err e = kw_key_guard_open(NULL, path, &g, &note);
    (void)unlink(path);
    CHECK_CODE(e, KW_CODE_BAD_INPUT);
    CHECK_STR(g.path, "x");
    CHECK_OK(kw_key_guard_open(NULL, "/nonexistent/s.json", &g, &note));
    CHECK(g.path == NULL && g.ring == NULL);
}

/* One slow operation of a few says nothing yet; it stays in its window. */
TEST(p99__more_than_one_in_a_hundred_or_none_comes_back__over)
{
    struct kw_p99_watch none = {0}, w = {.limit_ns = KW_MS_NS}, few = w, hung = w;
    struct kw_p99_watch slow = {.limit_ns = 200 * KW_MS_NS};
    CHECK(!kw_p99_over(&none, &(struct kw_operations){1000, 1000, INT64_MAX}, &note));
    CHECK(!kw_p99_over(&w, &(struct kw_operations){200, 2, 0}, &note));
    CHECK(kw_p99_over(&w, &(struct kw_operations){400, 5, 0}, &note));
    CHECK_HAS(note.text, "3 of the last 200 operations took longer than 1ms");
    CHECK(!kw_p99_over(&few, &(struct kw_operations){99, 10, 0}, &note));
    CHECK(kw_p99_over(&few, &(struct kw_operations){100, 10, 0}, &note));
    CHECK(!kw_p99_over(&hung, &(struct kw_operations){0, 0, 1000 * KW_MS_NS}, &note));
    CHECK(kw_p99_over(&hung, &(struct kw_operations){0, 0, 1001 * KW_MS_NS}, &note));
    CHECK(!kw_p99_over(&slow, &(struct kw_operations){0, 0, 2000 * KW_MS_NS}, &note));
    CHECK(kw_p99_over(&slow, &(struct kw_operations){0, 0, 2010 * KW_MS_NS}, &note));
    CHECK_HAS(note.text, "has not come back");
}

KW_SUITE("bench/token/guard")
