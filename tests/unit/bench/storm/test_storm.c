/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that start together, against a plugin whose every millisecond is known. */
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
    t = kw_storm_tally_peek(s);
    model_meets(&p, s, 3600 * KW_S_NS);
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

/* Rules 2, 4, 5: one Encrypt and a hundred Decrypts of 2 ms, one after the other. */
TEST(one_server__hundred_seeds__ready_at_202_ms)
{
    struct kw_storm_options o = kw_storm_defaults();
    o.seeds = 100;
    model(1, 2 * MS);
    storm(&o);
    CHECK(kw_storm_ready_ns(s) == 202 * MS);
    CHECK(t->ready_ns[0] == 202 * MS && t->slowest_ns == 202 * MS);
    CHECK(t->calls[KW_STATUS] == 1 && t->calls[KW_ENCRYPT] == 1);
    CHECK(t->calls[KW_DECRYPT] == 100 && t->good[KW_DECRYPT] == 100);
    CHECK(t->duplicates == 0 && t->deadline_misses == 0 && t->list_retries == 0);
    CHECK(t->latency.count == 100 && t->latency.max == 2 * MS);
    CHECK(p.operations == 101);
    done();
}

/* Rule 4: four resources with 25 seeds each; four sessions serve them side by side. */
TEST(parallel__four_lists__a_quarter_of_the_time)
{
    struct kw_storm_options o = kw_storm_defaults();
    o.seeds = 100;
    o.parallel = 4;
    model(4, 2 * MS);
    storm(&o);
    CHECK(kw_storm_ready_ns(s) == 52 * MS);
    CHECK(t->calls[KW_DECRYPT] == 100 && t->duplicates == 0);
    done();
}

/* Rule 5: three lists miss each seed at once, and nobody joins them. */
TEST(readers__each_duplicate_costs)
{
    struct kw_storm_options o = kw_storm_defaults();
    o.seeds = 100;
    o.readers = 3;
    model(1, 2 * MS);
    storm(&o);
    /* The first list is served at 4 ms and at once wants the next seed, behind the other
     * two; from then on the three are served by turns. */
    CHECK(kw_storm_ready_ns(s) == (1 + 300) * 2 * MS);
    CHECK(p.operations == 301);
    CHECK(t->calls[KW_DECRYPT] == 300 && t->duplicates > 100);
    done();
}

/* Equal ones of different sockets are no duplicates: nobody could join them. */
TEST(servers__a_socket_each__no_duplicates)
{
    struct kw_storm_options o = kw_storm_defaults();
    o.seeds = 50;
    o.servers = o.sockets = 2;
    model(2, 2 * MS);
    storm(&o);
    CHECK(t->duplicates == 0 && t->calls[KW_DECRYPT] == 100);
    CHECK(kw_storm_ready_ns(s) == 102 * MS);
    o.sockets = 1;
    model(2, 2 * MS);
    storm(&o);
    CHECK(t->duplicates == 50 && t->calls[KW_DECRYPT] == 100);
    done();
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
    CHECK(kw_storm_ready_ns(s) == 21000 * MS + 10 * 2 * MS);
    done();
}

/* Rule 2: whoever answers Encrypt with another key_id leaves no state. */
TEST(encrypt__other_key_id__bad_check)
{
    struct kw_storm_options o = kw_storm_defaults();
    model(1, 2 * MS);
    p.odd_encrypt = true;
    s = model_storm(&p, &o);
    t = kw_storm_tally_peek(s);
    model_meets(&p, s, 25 * KW_S_NS);
    CHECK(!kw_storm_over(s) && kw_storm_ready_ns(s) == -1);
    CHECK(t->bad_checks == 3 && t->calls[KW_ENCRYPT] == 3 && t->calls[KW_DECRYPT] == 0);
    done();
}

