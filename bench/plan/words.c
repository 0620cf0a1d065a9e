/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan says in sentences: what does not fit, what would, what was assumed. */
#include "plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include <keyward/clock.h>
#include <keyward/limits.h>

enum { HSMS_TRIED = 64 };

static void say(struct kw_lines *l, const char *fmt, ...) KW_PRINTF(2, 3);
static void say(struct kw_lines *l, const char *fmt, ...)
{
    va_list ap;
    KW_INVARIANT(l->count < KW_PLAN_TEXT_MAX);
    va_start(ap, fmt);
    vsnprintf(l->text[l->count++], sizeof l->text[0], fmt, ap);
    va_end(ap);
}

static double ms(double ns)
{
    return ns / (double)KW_MS_NS;
}

static double sec(double ns)
{
    return ns / (double)KW_S_NS;
}

/* ---- what does not fit
 * ----------------------------------------------------------------- */

static void ceiling(struct kw_lines *l, uint64_t needed, uint64_t granted,
                    const char *what, const char *flag)
{
    if (granted > 0 && needed > granted)
        say(l,
            "keyward takes %" PRIu64 " %s and the token grants %" PRIu64
            " (--%s): %" PRIu64 " too many",
            needed, what, granted, flag, needed - granted);
}

static void ceilings(const struct kw_plan *p, struct kw_lines *l)
{
    uint64_t workers = p->servers * p->workers;
    ceiling(l, workers, p->sessions_max, "sessions", "sessions-max");
    ceiling(l, workers, p->connections_max, "connections", "connections-max");
    ceiling(l, p->servers, p->clients_max, "clients", "clients-max");
}

static void too_slow(const struct kw_plan *p, const struct kw_plan_needs *n,
                     const struct kw_bound *b, const struct kw_expected *x,
                     struct kw_lines *l)
{
    double patience = (double)kw_plan_patience_ns(p), limit = (double)p->within_ns;
    double ready = x->ready && x->ready_ns > b->ready_ns ? x->ready_ns : b->ready_ns;
    if (n->steady_use > 1)
        say(l,
            "ordinary days take %.1f operations a second and the token does %.1f: it is "
            "too slow by a factor of %.2f",
            n->steady_per_s, n->capacity_per_s, n->steady_use);
    if (!x->ready)
        say(l,
            "%.0f s after the start not every API server was ready, and %" PRIu64
            " calls were given up",
            sec(x->played_ns), x->lost);
    if (ready > limit)
        say(l,
            "after a start it takes %.1f s until all is unwrapped, %.2f times the %.1f s "
            "wanted; what bounds it: %s",
            sec(ready), ready / limit, sec(limit), kw_neck_words(b->neck));
    if (b->first_ns > patience)
        say(l,
            "the first Encrypts of all API servers take %.0f ms together, and one is "
            "given "
            "up after %.0f ms: their checks fail, and none of them reads",
            ms(b->first_ns), ms(patience));
    if (b->wait_ns > patience)
        say(l,
            "a call waits %.0f ms when nothing is given up, and is given up after %.0f "
            "ms: "
            "lists fail and begin anew",
            ms(b->wait_ns), ms(patience));
}

/* ---- what would
 * ------------------------------------------------------------------------ */

static uint64_t workers_for(struct kw_plan p)
{
    for (p.workers = 1; p.workers <= KW_WORKERS_MAX; p.workers++)
        if (kw_plan_carries(&p, p.servers, p.seeds))
            return p.workers;
    return 0;
}

/* With as many workers as there may be, or as many as there are. */
static uint64_t hsms_for(struct kw_plan p, uint64_t workers)
{
    p.workers = workers;
    for (p.hsms = p.one_lost ? 2 : 1; p.hsms <= HSMS_TRIED; p.hsms++)
        if (kw_plan_carries(&p, p.servers, p.seeds))
            return p.hsms;
    return 0;
}

static void remedy_of_token(const struct kw_plan *p, struct kw_lines *l)
{
    uint64_t workers = workers_for(*p), hsms = hsms_for(*p, p->workers);
    uint64_t both = hsms_for(*p, KW_WORKERS_MAX);
    if (workers > 0)
        say(l,
            "would carry it: %" PRIu64 " workers in each keyward (%" PRIu64 " sessions)",
            workers, workers * p->servers);
    if (hsms > 0)
        say(l, "would carry it: %" PRIu64 " HSMs%s", hsms,
            p->one_lost ? ", the lost one counted" : "");
    if (workers == 0 && hsms == 0 && both > 0)
        say(l,
            "would carry it: %" PRIu64 " HSMs and %u workers in each keyward (%" PRIu64
            " sessions)",
            both, KW_WORKERS_MAX, p->servers * KW_WORKERS_MAX);
    if (workers + hsms + both == 0)
        say(l, "no number of workers (to %u) or HSMs (to %d) carries it", KW_WORKERS_MAX,
            HSMS_TRIED);
}

