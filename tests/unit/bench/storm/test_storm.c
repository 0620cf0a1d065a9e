/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that start together, and a day of restarts, polls and one rotation, against a
 * plugin whose every millisecond is known. */
#include "check.h"

#include <keyward/alloc.h>

#include "storm_model.h"

#define MS KW_MS_NS

static struct model p;
static struct kw_storm *s;
static const struct kw_storm_tally *t;

static void storm(const struct kw_storm_options *o)
{
    kw_storm_free(s);
    s = model_storm(&p, o);
    t = &s->tally;
    model_meets(&p, s);
    CHECK(s->over);
}

static void done(void)
{
    kw_storm_free(s);
    s = NULL;
}

static void model(unsigned sessions, int64_t service_ns)
{
    p = (struct model){.sessions = sessions, .service_ns = service_ns};
}

TEST(new__no_memory__said)
{
    struct kw_storm *none = NULL;
    const struct kw_storm_options o = kw_storm_defaults();
    for (long n = 0; n < 4; n++) {
        kw_alloc_fail_from(n);
        kw_err e = kw_storm_new(&o, &(struct kw_storm_caller){0}, 0, &none);
        kw_alloc_fail_from(-1);
        CHECK_CODE(e, KW_CODE_NO_MEMORY);
    }
    CHECK(none == NULL);
}

/* Rules 2 to 5: one Encrypt and so many Decrypts of 2 ms.
 *  - One list asks for one after the other.
 *  - Four resources with 25 seeds each are served side by side by four sessions.
 *  - Three lists miss each seed at once, and nobody joins them: the first is served at 4 ms
 *    and wants the next seed behind the other two; from then on they are served by turns.
 *  - Equal ones of different sockets are no duplicates: nobody could join them.
 *  - Checks go on while the lists take over a minute. */
TEST(storm__every_millisecond__as_the_rules_say)
{
    static const struct {
        uint64_t servers, sockets, seeds, readers, parallel;
        unsigned sessions;
        int64_t service_ms, ready_ms;
        uint64_t statuses, decrypts, duplicates;
    } storms[] = {{1, 1, 100, 1, 1, 1, 2, 202, 1, 100, 0},
                  {1, 1, 100, 1, 4, 4, 2, 52, 1, 100, 0},
                  {1, 1, 100, 3, 1, 1, 2, 602, 1, 300, 200},
                  {2, 2, 50, 1, 1, 2, 2, 102, 2, 100, 0},
                  {2, 1, 50, 1, 1, 2, 2, 102, 2, 100, 50},
                  {1, 1, 700, 1, 1, 1, 100, 70100, 2, 700, 0}};
    for (size_t i = 0; i < sizeof storms / sizeof storms[0]; i++) {
        struct kw_storm_options o = kw_storm_defaults();
        o.servers = storms[i].servers;
        o.sockets = storms[i].sockets;
        o.seeds = storms[i].seeds;
        o.readers = storms[i].readers;
        o.parallel = storms[i].parallel;
        model(storms[i].sessions, storms[i].service_ms * MS);
        storm(&o);
        CHECK(s->ready_ns == storms[i].ready_ms * MS);
        CHECK(t->ready_ns[0] <= t->slowest_ns && t->slowest_ns == s->ready_ns);
        CHECK(t->calls[KW_STATUS] == storms[i].statuses);
        CHECK(t->calls[KW_ENCRYPT] == o.servers);
        CHECK(t->calls[KW_DECRYPT] == storms[i].decrypts);
        CHECK(t->good[KW_DECRYPT] == storms[i].decrypts);
        CHECK(t->latency.count == storms[i].decrypts);
        CHECK(t->duplicates == storms[i].duplicates);
        CHECK(t->deadline_misses == 0 && t->list_retries == 0);
        CHECK(p.operations == o.servers + storms[i].decrypts);
        done();
    }
}

/* Rules 3, 6, 7: away for 12.5 s.  The checks at 0 and 10 s are bad, that at 20 s is
 * good; the lists fail without a call each second and begin for real at 21 s. */
