/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of storm.h, one function each where that is possible. */
#include "storm.h"

#include <keyward/alloc.h>

enum kw_storm_asker_state {
    KW_ASKER_IDLE,   /* nothing to do                      */
    KW_ASKER_SLEEPS, /* until at_ns                        */
    KW_ASKER_ASKS,   /* a call, which is given up at at_ns */
};

struct kw_storm_asker {
    enum kw_storm_asker_state state;
    enum kw_bench_method method;
    int64_t wanted_ns, at_ns; /* latency and timeout count from the first */
    size_t seed;              /* of a list: the one it is at              */
};

struct kw_storm_server {
    unsigned key_id, seen;  /* of the state, 0: none; of the last Status */
    bool begun;             /* the first check has ended   */
    bool leaving;           /* a restart is due            */
    uint64_t busy;          /* calls wanted and not ended  */
    uint64_t lists_left;    /* not at their ends           */
    uint64_t has_count;     /* seeds in its cache          */
    uint8_t *has;           /* [seeds]                     */
    uint64_t restarts_made; /* and due: the next is one more */
    int64_t born_ns;
};

struct kw_storm_timeline {
    int64_t step_ns, next_ns; /* of the next sample, since 0 */
    size_t count;
    struct kw_storm_point point[KW_STORM_POINTS];
};

struct kw_storm {
    struct kw_storm_options o;
    struct kw_storm_caller caller;
    int64_t began_ns, now_ns, wakes_ns;
    bool over;
    uint32_t per_server; /* askers: 1 + P x R */
    struct kw_storm_asker *asker;
    struct kw_storm_server server[KW_STORM_SERVERS_MAX];
    uint8_t *has;     /* the servers' own */
    uint16_t *flying; /* [sockets][seeds]: equal Decrypts under way */
    struct kw_storm_tally tally;
    struct kw_storm_timeline timeline;
};

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

/* ---- what is counted, and what happened when ----------------------------------------- */

static struct kw_storm_hour *hour_of(struct kw_storm *s, int64_t wanted_ns)
{
    /* In steps of a 24th, so that the product cannot run over. */
    int64_t each = s->o.day_ns / KW_STORM_HOURS;
    int64_t hour = each > 0 ? (wanted_ns - s->began_ns) / each : 0;
    return &s->tally.hour[hour < KW_STORM_HOURS ? hour : KW_STORM_HOURS - 1];
}

static uint16_t *flying_of(struct kw_storm *s, uint32_t server, size_t seed)
{
    return &s->flying[server % s->o.sockets * s->o.seeds + seed];
}

static void count_wanted(struct kw_storm *s, uint32_t server,
                         const struct kw_storm_asker *a)
{
    s->server[server].busy++;
    s->tally.calls[a->method]++;
    hour_of(s, a->wanted_ns)->calls[a->method]++;
    if (a->method == KW_DECRYPT && (*flying_of(s, server, a->seed))++ > 0)
        s->tally.duplicates++;
}

static void count_code(struct kw_storm_tally *t, unsigned code)
{
    enum { UNKNOWN = 2, DEADLINE_EXCEEDED = 4 };
    t->by_code[code > 0 && code < KW_STORM_CODES ? code : UNKNOWN]++;
    t->deadline_misses += code == DEADLINE_EXCEEDED;
}

static void count_ended(struct kw_storm *s, uint32_t server,
                        const struct kw_storm_asker *a,
                        const struct kw_storm_reply *reply)
{
    struct kw_storm_tally *t = &s->tally;
    s->server[server].busy--;
    if (a->method == KW_DECRYPT)
        (*flying_of(s, server, a->seed))--;
    if (reply->outcome == KW_STORM_GOOD) {
        t->good[a->method]++;
        if (a->method == KW_DECRYPT)
            kw_histogram_add(&t->latency, (uint64_t)(s->now_ns - a->wanted_ns));
        return;
    }
    hour_of(s, a->wanted_ns)->failed[a->method]++;
    if (reply->outcome == KW_STORM_WRONG)
        t->wrong++;
    else
        count_code(t, reply->code);
}

uint64_t kw_storm_unwrapped(const struct kw_storm *s)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < s->o.servers; i++)
        sum += s->server[i].has_count;
    return sum;
}

