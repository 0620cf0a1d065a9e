/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include <keyward/client.h>

#include "tool.h"

static const int64_t sweep_ns = 100 * KW_MS_NS;

static void calls_begin_outage(struct kw_calls *k, const char *kind, const char *said)
{
    if (!k->reconnects || k->in_outage)
        return;
    k->in_outage = true;
    k->outage = (struct kw_outage){.at_ns = k->tally.last_good_ns};
    snprintf(k->outage.first_error, sizeof k->outage.first_error, "%s%s%s", kind,
             kind[0] != '\0' ? ": " : "", said);
}

void kw_calls_end_outage(struct kw_calls *k)
{
    if (!k->in_outage)
        return;
    k->in_outage = false;
    k->outage.ns = k->now_ns - k->outage.at_ns;
    if (k->outage_count < KW_OUTAGES_MAX)
        k->outages[k->outage_count++] = k->outage;
}

static void calls_count_failure(struct kw_calls *k, struct kw_outcome *const of[2],
                                int status, const char *said, int64_t took_ns)
{
    struct kw_tally *t = &k->tally;
    unsigned code =
        status > 0 && status < KW_GRPC_CODES ? (unsigned)status : KW_GRPC_UNKNOWN;
    if (t->by_code[code]++ == 0)
        (void)kw_copy_str(t->said[code], sizeof t->said[code], kw_span_str(said));
    for (int i = 0; i < 2; i++)
        *(code == KW_GRPC_DEADLINE_EXCEEDED ? &of[i]->exceeded : &of[i]->failed) += 1;
    kw_histogram_add(&t->failed, (uint64_t)took_ns);
    calls_begin_outage(k, kw_client_status_name((int)code), said);
    k->outage.failed++;
}

static void calls_count_good(struct kw_calls *k, struct kw_outcome *const of[2],
                             int64_t took_ns)
{
    struct kw_tally *t = &k->tally;
    kw_calls_end_outage(k);
    for (int i = 0; i < 2; i++) {
        kw_histogram_add(&of[i]->good, (uint64_t)took_ns);
        of[i]->overdue += k->timeout_ns > 0 && took_ns > k->timeout_ns;
    }
    if (k->now_ns - t->last_good_ns > t->gap_ns)
        t->gap_ns = k->now_ns - t->last_good_ns;
    t->last_good_ns = k->now_ns;
}

/* One call is over, however: `status` of gRPC, -1 when none came.  What is counted for all
 * calls is counted for the method, too. */
static void calls_count(struct kw_calls *k, struct kw_h2_call *s, int status,
                        const char *said)
{
    struct kw_outcome *const of[2] = {&k->tally.all, &k->tally.of[s->method]};
    int64_t took_ns = k->now_ns - s->started_ns;
    k->under_way--;
    if (k->tally.replies >= k->replies_max)
        return;
    k->tally.replies++;
    kw_p99_window_add(&k->window, took_ns);
    if (status != 0)
        calls_count_failure(k, of, status, said, took_ns);
    else if (s->overlong || !kw_corpus_judge(k->corpus, s->method, s->entry,
                                             kw_span_of(s->body, s->len)))
        of[0]->wrong++, of[1]->wrong++;
    else
        calls_count_good(k, of, took_ns);
}

static void calls_ended(void *ctx, struct kw_h2 *c, struct kw_h2_call *s)
{
    calls_count(ctx, s, s->status, s->status < 0 ? "no grpc-status" : c->said);
}

/* When the next call may be made; 0: at once, in a closed loop without a limit. */
static int64_t calls_next_ns(const struct kw_calls *k)
{
    int64_t next = k->pace.gap_ns > 0 ? k->pace.next_ns : 0;
    if (k->schedule.rate > 0 && kw_schedule_next_ns(&k->schedule) > next)
        next = kw_schedule_next_ns(&k->schedule);
    return next;
}