TEST(plugin_away__state_comes_with_the_third_check)
{
    struct kw_storm_options o = kw_storm_defaults();
    o.seeds = 10;
    model(1, 2 * MS);
    p.away_until_ns = 12500 * MS;
    storm(&o);
    CHECK(t->calls[KW_STATUS] == 3 && t->bad_checks == 2 && t->calls[KW_ENCRYPT] == 1);
    CHECK(t->by_code[14] == 2);
    CHECK(t->calls[KW_DECRYPT] == 10);
    /* The list of 20 s comes before the check of that moment has an answer. */
    CHECK(t->list_retries == 21);
    CHECK(s->ready_ns == 21000 * MS + 10 * 2 * MS);
    done();
}

/* Rules 6 and 8: 40 lists, one session, 100 ms each: the last ten of a second wait for
 * more than 3 s.  They try again a second later and find the queue empty. */
TEST(queue_beyond_the_timeout__late_lists_try_again)
{
    struct kw_storm_options o = kw_storm_defaults();
    o.seeds = o.parallel = 40;
    model(1, 100 * MS);
    storm(&o);
    /* The check's Encrypt ends at 100 ms.  List n is served at 100 + n * 100 ms, so 29
     * are in time; at 3.1 s the 30th is just late, with those behind it: 11 in all.  The
     * 30th was being served: that was wasted. */
    CHECK(t->deadline_misses == 11 && t->list_retries == 11);
    CHECK(t->good[KW_DECRYPT] == 40 && t->calls[KW_DECRYPT] == 51);
    CHECK(p.operations == 1 + 30 + 11);
    CHECK(s->ready_ns == (3100 + 1000 + 11 * 100) * MS);
    done();
}

/* A reply at the very end of the timeout is late; without one the call is given up. */
TEST(reply__at_the_deadline__late)
{
    struct kw_storm_options o = kw_storm_defaults();
    const struct kw_storm_reply good = {.outcome = KW_STORM_GOOD, .key_id = 1};
    for (int64_t early = 0; early < 3; early++) {
        model(1, 2 * MS);
        s = model_storm(&p, &o);
        kw_storm_tick(s, 0);
        CHECK(p.asked_count == 1 && s->asker[p.asked[0]].method == KW_STATUS);
        CHECK(s->wakes_ns == o.timeout_ns);
        kw_storm_tick(s, o.timeout_ns - 1);
        CHECK(s->tally.deadline_misses == 0);
        if (early < 2)
            kw_storm_ended(s, o.timeout_ns - early, p.asked[0], &good);
        else
            kw_storm_tick(s, o.timeout_ns);
        CHECK(s->tally.deadline_misses == (early != 1));
        CHECK(s->tally.bad_checks == (early != 1));
        done();
    }
}

/* A point each millisecond; of a long storm every second, fourth … of them. */
TEST(timeline__thinned_out_and_even)
{
    for (int is_long = 0; is_long < 2; is_long++) {
        const int64_t service_ns = (is_long ? 20 : 2) * MS;
        struct kw_storm_options o = kw_storm_defaults();
        o.seeds = is_long ? 900 : 10;
        model(1, service_ns);
        storm(&o);
        kw_storm_end_timeline(s);
        const struct kw_storm_point *at = s->point, *last = &at[s->points - 1];
        CHECK(is_long ? s->points > KW_STORM_POINTS / 2 : s->points == 24);
        CHECK(s->points <= KW_STORM_POINTS);
        for (size_t i = 0; i + 1 < s->points; i++)
            CHECK(at[i].t_ns == (int64_t)i * at[1].t_ns);
        CHECK(is_long || at[1].t_ns == MS);
        CHECK(at[0].unwrapped == 0 && at[0].in_flight == 1);
        /* A sample at the moment of a reply is taken before it. */
        CHECK(is_long || (at[5].unwrapped == 1 && at[5].in_flight == 1));
        CHECK(last->t_ns == (int64_t)(1 + o.seeds) * service_ns);
        CHECK(last->unwrapped == o.seeds && last->in_flight == 0);
        done();
    }
}

/* ---- a day --------------------------------------------------------------------------- */

static struct kw_storm_options a_day(void)
{
    struct kw_storm_options o = kw_storm_defaults();
    o.day_ns = 24 * 3600 * KW_S_NS;
    o.seeds = 10;
    model(1, 2 * MS);
    return o;
}

