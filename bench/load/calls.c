/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include "load.h"

static const int64_t sweep_ns = 100 * KW_MS_NS;

void kw_tally_clear(struct kw_tally *t, int64_t now_ns)
{
    *t = (struct kw_tally){.last_good_ns = now_ns};
}

/* Behind the time that the caller gave it. */
static bool is_overdue(const struct kw_calls *k, int64_t took_ns)
{
    return k->timeout_ns > 0 && took_ns > k->timeout_ns;
}

static void count_failure(struct kw_calls *k, enum kw_method method, int status,
                          const char *said, int64_t took_ns)
{
    struct kw_tally *t = &k->tally;
    unsigned code = status > 0 && status < KW_GRPC_CODES ? (unsigned)status : 2u;
    if (t->by_code[code]++ == 0)
        (void)kw_copy_str(t->said[code], sizeof t->said[code], kw_span_str(said));
    t->all.exceeded += code == KW_GRPC_DEADLINE_EXCEEDED;
    t->of[method].exceeded += code == KW_GRPC_DEADLINE_EXCEEDED;
    t->all.failed += code != KW_GRPC_DEADLINE_EXCEEDED;
    t->of[method].failed += code != KW_GRPC_DEADLINE_EXCEEDED;
    kw_histogram_add(&t->failed, (uint64_t)took_ns);
    kw_outage_failed(k, true, kw_grpc_code_name(code), said);
}

static void count_good(struct kw_calls *k, enum kw_method method, int64_t took_ns)
{
    struct kw_tally *t = &k->tally;
    kw_outage_end(k);
    kw_histogram_add(&t->all.good, (uint64_t)took_ns);
    kw_histogram_add(&t->of[method].good, (uint64_t)took_ns);
    if (is_overdue(k, took_ns)) {
        t->all.overdue++;
        t->of[method].overdue++;
    }
    if (k->now_ns - t->last_good_ns > t->gap_ns)
        t->gap_ns = k->now_ns - t->last_good_ns;
    t->last_good_ns = k->now_ns;
}

static void count_wrong(struct kw_tally *t, enum kw_method method)
{
    t->all.wrong++;
    t->of[method].wrong++;
}

/* One call is over, however: `status` of gRPC, -1 when none came. */
static void count(struct kw_calls *k, struct kw_stream *s, int status, const char *said)
{
    int64_t took_ns = k->now_ns - s->started_ns;
    k->under_way--;
    if (k->tally.replies >= k->replies_max)
        return;
    k->tally.replies++;
    kw_window_add(&k->window, took_ns);
    if (status != 0)
        count_failure(k, s->method, status, said, took_ns);
    else if (s->overlong || !kw_corpus_judge(k->corpus, s->method, s->entry,
                                             kw_span_of(s->body, s->len)))
        count_wrong(&k->tally, s->method);
    else
        count_good(k, s->method, took_ns);
}

static void ended(void *ctx, struct kw_h2 *c, struct kw_stream *s)
{
    count(ctx, s, s->status, s->status < 0 ? "no grpc-status" : c->said);
}

static struct kw_pick next_pick(const struct kw_calls *k)
{
    if (k->choice != NULL)
        return k->choice->next;
    return (struct kw_pick){k->row.method, k->row.first + k->issued % k->row.count};
}

/* The request of a call; it is built again when it could not be sent. */
static kw_span message_of(struct kw_calls *k, const struct kw_pick *pick,
                          uint8_t buffer[KW_MESSAGE_MAX])
{
    kw_dst dst = kw_dst_of(buffer, KW_MESSAGE_MAX);
    if (pick->method == KW_DECRYPT)
        return kw_corpus_decrypt(k->corpus, pick->entry);
    bool fits = pick->method == KW_STATUS
                    ? kw_message_status(&dst)
                    : kw_corpus_encrypt(k->corpus, pick->entry, &dst);
    KW_INVARIANT(fits);
    return kw_dst_span(&dst);
}

