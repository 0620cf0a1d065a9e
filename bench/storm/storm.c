/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of storm.h, one function each where that is possible. */
#include "storm.h"

#include <keyward/alloc.h>

struct kw_storm_options kw_storm_defaults(void)
{
    return (struct kw_storm_options){.servers = 1,
                                     .sockets = 1,
                                     .seeds = 1,
                                     .readers = 1,
                                     .parallel = 1,
                                     .timeout_ns = 3 * KW_S_NS,
                                     .check_ns = 60 * KW_S_NS,
                                     .check_retry_ns = 10 * KW_S_NS,
                                     .list_retry_ns = KW_S_NS};
}

static struct kw_storm_hour *storm_hour_of(struct kw_storm *s, int64_t wanted_ns)
{
    /* In steps of a 24th, so that the product cannot run over. */
    int64_t each = s->o.day_ns / KW_STORM_HOURS;
    int64_t hour = each > 0 ? (wanted_ns - s->began_ns) / each : 0;
    return &s->tally.hour[hour < KW_STORM_HOURS ? hour : KW_STORM_HOURS - 1];
}

static uint16_t *storm_flying(struct kw_storm *s, uint32_t server, size_t seed)
{
    return &s->flying[server % s->o.sockets * s->o.seeds + seed];
}

static void storm_count_wanted(struct kw_storm *s, uint32_t server,
                               const struct kw_storm_asker *a)
{
    s->server[server].busy++;
    s->in_flight++;
    s->tally.calls[a->method]++;
    storm_hour_of(s, a->wanted_ns)->calls[a->method]++;
    if (a->method == KW_DECRYPT && (*storm_flying(s, server, a->seed))++ > 0)
        s->tally.duplicates++;
}

static void storm_count_ended(struct kw_storm *s, uint32_t server,
                              const struct kw_storm_asker *a,
                              const struct kw_storm_reply *reply)
{
    struct kw_storm_tally *t = &s->tally;
    const unsigned code =
        reply->code > 0 && reply->code < KW_GRPC_CODES ? reply->code : KW_GRPC_UNKNOWN;
    s->server[server].busy--;
    s->in_flight--;
    if (a->method == KW_DECRYPT)
        (*storm_flying(s, server, a->seed))--;
    if (reply->outcome == KW_STORM_GOOD) {
        t->good[a->method]++;
        if (a->method == KW_DECRYPT)
            kw_histogram_add(&t->latency, (uint64_t)(s->now_ns - a->wanted_ns));
        return;
    }
    s->failed++;
    storm_hour_of(s, a->wanted_ns)->failed[a->method]++;
    if (reply->outcome == KW_STORM_WRONG) {
        t->wrong++;
        return;
    }
    t->by_code[code]++;
    t->deadline_misses += code == KW_GRPC_DEADLINE_EXCEEDED;
}

static void storm_add_point(struct kw_storm *s, int64_t t_ns)
{
    s->point[s->points++] =
        (struct kw_storm_point){t_ns, s->unwrapped, s->in_flight, s->failed};
}

/* When it gets full, every second point goes, and twice as long lies between those that
 * come; one is left for the end. */
static void storm_sample(struct kw_storm *s, int64_t now_ns)
{
    for (; s->next_ns <= now_ns - s->began_ns; s->next_ns += s->step_ns) {
        storm_add_point(s, s->next_ns);
        if (s->points < KW_STORM_POINTS - 1)
            continue;
        s->points = (s->points + 1) / 2;
        for (size_t i = 1; i < s->points; i++)
            s->point[i] = s->point[2 * i];
        s->step_ns *= 2;
        s->next_ns = s->point[s->points - 1].t_ns;
    }
}

void kw_storm_end_timeline(struct kw_storm *s)
{
    storm_add_point(s, s->now_ns - s->began_ns);
}

static void storm_wake_at(struct kw_storm *s, int64_t at_ns)
{
    if (at_ns < s->wakes_ns)
        s->wakes_ns = at_ns;
}

static void storm_sleep(struct kw_storm *s, uint32_t asker, int64_t for_ns)
{
    struct kw_storm_asker *a = &s->asker[asker];
    a->state = KW_ASKER_SLEEPS;
    a->at_ns = s->now_ns + for_ns;
    storm_wake_at(s, a->at_ns);
}

static void storm_want(struct kw_storm *s, uint32_t asker, enum kw_bench_method method)
{
    struct kw_storm_asker *a = &s->asker[asker];
    storm_sleep(s, asker, s->o.timeout_ns); /* rule 8 */
    a->state = KW_ASKER_ASKS;
    a->method = method;
    a->wanted_ns = s->now_ns;
    storm_count_wanted(s, kw_storm_server_of(s, asker), a);
    s->caller.ask(s->caller.ctx, s, asker);
}

