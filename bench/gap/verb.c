/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench gap */
#include <stdio.h>

#include <keyward/clock.h>

#include "gap.h"
#include "spread.h"
#include "tool.h"
#include "watch.h"

struct words {
    const char *start, *log, *restarts, *patience, *cpu;
    bool json;
};

static const struct {
    const char *name, *meaning;
    size_t at;
} figures[] = {
    {"stop_ms", "SIGTERM to the end", offsetof(struct kw_gap, stop_ms)},
    {"start_status_ms", "start to a good Status",
     offsetof(struct kw_gap, start_status_ms)},
    {"start_decrypt_ms", "start to a good Decrypt",
     offsetof(struct kw_gap, start_decrypt_ms)},
    {"gap_ms", "without a good Decrypt", offsetof(struct kw_gap, gap_ms)},
};
enum { FIGURES = sizeof figures / sizeof figures[0] };

static double figure(const struct kw_gap *gap, size_t f)
{
    return *(const double *)(const void *)((const char *)gap + figures[f].at);
}

static double middle(const struct kw_gap_result *r, size_t f, double *ret_most)
{
    double v[KW_GAPS_MAX];
    *ret_most = 0;
    for (size_t i = 0; i < r->count; i++) {
        v[i] = figure(&r->gap[i], f);
        if (v[i] > *ret_most)
            *ret_most = v[i];
    }
    return kw_median(v, r->count);
}

static void table(const struct kw_gap_options *o, const struct kw_gap_result *r)
{
    double most = 0;
    printf("%s: %zu restarts%s\n", o->socket, r->count,
           r->count < o->restarts ? "  PARTIAL" : "");
    for (size_t f = 0; r->count > 0 && f < FIGURES; f++) {
        double mid = middle(r, f, &most);
        printf("  %-26s %8.1f ms, at most %.1f\n", figures[f].meaning, mid, most);
    }
}

static json_t *times_of(const struct kw_gap *gap)
{
    json_t *o = json_object();
    for (size_t f = 0; f < FIGURES; f++)
        json_object_set_new(o, figures[f].name, json_real(figure(gap, f)));
    return o;
}

static json_t *document(const struct kw_gap_options *o, const struct kw_gap_result *r,
                        const char *fault)
{
    json_t *runs = json_array(), *middles = json_object();
    double most = 0;
    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(runs, times_of(&r->gap[i]));
    for (size_t f = 0; r->count > 0 && f < FIGURES; f++)
        json_object_set_new(middles, figures[f].name, json_real(middle(r, f, &most)));
    return json_pack("{s:s, s:i, s:s, s:b, s:s, s:s, s:s, s:I, s:o, s:o}", "tool",
                     "keyward-bench gap", "schema", 1, "version", KW_VERSION, "partial",
                     r->count < o->restarts, "fault", fault, "socket", o->socket, "start",
                     o->start, "restarts", (json_int_t)o->restarts, "runs", runs,
                     "figures", middles);
}

static int run(const struct kw_verb *v, const struct kw_gap_options *o, bool json)
{
    struct kw_note note = {{0}};
    struct kw_gap_result r = {0};
    enum kw_exit code = KW_EXIT_GOOD;
    kw_err e = kw_gap_run(o, &r, &note);
    if (e.code == KW_CODE_WRONG_ANSWER)
        code = KW_EXIT_WRONG;
    else if (kw_failed(e))
        code = KW_EXIT_UNABLE;
    if (e.code == KW_CODE_CANCELLED)
        kw_note_set(&note, "interrupted: %zu of %llu restarts", r.count,
                    (unsigned long long)o->restarts);
    if (kw_failed(e))
        (void)kw_unable_err(v, e, &note);
    if (json)
        return kw_document_out(document(o, &r, note.text), code);
    table(o, &r);
    return (int)code;
}

static int read_options(const struct kw_verb *v, const struct words *w,
                        struct kw_gap_options *o)
{
    if (w->start == NULL)
        return kw_usage(v, "it wants --start PATH: a program that becomes the plugin");
    int code = kw_args_number(v, "restarts", w->restarts, 1, KW_GAPS_MAX, &o->restarts);
    if (code < 0)
        code = kw_args_time(v, "patience", w->patience, KW_MS_NS, 600 * KW_S_NS,
                            &o->patience_ns);
    o->start = w->start;
    o->log = w->log;
    return code;
}

int kw_bench_gap(int argc, char **argv)
{
    struct words w = {0};
    struct kw_gap_options o = {.restarts = 5, .patience_ns = 60 * KW_S_NS};
    const struct kw_flag flags[] = {
        {"start", "PATH", "an executable file without arguments that becomes the plugin",
         NULL, &w.start},
        {"restarts", "N", "how often, 1..64 (5)", NULL, &w.restarts},
        {"patience", "TIME", "for one start and for one end (60s)", NULL, &w.patience},
        {"log", "FILE", "where the plugin's output goes (nowhere)", NULL, &w.log},
        {"cpu", "N", "run this client, and what it starts, on CPU N only", NULL, &w.cpu},
        {"json", NULL, "one JSON document instead of a table", &w.json, NULL},
    };
    const struct kw_verb v = {
        .name = "gap",
        .operands = "SOCKET",
        .summary = "Restarts a plugin and says how long it takes, and what a client "
                   "misses.",
        .operand_min = 1,
        .operand_max = 1,
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .more =
            "The program must become the plugin (exec), as it gets SIGTERM.  Nobody else "
            "may\nserve the socket.  Times are exact to a millisecond, and medians."};
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
    o.socket = argv[1];
    kw_stop_catch();
    return run(&v, &o, w.json);
}
