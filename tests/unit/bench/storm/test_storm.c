/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that start together, and a day of restarts, polls and one rotation, against a
 * plugin whose every millisecond is known. */
#include "check.h"

#include <keyward/alloc.h>

#include "document.h"
#include "play.h"

#define MS KW_MS_NS

/* ---- the plugin, on a clock of our own: it answers Status at once; Encrypt and Decrypt wait
 * in one queue for one of `sessions` sessions, each of which takes service_ns for a call -- */

enum { CALLS = 1024 };

static struct {
    unsigned sessions;
    int64_t service_ns;
    int64_t away_until_ns;  /* until then every call fails with UNAVAILABLE, at once */
    int64_t key_changes_ns; /* from then on Status says another key_id; 0: never     */
    uint64_t operations;    /* what it did */
    struct call {
        uint32_t asker;
        bool dropped; /* nobody waits for it any more; a session goes on all the same */
        int64_t done_ns; /* 0: no session is at it */
    } call[CALLS];       /* oldest first */
    size_t count, busy;
} p;

static struct kw_storm_options o;
static struct kw_storm *s;
static const struct kw_storm_tally *t;

static struct call take(size_t at)
{
    const struct call taken = p.call[at];
    p.busy -= taken.done_ns > 0;
    for (p.count--; at < p.count; at++)
        p.call[at] = p.call[at + 1];
    return taken;
}

static void ask(void *ctx, struct kw_storm *storm, uint32_t asker)
{
    (void)ctx;
    (void)storm;
    CHECK(p.count < CALLS);
    p.call[p.count++] = (struct call){.asker = asker};
}

static void give_up(void *ctx, struct kw_storm *storm, uint32_t asker)
{
    size_t i = 0;
    (void)ctx;
    (void)storm;
    while (p.call[i].asker != asker || p.call[i].dropped)
        CHECK(++i < p.count);
    p.call[i].dropped = true;
    if (p.call[i].done_ns == 0)
        (void)take(i);
}

static void answer(int64_t now, size_t at)
{
    const struct call c = take(at);
    struct kw_storm_reply r = {.outcome = KW_STORM_GOOD, .key_id = 1};
    if (p.key_changes_ns > 0 && now >= p.key_changes_ns)
        r.key_id = 2;
    if (now < p.away_until_ns)
        r = (struct kw_storm_reply){.outcome = KW_STORM_FAILED, .code = 14};
    if (!c.dropped)
        kw_storm_ended(s, now, c.asker, &r);
}

/* Time passes, late calls end, replies come, new calls are heard; when is the next? */
static int64_t moment(int64_t now)
{
    kw_storm_tick(s, now);
    for (size_t i = 0; i < p.count;) { /* an answer may add to them */
        struct call *c = &p.call[i];
        const bool at_once =
            s->asker[c->asker].method == KW_STATUS || now < p.away_until_ns;
        if (c->done_ns > 0 ? c->done_ns <= now : at_once) {
            answer(now, i);
            continue;
        }
        if (c->done_ns == 0 && p.busy < p.sessions) {
            c->done_ns = now + p.service_ns;
            p.busy++;
            p.operations++;
        }
        i++;
    }
    int64_t next = s->over ? INT64_MAX : s->wakes_ns;
    for (size_t i = 0; i < p.count; i++)
        if (p.call[i].done_ns > 0 && p.call[i].done_ns < next)
            next = p.call[i].done_ns;
    return next;
}

/* ---- a storm on it ------------------------------------------------------------------- */

static void begin(unsigned sessions, int64_t service_ms)
{
    kw_storm_free(s);
    s = NULL;
    memset(&p, 0, sizeof p);
    p.sessions = sessions;
    p.service_ns = service_ms * MS;
    o = kw_storm_defaults();
    o.seeds = 10;
}

static void make(void)
{
    static const struct kw_storm_caller caller = {ask, give_up, NULL};
    CHECK_OK(kw_storm_new(&o, &caller, 0, &s));
    t = &s->tally;
}

/* From 0 to its end. */
static void play(void)
{
    make();
    for (int64_t now = 0, next; !s->over; now = next > now ? next : now) {
        next = moment(now);
        CHECK(next != INT64_MAX || s->over);
    }
}

/* Plays it; what its document says. */
static void storm(const char *claims)
{
    static const char *const sockets[KW_STORM_SERVERS_MAX] = {"a", "b"};
    play();
    const struct kw_play_options of = {.storm = o, .socket = sockets};
    const struct kw_play_result r = {.storm = s, .cache = ""};
    kw_holds(kw_storm_document(&of, &r), claims);
}

TEST(new__no_memory__said)
{
    struct kw_storm *none = NULL;
    begin(1, 2);
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
        begin(storms[i].sessions, storms[i].service_ms);
        o.servers = storms[i].servers;
        o.sockets = storms[i].sockets;
        o.seeds = storms[i].seeds;
        o.readers = storms[i].readers;
        o.parallel = storms[i].parallel;
        storm("good/decrypt = calls/decrypt, deadline_misses = 0, list_retries = 0, "
              "figures/slowest_start_ms = ready_ms, ready_by_server_ms/0 <= ready_ms");
        CHECK(s->ready_ns == storms[i].ready_ms * MS);
        CHECK(t->calls[KW_STATUS] == storms[i].statuses);
        CHECK(t->calls[KW_ENCRYPT] == o.servers);
        CHECK(t->calls[KW_DECRYPT] == storms[i].decrypts);
        CHECK(t->latency.count == storms[i].decrypts);
        CHECK(t->duplicates == storms[i].duplicates);
        CHECK(p.operations == o.servers + storms[i].decrypts);
    }
}