/* Rule 9. */
static void storm_list_ended(struct kw_storm *s, uint32_t server)
{
    struct kw_storm_server *v = &s->server[server];
    int64_t took = s->now_ns - v->born_ns;
    if (--v->lists_left > 0)
        return;
    if (took > s->tally.slowest_ns)
        s->tally.slowest_ns = took;
    if (s->tally.ready_ns[server] >= 0)
        return;
    s->tally.ready_ns[server] = s->now_ns - s->began_ns;
    if (++s->ready == s->o.servers) {
        s->ready_ns = s->now_ns - s->began_ns;
        s->over = s->o.day_ns == 0;
    }
}

static void storm_list_fails(struct kw_storm *s, uint32_t asker)
{
    s->tally.list_retries++;
    storm_sleep(s, asker, s->o.list_retry_ns);
}

/* Rule 5: from the seed it is at to the next that the cache has not. */
static void storm_list_goes_on(struct kw_storm *s, uint32_t asker)
{
    uint32_t server = kw_storm_server_of(s, asker);
    struct kw_storm_asker *a = &s->asker[asker];
    while (a->seed < s->o.seeds && s->server[server].has[a->seed])
        a->seed += s->o.parallel;
    a->state = KW_ASKER_IDLE;
    if (a->seed < s->o.seeds)
        storm_want(s, asker, KW_DECRYPT);
    else
        storm_list_ended(s, server);
}

/* Rules 4 and 7: the lists that need the very same seeds follow one another. */
static void storm_list_begins(struct kw_storm *s, uint32_t asker)
{
    s->asker[asker].seed = (asker % s->per_server - 1) / s->o.readers;
    if (s->server[kw_storm_server_of(s, asker)].key_id == 0)
        storm_list_fails(s, asker);
    else
        storm_list_goes_on(s, asker);
}

/* Rules 3 and 4. */
static void storm_check_ended(struct kw_storm *s, uint32_t asker, bool good)
{
    struct kw_storm_server *v = &s->server[kw_storm_server_of(s, asker)];
    s->tally.bad_checks += !good;
    storm_sleep(s, asker, good ? s->o.check_ns : s->o.check_retry_ns);
    if (v->begun)
        return;
    v->begun = true;
    for (uint32_t i = 1; i < s->per_server; i++)
        storm_list_begins(s, asker + i);
}

static void storm_be_born(struct kw_storm *s, uint32_t server)
{
    struct kw_storm_server *v = &s->server[server];
    v->key_id = v->seen = 0;
    v->begun = v->leaving = false;
    v->lists_left = s->per_server - 1;
    for (size_t i = 0; i < s->o.seeds; i++) {
        s->unwrapped -= v->has[i];
        v->has[i] = 0;
    }
    v->born_ns = s->now_ns;
    storm_want(s, server * s->per_server, KW_STATUS);
}

static int64_t storm_restart_due(const struct kw_storm *s, uint32_t server)
{
    const struct kw_storm_options *o = &s->o;
    uint64_t made = s->server[server].restarts_made;
    if (o->day_ns == 0 || made >= o->restarts)
        return INT64_MAX;
    int64_t parts = (int64_t)(o->restarts * o->servers + 1);
    int64_t nth = (int64_t)(made * o->servers + server + 1);
    return s->began_ns + o->day_ns / parts * nth;
}

/* Rule 11: it leaves, and is born again when nothing is under way any more. */
static void storm_leave_if_due(struct kw_storm *s, uint32_t server)
{
    struct kw_storm_server *v = &s->server[server];
    if (!v->leaving && s->now_ns >= storm_restart_due(s, server)) {
        struct kw_storm_asker *own = &s->asker[server * s->per_server];
        for (uint32_t i = 0; i < s->per_server; i++)
            if (own[i].state == KW_ASKER_SLEEPS)
                own[i].state = KW_ASKER_IDLE;
        v->leaving = true;
        v->restarts_made++;
        s->tally.restarts++;
    }
    if (v->leaving && v->busy == 0)
        storm_be_born(s, server);
}

/* Rule 2. */
static void storm_end_check(struct kw_storm *s, uint32_t asker,
                            const struct kw_storm_reply *reply)
{
    struct kw_storm_server *v = &s->server[kw_storm_server_of(s, asker)];
    bool good = reply->outcome == KW_STORM_GOOD;
    if (good && s->asker[asker].method == KW_STATUS) {
        v->seen = reply->key_id;
        if (v->seen != v->key_id) {
            storm_want(s, asker, KW_ENCRYPT);
            return;
        }
    } else if (good && reply->key_id == v->seen) {
        s->tally.rotations += v->key_id != 0;
        v->key_id = v->seen;
    } else {
        good = false;
    }
    storm_check_ended(s, asker, good);
}

/* Rule 6. */
static void storm_end_decrypt(struct kw_storm *s, uint32_t asker,
                              const struct kw_storm_reply *reply)
{
    struct kw_storm_server *v = &s->server[kw_storm_server_of(s, asker)];
    uint8_t *has = &v->has[s->asker[asker].seed];
    if (reply->outcome != KW_STORM_GOOD) {
        storm_list_fails(s, asker);
        return;
    }
    s->unwrapped += !*has;
    *has = 1;
    storm_list_goes_on(s, asker);
}

