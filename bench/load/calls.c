/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <inttypes.h>

#include "load_run.h"

static const int64_t sweep_ns = 100 * KW_MS_NS;

void kw_tally_clear(struct kw_tally *t, int64_t now_ns)
{
    *t = (struct kw_tally){.last_good_ns = now_ns};
}

/* What is counted for all calls is counted for the method, too. */
#define EACH_OUTCOME(o, t, method)                                                       \
    for (struct kw_outcome *o = &(t)->all; o != NULL;                                    \
         o = o == &(t)->all ? &(t)->of[method] : NULL)

static void calls_count_failure(struct kw_calls *k, enum kw_bench_method method,
                                int status, const char *said, int64_t took_ns)
{
    struct kw_tally *t = &k->tally;
    unsigned code = status > 0 && status < KW_GRPC_CODES ? (unsigned)status : 2u;
    if (t->by_code[code]++ == 0)
        (void)kw_copy_str(t->said[code], sizeof t->said[code], kw_span_str(said));
    EACH_OUTCOME(o, t, method)
    *(code == KW_GRPC_DEADLINE_EXCEEDED ? &o->exceeded : &o->failed) += 1;
    kw_histogram_add(&t->failed, (uint64_t)took_ns);
    kw_outage_failed(k, true, kw_grpc_code_name(code), said);
}

static void calls_count_good(struct kw_calls *k, enum kw_bench_method method,
                             int64_t took_ns)
{
    struct kw_tally *t = &k->tally;
    kw_outage_end(k);
    EACH_OUTCOME(o, t, method)
    {
        kw_histogram_add(&o->good, (uint64_t)took_ns);
        o->overdue += k->timeout_ns > 0 && took_ns > k->timeout_ns;
    }
    if (k->now_ns - t->last_good_ns > t->gap_ns)
        t->gap_ns = k->now_ns - t->last_good_ns;
    t->last_good_ns = k->now_ns;
}

/* One call is over, however: `status` of gRPC, -1 when none came. */
static void calls_count(struct kw_calls *k, struct kw_h2_call *s, int status,
                        const char *said)
{
    int64_t took_ns = k->now_ns - s->started_ns;
    k->under_way--;
    if (k->tally.replies >= k->replies_max)
        return;
    k->tally.replies++;
    kw_p99_window_add(&k->window, took_ns);
    if (status != 0)
        calls_count_failure(k, s->method, status, said, took_ns);
    else if (s->overlong || !kw_corpus_judge(k->corpus, s->method, s->entry,
                                             kw_span_of(s->body, s->len)))
        EACH_OUTCOME(o, &k->tally, s->method) o->wrong++;
    else
        calls_count_good(k, s->method, took_ns);
}

static void calls_ended(void *ctx, struct kw_h2 *c, struct kw_h2_call *s)
{
    calls_count(ctx, s, s->status, s->status < 0 ? "no grpc-status" : c->said);
}

static struct kw_pick calls_next_pick(const struct kw_calls *k)
{
    if (k->choice != NULL)
        return k->choice->next;
    return (struct kw_pick){k->row.method, k->row.first + k->issued % k->row.count};
}

static bool calls_issue_on(struct kw_calls *k, struct kw_h2 *c, int64_t started_ns)
{
    uint8_t buffer[KW_MESSAGE_MAX];
    const struct kw_pick pick = calls_next_pick(k);
    if (!kw_pace_may(&k->pace, k->now_ns))
        return false;
    struct kw_h2_call *s = kw_h2_submit(
        c, pick.method, kw_corpus_request(k->corpus, pick.method, pick.entry, buffer));
    if (s == NULL)
        return false;
    kw_pace_took(&k->pace, k->now_ns);
    s->started_ns = started_ns;
    s->entry = pick.entry;
    k->issued++;
    k->sent[pick.method]++;
    k->under_way++;
    if (k->choice != NULL)
        kw_choice_step(k->choice);
    return true;
}

static bool calls_issue_anywhere(struct kw_calls *k, int64_t started_ns)
{
    for (size_t i = 0; i < k->connection_count; i++)
        if (calls_issue_on(k, &k->connection[k->turn++ % k->connection_count],
                           started_ns))
            return true;
    return false;
}

static void calls_issue_closed(struct kw_calls *k)
{
    while (k->issued < k->issue_max && calls_issue_anywhere(k, k->now_ns)) {
    }
}

static void calls_issue_due(struct kw_calls *k)
{
    struct kw_schedule ahead = *k->schedule;
    int64_t intended = 0;
    while (k->issued < k->issue_max && kw_schedule_take(&ahead, k->now_ns, &intended) &&
           calls_issue_anywhere(k, intended))
        *k->schedule = ahead;
}

static void calls_give_up(struct kw_calls *k, struct kw_h2 *c, int64_t older_ns)
{
    for (unsigned i = 0; i < c->call_max; i++) {
        struct kw_h2_call *s = &c->calls[i];
        if (s->id == 0 || (!c->over && k->now_ns - s->started_ns < older_ns))
            continue;
        calls_count(k, s, c->over ? KW_GRPC_UNAVAILABLE : KW_GRPC_DEADLINE_EXCEEDED,
                    c->over ? c->fault : "no answer in time");
        kw_h2_cancel(c, s);
    }
}

