/* SPDX-License-Identifier: Apache-2.0 */
/* A day of restarts, polls and one rotation. */
#include "check.h"

#include "storm_model.h"

static struct model p;
static struct kw_storm *s;
static const struct kw_storm_tally *t;

static void day(const struct kw_storm_options *o)
{
    s = model_storm(&p, o);
    t = kw_storm_tally_peek(s);
    model_meets(&p, s, INT64_MAX);
    CHECK(kw_storm_over(s));
}

static struct kw_storm_options a_day(void)
{
    struct kw_storm_options o = kw_storm_defaults();
    o.day_ns = 24 * 3600 * KW_S_NS;
    o.seeds = 10;
    p = (struct model){.sessions = 1, .service_ns = 2 * KW_MS_NS};
    return o;
}

static uint64_t all_hours(enum kw_bench_method method)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < KW_STORM_HOURS; i++)
        sum += t->hour[i].calls[method];
    return sum;
}

/* Rule 3: one Status a minute, from the 2 ms on that the first check took. */
TEST(quiet_day__one_server__1440_polls)
{
    const struct kw_storm_options o = a_day();
    day(&o);
    CHECK(t->calls[KW_STATUS] == 1440 && t->calls[KW_ENCRYPT] == 1);
    CHECK(t->calls[KW_DECRYPT] == 10 && t->restarts == 0);
    CHECK(t->hour[0].calls[KW_STATUS] == 60 && t->hour[23].calls[KW_STATUS] == 60);
    CHECK(t->hour[0].calls[KW_DECRYPT] == 10 && t->hour[1].calls[KW_DECRYPT] == 0);
    CHECK(all_hours(KW_STATUS) == 1440);
    CHECK(kw_storm_ready_ns(s) == 22 * KW_MS_NS);
    kw_storm_free(s);
}

/* The first hour and a half without a plugin: every ten seconds, then every minute. */
TEST(plugin_away__polled_faster__failures_in_their_hours)
{
    const struct kw_storm_options o = a_day();
    p.away_until_ns = 5400 * KW_S_NS;
    day(&o);
    CHECK(t->hour[0].failed[KW_STATUS] == 360 && t->hour[1].failed[KW_STATUS] == 180);
    CHECK(t->hour[2].failed[KW_STATUS] == 0 && t->hour[2].calls[KW_STATUS] == 60);
    CHECK(t->bad_checks == 540 && t->by_code[14] == 540);
    kw_storm_free(s);
}

/* Rule 11: two servers, three restarts each, at 1/7 .. 6/7 of the day by turns. */
TEST(restarts__even__cold_again_each_time)
{
    struct kw_storm_options o = a_day();
    o.servers = 2;
    o.restarts = 3;
    day(&o);
    CHECK(t->restarts == 6);
    CHECK(t->calls[KW_DECRYPT] == 8 * 10 && t->calls[KW_ENCRYPT] == 8);
    CHECK(t->hour[3].calls[KW_ENCRYPT] == 1 && t->hour[6].calls[KW_ENCRYPT] == 1);
    CHECK(t->hour[20].calls[KW_ENCRYPT] == 1 && t->hour[21].calls[KW_ENCRYPT] == 0);
    CHECK(t->slowest_ns > 0 && t->slowest_ns < KW_S_NS);
    kw_storm_free(s);
}

/* Rule 11: a server that is in the middle of its lists finishes its call and no more. */
TEST(restart__amid_the_lists__waits_for_its_call)
{
    struct kw_storm_options o = a_day();
    o.day_ns = 30 * KW_MS_NS;
    o.restarts = 1;
    day(&o);
    /* Due at 15 ms, while the seventh Decrypt runs until 16 ms.  The second life has not
     * all seeds by the end. */
    CHECK(t->restarts == 1 && t->calls[KW_STATUS] == 2 && t->calls[KW_ENCRYPT] == 2);
    CHECK(t->calls[KW_DECRYPT] == 7 + 6 && t->ready_ns[0] == -1);
    kw_storm_free(s);
}

/* Each server sees the new key_id at its next check, and encrypts a new seed. */
TEST(rotation__seen_by_each_server_within_a_minute)
{
    struct kw_storm_options o = a_day();
    o.servers = 3;
    p.key_changes_ns = 10 * 3600 * KW_S_NS;
    day(&o);
    CHECK(t->rotations == 3 && t->calls[KW_ENCRYPT] == 6);
    CHECK(t->hour[9].calls[KW_ENCRYPT] == 0 && t->hour[10].calls[KW_ENCRYPT] == 3);
    CHECK(t->calls[KW_DECRYPT] == 30 && t->bad_checks == 0);
    kw_storm_free(s);
}

KW_CASES("bench/storm/day", CASE(plugin_away__polled_faster__failures_in_their_hours),
         CASE(restart__amid_the_lists__waits_for_its_call),
         CASE(quiet_day__one_server__1440_polls),
         CASE(restarts__even__cold_again_each_time),
         CASE(rotation__seen_by_each_server_within_a_minute))