static struct kw_storm_point storm_point_at(const struct kw_storm *s, int64_t t_ns)
{
    struct kw_storm_point p = {
        .t_ns = t_ns, .unwrapped = kw_storm_unwrapped(s), .failed = s->tally.wrong};
    for (uint64_t i = 0; i < s->o.servers; i++)
        p.in_flight += s->server[i].busy;
    for (unsigned i = 0; i < KW_STORM_CODES; i++)
        p.failed += s->tally.by_code[i];
    return p;
}

/* Every second point goes, and twice as long lies between those that come. */
static void storm_thin_out(struct kw_storm_timeline *line)
{
    line->count = (line->count + 1) / 2;
    for (size_t i = 1; i < line->count; i++)
        line->point[i] = line->point[2 * i];
    line->step_ns *= 2;
    line->next_ns = (int64_t)line->count * line->step_ns;
}

static void storm_sample(struct kw_storm *s, int64_t now_ns)
{
    struct kw_storm_timeline *line = &s->timeline;
    while (line->next_ns <= now_ns - s->began_ns) {
        line->point[line->count++] = storm_point_at(s, line->next_ns);
        line->next_ns += line->step_ns;
        if (line->count == KW_STORM_POINTS - 1) /* the last one is for the end */
            storm_thin_out(line);
    }
}

size_t kw_storm_timeline(const struct kw_storm *s, struct kw_storm_point *ret_points)
{
    const struct kw_storm_timeline *line = &s->timeline;
    for (size_t i = 0; i < line->count; i++)
        ret_points[i] = line->point[i];
    ret_points[line->count] = storm_point_at(s, s->now_ns - s->began_ns);
    return line->count + 1;
}

/* ---- the machine ---------------------------------------------------------------------- */

static uint64_t lists_of(const struct kw_storm_options *o)
{
    return o->parallel * o->readers;
}

static uint32_t server_of(const struct kw_storm *s, uint32_t asker)
{
    KW_INVARIANT(s->per_server > 0);
    return asker / s->per_server;
}

static uint32_t check_of(const struct kw_storm *s, uint32_t server)
{
    return server * s->per_server;
}

static uint32_t askers_of(const struct kw_storm *s)
{
    return s->per_server * (uint32_t)s->o.servers;
}

/* Rule 4: the lists that need the very same seeds follow one another. */
static size_t first_seed(const struct kw_storm *s, uint32_t asker)
{
    return (asker % s->per_server - 1) / s->o.readers;
}

static struct kw_storm_call storm_call_of(const struct kw_storm *s, uint32_t asker)
{
    const struct kw_storm_asker *a = &s->asker[asker];
    return (struct kw_storm_call){asker, server_of(s, asker), a->method, a->seed};
}

/* ---- what an asker does ------------------------------------------------------------ */

static void storm_wake_at(struct kw_storm *s, int64_t at_ns)
{
    if (at_ns < s->wakes_ns)
        s->wakes_ns = at_ns;
}

static void storm_fall_asleep(struct kw_storm *s, uint32_t asker, int64_t for_ns)
{
    struct kw_storm_asker *a = &s->asker[asker];
    a->state = KW_ASKER_SLEEPS;
    a->at_ns = s->now_ns + for_ns;
    storm_wake_at(s, a->at_ns);
}

static void storm_want(struct kw_storm *s, uint32_t asker, enum kw_bench_method method)
{
    struct kw_storm_asker *a = &s->asker[asker];
    a->state = KW_ASKER_ASKS;
    a->method = method;
    a->wanted_ns = s->now_ns;
    a->at_ns = s->now_ns + s->o.timeout_ns; /* rule 8 */
    storm_wake_at(s, a->at_ns);
    count_wanted(s, server_of(s, asker), a);
    const struct kw_storm_call call = storm_call_of(s, asker);
    s->caller.ask(s->caller.ctx, &call);
}

/* Rule 9. */
static void list_came_to_its_end(struct kw_storm *s, uint32_t server)
{
    struct kw_storm_server *v = &s->server[server];
    int64_t took = s->now_ns - v->born_ns;
    if (--v->lists_left > 0)
        return;
    if (s->tally.ready_ns[server] < 0)
        s->tally.ready_ns[server] = s->now_ns - s->began_ns;
    if (took > s->tally.slowest_ns)
        s->tally.slowest_ns = took;
    if (s->o.day_ns == 0 && kw_storm_ready_ns(s) >= 0)
        s->over = true;
}