/* Rules 3, 6, 7: away for 12.5 s.  The checks at 0 and 10 s are bad, that at 20 s is
 * good; the lists fail without a call each second and begin for real at 21 s.  (That of 20 s
 * comes before the check of that moment has an answer.) */
TEST(plugin_away__state_comes_with_the_third_check)
{
    begin(1, 2);
    p.away_until_ns = 12500 * MS;
    storm("calls/status = 3, bad_checks = 2, calls/encrypt = 1, "
          "failures/UNAVAILABLE/count = 2, calls/decrypt = 10, list_retries = 21, "
          "ready_ms = 21020");
}

/* Rules 6 and 8: 40 lists, one session, 100 ms each: the last ten of a second wait for
 * more than 3 s.  They try again a second later and find the queue empty.
 * The check's Encrypt ends at 100 ms.  List n is served at 100 + n * 100 ms, so 29 are in
 * time; at 3.1 s the 30th is just late, with those behind it: 11 in all.  The 30th was being
 * served: that was wasted. */
TEST(queue_beyond_the_timeout__late_lists_try_again)
{
    begin(1, 100);
    o.seeds = o.parallel = 40;
    storm("deadline_misses = 11, list_retries = 11, good/decrypt = 40, "
          "calls/decrypt = 51, ready_ms = 5200");
    CHECK(p.operations == 1 + 30 + 11);
}

/* A reply at the very end of the timeout is late; without one the call is given up. */
TEST(reply__at_the_deadline__late)
{
    const struct kw_storm_reply good = {.outcome = KW_STORM_GOOD, .key_id = 1};
    for (int64_t early = 0; early < 3; early++) {
        begin(1, 2);
        make();
        kw_storm_tick(s, 0);
        CHECK(p.count == 1 && s->asker[p.call[0].asker].method == KW_STATUS);
        CHECK(s->wakes_ns == o.timeout_ns);
        kw_storm_tick(s, o.timeout_ns - 1);
        CHECK(t->deadline_misses == 0);
        if (early < 2)
            kw_storm_ended(s, o.timeout_ns - early, p.call[0].asker, &good);
        else
            kw_storm_tick(s, o.timeout_ns);
        CHECK(t->deadline_misses == (early != 1) && t->bad_checks == (early != 1));
    }
}

/* A point each millisecond; of a long storm every second, fourth … of them. */
TEST(timeline__thinned_out_and_even)
{
    for (int is_long = 0; is_long < 2; is_long++) {
        begin(1, is_long ? 20 : 2);
        o.seeds = is_long ? 900 : 10;
        play();
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
        CHECK(last->t_ns == (int64_t)(1 + o.seeds) * p.service_ns);
        CHECK(last->unwrapped == o.seeds && last->in_flight == 0);
    }
}

/* ---- a day --------------------------------------------------------------------------- */

static void begin_day(void)
{
    begin(1, 2);
    o.day_ns = 24 * 3600 * KW_S_NS;
}

/* Rule 3: one Status a minute, from the 2 ms on that the first check took; for the first
 * hour and a half without a plugin every ten seconds. */
TEST(day__polls_and_failures__in_their_hours)
{
    begin_day();
    storm("calls/status = 1440, calls/encrypt = 1, calls/decrypt = 10, restarts = "
          "0, hours/0/calls/status = 60, hours/23/calls/status = 60, "
          "hours/0/calls/decrypt = 10, hours/1/calls/decrypt = 0, ready_ms = 22");
    begin_day();
    p.away_until_ns = 5400 * KW_S_NS;
    storm("hours/0/failed/status = 360, hours/1/failed/status = 180, "
          "hours/2/failed/status = 0, hours/2/calls/status = 60, bad_checks = 540, "
          "failures/UNAVAILABLE/count = 540");
}

/* Rule 11: two servers, three restarts each, at 1/7 .. 6/7 of the day by turns.  What a
 * server forgets is not unwrapped. */
TEST(restarts__even__cold_again_each_time)
{
    begin_day();
    o.servers = 2;
    o.restarts = 3;
    storm("restarts = 6, calls/decrypt = 80, calls/encrypt = 8, "
          "hours/3/calls/encrypt = 1, hours/6/calls/encrypt = 1, "
          "hours/20/calls/encrypt = 1, hours/21/calls/encrypt = 0, "
          "figures/slowest_start_ms > 0, figures/slowest_start_ms < 1000, "
          "timeline/-1/unwrapped = 20");
}

/* Rule 11: a server that is in the middle of its lists finishes its call and no more.  It
 * is due at 15 ms, while the seventh Decrypt runs until 16 ms; the second life has not all
 * seeds by the end. */
TEST(restart__amid_the_lists__waits_for_its_call)
{
    begin_day();
    o.day_ns = 30 * MS;
    o.restarts = 1;
    storm("restarts = 1, calls/status = 2, calls/encrypt = 2, calls/decrypt = 13, "
          "ready_by_server_ms/0 = null");
}

/* Each server sees the new key_id at its next check, and encrypts a new seed. */
TEST(rotation__seen_by_each_server_within_a_minute)
{
    begin_day();
    o.servers = 3;
    p.key_changes_ns = 10 * 3600 * KW_S_NS;
    storm("rotations = 3, calls/encrypt = 6, hours/9/calls/encrypt = 0, "
          "hours/10/calls/encrypt = 3, calls/decrypt = 30, bad_checks = 0");
}

KW_SUITE("bench/storm/storm")
