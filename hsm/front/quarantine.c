/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs that cost workers. */
#include "quarantine.h"

size_t kw_sample_of(const struct kw_wire_job *job, uint8_t *dst)
{
    kw_dst d = kw_dst_of(dst, KW_SAMPLE_MAX);
    bool ok = job->op == KW_WIRE_UNWRAP && kw_dst_put_sized(&d, job->key_id) &&
              kw_dst_put_sized(&d, job->iv) && kw_dst_put_sized(&d, job->aad) &&
              kw_dst_put_sized(&d, job->input);
    return ok ? d.len : 0;
}

enum { SUSPECTED = 1, HELD = 2 }; /* after so many deaths */

static bool suspect_has(const struct kw_suspect *s, unsigned least, int64_t now_ns)
{
    return s->deaths >= least && now_ns - s->last_ns < KW_QUARANTINE_NS;
}

static struct kw_suspect *quarantine_find(struct kw_quarantine *q, kw_span sample)
{
    for (size_t i = 0; q->used > 0 && i < KW_QUARANTINE_MAX; i++) {
        struct kw_suspect *s = &q->suspects[i];
        if (s->deaths > 0 && kw_span_equal(kw_span_of(s->sample, s->len), sample))
            return s;
    }
    return NULL;
}

static struct kw_suspect *oldest(struct kw_quarantine *q)
{
    struct kw_suspect *s = &q->suspects[0];
    for (size_t i = 1; i < KW_QUARANTINE_MAX; i++) {
        struct kw_suspect *t = &q->suspects[i];
        if (t->deaths == 0 || (s->deaths > 0 && t->last_ns < s->last_ns))
            s = t;
    }
    return s;
}

unsigned kw_quarantine_strike(struct kw_quarantine *q, kw_span sample, uint64_t mark,
                              int64_t now_ns)
{
    struct kw_suspect *s = quarantine_find(q, sample);
    if (s == NULL) {
        s = oldest(q);
        q->used += s->deaths == 0;
        s->deaths = 0;
        s->len = sample.len;
        kw_copy(s->sample, sizeof s->sample, sample);
    }
    s->mark = mark;
    s->last_ns = now_ns;
    return ++s->deaths;
}

void kw_quarantine_suspect(struct kw_quarantine *q, kw_span sample, uint64_t mark,
                           int64_t now_ns)
{
    if (quarantine_find(q, sample) == NULL)
        kw_quarantine_strike(q, sample, mark, now_ns);
}

unsigned kw_quarantine_doubt(struct kw_quarantine *q, kw_span sample, uint64_t proven,
                             uint64_t mark, int64_t now_ns)
{
    const struct kw_suspect *s = quarantine_find(q, sample);
    if (s != NULL && proven <= s->mark)
        return s->deaths; /* nothing says that the token was well in between */
    return kw_quarantine_strike(q, sample, mark, now_ns);
}

void kw_quarantine_others(struct kw_quarantine *q, kw_span sample, uint64_t mark)
{
    for (size_t i = 0; q->used > 0 && i < KW_QUARANTINE_MAX; i++) {
        struct kw_suspect *s = &q->suspects[i];
        if (s->deaths > 0 && !kw_span_equal(kw_span_of(s->sample, s->len), sample))
            s->mark = mark;
    }
}

size_t kw_quarantine_lift(struct kw_quarantine *q, int64_t now_ns)
{
    size_t held = 0;
    for (size_t i = 0; i < KW_QUARANTINE_MAX; i++) {
        held += suspect_has(&q->suspects[i], HELD, now_ns);
        q->suspects[i].deaths = 0;
    }
    q->used = 0;
    return held;
}

size_t kw_quarantine_list(const struct kw_quarantine *q, int64_t now_ns,
                          const struct kw_suspect *ret[KW_QUARANTINE_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < KW_QUARANTINE_MAX; i++) {
        const struct kw_suspect *s = &q->suspects[i];
        if (!suspect_has(s, HELD, now_ns))
            continue;
        size_t at = n++;
        for (; at > 0 && ret[at - 1]->last_ns > s->last_ns; at--)
            ret[at] = ret[at - 1];
        ret[at] = s;
    }
    return n;
}

void kw_quarantine_clear(struct kw_quarantine *q, kw_span sample)
{
    struct kw_suspect *s = quarantine_find(q, sample);
    if (s != NULL) {
        s->deaths = 0;
        q->used--;
    }
}

static bool has_deaths(const struct kw_quarantine *q, kw_span sample, unsigned least,
                       int64_t now_ns)
{
    for (size_t i = 0; q->used > 0 && i < KW_QUARANTINE_MAX; i++) {
        const struct kw_suspect *s = &q->suspects[i];
        if (suspect_has(s, least, now_ns) &&
            kw_span_equal(kw_span_of(s->sample, s->len), sample))
            return true;
    }
    return false;
}

bool kw_quarantine_suspects(const struct kw_quarantine *q, kw_span sample, int64_t now_ns)
{
    return has_deaths(q, sample, SUSPECTED, now_ns);
}

bool kw_quarantine_holds(const struct kw_quarantine *q, kw_span sample, int64_t now_ns)
{
    return has_deaths(q, sample, HELD, now_ns);
}