static void list_fails(struct kw_storm *s, uint32_t asker)
{
    s->tally.list_retries++;
    storm_fall_asleep(s, asker, s->o.list_retry_ns);
}

/* Rule 5: from the seed it is at to the next that the cache has not. */
static void list_goes_on(struct kw_storm *s, uint32_t asker)
{
    uint32_t server = server_of(s, asker);
    struct kw_storm_asker *a = &s->asker[asker];
    while (a->seed < s->o.seeds && s->server[server].has[a->seed])
        a->seed += s->o.parallel;
    a->state = KW_ASKER_IDLE;
    if (a->seed < s->o.seeds)
        storm_want(s, asker, KW_DECRYPT);
    else
        list_came_to_its_end(s, server);
}

static void list_begins(struct kw_storm *s, uint32_t asker)
{
    if (s->server[server_of(s, asker)].key_id == 0) { /* rule 7 */
        list_fails(s, asker);
        return;
    }
    s->asker[asker].seed = first_seed(s, asker);
    list_goes_on(s, asker);
}

/* Rules 3 and 4. */
static void check_ended(struct kw_storm *s, uint32_t asker, bool good)
{
    uint32_t server = server_of(s, asker);
    struct kw_storm_server *v = &s->server[server];
    s->tally.bad_checks += !good;
    storm_fall_asleep(s, asker, good ? s->o.check_ns : s->o.check_retry_ns);
    if (v->begun)
        return;
    v->begun = true;
    for (uint32_t i = 1; i < s->per_server; i++)
        list_begins(s, check_of(s, server) + i);
}

static void storm_begin(struct kw_storm *s, uint32_t asker)
{
    if (asker == check_of(s, server_of(s, asker)))
        storm_want(s, asker, KW_STATUS);
    else
        list_begins(s, asker);
}

/* ---- the life of a server ---------------------------------------------------------- */

static void storm_be_born(struct kw_storm *s, uint32_t server)
{
    struct kw_storm_server *v = &s->server[server];
    v->key_id = v->seen = 0;
    v->begun = v->leaving = false;
    v->lists_left = lists_of(&s->o);
    v->has_count = 0;
    for (size_t i = 0; i < s->o.seeds; i++)
        v->has[i] = 0;
    v->born_ns = s->now_ns;
    for (uint32_t i = 0; i < s->per_server; i++)
        s->asker[check_of(s, server) + i].state = KW_ASKER_IDLE;
    storm_want(s, check_of(s, server), KW_STATUS);
}

static int64_t restart_due(const struct kw_storm *s, uint32_t server)
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
static void leave_if_due(struct kw_storm *s, uint32_t server)
{
    struct kw_storm_server *v = &s->server[server];
    if (!v->leaving && s->now_ns >= restart_due(s, server)) {
        for (uint32_t i = 0; i < s->per_server; i++)
            if (s->asker[check_of(s, server) + i].state == KW_ASKER_SLEEPS)
                s->asker[check_of(s, server) + i].state = KW_ASKER_IDLE;
        v->leaving = true;
        v->restarts_made++;
        s->tally.restarts++;
    }
    if (v->leaving && v->busy == 0)
        storm_be_born(s, server);
}

/* ---- time -------------------------------------------------------------------------- */

int64_t kw_storm_wakes(const struct kw_storm *s)
{
    return s->over ? INT64_MAX : s->wakes_ns;
}

/* What is due later; the earliest of it is when to look again. */
static void storm_look_ahead(struct kw_storm *s)
{
    s->wakes_ns = s->o.day_ns > 0 ? s->began_ns + s->o.day_ns : INT64_MAX;
    for (uint32_t i = 0; i < askers_of(s); i++)
        if (s->asker[i].state != KW_ASKER_IDLE)
            storm_wake_at(s, s->asker[i].at_ns);
    for (uint32_t i = 0; i < s->o.servers; i++)
        if (!s->server[i].leaving)
            storm_wake_at(s, restart_due(s, i));
}