static struct kw_h2_call *calls_submit(struct kw_calls *k, struct kw_pick pick)
{
    uint8_t buffer[KW_MESSAGE_MAX];
    struct kw_h2_call *s = NULL;
    const kw_span message = kw_corpus_request(k->corpus, pick.method, pick.entry, buffer);
    for (size_t i = 0; i < k->connection_count && s == NULL; i++)
        s = kw_h2_submit(&k->connection[k->turn++ % k->connection_count], pick.method,
                         message);
    return s;
}

/* false: not now. */
static bool calls_issue(struct kw_calls *k)
{
    if (k->issued >= k->issue_max || calls_next_ns(k) > k->now_ns)
        return false;
    const struct kw_pick pick =
        k->choice != NULL ? k->choice->next
                          : (struct kw_pick){k->method, k->first + k->issued % k->count};
    struct kw_h2_call *s = calls_submit(k, pick);
    if (s == NULL)
        return false;
    s->entry = pick.entry;
    s->started_ns = k->now_ns;
    if (k->schedule.rate > 0) {
        s->started_ns = kw_schedule_next_ns(&k->schedule);
        k->schedule.next++;
    }
    kw_pace_took(&k->pace, k->now_ns);
    k->issued++;
    k->sent[pick.method]++;
    k->under_way++;
    if (k->choice != NULL)
        kw_choice_step(k->choice);
    return true;
}

/* With many calls under way a reply that waits a little costs nobody anything, and being
 * woken for each one would cost this side, and the server that wakes it, more than the
 * call itself.  What is under way keeps the server busy meanwhile. */
static void calls_gather(const struct kw_calls *k)
{
    const struct timespec nap = {.tv_nsec = KW_GATHER_NS};
    if (k->gathers && calls_next_ns(k) == 0 && k->under_way >= KW_GATHER_FROM)
        (void)ppoll(NULL, 0, &nap, NULL);
}

static void calls_give_up(struct kw_calls *k, struct kw_h2 *c, int64_t older_ns)
{
    for (unsigned i = 0; i < c->setup.calls; i++) {
        struct kw_h2_call *s = &c->calls[i];
        if (s->id == 0 || (!c->over && k->now_ns - s->started_ns < older_ns))
            continue;
        calls_count(k, s, c->over ? KW_GRPC_UNAVAILABLE : KW_GRPC_DEADLINE_EXCEEDED,
                    c->over ? c->fault : "no answer in time");
        kw_h2_cancel(c, s);
    }
}

/* One attempt for each lost connection every KW_RECONNECT_MS; lost is one on which nothing
 * will come any more and nobody waits. */
static void calls_reconnect(struct kw_calls *k)
{
    if (!k->reconnects || k->now_ns - k->dialled_ns < KW_RECONNECT_MS * KW_MS_NS)
        return;
    for (size_t i = 0; i < k->connection_count; i++) {
        struct kw_h2 *c = &k->connection[i];
        const struct kw_h2_setup setup = c->setup;
        if (!c->over && (!c->draining || c->free_count < c->setup.calls))
            continue;
        calls_begin_outage(k, "", c->fault);
        kw_h2_close(c);
        if (kw_failed(kw_h2_open(c, &setup, NULL)))
            kw_h2_end(c, "the server cannot be reached");
        c->ended = calls_ended;
        c->ctx = k;
        k->now_ns = k->dialled_ns = kw_mono_ns(&kw_clock_system);
    }
}

static void calls_look(struct kw_calls *k)
{
    const int64_t left_ns = calls_next_ns(k) - k->now_ns;
    int64_t most_ns = k->reconnects ? KW_RECONNECT_MS * KW_MS_NS : INT64_MAX;
    /* Late already: every stream is taken, and a reply will wake us. */
    if (left_ns > 0 && left_ns < most_ns)
        most_ns = left_ns;
    for (size_t i = 0; i < k->connection_count; i++)
        kw_h2_flush(&k->connection[i]);
    calls_gather(k);
    kw_h2_wait(k->connection, k->connection_count, most_ns, &k->now_ns);
    const bool sweeps = k->now_ns - k->swept_ns >= sweep_ns;
    for (size_t i = 0; i < k->connection_count; i++)
        if (sweeps || k->connection[i].over)
            calls_give_up(k, &k->connection[i],
                          k->timeout_ns > 0 ? k->timeout_ns + KW_S_NS : INT64_MAX);
    if (sweeps)
        k->swept_ns = k->now_ns;
    calls_reconnect(k);
}

