/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench token */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>

#include "raw.h"
#include "tool.h"
#include "watch.h"

struct words {
    const char *module, *uri, *pin, *op, *key, *seconds, *warmup, *cpu;
    bool json, yes;
};

static double per_second(const struct kw_raw_result *r)
{
    return r->elapsed_ns > 0 ? (double)r->latency.count * 1e9 / (double)r->elapsed_ns : 0;
}

static double cpu_us(const struct kw_raw_result *r)
{
    return r->latency.count > 0 ? (double)r->cpu_ns / 1e3 / (double)r->latency.count : 0;
}

static void percentile(const struct kw_raw_result *r, const char *name, uint32_t ppm)
{
    uint64_t ns = 0;
    if (kw_histogram_at(&r->latency, ppm, &ns))
        printf("  %s %.1f", name, (double)ns / 1e3);
}

static void table(const struct kw_raw_options *o, const struct kw_raw_result *r)
{
    printf("token %s (%s, %s %s): %s with a key of the %s, one session\n", r->facts.label,
           r->facts.model, r->facts.library, r->facts.library_version,
           o->wrap ? "wrap" : "unwrap", o->on_token ? "token" : "session");
    if (r->partial)
        printf("  PARTIAL: interrupted\n");
    printf("  %-15s %" PRIu64 " in %.3f s = %.0f/s; %" PRIu64 " wrong\n", "operations",
           r->latency.count, (double)r->elapsed_ns / 1e9, per_second(r), r->wrong);
    printf("  %-15s", "latency, us");
    percentile(r, "p50", 500000);
    percentile(r, "p90", 900000);
    percentile(r, "p99", 990000);
    percentile(r, "p99.9", 999000);
    printf("  max %.1f\n", (double)r->latency.max / 1e3);
    printf("  %-15s %.2f\n", "CPU us/call", cpu_us(r));
}

static json_t *document(const struct kw_raw_options *o, const struct kw_raw_result *r)
{
    json_t *figures =
        json_pack("{s:f, s:f}", "calls_per_s", per_second(r), "cpu_us", cpu_us(r));
    uint64_t ns = 0;
    if (kw_histogram_at(&r->latency, 500000, &ns))
        json_object_set_new(figures, "p50_us", json_real((double)ns / 1e3));
    if (kw_histogram_at(&r->latency, 990000, &ns))
        json_object_set_new(figures, "p99_us", json_real((double)ns / 1e3));
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:o}",
                     "tool", "keyward-bench token", "schema", 1, "version", KW_VERSION,
                     "token", r->facts.label, "model", r->facts.model, "library",
                     r->facts.library_version, "operation", o->wrap ? "wrap" : "unwrap",
                     "key", o->on_token ? "token" : "session", "partial", r->partial,
                     "elapsed_ns", (json_int_t)r->elapsed_ns, "good",
                     (json_int_t)r->latency.count, "wrong", (json_int_t)r->wrong,
                     "figures", figures);
}

/* One of two words; the first is the default. */
static int read_choice(const struct kw_verb *v, const char *flag, const char *text,
                       const char *first, const char *second, bool *ret_second)
{
    if (text == NULL || strcmp(text, first) == 0)
        return -1;
    *ret_second = strcmp(text, second) == 0;
    return *ret_second ? -1 : kw_usage(v, "--%s %s: %s or %s", flag, text, first, second);
}

static int read_options(const struct kw_verb *v, const struct words *w,
                        struct kw_raw_options *o)
{
    bool of_session = false;
    if (w->module == NULL || w->uri == NULL || w->pin == NULL)
        return kw_usage(v, "it wants --module, --uri and --pin");
    int code = read_choice(v, "op", w->op, "unwrap", "wrap", &o->wrap);
    if (code < 0)
        code = read_choice(v, "key", w->key, "token", "session", &of_session);
    if (code < 0)
        code = kw_args_time(v, "seconds", w->seconds, KW_MS_NS, 3600 * KW_S_NS,
                            &o->seconds_ns);
    if (code < 0)
        code = kw_args_time(v, "warmup", w->warmup, 0, 60 * KW_S_NS, &o->warmup_ns);
    o->on_token = !of_session;
    o->module = w->module;
    o->uri = w->uri;
    o->pin = w->pin;
    o->any_token = w->yes;
    return code;
}

static int run(const struct kw_verb *v, const struct words *w,
               const struct kw_raw_options *o)
{
    struct kw_note note = {{0}};
    struct kw_raw_result *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return kw_unable(v, "out of memory");
    kw_err e = kw_raw_run(o, r, &note);
    int code = r->wrong > 0 ? KW_EXIT_WRONG : r->partial ? KW_EXIT_UNABLE : KW_EXIT_GOOD;
    if (kw_failed(e))
        code = kw_unable_err(v, e, &note);
    else if (w->json)
        code = kw_document_out(document(o, r), (enum kw_exit)code);
    else
        table(o, r);
    kw_free(r);
    return code;
}

int kw_bench_token(int argc, char **argv)
{
    struct words w = {0};
    struct kw_raw_options o = {.seconds_ns = 5 * KW_S_NS, .warmup_ns = KW_S_NS};
    const struct kw_flag flags[] = {
        {"module", "PATH", "the PKCS#11 module", NULL, &w.module},
        {"uri", "URI", "the token, such as pkcs11:token=test", NULL, &w.uri},
        {"pin", "SOURCE", "file:/path", NULL, &w.pin},
        {"op", "WHAT", "unwrap or wrap (unwrap)", NULL, &w.op},
        {"key", "WHERE", "token or session: where the throw-away key lives (token)", NULL,
         &w.key},
        {"seconds", "TIME", "how long to measure (5s)", NULL, &w.seconds},
        {"warmup", "TIME", "before it, not counted (1s)", NULL, &w.warmup},
        {"cpu", "N", "run on CPU N only", NULL, &w.cpu},
        {"yes", NULL, "also a token that is no SoftHSM", &w.yes, NULL},
        {"json", NULL, "one JSON document instead of a table", &w.json, NULL},
    };
    const struct kw_verb v = {
        .name = "token",
        .operands = "",
        .summary = "Wraps or unwraps in a token as fast as one session goes.",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .more = "It makes an AES-256 key of its own, labelled kw-bench-…, and destroys "
                "it at\n"
                "the end; no other key is touched.  The module's own variables, such as\n"
                "SOFTHSM2_CONF, are those of this process."};
    uint64_t cpu = 0;
    int operands = 0, code = kw_args(&v, argc, argv, &operands);
    if (code < 0)
        code = read_options(&v, &w, &o);
    if (code < 0)
        code = kw_args_number(&v, "cpu", w.cpu, 0, 1023, &cpu);
    if (code >= 0)
        return code;
    if (w.cpu != NULL && !kw_pin((unsigned)cpu))
        return kw_unable(&v, "there is no CPU %s for this process", w.cpu);
    kw_stop_catch();
    return run(&v, &w, &o);
}