/* ---- the end of a call ------------------------------------------------------------- */

/* Rule 2. */
static void end_of_check(struct kw_storm *s, uint32_t asker,
                         const struct kw_storm_reply *reply)
{
    struct kw_storm_server *v = &s->server[server_of(s, asker)];
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
    check_ended(s, asker, good);
}

/* Rule 6. */
static void end_of_decrypt(struct kw_storm *s, uint32_t asker,
                           const struct kw_storm_reply *reply)
{
    struct kw_storm_server *v = &s->server[server_of(s, asker)];
    size_t seed = s->asker[asker].seed;
    if (reply->outcome != KW_STORM_GOOD) {
        list_fails(s, asker);
    } else {
        v->has_count += !v->has[seed];
        v->has[seed] = 1;
        list_goes_on(s, asker);
    }
}

static void storm_end_call(struct kw_storm *s, uint32_t asker,
                           const struct kw_storm_reply *reply)
{
    struct kw_storm_asker *a = &s->asker[asker];
    uint32_t server = server_of(s, asker);
    count_ended(s, server, a, reply);
    a->state = KW_ASKER_IDLE;
    if (a->method == KW_DECRYPT && reply->outcome == KW_STORM_WRONG) /* rule 10 */
        s->over = true;
    if (s->over)
        return;
    if (s->server[server].leaving)
        leave_if_due(s, server);
    else if (a->method == KW_DECRYPT)
        end_of_decrypt(s, asker, reply);
    else
        end_of_check(s, asker, reply);
}

static const struct kw_storm_reply too_late = {.outcome = KW_STORM_FAILED, .code = 4};

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

/* Rule 8. */
static void storm_give_up(struct kw_storm *s, uint32_t asker)
{
    const struct kw_storm_call call = storm_call_of(s, asker);
    s->caller.give_up(s->caller.ctx, &call);
    storm_end_call(s, asker, &too_late);
}

void kw_storm_tick(struct kw_storm *s, int64_t now_ns)
{
    storm_pass_time(s, now_ns);
    if (s->o.day_ns > 0 && now_ns >= s->began_ns + s->o.day_ns)
        s->over = true;
    if (s->over || now_ns < s->wakes_ns)
        return;
    for (uint32_t i = 0; i < s->o.servers; i++)
        leave_if_due(s, i);
    for (uint32_t i = 0; i < askers_of(s) && !s->over; i++) {
        const struct kw_storm_asker *a = &s->asker[i];
        if (a->at_ns <= now_ns && a->state == KW_ASKER_SLEEPS)
            storm_begin(s, i);
        else if (a->at_ns <= now_ns && a->state == KW_ASKER_ASKS)
            storm_give_up(s, i);
    }
    storm_look_ahead(s);
}

/* ---- birth, death, what is known --------------------------------------------------- */

kw_err kw_storm_new(const struct kw_storm_options *o,
                    const struct kw_storm_caller *caller, int64_t began_ns,
                    struct kw_storm **ret_storm)
{
    KW_INVARIANT(o->servers >= 1 && o->servers <= KW_STORM_SERVERS_MAX && o->seeds >= 1 &&
                 o->sockets >= 1 && o->sockets <= o->servers && lists_of(o) >= 1 &&
                 lists_of(o) <= KW_STORM_LISTS_MAX && o->timeout_ns > 0);
    struct kw_storm *s = kw_new(1, sizeof *s);
    if (s == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "storm");
    s->o = *o;
    s->caller = *caller;
    s->began_ns = s->now_ns = began_ns;
    s->per_server = 1 + (uint32_t)lists_of(o);
    s->timeline.step_ns = KW_MS_NS;
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
    s->wakes_ns = began_ns;
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

bool kw_storm_over(const struct kw_storm *s)
{
    return s->over;
}

int64_t kw_storm_ready_ns(const struct kw_storm *s)
{
    int64_t last = 0;
    for (uint64_t i = 0; i < s->o.servers; i++) {
        if (s->tally.ready_ns[i] < 0)
            return -1;
        if (s->tally.ready_ns[i] > last)
            last = s->tally.ready_ns[i];
    }
    return last;
}

const struct kw_storm_tally *kw_storm_tally_peek(const struct kw_storm *s)
{
    return &s->tally;
}