const char *kw_calls_fault(const struct kw_calls *k)
{
    for (size_t i = 0; i < k->connection_count && !k->reconnects; i++)
        if (k->connection[i].over || k->connection[i].draining)
            return k->connection[i].fault;
    return NULL;
}

/* How far the stretch has come: in time, or in calls when it has no time. */
static void calls_tell(struct kw_calls *k, int64_t from_ns, int64_t until_ns)
{
    if (k->what == NULL || k->now_ns - k->told_ns < sweep_ns)
        return;
    k->told_ns = k->now_ns;
    if (until_ns != INT64_MAX)
        kw_progress_tell(k->progress, k->what, (uint64_t)(k->now_ns - from_ns),
                         (uint64_t)(until_ns - from_ns));
    else
        kw_progress_tell(k->progress, k->what, k->tally.replies,
                         k->replies_max < k->issue_max ? k->replies_max : k->issue_max);
}

static bool calls_goes_on(const struct kw_calls *k, int64_t until_ns)
{
    return k->now_ns < until_ns && k->tally.replies < k->replies_max &&
           (k->under_way > 0 || k->issued < k->issue_max) && k->window.broken == 0 &&
           !kw_stop_asked() && kw_calls_fault(k) == NULL;
}

void kw_calls_pump(struct kw_calls *k, int64_t until_ns, uint64_t replies_max)
{
    const int64_t from_ns = kw_mono_ns(&kw_clock_system);
    k->now_ns = k->told_ns = from_ns;
    k->replies_max = replies_max;
    for (size_t i = 0; i < k->connection_count; i++) {
        k->connection[i].ended = calls_ended;
        k->connection[i].ctx = k;
    }
    while (calls_goes_on(k, until_ns)) {
        while (calls_issue(k)) {
        }
        calls_look(k);
        calls_tell(k, from_ns, until_ns);
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
static kw_err calls_judge(const struct kw_calls *k, struct kw_note *note)
{
    const struct kw_tally *t = &k->tally;
    const char *fault = kw_calls_fault(k);
    for (unsigned code = 0; code < KW_GRPC_CODES; code++)
        if (t->by_code[code] > 0) {
            kw_note_set(note, "%s: %" PRIu64 " of %" PRIu64 " failed with %s: %s",
                        k->what, t->by_code[code], k->issued,
                        kw_client_status_name((int)code), t->said[code]);
            return kw_err_at(KW_CODE_BAD_INPUT, "prepare");
        }
    if (t->all.wrong > 0) {
        kw_note_set(note, "%s: %" PRIu64 " replies were wrong: is this a KMS v2 plugin?",
                    k->what, t->all.wrong);
        return kw_err_at(KW_CODE_WRONG_ANSWER, "prepare");
    }
    if (fault != NULL || t->all.good.count < k->issue_max) {
        kw_note_set(note, "%s: %s", k->what, fault != NULL ? fault : "interrupted");
        return kw_err_at(KW_CODE_IO, "prepare");
    }
    return KW_OK;
}

kw_err kw_calls_prepare(struct kw_calls *k, enum kw_bench_method method, size_t first,
                        size_t count, const char *what, struct kw_note *note)
{
    k->choice = NULL;
    k->method = method;
    k->first = first;
    k->count = count;
    k->what = what;
    k->issued = 0;
    k->issue_max = count;
    k->tally = (struct kw_tally){.last_good_ns = kw_mono_ns(&kw_clock_system)};
    kw_calls_pump(k, INT64_MAX, UINT64_MAX);
    kw_calls_drain(k);
    return calls_judge(k, note);
}
