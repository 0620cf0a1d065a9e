/* SPDX-License-Identifier: Apache-2.0 */
/* For people. */
#include "say.h"

#include <inttypes.h>
#include <stdio.h>

const char *kw_mechanism_of(enum kw_op op)
{
    return kw_op_seals(op) ? "CKM_AES_GCM" : "";
}

const char *kw_iv_of(enum kw_op op)
{
    return kw_op_seals(op) ? "caller" : "not looked at";
}

/* Of the points of a curve each has its own logins; the keeper's is one for all. */
uint64_t kw_logins_of(const struct kw_token_plan *p)
{
    uint64_t logins = 1 + (p->curve_count > 0 ? 0 : p->processes);
    for (size_t i = 0; i < p->curve_count; i++)
        logins += p->curve[i];
    return logins;
}

uint64_t kw_sessions_of(const struct kw_token_plan *p)
{
    uint64_t most = p->curve_count > 0 ? 0 : p->processes * p->threads * p->sessions;
    for (size_t i = 0; i < p->curve_count; i++)
        if (p->curve[i] > most)
            most = p->curve[i];
    return most + 1;
}

static void what(const struct kw_token_plan *p)
{
    printf("%s", kw_op_names[p->op]);
    if (kw_op_wants_key(p->op))
        printf(" with a throw-away key of the token%s",
               p->place == KW_PLACE_SESSION ? "'s session"
               : p->place == KW_PLACE_COPY  ? ", copied into the session"
                                            : "");
}

static void keyring(const struct kw_guard *g)
{
    if (g->path != NULL)
        printf("  %-15s %s: %zu keys that are not touched\n", "keyring", g->path,
               kw_guard_count(g));
    else
        printf("  %-15s none was there to be read (%s, or --keyring)\n", "keyring",
               KW_KEYRING_STANDARD);
}

static void head(const struct kw_token_plan *p, const struct kw_guard *g,
                 const struct kw_token_result *r)
{
    const struct kw_token_facts *f = &r->facts;
    printf("token %s (%s %s, firmware %s, hardware %s), library %s %s of %s\n  ",
           f->label, f->manufacturer, f->model, f->firmware, f->hardware, f->library,
           f->library_version, f->library_manufacturer);
    what(p);
    if (kw_op_seals(p->op))
        printf(", %s, IV of the %s", kw_mechanism_of(p->op), kw_iv_of(p->op));
    printf("\n");
    keyring(g);
    if (p->max_rate > 0)
        printf("  %-15s %" PRIu64 " operations/s at most\n", "limit", p->max_rate);
    if (r->partial)
        printf("  PARTIAL: %s\n",
               r->fault.text[0] != '\0' ? r->fault.text : "interrupted");
}

static void percentile(const struct kw_histogram *h, const char *name, uint32_t ppm)
{
    uint64_t ns = 0;
    if (kw_histogram_at(h, ppm, &ns))
        printf("  %s %.1f", name, (double)ns / 1e3);
}

static void point(const struct kw_point *p)
{
    const double calls = (double)p->latency.count;
    printf("\n  %" PRIu64 " processes x %" PRIu64 " threads x %" PRIu64 " sessions\n",
           p->processes, p->threads, p->sessions);
    printf("  %-15s %" PRIu64 " in %.3f s = %.0f/s; %" PRIu64 " wrong%s\n", "operations",
           p->latency.count, (double)p->elapsed_ns / 1e9, kw_point_per_second(p),
           p->wrong, p->partial ? "; not to its end" : "");
    if (p->latency.count == 0)
        return;
    printf("  %-15s", "latency, us");
    percentile(&p->latency, "p50", 500000);
    percentile(&p->latency, "p90", 900000);
    percentile(&p->latency, "p99", 990000);
    percentile(&p->latency, "p99.9", 999000);
    printf("  max %.1f\n", (double)p->latency.max / 1e3);
    if (p->cpu_known)
        printf("  %-15s %.2f, switches %.3f\n", "CPU us/call", kw_point_cpu_us(p),
               (double)p->switches / calls);
}

void kw_token_table(const struct kw_token_plan *p, const struct kw_guard *g,
                    const struct kw_token_result *r)
{
    head(p, g, r);
    for (size_t i = 0; i < r->count; i++)
        point(&r->point[i]);
}

void kw_token_intent(const struct kw_token_plan *p, const struct kw_guard *g)
{
    printf("would load %s, find %s and measure ", p->module, p->uri);
    what(p);
    printf("\n  %-15s ", "shape");
    if (p->curve_count > 0) {
        printf("by turns");
        for (size_t i = 0; i < p->curve_count; i++)
            printf(" %" PRIu64, p->curve[i]);
        printf(" processes of one session\n");
    } else {
        printf("%" PRIu64 " processes x %" PRIu64 " threads x %" PRIu64 " sessions\n",
               p->processes, p->threads, p->sessions);
    }
    printf("  %-15s %" PRIu64 ", one after the other, with the PIN of %s\n", "logins",
           kw_logins_of(p), p->pin);
    printf("  %-15s %" PRIu64 " open at once\n", "sessions", kw_sessions_of(p));
    if (p->calls > 0)
        printf("  %-15s %" PRIu64 " each", "operations", p->calls);
    else
        printf("  %-15s %.3f s each", "time", (double)p->seconds_ns / 1e9);
    printf(", after %.3f s of ramp and warm-up\n",
           (double)(p->ramp_ns + p->warmup_ns) / 1e9);

    if (p->max_rate > 0)
        printf("  %-15s %" PRIu64 " operations/s at most\n", "limit", p->max_rate);
    keyring(g);
    printf("nothing was touched: this is a dry run\n");
}

void kw_sweep_list(const struct kw_sweep *s)
{
    printf("token %s (%s %s): %zu keys whose label begins with %s\n", s->facts.label,
           s->facts.manufacturer, s->facts.model, s->count, KW_THROWAWAY_BEGIN);
    for (size_t i = 0; i < s->count; i++)
        printf("  %s\n", s->key[i].key.label);
    (void)fflush(stdout);
}

void kw_sweep_table(const struct kw_sweep *s)
{
    for (size_t i = 0; i < s->count; i++)
        printf("%s: %s\n", s->key[i].key.label,
               s->key[i].destroyed              ? "destroyed"
               : s->key[i].kept.text[0] != '\0' ? s->key[i].kept.text
                                                : "still there");
}
