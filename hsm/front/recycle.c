/* SPDX-License-Identifier: Apache-2.0 */
/* Workers that are replaced though nothing is wrong with them now: a library that leaks is,
 * before the machine notices; and some libraries see only the keys that were there when
 * they were initialised, so that one that misses the active key makes room now and then, and
 * one makes room when none could take back what was found against a version.
 *
 * One that misses a key which a younger one opens is such a library: its word does not
 * count, and it leaves at once, as the younger one serves.
 *
 * Else the successor comes first.  Who is to be replaced serves on until as many others as
 * there shall be are ready; one whose successor does not come up stays.  What grows faster
 * than that is for the unit's MemoryMax=. */
#include "front_internal.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/log.h>

#define LOOK_EVERY_NS KW_S_NS
#define RECYCLE_EVERY_NS (30 * KW_S_NS) /* each costs a login */
/* What it had when it was ready is the library's own; so much more is no cache. */
#define GROWN_MAX_BYTES ((uint64_t)256 << 20)
/* A slow leak of something else (handles, the token's own memory); days at full load. */
#define SERVED_MAX UINT64_C(100000000)

bool kw_process_bytes(pid_t pid, uint64_t *ret_bytes)
{
    char path[48];
    unsigned long long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false; /* hidden: nobody is recycled for what is not seen */
    bool ok = fscanf(f, "%*u %llu", &pages) == 1;
    fclose(f);
    if (ok)
        *ret_bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return ok;
}

/* Since it was seen first, which is within a second of READY. */
static uint64_t grown_bytes(struct kw_worker *w)
{
    uint64_t now = 0;
    if (!w->front->seams.bytes(w->process.pid, &now))
        return 0;
    if (w->process.ready_bytes == 0)
        w->process.ready_bytes = now;
    return now > w->process.ready_bytes ? now - w->process.ready_bytes : 0;
}

static bool is_serving(const struct kw_front_token *t, const struct kw_worker *w)
{
    const struct kw_generation *g = kw_front_serving_by_main(t->front);
    return w != NULL && g != NULL && w->generation == g->number &&
           kw_worker_state_by_main(w) == KW_WORKER_READY;
}

/* *ret_leaving: the one that is being replaced.  Returns how many others are ready. */
static size_t ready_others(const struct kw_front_token *t, struct kw_worker **ret_leaving)
{
    size_t others = 0;
    *ret_leaving = NULL;
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++) {
        struct kw_worker *w = kw_front_token_worker_by_main(t, i);
        if (!is_serving(t, w))
            continue;
        if (w->recycled)
            *ret_leaving = w;
        else
            others++;
    }
    return others;
}

/* Looks at all, so that what each had when it was ready is known. */
static struct kw_worker *one_too_old(const struct kw_front_token *t, uint64_t *ret_grown)
{
    struct kw_worker *old = NULL;
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++) {
        struct kw_worker *w = kw_front_token_worker_by_main(t, i);
        if (!is_serving(t, w))
            continue;
        uint64_t grown = grown_bytes(w);
        if (old != NULL || (grown <= GROWN_MAX_BYTES && w->served < SERVED_MAX))
            continue;
        old = w;
        *ret_grown = grown;
    }
    return old;
}

static bool misses_active(const struct kw_front_token *t) KW_FREE
{
    struct kw_front *f = t->front;
    kw_lock_take(f->lock);
    const struct kw_gen_version *active =
        f->serving == NULL
            ? NULL
            : kw_gen_at(kw_front_token_of(f->serving, t), f->serving->active_n);
    bool misses = active != NULL && active->verdict.err.code == KW_CODE_KEY_BAD &&
                  (active->found & KW_WIRE_EXPOSED) == 0;
    kw_lock_give(f->lock);
    return misses;
}

/* What a worker of an earlier keyring found may be younger than all that are left: the good
 * word of none of them counts (generation.h). */
static bool cannot_take_back(const struct kw_front_token *t,
                             const struct kw_gen_version *v) KW_LOCKED
{
    bool may = (v->found & KW_GEN_BAD) == 0;
    for (size_t i = 0; !may && i < KW_FRONT_TOKEN_WORKERS; i++)
        may = is_serving(t, t->workers[i]) &&
              kw_gen_version_may_lift(v, t->workers[i]->number);
    return !may;
}

