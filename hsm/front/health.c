/* SPDX-License-Identifier: Apache-2.0 */
/* Is there an HSM?  The machine of health.h, nothing else. */
#include "health.h"

enum { PROOFS_WANTED = 3, FLAPPING_FACTOR = 3 };

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

const char *kw_health_event_name(enum kw_health_event event)
{
    static const char *const names[KW_HEALTH_EVENTS] = {
        "proof", "doubt", "time-out", "stale", "gone", "recovered", "pause"};
    return names[event];
}

enum kw_hsm_state kw_health_next(enum kw_hsm_state state, enum kw_health_event event)
{
    enum { STARTING = KW_HSM_STARTING, UP = KW_HSM_UP };
    enum { SUSPECT = KW_HSM_SUSPECT, LOST = KW_HSM_LOST };
    static const uint8_t next[][KW_HEALTH_EVENTS] = {
        /* proof    doubt     time-out  stale     gone  recovered  pause */
        [STARTING] = {UP, STARTING, LOST, STARTING, LOST, STARTING, STARTING},
        [UP] = {UP, SUSPECT, UP, LOST, LOST, UP, SUSPECT},
        [SUSPECT] = {UP, SUSPECT, LOST, LOST, LOST, SUSPECT, SUSPECT},
        [LOST] = {LOST, LOST, LOST, LOST, LOST, UP, LOST},
    };
    return (enum kw_hsm_state)next[state][event];
}

/* ---- walking it -------------------------------------------------------------------- */

static void enter_lost(struct kw_health_losses *l, int64_t now_ns)
{
    l->count++;
    l->at_ns[2] = l->at_ns[1];
    l->at_ns[1] = l->at_ns[0];
    l->at_ns[0] = now_ns;
}

static void health_happens(struct kw_health *h, enum kw_health_event event, kw_err why,
                           int64_t now_ns)
{
    enum kw_hsm_state next = kw_health_next(h->state, event);
    if (next == h->state)
        return;
    h->state = next;
    h->since_ns = now_ns;
    h->why = why;
    h->good = 0;
    if (next == KW_HSM_LOST)
        enter_lost(&h->losses, now_ns);
}

/* Ages do not grow by what nobody saw: it would be charged as an outage.  Two seconds of it
 * are: pauses one after the other would hide one. */
static void health_pass_over(struct kw_health *h, int64_t gap_ns)
{
    h->since_ns += gap_ns;
    h->unready_ns += gap_ns;
    h->asked_ns += gap_ns;
    h->proof_ns += gap_ns;
    h->failing_ns += gap_ns;
    h->good = 0;
}

/* Each event brings the time: it is seen first whether it stood still. */
static void health_see(struct kw_health *h, int64_t now_ns)
{
    int64_t gap = now_ns - h->seen_ns;
    h->seen_ns = now_ns;
    if (gap <= KW_PAUSE_NS)
        return;
    health_pass_over(h, gap - KW_PAUSE_NS);
    health_happens(h, KW_HEALTH_PAUSE, kw_err_at(KW_CODE_HSM_DOWN, "pause"), now_ns);
}

void kw_health_init(struct kw_health *h, const struct kw_health_times *times,
                    int64_t now_ns)
{
    *h = (struct kw_health){.times = *times,
                            .state = KW_HSM_STARTING,
                            .since_ns = now_ns,
                            .seen_ns = now_ns,
                            .unready_ns = now_ns};
}

/* ---- what happens ------------------------------------------------------------------ */

void kw_health_ready(struct kw_health *h, bool ready, int64_t now_ns)
{
    health_see(h, now_ns);
    if (h->ready && !ready)
        h->unready_ns = now_ns;
    h->ready = ready;
}

void kw_health_asked(struct kw_health *h, int64_t now_ns)
{
    health_see(h, now_ns);
    if (!h->asked)
        h->asked_ns = now_ns;
    h->asked = true;
}