/* Calls without an answer, and those of a dead connection. */
static void calls_sweep(struct kw_calls *k)
{
    int64_t older_ns = k->timeout_ns > 0 ? k->timeout_ns + KW_S_NS : INT64_MAX;
    for (size_t i = 0; i < k->connection_count; i++)
        if (k->connection[i].over || k->now_ns - k->swept_ns >= sweep_ns)
            calls_give_up(k, &k->connection[i], older_ns);
    if (k->now_ns - k->swept_ns >= sweep_ns)
        k->swept_ns = k->now_ns;
}

const char *kw_calls_fault(const struct kw_calls *k)
{
    for (size_t i = 0; i < k->connection_count && k->reconnect.socket == NULL; i++)
        if (k->connection[i].over || k->connection[i].draining)
            return k->connection[i].fault;
    return NULL;
}

static void calls_look(struct kw_calls *k)
{
    for (size_t i = 0; i < k->connection_count; i++)
        kw_h2_flush(&k->connection[i]);
    kw_calls_wait(k, calls_ended);
    calls_sweep(k);
    kw_calls_reconnect(k);
}

/* How far the stretch has come: in time, or in calls when it has no time. */
static void calls_tell(struct kw_calls *k, int64_t from_ns, int64_t until_ns,
                       uint64_t calls)
{
    if (k->what == NULL)
        return;
    if (until_ns != INT64_MAX)
        kw_progress_tell(k->progress, k->what, (uint64_t)(k->now_ns - from_ns),
                         (uint64_t)(until_ns - from_ns));
    else
        kw_progress_tell(k->progress, k->what, k->tally.replies, calls);
}

static bool calls_goes_on(const struct kw_calls *k)
{
    return k->window.broken == 0 && !kw_stop_asked() && kw_calls_fault(k) == NULL;
}

void kw_calls_pump(struct kw_calls *k, int64_t until_ns, uint64_t replies_max)
{
    const int64_t from_ns = kw_mono_ns(&kw_clock_system);
    const uint64_t calls = replies_max < k->issue_max ? replies_max : k->issue_max;
    int64_t told_ns = from_ns;
    k->now_ns = from_ns;
    k->replies_max = replies_max;
    while (k->now_ns < until_ns && k->tally.replies < replies_max && calls_goes_on(k)) {
        if (k->schedule != NULL)
            calls_issue_due(k);
        else
            calls_issue_closed(k);
        if (k->under_way == 0 && k->issued >= k->issue_max)
            break;
        calls_look(k);
        if (k->now_ns - told_ns < sweep_ns)
            continue;
        told_ns = k->now_ns;
        calls_tell(k, from_ns, until_ns, calls);
    }
}

void kw_calls_drain(struct kw_calls *k)
{
    const int64_t patience =
        (k->timeout_ns > 0 ? k->timeout_ns : 10 * KW_S_NS) + 2 * KW_S_NS;
    const int64_t until = kw_mono_ns(&kw_clock_system) + patience;
    k->now_ns = until - patience;
    while (k->under_way > 0 && k->now_ns < until)
        calls_look(k);
    for (size_t i = 0; i < k->connection_count; i++)
        calls_give_up(k, &k->connection[i], INT64_MIN);
}

/* What the last stretch ended in, when it was not all good. */
static kw_err prepare_judge(const struct kw_calls *k, const char *what,
                            struct kw_note *note)
{
    const struct kw_tally *t = &k->tally;
    for (unsigned code = 0; code < KW_GRPC_CODES; code++)
        if (t->by_code[code] > 0) {
            kw_note_set(note, "%s: %" PRIu64 " of %" PRIu64 " failed with %s: %s", what,
                        t->by_code[code], k->issued, kw_grpc_code_name(code),
                        t->said[code]);
            return kw_err_at(KW_CODE_BAD_INPUT, "prepare");
        }
    if (t->all.wrong > 0) {
        kw_note_set(note, "%s: %" PRIu64 " replies were wrong: is this a KMS v2 plugin?",
                    what, t->all.wrong);
        return kw_err_at(KW_CODE_WRONG_ANSWER, "prepare");
    }
    if (kw_calls_fault(k) != NULL || t->all.good.count < k->issue_max) {
        kw_note_set(note, "%s: %s", what,
                    kw_calls_fault(k) != NULL ? kw_calls_fault(k) : "interrupted");
        return kw_err_at(KW_CODE_IO, "prepare");
    }
    return KW_OK;
}

kw_err kw_calls_prepare(struct kw_calls *k, enum kw_bench_method method, size_t first,
                        size_t count, const char *what, struct kw_note *note)
{
    k->choice = NULL;
    k->row = (struct kw_row){method, first, count};
    k->what = what;
    k->issued = 0;
    k->issue_max = count;
    kw_tally_clear(&k->tally, kw_mono_ns(&kw_clock_system));
    kw_calls_pump(k, INT64_MAX, UINT64_MAX);
    kw_calls_drain(k);
    return prepare_judge(k, what, note);
}