/* Rule 8: 5 s of work for 3 s of patience.  Nothing is ever unwrapped in time. */
TEST(service_beyond_the_timeout__never_ready)
{
    struct kw_storm_options o = kw_storm_defaults();
    model(2, 5 * KW_S_NS);
    s = model_storm(&p, &o);
    t = kw_storm_tally_peek(s);
    model_meets(&p, s, 60 * KW_S_NS);
    CHECK(!kw_storm_over(s) && t->good[KW_ENCRYPT] == 0);
    /* Checks at 0, 13, 26, 39, 52: each ends 3 s later, and the next is 10 s off. */
    CHECK(t->deadline_misses == 5 && t->by_code[4] == 5);
    CHECK(t->latency.count == 0);
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
    CHECK(kw_storm_ready_ns(s) == (3100 + 1000 + 11 * 100) * MS);
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
        CHECK(p.asked_count == 1 && p.asked[0].method == KW_STATUS);
        CHECK(kw_storm_wakes(s) == o.timeout_ns);
        kw_storm_tick(s, o.timeout_ns - 1);
        CHECK(kw_storm_tally_peek(s)->deadline_misses == 0);
        if (early < 2)
            kw_storm_ended(s, o.timeout_ns - early, p.asked[0].asker, &good);
        else
            kw_storm_tick(s, o.timeout_ns);
        CHECK(kw_storm_tally_peek(s)->deadline_misses == (early != 1));
        CHECK(kw_storm_tally_peek(s)->bad_checks == (early != 1));
        done();
    }
}

/* Rule 10. */
TEST(plaintext__wrong__ends_the_storm)
{
    struct kw_storm_options o = kw_storm_defaults();
    o.seeds = 10;
    model(1, 2 * MS);
    p.wrong_seed = 4;
    storm(&o);
    CHECK(kw_storm_over(s) && t->wrong == 1 && kw_storm_ready_ns(s) == -1);
    CHECK(t->good[KW_DECRYPT] == 3);
    done();
}

/* Rule 3: checks go on while the lists take long. */
TEST(storm__over_a_minute__checks_go_on)
{
    struct kw_storm_options o = kw_storm_defaults();
    o.seeds = 700;
    model(1, 100 * MS);
    storm(&o);
    CHECK(t->calls[KW_STATUS] == 2 && t->calls[KW_ENCRYPT] == 1);
    CHECK(kw_storm_ready_ns(s) == 701 * 100 * MS);
    done();
}

TEST(timeline__short__a_point_each_millisecond)
{
    struct kw_storm_point at[KW_STORM_POINTS];
    struct kw_storm_options o = kw_storm_defaults();
    o.seeds = 10;
    model(1, 2 * MS);
    storm(&o);
    CHECK(kw_storm_timeline(s, at) == 24); /* 0..22 ms, and the end */
    CHECK(at[0].t_ns == 0 && at[0].unwrapped == 0 && at[0].in_flight == 1);
    /* A sample at the moment of a reply is taken before it. */
    CHECK(at[5].t_ns == 5 * MS && at[5].unwrapped == 1 && at[5].in_flight == 1);
    CHECK(at[23].t_ns == 22 * MS && at[23].unwrapped == 10 && at[23].in_flight == 0);
    done();
}

TEST(timeline__long__thinned_out_and_even)
{
    struct kw_storm_point at[KW_STORM_POINTS];
    struct kw_storm_options o = kw_storm_defaults();
    o.seeds = 900;
    model(1, 20 * MS);
    storm(&o);
    size_t n = kw_storm_timeline(s, at);
    CHECK(n > KW_STORM_POINTS / 2 && n <= KW_STORM_POINTS);
    for (size_t i = 0; i + 1 < n; i++)
        CHECK(at[i].t_ns == (int64_t)i * at[1].t_ns);
    CHECK(at[n - 1].t_ns == 901 * 20 * MS && at[n - 1].unwrapped == 900);
    done();
}

KW_CASES("bench/storm/storm", CASE(new__no_memory__said),
         CASE(encrypt__other_key_id__bad_check),
         CASE(service_beyond_the_timeout__never_ready),
         CASE(queue_beyond_the_timeout__late_lists_try_again),
         CASE(reply__at_the_deadline__late), CASE(plaintext__wrong__ends_the_storm),
         CASE(plugin_away__state_comes_with_the_third_check),
         CASE(one_server__hundred_seeds__ready_at_202_ms),
         CASE(parallel__four_lists__a_quarter_of_the_time),
         CASE(readers__each_duplicate_costs), CASE(servers__a_socket_each__no_duplicates),
         CASE(storm__over_a_minute__checks_go_on),
         CASE(timeline__short__a_point_each_millisecond),
         CASE(timeline__long__thinned_out_and_even))
