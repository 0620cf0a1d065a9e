/* SPDX-License-Identifier: Apache-2.0 */
/* A storm for people. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

#include "load.h"

static void line_of_options(const struct kw_storm_report *s)
{
    const struct kw_storm_options *o = &s->o->storm;
    printf("%s of %" PRIu64 " API server%s on %" PRIu64 " socket%s: %" PRIu64
           " seeds, %" PRIu64 " x %" PRIu64 " lists each, timeout %" PRId64
           " ms, the plugin's cache %s\n",
           o->day_ns > 0 ? "a day" : "a start", o->servers, o->servers > 1 ? "s" : "",
           o->sockets, o->sockets > 1 ? "s" : "", o->seeds, o->parallel, o->readers,
           o->timeout_ns / KW_MS_NS, kw_storm_cache_name(s->cache));
}

static void lines_of_readiness(const struct kw_storm_report *s)
{
    const struct kw_play_result *r = s->r;
    printf("  %-15s ", "ready");
    if (r->ready_ns >= 0)
        printf("%.1f ms", (double)r->ready_ns / 1e6);
    else
        printf("never");
    printf(" (by server:");
    for (uint64_t i = 0; i < s->o->storm.servers; i++)
        if (r->tally.ready_ns[i] >= 0)
            printf(" %.1f", (double)r->tally.ready_ns[i] / 1e6);
        else
            printf(" never");
    printf(")\n");
    if (r->tally.restarts > 0)
        printf("  %-15s %" PRIu64 ", the slowest was ready after %.1f ms\n", "restarts",
               r->tally.restarts, (double)r->tally.slowest_ns / 1e6);
}

static void line_of_operations(const struct kw_storm_report *s)
{
    printf("  %-15s ", "HSM operations");
    if (!s->r->counted) {
        printf("unknown (%s)\n", s->o->status == NULL ? "--status SOCKET asks keywardd"
                                                      : "the daemon's status is gone");
        return;
    }
    printf("%" PRIu64 " unwraps (%" PRIu64 " joined, %" PRIu64 " from the cache; %" PRIu64
           " jobs in all, with canaries and wraps)\n",
           s->r->done.unwraps, s->r->done.joined, s->r->done.hits, s->r->done.hsm_jobs);
}

static void line_of_latency(const struct kw_histogram *h)
{
    static const struct {
        const char *name;
        uint32_t ppm;
    } told[] = {{"p50", 500000}, {"p90", 900000}, {"p99", 990000}, {"p99.9", 999000}};
    uint64_t ns = 0;
    if (h->count == 0)
        return;
    printf("  %-15s mean %.1f", "latency us", (double)h->sum / 1e3 / (double)h->count);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (kw_histogram_at(h, told[i].ppm, &ns))
            printf("  %s %.1f", told[i].name, (double)ns / 1e3);
    printf("  max %.1f\n", (double)h->max / 1e3);
}

static void lines_of_failures(const struct kw_play_result *r)
{
    const struct kw_storm_tally *t = &r->tally;
    if (t->wrong > 0)
        printf("  %-15s %" PRIu64 "\n", "WRONG REPLIES", t->wrong);
    for (unsigned code = 0; code < KW_STORM_CODES; code++)
        if (t->by_code[code] > 0)
            printf("  %-15s %" PRIu64 " %s: %s\n", "failed", t->by_code[code],
                   kw_grpc_code_name(code), r->said[code]);
    if (t->list_retries + t->bad_checks > 0)
        printf("  %-15s %" PRIu64 " lists begun anew, %" PRIu64 " bad checks\n",
               "retries", t->list_retries, t->bad_checks);
}

static void lines_of_hours(const struct kw_storm_tally *t)
{
    printf("  hour    Status   Encrypt   Decrypt    failed\n");
    for (unsigned i = 0; i < KW_STORM_HOURS; i++) {
        const struct kw_storm_hour *h = &t->hour[i];
        printf("  %4u %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n", i,
               h->calls[KW_STATUS], h->calls[KW_ENCRYPT], h->calls[KW_DECRYPT],
               h->failed[KW_STATUS] + h->failed[KW_ENCRYPT] + h->failed[KW_DECRYPT]);
    }
}

void kw_storm_table(const struct kw_storm_report *s)
{
    const struct kw_storm_tally *t = &s->r->tally;
    line_of_options(s);
    lines_of_readiness(s);
    printf("  %-15s %" PRIu64 " Decrypts (%" PRIu64
           " while an equal one was under way), %" PRIu64 " Encrypts, %" PRIu64
           " Status\n",
           "requests", t->calls[KW_DECRYPT], t->duplicates, t->calls[KW_ENCRYPT],
           t->calls[KW_STATUS]);
    line_of_operations(s);
    line_of_latency(&t->latency);
    printf("  %-15s %" PRIu64 "\n", "deadline misses", t->deadline_misses);
    lines_of_failures(s->r);
    if (s->o->storm.day_ns > 0)
        lines_of_hours(t);
}