static void remedy_of_cluster(const struct kw_plan *p, struct kw_lines *l)
{
    struct kw_limits most;
    struct kw_plan rolling = *p;
    rolling.rolling = true;
    kw_plan_limits(p, &most);
    if (most.seeds > 0 && most.seeds < p->seeds)
        say(l,
            "would carry it: %" PRIu64
            " seeds or fewer; a storage migration leaves one for "
            "each API server",
            most.seeds);
    if (!p->rolling && p->servers > 1 && kw_plan_carries(&rolling, p->servers, p->seeds))
        say(l, "would carry it: API servers restarted one after the other (--rolling)");
}

void kw_plan_findings(const struct kw_plan *p, const struct kw_plan_needs *n,
                      const struct kw_bound *b, const struct kw_expected *x,
                      struct kw_lines *ret_lines)
{
    struct kw_lines l = {.count = 0};
    ceilings(p, &l);
    too_slow(p, n, b, x, &l);
    if (l.count > 0 && kw_plan_carries(p, p->servers, p->seeds)) {
        say(&l, "by arithmetic it would just fit; what is lost on the way makes the "
                "difference, so leave the token more room");
    } else if (l.count > 0) {
        remedy_of_token(p, &l);
        remedy_of_cluster(p, &l);
    }
    *ret_lines = l;
}

/* ---- what was assumed
 * -------------------------------------------------------------------- */

static void assume_cluster(const struct kw_plan *p, struct kw_lines *l)
{
    if (p->seeds_given)
        say(l, "%" PRIu64 " distinct seeds in etcd [given: --seeds]", p->seeds);
    else
        say(l,
            "%" PRIu64 " distinct seeds in etcd: each API server left one at first, at "
            "each of %" PRIu64 " starts a week in %" PRIu64
            " weeks, and at each of %" PRIu64
            " rotations, and all are still in use [kube-apiserver makes a seed at each "
            "start, reload and new key_id]",
            p->seeds, p->starts_per_week, p->weeks, p->rotations);
    say(l, "a list asks for one seed after the other, lists run beside one another, and "
           "equal "
           "requests are not joined there [kube-apiserver 1.36: kmsv2/envelope.go, watch "
           "caches]");
    say(l,
        "a call that fails ends its list, which begins anew after %.1f s with what it "
        "has "
        "[kube-apiserver 1.36: cacher.go]",
        sec((double)p->list_retry_ns));
    say(l, "a Decrypt takes %.2f ms outside the token [%s]", ms((double)p->call_ns),
        p->call_ns == KW_MS_NS
            ? "kube-apiserver 1.36 asked a fast plugin for 1,016 seeds "
              "in 0.96 s"
            : "given: --call");
}

static void assume_keyward(const struct kw_plan *p, struct kw_lines *l)
{
    say(l,
        "each API server has a keyward of its own, cache empty and large enough for all "
        "seeds; %" PRIu64 " workers, each one session and one operation at a time "
        "[keyward: hsm.tokens[].workers, classes[].cache.entries]",
        p->workers);
    say(l, "equal Decrypts in one keyward share an operation, in several keywards they "
           "do not "
           "[keyward: docs/ARCHITECTURE.md]");
    say(l,
        "an Encrypt is two operations, wrap and verify; a canary is one for each of "
        "%" PRIu64
        " key versions and two more for the active one, every %.0f s and keyward "
        "[keyward: hsm.probe.every]",
        p->versions, sec((double)p->probe_ns));
    say(l,
        "a call is given up after %.0f ms by the API server and after %.0f ms by keyward "
        "[EncryptionConfiguration's timeout; keyward: hsm.deadline]",
        ms((double)p->timeout_ns), ms((double)p->deadline_ns));
    say(l, "each API server asks for every seed once a day again, evenly "
           "[kube-apiserver 1.36: cacheTTL of 24 h]");
}

static void assume_token(const struct kw_plan *p, struct kw_lines *l)
{
    say(l, "the token: %.320s", p->curve.words);
    say(l,
        "HSMs: %" PRIu64 "%s, all alike, work shared evenly; other tenants take %" PRIu64
        " %% of each at all times [given: --hsms, --one-lost, --others]",
        p->hsms, p->one_lost ? " less one that is lost" : "", p->others_percent);
    if (kw_curve_sigma(&p->curve, 1) <= 0)
        say(l,
            "every operation takes the same time, as no percentiles of it are known: a "
            "real p99 is higher");
    if (p->failover_ns > 0)
        say(l,
            "the token answers nothing for the first %.1f s of the storm [given: "
            "--failover; beyond deadline and hsm.suspect keyward waits for hsm.recover, "
            "10 s, besides]",
            sec((double)kw_plan_away_ns(p)));
    say(l, "ready within %.1f s is what is wanted [%s]", sec((double)p->within_ns),
        p->within_ns == 60 * KW_S_NS
            ? "kube-apiserver 1.36 answers 500 on /livez for about "
              "64 s while it cannot read"
            : "given: --ready-within");
}

void kw_plan_assumptions(const struct kw_plan *p, struct kw_lines *ret_lines)
{
    struct kw_lines l = {.count = 0};
    assume_cluster(p, &l);
    assume_keyward(p, &l);
    assume_token(p, &l);
    *ret_lines = l;
}
