/* SPDX-License-Identifier: Apache-2.0 */
/* Is there an HSM?  The machine of health.h, nothing else. */
#include "health.h"

enum { PROOFS_WANTED = 3 };

const char *kw_hsm_state_name(enum kw_hsm_state s)
{
    switch (s) {
    case KW_HSM_STARTING: return "starting";
    case KW_HSM_UP: return "up";
    case KW_HSM_SUSPECT: return "suspect";
    case KW_HSM_LOST: return "lost";
    }
    return "?";
}

static void health_become(struct kw_health *h, enum kw_hsm_state state, kw_err why,
                          int64_t now_ns)
{
    h->state = state;
    h->since_ns = now_ns;
    h->why = why;
    h->good = 0;
    if (state == KW_HSM_LOST)
        h->losses++;
}

void kw_health_init(struct kw_health *h, const struct kw_health_times *times,
                    int64_t now_ns)
{
    *h = (struct kw_health){.times = *times,
                            .state = KW_HSM_STARTING,
                            .since_ns = now_ns,
                            .unready_ns = now_ns};
}

void kw_health_ready(struct kw_health *h, bool ready, int64_t now_ns)
{
    if (h->ready && !ready)
        h->unready_ns = now_ns;
    h->ready = ready;
}

void kw_health_asked(struct kw_health *h, int64_t now_ns)
{
    if (!h->asked)
        h->asked_ns = now_ns;
    h->asked = true;
}

static void one_more_proof(struct kw_health *h, int64_t now_ns)
{
    if (h->good++ == 0)
        h->good_ns = now_ns;
    if (h->good >= PROOFS_WANTED && now_ns - h->good_ns >= h->times.recover_ns)
        health_become(h, KW_HSM_UP, KW_OK, now_ns);
}

void kw_health_proof(struct kw_health *h, int64_t now_ns)
{
    h->proof_ns = now_ns;
    h->asked = false;
    h->failing = false;
    if (h->state == KW_HSM_LOST)
        one_more_proof(h, now_ns);
    else if (h->state != KW_HSM_UP && h->ready)
        health_become(h, KW_HSM_UP, KW_OK, now_ns);
}

void kw_health_failed(struct kw_health *h, kw_err why, int64_t now_ns)
{
    if (!h->failing)
        h->failing_ns = now_ns;
    h->failing = true;
    h->good = 0;
    if (h->state != KW_HSM_UP)
        h->why = why;
    kw_health_tick(h, now_ns);
}

void kw_health_lost(struct kw_health *h, kw_err why, int64_t now_ns)
{
    h->good = 0;
    if (h->state == KW_HSM_LOST)
        h->why = why;
    else
        health_become(h, KW_HSM_LOST, why, now_ns);
}

/* OK, or why there is doubt for longer than one deadline. */
static kw_err doubt(const struct kw_health *h, int64_t now_ns)
{
    if (!h->ready && now_ns - h->unready_ns >= h->times.deadline_ns)
        return kw_err_at(KW_CODE_HSM_DOWN, "worker");
    if (h->asked && now_ns - h->asked_ns >= h->times.deadline_ns)
        return kw_err_at(KW_CODE_HSM_DOWN, "canary");
    return KW_OK;
}

void kw_health_tick(struct kw_health *h, int64_t now_ns)
{
    kw_err why = doubt(h, now_ns);
    switch (h->state) {
    case KW_HSM_STARTING:
        if (h->failing && now_ns - h->failing_ns >= h->times.suspect_ns)
            health_become(h, KW_HSM_LOST, h->why, now_ns);
        return;
    case KW_HSM_UP:
        if (kw_failed(why))
            health_become(h, KW_HSM_SUSPECT, why, now_ns);
        break;
    case KW_HSM_SUSPECT:
        if (now_ns - h->since_ns >= h->times.suspect_ns)
            health_become(h, KW_HSM_LOST, h->why, now_ns);
        break;
    case KW_HSM_LOST:
        if (kw_failed(why))
            h->good = 0;
        return;
    }
    if (h->state != KW_HSM_LOST && now_ns - h->proof_ns >= h->times.stale_ns)
        health_become(h, KW_HSM_LOST, kw_err_at(KW_CODE_HSM_DOWN, "stale"), now_ns);
}
