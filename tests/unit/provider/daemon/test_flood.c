/* SPDX-License-Identifier: Apache-2.0 */
/* When connections are ended because the process has grown. */
#include "check.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon_fakes.h"

enum { LIMIT_MIB = 300 };
static const int64_t now_ns = 1000 * KW_S_NS;

static int64_t ended_since; /* 0: none were */
static unsigned asked;

unsigned kw_listener_end(struct kw_listener *listener, int64_t since_ns)
{
    CHECK(listener != NULL);
    ended_since = since_ns;
    asked++;
    return 2;
}

static bool held;

void kw_listener_hold(struct kw_listener *listener, bool hold)
{
    CHECK(listener != NULL);
    held = hold;
}

static int64_t now(void *self)
{
    (void)self;
    return now_ns;
}

struct flooded {
    struct kw_daemon d;
    struct kw_config config;
    struct kw_clock clock;
};

static void flooded_begin(struct flooded *f)
{
    *f = (struct flooded){.config.class_count = 2, .clock = {now, now, now, NULL}};
    daemon_begin(&f->d, &f->config);
    f->d.clock = &f->clock;
    for (size_t i = 0; i < 2; i++)
        f->d.class_listeners[i].listener = (struct kw_listener *)&f->d;
    f->d.flood = (struct kw_flood){.statm = memfd_create("statm", MFD_CLOEXEC),
                                   .limit = (uint64_t)LIMIT_MIB << 20};
    CHECK(f->d.flood.statm >= 0);
}

static void flooded_end(struct flooded *f)
{
    kw_flood_end(&f->d);
    daemon_end(&f->d);
}

/* One look at so many resident MiB: 0 when nothing is ended, else since when. */
static int64_t look(struct flooded *f, unsigned mib)
{
    char text[64];
    unsigned long pages =
        ((unsigned long)mib << 20) / (unsigned long)sysconf(_SC_PAGESIZE);
    int n = snprintf(text, sizeof text, "9999999 %lu 77 1 0 1 0\n", pages);
    CHECK(ftruncate(f->d.flood.statm, 0) == 0);
    CHECK(pwrite(f->d.flood.statm, text, (size_t)n, 0) == n);
    ended_since = 0;
    asked = 0;
    kw_flood_look(&f->d);
    CHECK(asked == 0 || asked == 2); /* no class or each */
    return ended_since;
}

static const int64_t silent = now_ns - 10 * KW_S_NS;

static uint64_t limit_of(struct kw_config *config)
{
    static struct kw_daemon d;
    daemon_begin(&d, config);
    kw_flood_begin(&d);
    const uint64_t limit = d.flood.limit;
    kw_flood_end(&d);
    daemon_end(&d);
    return limit;
}

/* What further tokens lock is no cache with an index that may grow. */
TEST(limit__of_four_tokens__as_of_one)
{
    struct kw_config one = {.token_count = 1}, four = {.token_count = 4};
    const uint64_t a = limit_of(&one), b = limit_of(&four);
    CHECK(a >= 256u << 20 && b < a + 3 * KW_TOKEN_LOCKED);
}

TEST(look__under_the_limit_or_not_told__none_ended)
{
    struct flooded f;
    flooded_begin(&f);
    kw_flood_look(&f.d); /* an empty file */
    CHECK(look(&f, LIMIT_MIB) == 0 && look(&f, 1) == 0);
    CHECK_STR(daemon_log_look(), "");
    flooded_end(&f);
}

TEST(look__over_the_limit__the_silent_ended_once_and_none_taken_until_it_is_over)
{
    struct flooded f;
    flooded_begin(&f);
    CHECK(look(&f, LIMIT_MIB + 1) == silent && held);
    CHECK_HAS(daemon_log_look(),
              "event=memory-flood mib=301 limit_mib=300 ended=4 kept=14");
    for (unsigned i = 0; i < 15; i++)
        CHECK(look(&f, LIMIT_MIB + 200 - i) == 0); /* gRPC is letting go */
    CHECK(held);
    CHECK(look(&f, LIMIT_MIB) == 0 && !held);
    CHECK_STR(daemon_log_look(), "");
    CHECK(look(&f, LIMIT_MIB + 1) == silent && held); /* another one */
    flooded_end(&f);
}

TEST(look__still_over_the_limit__then_all)
{
    struct flooded f;
    flooded_begin(&f);
    CHECK(look(&f, LIMIT_MIB + 10) == silent);
    unsigned looks = 1;
    while (look(&f, LIMIT_MIB + 9) == 0)
        looks++;
    CHECK(ended_since == INT64_MAX && held);
    assert_int_equal(looks, 50); /* five seconds */
    CHECK(look(&f, LIMIT_MIB) == 0 && !held);
    flooded_end(&f);
}

TEST(look__grows_on__all_at_once)
{
    struct flooded f;
    flooded_begin(&f);
    CHECK(look(&f, LIMIT_MIB + 1) == silent);
    CHECK(look(&f, LIMIT_MIB + 257) == 0);
    CHECK(look(&f, LIMIT_MIB + 258) == INT64_MAX);
    CHECK(look(&f, LIMIT_MIB + 600) == 0);
    flooded_end(&f);
}

/* Without any connection it is nobody's: a leak must not shut everybody out. */
TEST(look__nobody_there_and_still_as_large__goes_on_from_there)
{
    struct flooded f;
    flooded_begin(&f);
    CHECK(look(&f, LIMIT_MIB + 1) == silent);
    CHECK(look(&f, LIMIT_MIB + 300) == INT64_MAX);
    daemon_log_look();
    unsigned looks = 0;
    for (; held; looks++)
        CHECK(look(&f, LIMIT_MIB + 10) == 0);
    assert_int_equal(looks, 100); /* ten seconds */
    CHECK_HAS(daemon_log_look(), "event=memory-kept mib=310");
    CHECK(look(&f, LIMIT_MIB + 20) == 0 && !held);
    flooded_end(&f);
}

TEST(begin__this_process__over_what_it_has_and_caches_may_take)
{
    struct flooded f;
    flooded_begin(&f);
    kw_flood_end(&f.d);
    kw_flood_begin(&f.d);
    uint64_t without = f.d.flood.limit;
    CHECK(f.d.flood.statm >= 0 && without > (uint64_t)256 << 20);
    kw_flood_end(&f.d);
    f.config.classes[1].cache_entries = 1000000;
    f.config.classes[1].cache_ttl_ns = 1;
    kw_flood_begin(&f.d);
    CHECK(f.d.flood.limit > without + 900 * UINT64_C(1000000));
    CHECK_STR(daemon_log_look(), "");
    flooded_end(&f);
}

KW_CASES(
    "provider/daemon/flood", CASE(look__under_the_limit_or_not_told__none_ended),
    CASE(look__over_the_limit__the_silent_ended_once_and_none_taken_until_it_is_over),
    CASE(look__still_over_the_limit__then_all), CASE(look__grows_on__all_at_once),
    CASE(look__nobody_there_and_still_as_large__goes_on_from_there),
    CASE(begin__this_process__over_what_it_has_and_caches_may_take))