static bool needs_a_younger_one(const struct kw_front_token *t) KW_FREE
{
    struct kw_front *f = t->front;
    bool needs = false;
    kw_lock_take(f->lock);
    struct kw_gen_token *of =
        f->serving == NULL ? NULL : kw_front_token_of(f->serving, t);
    for (size_t i = 0; !needs && of != NULL && i < of->count; i++)
        needs = kw_gen_version_is_probed(&of->versions[i]) &&
                cannot_take_back(t, &of->versions[i]);
    kw_lock_give(f->lock);
    return needs;
}

/* The one that has been ready for the longest time, if that is long enough. */
static struct kw_worker *one_that_misses(const struct kw_front_token *t,
                                         int64_t now) KW_FREE
{
    struct kw_worker *oldest = NULL;
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++) {
        struct kw_worker *w = kw_front_token_worker_by_main(t, i);
        if (is_serving(t, w) &&
            (oldest == NULL || w->watch.since_ns < oldest->watch.since_ns))
            oldest = w;
    }
    if (oldest == NULL || now - oldest->watch.since_ns < RECYCLE_EVERY_NS ||
        (!misses_active(t) && !needs_a_younger_one(t)))
        return NULL;
    return oldest;
}

/* Nobody is given up for a successor that may not log in, or while all are replaced. */
static bool may_recycle(const struct kw_front_token *t, int64_t now)
{
    return !t->front->stopping && !kw_failed(t->latch.why) &&
           kw_front_coming_by_main(t->front) == NULL &&
           (t->recycled_ns == 0 || now - t->recycled_ns >= RECYCLE_EVERY_NS);
}

static void told_recycled(const struct kw_worker *w, const char *why, uint64_t grown)
{
    kw_log(KW_LOG_WARN, "worker-recycled", KW_STR("token", w->token->o.name),
           KW_STR("why", why), KW_INT("pid", w->process.pid),
           KW_INT("grown_mib", grown >> 20), KW_INT("served", w->served));
}

/* ---- what an older one misses ------------------------------------------------------ */

/* NULL: none */
static const struct kw_worker *younger_that_opens(const struct kw_worker *w,
                                                  size_t version) KW_LOCKED
{
    for (size_t i = 0; i < KW_FRONT_TOKEN_WORKERS; i++) {
        const struct kw_worker *other = w->token->workers[i];
        if (other != NULL && other->life.channel == KW_WORKER_READY &&
            other->generation == w->generation && other->number > w->number &&
            other->proofs.opens[version])
            return other;
    }
    return NULL;
}

bool kw_front_is_outdated(struct kw_worker *w, struct kw_gen_version *v)
{
    struct kw_front_token *t = w->token;
    const struct kw_gen_token *of = kw_front_token_of(w->front->serving, t);
    int64_t now = kw_front_now(w->front);
    int64_t paid = t->outdated_ns > now ? t->outdated_ns : now;
    const struct kw_worker *younger = younger_that_opens(w, (size_t)(v - of->versions));
    if (w->pace.outdated)
        return true;
    if (w->generation != w->front->serving->number || younger == NULL ||
        paid - now > ((int64_t)t->o.workers - 1) * RECYCLE_EVERY_NS)
        return false;
    t->outdated_ns = paid + RECYCLE_EVERY_NS;
    w->pace.outdated = true;
    v->due_ns = v->look_ns = now; /* and what does a younger one say? */
    if (v->why == KW_CODE_MISSING)
        kw_gen_version_hand_over(v, KW_GEN_BAD, w->number, younger->number);
    return true;
}

void kw_front_recycle_outdated(struct kw_worker *w)
{
    kw_lock_take(w->front->lock);
    bool outdated = w->pace.outdated;
    kw_lock_give(w->front->lock);
    if (!outdated || kw_worker_state_by_main(w) != KW_WORKER_READY)
        return;
    told_recycled(w, "misses-key", 0);
    kw_front_worker_drain(w);
}

/* ---- one after the other ----------------------------------------------------------- */

void kw_front_recycle(struct kw_front_token *t, int64_t now)
{
    struct kw_worker *leaving, *old;
    uint64_t grown = 0;
    if (ready_others(t, &leaving) >= t->o.workers && leaving != NULL)
        kw_front_worker_drain(leaving);
    if (now - t->sized_ns < LOOK_EVERY_NS)
        return;
    t->sized_ns = now;
    old = one_too_old(t, &grown);
    const char *why = "leak";
    if (old == NULL) {
        old = one_that_misses(t, now);
        why = "misses-key";
    }
    if (old == NULL || leaving != NULL || !may_recycle(t, now))
        return;
    old->recycled = true;
    t->recycled_ns = now;
    told_recycled(old, why, grown);
}