static void storm_end_call(struct kw_storm *s, uint32_t asker,
                           const struct kw_storm_reply *reply)
{
    struct kw_storm_asker *a = &s->asker[asker];
    uint32_t server = kw_storm_server_of(s, asker);
    storm_count_ended(s, server, a, reply);
    a->state = KW_ASKER_IDLE;
    if (a->method == KW_DECRYPT && reply->outcome == KW_STORM_WRONG) /* rule 10 */
        s->over = true;
    if (s->over)
        return;
    if (s->server[server].leaving)
        storm_leave_if_due(s, server);
    else if (a->method == KW_DECRYPT)
        storm_end_decrypt(s, asker, reply);
    else
        storm_end_check(s, asker, reply);
}

static const struct kw_storm_reply too_late = {.outcome = KW_STORM_FAILED,
                                               .code = KW_GRPC_DEADLINE_EXCEEDED};

static void storm_pass_time(struct kw_storm *s, int64_t now_ns)
{
    KW_INVARIANT(now_ns >= s->now_ns);
    if (now_ns > s->now_ns)
        storm_sample(s, now_ns);
    s->now_ns = now_ns;
}

void kw_storm_ended(struct kw_storm *s, int64_t now_ns, uint32_t asker,
                    const struct kw_storm_reply *reply)
{
    const struct kw_storm_asker *a = &s->asker[asker];
    KW_INVARIANT(a->state == KW_ASKER_ASKS);
    storm_pass_time(s, now_ns);
    storm_end_call(s, asker, now_ns >= a->at_ns ? &too_late : reply);
}

/* What an asker has to do by now, the end of its patience included (rule 8). */
static void storm_wake(struct kw_storm *s, uint32_t asker)
{
    const struct kw_storm_asker *a = &s->asker[asker];
    if (a->state == KW_ASKER_IDLE || a->at_ns > s->now_ns)
        return;
    if (a->state == KW_ASKER_ASKS) {
        s->caller.give_up(s->caller.ctx, s, asker);
        storm_end_call(s, asker, &too_late);
    } else if (asker % s->per_server == 0) {
        storm_want(s, asker, KW_STATUS);
    } else {
        storm_list_begins(s, asker);
    }
}

void kw_storm_tick(struct kw_storm *s, int64_t now_ns)
{
    const uint32_t askers = s->per_server * (uint32_t)s->o.servers;
    const int64_t end_ns = s->o.day_ns > 0 ? s->began_ns + s->o.day_ns : INT64_MAX;
    storm_pass_time(s, now_ns);
    s->over = s->over || now_ns >= end_ns;
    if (s->over || now_ns < s->wakes_ns)
        return;
    for (uint32_t i = 0; i < s->o.servers; i++)
        storm_leave_if_due(s, i);
    for (uint32_t i = 0; i < askers && !s->over; i++)
        storm_wake(s, i);
    s->wakes_ns = end_ns;
    for (uint32_t i = 0; i < askers; i++)
        if (s->asker[i].state != KW_ASKER_IDLE)
            storm_wake_at(s, s->asker[i].at_ns);
    for (uint32_t i = 0; i < s->o.servers; i++)
        if (!s->server[i].leaving)
            storm_wake_at(s, storm_restart_due(s, i));
}

kw_err kw_storm_new(const struct kw_storm_options *o,
                    const struct kw_storm_caller *caller, int64_t began_ns,
                    struct kw_storm **ret_storm)
{
    const uint64_t lists = o->parallel * o->readers;
    KW_INVARIANT(o->servers >= 1 && o->servers <= KW_STORM_SERVERS_MAX && o->seeds >= 1 &&
                 o->sockets >= 1 && o->sockets <= o->servers && lists >= 1 &&
                 lists <= KW_STORM_LISTS_MAX && o->timeout_ns > 0);
    struct kw_storm *s = kw_new(1, sizeof *s);
    if (s == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "storm");
    s->o = *o;
    s->caller = *caller;
    s->began_ns = s->now_ns = s->wakes_ns = began_ns;
    s->per_server = 1 + (uint32_t)lists;
    s->step_ns = KW_MS_NS;
    s->ready_ns = -1;
    s->asker = kw_new(o->servers * s->per_server, sizeof s->asker[0]);
    s->has = kw_new(o->servers, o->seeds);
    s->flying = kw_new(o->sockets * o->seeds, sizeof s->flying[0]);
    if (s->asker == NULL || s->has == NULL || s->flying == NULL) {
        kw_storm_free(s);
        return kw_err_at(KW_CODE_NO_MEMORY, "storm");
    }
    for (uint32_t i = 0; i < o->servers; i++) {
        s->server[i].has = s->has + i * o->seeds;
        s->server[i].leaving = true; /* an earlier life that nobody saw */
        s->tally.ready_ns[i] = -1;
    }
    *ret_storm = s;
    return KW_OK;
}

void kw_storm_free(struct kw_storm *s)
{
    if (s == NULL)
        return;
    kw_free(s->asker);
    kw_free(s->has);
    kw_free(s->flying);
    kw_free(s);
}
