/* SPDX-License-Identifier: Apache-2.0 */
#include "lane.h"

#include <sys/resource.h>
#include <time.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>

/* ---- opening -------------------------------------------------------------------- */

static bool is_over(const struct kw_lane *l)
{
    return atomic_load_explicit(&l->errand->board->stop, memory_order_relaxed);
}

bool kw_lane_turn(struct kw_lane *l)
{
    int64_t now = kw_mono_ns(&kw_clock_system);
    int64_t begin = kw_pace_take(&l->pace, now);
    while (begin > now && !kw_pace_nap(begin) && !is_over(l))
        ;
    return !is_over(l);
}

static kw_err open_session(struct kw_lane *l, struct kw_token *token, bool lend,
                           struct kw_note *note)
{
    const kw_span no_locator = {0};
    size_t i = l->sessions;
    if (lend)
        l->token[i] = token;
    kw_err e = lend ? KW_OK : kw_token_branch(token, &l->token[i], note);
    if (kw_failed(e))
        return e;
    l->first_is_lent = l->first_is_lent || lend;
    l->sessions++;
    return l->label[0] == '\0'
               ? KW_OK
               : kw_token_find(l->token[i], l->label, no_locator, &l->key[i], note);
}

kw_err kw_lane_open(struct kw_lane *l, struct kw_token *token, bool lend,
                    const char *label, struct kw_note *note)
{
    const struct kw_token_plan *p = l->errand->plan;
    kw_err e = KW_OK;
    (void)kw_copy_str(l->label, sizeof l->label, kw_span_str(label));
    l->token = kw_new(p->sessions, sizeof(struct kw_token *));
    l->key = kw_new(p->sessions, sizeof(struct kw_token_key *));
    if (l->token == NULL || l->key == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "lane");
    for (uint64_t i = 0; i < p->sessions && !kw_failed(e); i++)
        e = open_session(l, token, lend && i == 0, note);
    if (!kw_failed(e) && kw_op_seals(p->op)) {
        e = kw_lane_texts(l);
        if (kw_failed(e))
            kw_note_set(note, "the token failed before it was measured: %s at %s (0x%x)",
                        kw_code_name(e.code), e.where, e.native);
    }
    return e;
}

void kw_lane_close(struct kw_lane *l)
{
    for (size_t i = l->first_is_lent ? 1 : 0; i < l->sessions; i++)
        kw_token_branch_close(l->token[i]);
    kw_free(l->token);
    kw_free(l->key);
    kw_free(l->texts);
    l->sessions = 0;
}

/* ---- running -------------------------------------------------------------------- */

static void fail(struct kw_lane *l, kw_err e)
{
    struct kw_lane_slot *s = l->slot;
    s->error = e;
    if (s->note.text[0] == '\0')
        kw_note_set(&s->note, "the token failed while it was measured: %s at %s (0x%x)",
                    kw_code_name(e.code), e.where, e.native);
    atomic_store(&l->errand->board->stop, true);
}

/* Counters that only this thread writes: no locked instruction is needed. */
static void add_one(atomic_uint_fast64_t *counter)
{
    atomic_store_explicit(counter,
                          atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static void record(struct kw_lane *l, int64_t begun, int64_t ended)
{
    struct kw_lane_slot *s = l->slot;
    const int64_t limit = l->errand->plan->stop_p99_ns;
    atomic_store_explicit(&s->since_ns, 0, memory_order_relaxed);
    add_one(&s->done);
    if (limit > 0 && ended - begun > limit)
        add_one(&s->slow);
    if (!l->measured)
        return;
    l->quota--;
    kw_histogram_add(&s->latency, (uint64_t)(ended - begun));
    s->end_ns = ended;
}

struct kw_used kw_used_now(void)
{
    struct timespec t = {0};
    struct rusage u = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    (void)getrusage(RUSAGE_SELF, &u);
    return (struct kw_used){(uint64_t)t.tv_sec * (uint64_t)KW_S_NS + (uint64_t)t.tv_nsec,
                            (uint64_t)(u.ru_nvcsw + u.ru_nivcsw)};
}

/* The lane's part of --calls; without, there is no end but time's. */
static uint64_t quota_of(const struct kw_lane *l)
{
    const uint64_t calls = l->errand->plan->calls;
    if (calls == 0)
        return UINT64_MAX;
    return calls * (l->number + 1) / l->lanes - calls * l->number / l->lanes;
}

/* The next operation is the lane's first one that counts. */
static void begin_measured(struct kw_lane *l)
{
    struct kw_process_slot *s = &l->errand->board->process[l->errand->process];
    l->measured = true;
    l->quota = quota_of(l);
    if (!atomic_exchange(&s->begun, true))
        s->before = kw_used_now();
}

/* Number n of this lane; *now is when the one before ended, and becomes when this one
 * did.  false: it failed. */
static bool step(struct kw_lane *l, uint64_t n, int64_t *now)
{
    kw_err e = KW_OK;
    if (l->errand->plan->op == KW_OP_LOGIN) {
        e = kw_token_logout(l->token[0]);
        *now = kw_mono_ns(&kw_clock_system);
    }
    atomic_store_explicit(&l->slot->since_ns, *now, memory_order_relaxed);
    if (!kw_failed(e))
        e = kw_lane_operation(l, n);
    if (kw_failed(e)) {
        fail(l, e);
        return false;
    }
    int64_t ended = kw_mono_ns(&kw_clock_system);
    record(l, *now, ended);
    *now = ended;
    return true;
}

void kw_lane_run(struct kw_lane *l)
{
    const struct kw_token_plan *p = l->errand->plan;
    const struct kw_board *b = l->errand->board;
    kw_pace_init(&l->pace, p->max_rate, l->number, l->lanes, b->start_ns, p->ramp_ns);
    while (!is_over(l) && !kw_pace_nap(b->start_ns))
        ;
    int64_t now = kw_mono_ns(&kw_clock_system);
    uint64_t n = 0;
    while (now < b->until_ns && !is_over(l)) {
        if (!l->measured && now >= b->from_ns) {
            begin_measured(l);
            now = kw_mono_ns(&kw_clock_system);
        }
        if (l->measured && l->quota == 0)
            break;
        if (p->max_rate > 0) {
            if (!kw_lane_turn(l))
                break;
            now = kw_mono_ns(&kw_clock_system);
            if (now >= b->until_ns)
                break;
        }
        if (!step(l, n, &now))
            return;
        n++;
    }
    kw_lane_prove(l, n);
}
