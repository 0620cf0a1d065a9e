/* SPDX-License-Identifier: Apache-2.0 */
/* The figures for people. */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>

static void percentile(const struct kw_histogram *h, const char *name, uint32_t ppm)
{
    uint64_t ns = 0;
    if (kw_histogram_at(h, ppm, &ns))
        printf("  %s %.1f", name, (double)ns / 1e3);
}

static void line_of_latency(const char *title, const struct kw_histogram *h)
{
    if (h->count == 0)
        return;
    printf("  %-15s mean %.1f", title, (double)h->sum / 1e3 / (double)h->count);
    percentile(h, "p50", 500000);
    percentile(h, "p90", 900000);
    percentile(h, "p99", 990000);
    percentile(h, "p99.9", 999000);
    printf("  max %.1f\n", (double)h->max / 1e3);
}

static void line_of_cpu(const struct kw_load_result *r)
{
    const struct kw_usage workers = kw_watch_children(&r->used);
    double server = kw_per_call_us(r, r->used.server.cpu_ns);
    double children = kw_per_call_us(r, workers.cpu_ns);
    printf("  %-15s ", "CPU us/call");
    if (!r->used.known)
        printf("server unknown (who listens cannot be read; --server-pid says it)");
    else
        printf("server %.2f + children %.2f = %.2f", server, children, server + children);
    printf("; this client %.2f\n", kw_per_call_us(r, r->client_cpu_ns));
    if (!r->used.known || r->tally.all.good.count == 0)
        return;
    printf("  %-15s server %.2f, children %.2f\n", "switches/call",
           (double)r->used.server.switches / (double)r->tally.all.good.count,
           (double)workers.switches / (double)r->tally.all.good.count);
}

static void line_of_process(const struct kw_usage *u)
{
    uint64_t ticks = u->user_ticks + u->system_ticks;
    printf("  %-15s pid %" PRId32
           ", resident %.1f MiB (%.1f before, %.1f most ever), %u threads",
           u->name, u->pid, (double)u->resident_kib / 1024,
           (double)u->resident_before_kib / 1024, (double)u->resident_max_kib / 1024,
           u->threads);
    if (ticks > 10)
        printf(", %.0f %% of its CPU in the kernel",
               100.0 * (double)u->system_ticks / (double)ticks);
    putchar('\n');
}

static void lines_of_failures(const struct kw_tally *t)
{
    for (unsigned code = 0; code < KW_GRPC_CODES; code++)
        if (t->by_code[code] > 0)
            printf("  %-15s %" PRIu64 " %s: %s\n", "errors", t->by_code[code],
                   kw_grpc_code_name(code), t->said[code]);
    line_of_latency("errors, us", &t->failed);
}

static uint32_t sum_of_weights(const struct kw_load_options *o)
{
    uint32_t sum = 0;
    for (unsigned m = 0; m < KW_METHODS; m++)
        sum += o->choice.weight[m];
    return sum;
}

/* Of a mix: one method alone is what the first lines are about. */
static void lines_of_methods(const struct kw_load_options *o,
                             const struct kw_load_result *r)
{
    for (unsigned m = 0; m < KW_METHODS; m++) {
        const struct kw_outcome *c = &r->tally.of[m];
        if (o->choice.weight[m] == 0 || o->choice.weight[m] == sum_of_weights(o))
            continue;
        printf("  %-15s %" PRIu64 " good = %.0f/s; %" PRIu64 " wrong, %" PRIu64
               " failed, %" PRIu64 " missed the deadline\n",
               kw_method_names[m], c->good.count, kw_per_second(r, c->good.count),
               c->wrong, c->failed, kw_missed(c));
        line_of_latency("  latency, us", &c->good);
    }
}

static void title(const struct kw_load_options *o)
{
    printf("%s: %s, %" PRIu64 " in flight on %" PRIu64 " connection%s", o->socket, o->mix,
           o->in_flight, o->connections, o->connections == 1 ? "" : "s");
    if (o->choice.weight[KW_DECRYPT] > 0)
        printf(", ciphertexts %s", o->ciphertexts);
    else if (o->choice.weight[KW_ENCRYPT] > 0)
        printf(", %" PRIu64 " seeds", o->choice.count);
    if (o->rate > 0)
        printf(", %" PRIu64 " calls/s meant", o->rate);
    if (o->max_rate > 0)
        printf(", at most %" PRIu64 " calls/s", o->max_rate);
    putchar('\n');
}

void kw_load_plan(const struct kw_load_options *o)
{
    const struct kw_needs n = kw_choice_needs(&o->choice);
    char warmup[32], seconds[32];
    kw_duration_text(warmup, sizeof warmup, o->warmup_ns);
    kw_duration_text(seconds, sizeof seconds, o->seconds_ns);
    title(o);
    printf("  first           %" PRIu64 " Status, then %zu Encrypt to make ciphertexts\n",
           o->connections, n.ciphertexts);
    printf("  warm-up         %s%s\n", warmup,
           o->ramp ? ", the rate growing from 0" : "");
    if (o->calls > 0)
        printf("  measured        %" PRIu64 " replies\n", o->calls);
    else
        printf("  measured        %s\n", seconds);
    printf("  proof           %zu Decrypt at most, of what Encrypt answered\n", n.seeds);
    puts("Nothing was sent (--dry-run).");
}

void kw_load_table(const struct kw_load_options *o, const struct kw_load_result *r)
{
    const struct kw_tally *t = &r->tally;
    const struct kw_outcome *all = &t->all;
    title(o);
    if (r->partial)
        printf("  PARTIAL: %s\n", r->fault);
    printf("  %-15s %" PRIu64 " good in %.3f s = %.0f/s; %" PRIu64 " wrong, %" PRIu64
           " failed\n",
           "calls", all->good.count, (double)r->elapsed_ns / 1e9,
           kw_per_second(r, all->good.count), all->wrong, all->failed);
    if (o->timeout_ns > 0)
        printf("  %-15s %.0f/s good in time; %" PRIu64 " missed the deadline (%" PRIu64
               " answered late, %" PRIu64 " not)\n",
               "goodput", kw_goodput_per_s(r), kw_missed(all), all->overdue,
               all->exceeded);
    line_of_latency("latency, us", &all->good);
    lines_of_methods(o, r);
    line_of_cpu(r);
    if (r->used.known)
        line_of_process(&r->used.server);
    for (size_t i = 0; r->used.known && i < r->used.child_count; i++)
        line_of_process(&r->used.child[i]);
    if (r->used.lost)
        printf("  %-15s a process ended meanwhile: CPU is a lower bound\n", "note");
    printf("  %-15s %.1f ms without a good reply\n", "longest gap",
           (double)t->gap_ns / 1e6);
    if (o->rate > 0)
        printf("  %-15s %" PRIu64 " calls due and not made at the end\n", "late",
               r->late);
    if (r->proven + r->not_proven > 0)
        printf("  %-15s %" PRIu64 " ciphertexts decrypted afterwards, %" PRIu64 " not\n",
               "proof", r->proven, r->not_proven);
    lines_of_failures(t);
}