/* Rule 3: one Status a minute, from the 2 ms on that the first check took; for the first
 * hour and a half without a plugin every ten seconds. */
TEST(day__polls_and_failures__in_their_hours)
{
    const struct kw_storm_options o = a_day();
    storm(&o);
    CHECK(t->calls[KW_STATUS] == 1440 && t->calls[KW_ENCRYPT] == 1);
    CHECK(t->calls[KW_DECRYPT] == 10 && t->restarts == 0);
    CHECK(t->hour[0].calls[KW_STATUS] == 60 && t->hour[23].calls[KW_STATUS] == 60);
    CHECK(t->hour[0].calls[KW_DECRYPT] == 10 && t->hour[1].calls[KW_DECRYPT] == 0);
    CHECK(s->ready_ns == 22 * MS);
    (void)a_day();
    p.away_until_ns = 5400 * KW_S_NS;
    storm(&o);
    CHECK(t->hour[0].failed[KW_STATUS] == 360 && t->hour[1].failed[KW_STATUS] == 180);
    CHECK(t->hour[2].failed[KW_STATUS] == 0 && t->hour[2].calls[KW_STATUS] == 60);
    CHECK(t->bad_checks == 540 && t->by_code[14] == 540);
    done();
}

/* Rule 11: two servers, three restarts each, at 1/7 .. 6/7 of the day by turns. */
TEST(restarts__even__cold_again_each_time)
{
    struct kw_storm_options o = a_day();
    o.servers = 2;
    o.restarts = 3;
    storm(&o);
    CHECK(t->restarts == 6);
    CHECK(t->calls[KW_DECRYPT] == 8 * 10 && t->calls[KW_ENCRYPT] == 8);
    CHECK(t->hour[3].calls[KW_ENCRYPT] == 1 && t->hour[6].calls[KW_ENCRYPT] == 1);
    CHECK(t->hour[20].calls[KW_ENCRYPT] == 1 && t->hour[21].calls[KW_ENCRYPT] == 0);
    CHECK(t->slowest_ns > 0 && t->slowest_ns < KW_S_NS);
    CHECK(s->unwrapped == 2 * 10); /* what a server forgets does not count */
    done();
}

/* Rule 11: a server that is in the middle of its lists finishes its call and no more.  It
 * is due at 15 ms, while the seventh Decrypt runs until 16 ms; the second life has not all
 * seeds by the end. */
TEST(restart__amid_the_lists__waits_for_its_call)
{
    struct kw_storm_options o = a_day();
    o.day_ns = 30 * MS;
    o.restarts = 1;
    storm(&o);
    CHECK(t->restarts == 1 && t->calls[KW_STATUS] == 2 && t->calls[KW_ENCRYPT] == 2);
    CHECK(t->calls[KW_DECRYPT] == 7 + 6 && t->ready_ns[0] == -1);
    done();
}

/* Each server sees the new key_id at its next check, and encrypts a new seed. */
TEST(rotation__seen_by_each_server_within_a_minute)
{
    struct kw_storm_options o = a_day();
    o.servers = 3;
    p.key_changes_ns = 10 * 3600 * KW_S_NS;
    storm(&o);
    CHECK(t->rotations == 3 && t->calls[KW_ENCRYPT] == 6);
    CHECK(t->hour[9].calls[KW_ENCRYPT] == 0 && t->hour[10].calls[KW_ENCRYPT] == 3);
    CHECK(t->calls[KW_DECRYPT] == 30 && t->bad_checks == 0);
    done();
}

KW_CASES("bench/storm/storm", CASE(new__no_memory__said),
         CASE(queue_beyond_the_timeout__late_lists_try_again),
         CASE(reply__at_the_deadline__late),
         CASE(plugin_away__state_comes_with_the_third_check),
         CASE(storm__every_millisecond__as_the_rules_say),
         CASE(timeline__thinned_out_and_even),
         CASE(day__polls_and_failures__in_their_hours),
         CASE(restart__amid_the_lists__waits_for_its_call),
         CASE(restarts__even__cold_again_each_time),
         CASE(rotation__seen_by_each_server_within_a_minute))