static bool issue_on(struct kw_calls *k, struct kw_h2 *c, int64_t started_ns)
{
    uint8_t buffer[KW_MESSAGE_MAX];
    const struct kw_pick pick = next_pick(k);
    if (!kw_pace_may(&k->pace, k->now_ns))
        return false;
    struct kw_stream *s = kw_h2_submit(c, pick.method, message_of(k, &pick, buffer));
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

static bool issue_anywhere(struct kw_calls *k, int64_t started_ns)
{
    for (size_t i = 0; i < k->connection_count; i++)
        if (issue_on(k, &k->connection[k->turn++ % k->connection_count], started_ns))
            return true;
    return false;
}

static void issue_closed(struct kw_calls *k)
{
    while (k->issued < k->issue_max && issue_anywhere(k, k->now_ns)) {
    }
}

static void issue_due(struct kw_calls *k)
{
    struct kw_schedule ahead = *k->schedule;
    int64_t intended = 0;
    while (k->issued < k->issue_max && kw_schedule_take(&ahead, k->now_ns, &intended) &&
           issue_anywhere(k, intended))
        *k->schedule = ahead;
}

static void give_up(struct kw_calls *k, struct kw_h2 *c, int64_t older_ns)
{
    for (unsigned i = 0; i < c->streams_given; i++) {
        struct kw_stream *s = &c->streams[i];
        if (s->id == 0 || (!c->over && k->now_ns - s->started_ns < older_ns))
            continue;
        count(k, s, c->over ? KW_GRPC_UNAVAILABLE : KW_GRPC_DEADLINE_EXCEEDED,
              c->over ? c->fault : "no answer in time");
        kw_h2_cancel(c, s);
    }
}

/* Calls without an answer, and those of a dead connection. */
static void sweep(struct kw_calls *k)
{
    int64_t older_ns = k->timeout_ns > 0 ? k->timeout_ns + KW_S_NS : INT64_MAX;
    for (size_t i = 0; i < k->connection_count; i++)
        if (k->connection[i].over || k->now_ns - k->swept_ns >= sweep_ns)
            give_up(k, &k->connection[i], older_ns);
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

static void look(struct kw_calls *k)
{
    for (size_t i = 0; i < k->connection_count; i++)
        kw_h2_flush(&k->connection[i]);
    kw_calls_wait(k, ended);
    sweep(k);
    kw_calls_reconnect(k);
}

/* How far the stretch has come: in time, or in calls when it has no time. */
static void tell(struct kw_calls *k, int64_t from_ns, int64_t until_ns, uint64_t calls)
{
    if (k->what == NULL)
        return;
    if (until_ns != INT64_MAX)
        kw_progress_tell(k->progress, k->what, (uint64_t)(k->now_ns - from_ns),
                         (uint64_t)(until_ns - from_ns));
    else
        kw_progress_tell(k->progress, k->what, k->tally.replies, calls);
}

static bool goes_on(const struct kw_calls *k)
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
    while (k->now_ns < until_ns && k->tally.replies < replies_max && goes_on(k)) {
        if (k->schedule != NULL)
            issue_due(k);
        else
            issue_closed(k);
        if (k->under_way == 0 && k->issued >= k->issue_max)
            break;
        look(k);
        if (k->now_ns - told_ns < sweep_ns)
            continue;
        told_ns = k->now_ns;
        tell(k, from_ns, until_ns, calls);
    }
}

void kw_calls_drain(struct kw_calls *k)
{
    const int64_t patience =
        (k->timeout_ns > 0 ? k->timeout_ns : 10 * KW_S_NS) + 2 * KW_S_NS;
    const int64_t until = kw_mono_ns(&kw_clock_system) + patience;
    k->now_ns = until - patience;
    while (k->under_way > 0 && k->now_ns < until)
        look(k);
    for (size_t i = 0; i < k->connection_count; i++)
        give_up(k, &k->connection[i], INT64_MIN);
}
