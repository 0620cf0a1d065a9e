/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include "tool.h"

static const int64_t sweep_ns = 100 * KW_MS_NS;

void kw_tally_clear(struct kw_tally *t, int64_t now_ns)
{
    *t = (struct kw_tally){.last_good_ns = now_ns};
}

uint64_t kw_tally_failed(const struct kw_tally *t)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < KW_GRPC_CODES; i++)
        all += t->by_code[i];
    return all;
}

static uint64_t replies(const struct kw_tally *t)
{
    return t->good.count + t->wrong + kw_tally_failed(t);
}

static void count_failure(struct kw_tally *t, int status, const char *said, int64_t took)
{
    unsigned code = status > 0 && status < KW_GRPC_CODES ? (unsigned)status : 2u;
    if (t->by_code[code]++ == 0)
        (void)kw_copy_str(t->said[code], sizeof t->said[code], kw_span_str(said));
    kw_histogram_add(&t->failed, (uint64_t)took);
}

static void count_good(struct kw_tally *t, int64_t now_ns, int64_t took)
{
    kw_histogram_add(&t->good, (uint64_t)took);
    if (now_ns - t->last_good_ns > t->gap_ns)
        t->gap_ns = now_ns - t->last_good_ns;
    t->last_good_ns = now_ns;
}

static void ended(void *ctx, struct kw_h2 *c, struct kw_stream *s)
{
    struct kw_calls *k = ctx;
    int64_t took = k->now_ns - s->started_ns;
    k->under_way--;
    if (s->status != 0)
        count_failure(&k->tally, s->status, s->status < 0 ? "no grpc-status" : c->said,
                      took);
    else if (s->overlong || !kw_corpus_judge(k->corpus, s->method, s->entry,
                                             kw_span_of(s->body, s->len)))
        k->tally.wrong++;
    else
        count_good(&k->tally, k->now_ns, took);
}

/* The request of the next call; it is built again when it could not be sent. */
static kw_span next_message(struct kw_calls *k, uint8_t buffer[KW_MESSAGE_MAX])
{
    kw_dst dst = kw_dst_of(buffer, KW_MESSAGE_MAX);
    size_t entry = k->issued % k->corpus->count;
    if (k->method == KW_DECRYPT)
        return kw_corpus_decrypt(k->corpus, entry);
    bool fits = k->method == KW_STATUS ? kw_message_status(&dst)
                                       : kw_corpus_encrypt(k->corpus, entry, &dst);
    KW_INVARIANT(fits);
    return kw_dst_span(&dst);
}

static bool issue_on(struct kw_calls *k, struct kw_h2 *c, int64_t started_ns)
{
    uint8_t buffer[KW_MESSAGE_MAX];
    struct kw_stream *s = kw_h2_submit(c, k->method, next_message(k, buffer));
    if (s == NULL)
        return false;
    s->started_ns = started_ns;
    s->entry = k->issued % k->corpus->count;
    k->issued++;
    k->under_way++;
    return true;
}

static void issue_closed(struct kw_calls *k)
{
    for (size_t i = 0; i < k->connection_count; i++)
        while (k->issued < k->issue_max && issue_on(k, &k->connection[i], k->now_ns)) {
        }
}

static bool issue_anywhere(struct kw_calls *k, int64_t started_ns)
{
    for (size_t i = 0; i < k->connection_count; i++)
        if (issue_on(k, &k->connection[k->turn++ % k->connection_count], started_ns))
            return true;
    return false;
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
        k->under_way--;
        count_failure(&k->tally, c->over ? 14 : 4,
                      c->over ? c->fault : "no answer in time",
                      k->now_ns - s->started_ns);
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
    for (size_t i = 0; i < k->connection_count; i++)
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
}

void kw_calls_pump(struct kw_calls *k, int64_t until_ns, uint64_t replies_max)
{
    k->now_ns = kw_mono_ns(&kw_clock_system);
    while (k->now_ns < until_ns && replies(&k->tally) < replies_max && !kw_stop_asked() &&
           kw_calls_fault(k) == NULL) {
        if (k->schedule != NULL)
            issue_due(k);
        else
            issue_closed(k);
        if (k->under_way == 0 && k->issued >= k->issue_max)
            break;
        look(k);
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
