/* SPDX-License-Identifier: Apache-2.0 */
/* A plan for people. */
#include "room.h"

#include <inttypes.h>
#include <stdio.h>

#include <keyward/clock.h>

static double ms(double ns)
{
    return ns / (double)KW_MS_NS;
}

static void cluster(const struct kw_plan *p)
{
    printf("%" PRIu64 " API server%s restarted %s, %" PRIu64 " seeds, %" PRIu64
           " x %" PRIu64 " lists each; %" PRIu64 " HSM%s, %" PRIu64 " sessions\n",
           p->servers, p->servers == 1 ? "" : "s",
           p->rolling ? "one after the other" : "together", p->seeds, p->parallel,
           p->readers, kw_plan_hsms(p), kw_plan_hsms(p) == 1 ? "" : "s",
           p->servers * p->workers);
}

static void needs(const struct kw_plan_needs *n)
{
    printf("\nneeded of the token, operations a second\n");
    printf("  %-22s %.2f: canaries %.2f, Encrypts %.4f, seeds read again %.4f\n",
           "ordinary days", n->steady_per_s, n->canaries_per_s, n->encrypts_per_s,
           n->rereads_per_s);
    printf("  %-22s %.1f: %.0f operations in the time wanted\n", "a start",
           n->storm_per_s, n->storm_ops);
    printf("  %-22s %.1f with all sessions at work\n", "the token does",
           n->capacity_per_s);
    printf("  %-22s %.2f %% on ordinary days, %.1f %% in a start\n", "utilisation",
           100 * n->steady_use, 100 * n->storm_use);
    if (n->sessions_at_work > 0)
        printf("  %-22s %.0f busy ones reach the rate of a start\n", "sessions",
               n->sessions_at_work);
}

static void storm(const struct kw_answer *a)
{
    const struct kw_expected *x = &a->expected;
    const struct kw_bound *b = &a->bound;
    printf("\na start with nothing cached %17s %17s\n", "played", "by arithmetic");
    if (x->ready)
        printf("  %-25s %14.1f ms", "ready after", ms(x->ready_ns));
    else
        printf("  %-25s %7s %7.0f s", "ready after", "not in", x->played_ns / 1e9);
    printf(" %14.1f ms\n", ms(b->ready_ns));
    if (x->ready)
        printf("  %-25s %17.1f %17.1f\n", "operations a second",
               (double)x->operations / x->ready_ns * 1e9, b->ops_per_s);
    if (x->good > 0)
        printf("  %-25s %14.2f ms %14.2f ms (all alike)\n", "Decrypt, p50", ms(x->p50_ns),
               ms(b->wait_ns + (double)a->plan.call_ns));
    if (x->good > 0)
        printf("  %-25s %14.2f ms\n", "Decrypt, p99", ms(x->p99_ns));
    printf("  %-25s %17" PRIu64 ": %" PRIu64 " good, %" PRIu64 " over their time\n",
           "Decrypts", x->decrypts, x->good, x->lost);
    printf("  %-25s %17" PRIu64 ": %" PRIu64 " Decrypts shared one or hit the cache\n",
           "operations of the token", x->operations, x->duplicates);
    printf("  %-25s %15.1f %%\n", "of them of use (goodput)", 100 * x->goodput);
    printf("  bounded by: %s\n", kw_neck_words(b->neck));
    if (a->plan.rolling && x->ready)
        printf("  all %" PRIu64 " one after the other: %.1f s unwrapping\n",
               a->plan.servers, (double)a->plan.servers * x->ready_ns / (double)KW_S_NS);
}

static void limits(const struct kw_answer *a)
{
    printf("\nin %.1f s this token carries at most\n",
           (double)a->plan.within_ns / (double)KW_S_NS);
    printf("  %" PRIu64 " seeds with %" PRIu64 " API servers\n", a->limits.seeds,
           a->plan.servers);
    printf("  %" PRIu64 "%s API servers with %s\n", a->limits.servers,
           a->limits.servers >= KW_PLAN_LIMIT_SERVERS ? " or more" : "",
           a->plan.seeds_given ? "so many seeds" : "the seeds that so many leave");
}

void kw_plan_table(const struct kw_answer *a)
{
    cluster(&a->plan);
    needs(&a->needs);
    storm(a);
    limits(a);
    printf("\nassumed\n");
    for (size_t i = 0; i < a->assumptions.count; i++)
        printf("  - %s\n", a->assumptions.text[i]);
    printf("\n%s\n",
           a->findings.count == 0 ? "the token carries this" : "IT DOES NOT FIT");
    for (size_t i = 0; i < a->findings.count; i++)
        printf("  - %s\n", a->findings.text[i]);
}