int64_t kw_health_recover_ns(const struct kw_health *h)
{
    const struct kw_health_losses *l = &h->losses;
    if (l->count < 2 || l->at_ns[0] - l->at_ns[1] >= KW_HEALTH_FLAPPING_NS)
        return 0;
    if (l->count < 3 || l->at_ns[0] - l->at_ns[2] >= KW_HEALTH_FLAPPING_NS)
        return h->times.recover_ns;
    return FLAPPING_FACTOR * h->times.recover_ns;
}

/* LOST: is it over with this proof? */
static bool health_is_over(struct kw_health *h, int64_t now_ns) KW_LOCKED
{
    int64_t recover = kw_health_recover_ns(h);
    if (h->good++ == 0)
        h->good_ns = now_ns;
    return recover == 0 || (h->good >= PROOFS_WANTED && now_ns - h->good_ns >= recover);
}

void kw_health_proof(struct kw_health *h, int64_t now_ns)
{
    health_see(h, now_ns);
    h->proof_ns = now_ns;
    h->asked = false;
    h->failing = false;
    if (!h->ready)
        return;
    if (h->state == KW_HSM_LOST && health_is_over(h, now_ns))
        health_happens(h, KW_HEALTH_RECOVERED, KW_OK, now_ns);
    else
        health_happens(h, KW_HEALTH_PROOF, KW_OK, now_ns);
}

void kw_health_worked(struct kw_health *h, bool wrapped, int64_t now_ns)
{
    health_see(h, now_ns);
    if (!h->ready || (h->state != KW_HSM_UP && h->state != KW_HSM_SUSPECT))
        return;
    if (wrapped)
        h->proof_ns = now_ns;
    h->asked = false;
    h->failing = false;
    health_happens(h, KW_HEALTH_PROOF, KW_OK, now_ns);
}

void kw_health_failed(struct kw_health *h, kw_err why, int64_t now_ns)
{
    health_see(h, now_ns);
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
    health_see(h, now_ns);
    h->good = 0;
    if (h->state == KW_HSM_LOST)
        h->why = why;
    health_happens(h, KW_HEALTH_GONE, why, now_ns);
}

/* ---- what time does ---------------------------------------------------------------- */

/* OK, or why there is doubt for long enough. */
static kw_err doubt(const struct kw_health *h, int64_t now_ns)
{
    int64_t canary =
        h->failing ? h->times.deadline_ns : kw_canary_patience_ns(h->times.deadline_ns);
    if (!h->ready && now_ns - h->unready_ns >= h->times.deadline_ns)
        return kw_err_at(KW_CODE_HSM_DOWN, "worker");
    if (h->asked && now_ns - h->asked_ns >= canary)
        return kw_err_at(KW_CODE_HSM_DOWN, "canary");
    return KW_OK;
}

/* Doubt has lasted too long; while STARTING, failing has. */
static bool health_is_timed_out(const struct kw_health *h, int64_t now_ns)
{
    if (h->state == KW_HSM_STARTING)
        return h->failing && now_ns - h->failing_ns >= h->times.suspect_ns;
    return h->state == KW_HSM_SUSPECT && now_ns - h->since_ns >= h->times.suspect_ns;
}

void kw_health_tick(struct kw_health *h, int64_t now_ns)
{
    health_see(h, now_ns);
    kw_err why = doubt(h, now_ns);
    if (kw_failed(why) && h->state == KW_HSM_LOST)
        h->good = 0;
    if (health_is_timed_out(h, now_ns))
        health_happens(h, KW_HEALTH_TIME_OUT, h->why, now_ns);
    if (now_ns - h->proof_ns >= h->times.stale_ns)
        health_happens(h, KW_HEALTH_STALE, kw_err_at(KW_CODE_HSM_DOWN, "stale"), now_ns);
    if (kw_failed(why))
        health_happens(h, KW_HEALTH_DOUBT, why, now_ns);
}
