/* SPDX-License-Identifier: Apache-2.0 */
#include "load_run.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include <keyward/alloc.h>

#include "guard.h"

struct run {
    const struct kw_load_options *o;
    struct kw_corpus corpus;
    struct kw_choice choice;
    struct kw_calls calls;
    struct kw_schedule schedule;
    uint64_t late_before;
    char timeout[24];
};

const char *kw_grpc_code_name(unsigned code)
{
    static const char *const names[KW_GRPC_CODES] = {"OK",
                                                     "CANCELLED",
                                                     "UNKNOWN",
                                                     "INVALID_ARGUMENT",
                                                     "DEADLINE_EXCEEDED",
                                                     "NOT_FOUND",
                                                     "ALREADY_EXISTS",
                                                     "PERMISSION_DENIED",
                                                     "RESOURCE_EXHAUSTED",
                                                     "FAILED_PRECONDITION",
                                                     "ABORTED",
                                                     "OUT_OF_RANGE",
                                                     "UNIMPLEMENTED",
                                                     "INTERNAL",
                                                     "UNAVAILABLE",
                                                     "DATA_LOSS",
                                                     "UNAUTHENTICATED"};
    return code < KW_GRPC_CODES ? names[code] : "?";
}

/* Who is just being started does not listen yet: with --reconnect that is no end. */
static kw_err load_open_one(const struct run *r, struct kw_h2 *c, unsigned streams,
                            struct kw_note *note)
{
    const struct kw_load_options *o = r->o;
    const char *timeout = o->timeout_ns > 0 ? r->timeout : NULL;
    const kw_deadline until = kw_deadline_in(&kw_clock_system, o->seconds_ns);
    kw_err e = kw_h2_open(c, o->socket, streams, timeout, note);
    while (kw_failed(e) && o->reconnect && !kw_stop_asked() &&
           !kw_deadline_over(until, kw_mono_ns(&kw_clock_system))) {
        kw_h2_close(c);
        (void)poll(NULL, 0, KW_RECONNECT_MS);
        e = kw_h2_open(c, o->socket, streams, timeout, note);
    }
    return e;
}

static kw_err load_open_all(struct run *r, struct kw_note *note)
{
    const struct kw_load_options *o = r->o;
    struct kw_calls *k = &r->calls;
    k->connection = kw_new(o->connections, sizeof k->connection[0]);
    if (k->connection == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "load");
    if (o->timeout_ns > 0)
        snprintf(r->timeout, sizeof r->timeout, "%" PRId64 "m", o->timeout_ns / KW_MS_NS);
    for (uint64_t i = 0; i < o->connections; i++) {
        k->reconnect.streams[i] = (unsigned)(o->in_flight / o->connections +
                                             (i < o->in_flight % o->connections));
        k->connection_count++;
        kw_err e = load_open_one(r, &k->connection[i], k->reconnect.streams[i], note);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}

static uint64_t load_own_cpu_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * (uint64_t)KW_S_NS + (uint64_t)t.tv_nsec;
}

static void load_warm_up(struct run *r)
{
    const struct kw_load_options *o = r->o;
    struct kw_calls *k = &r->calls;
    int64_t now = kw_mono_ns(&kw_clock_system);
    k->choice = &r->choice;
    k->what = "warm-up";
    if (o->reconnect) {
        k->reconnect.socket = o->socket;
        k->reconnect.timeout = o->timeout_ns > 0 ? r->timeout : NULL;
    }
    k->issued = 0;
    k->issue_max = UINT64_MAX;
    if (o->rate > 0) {
        r->schedule = (struct kw_schedule){
            .start_ns = now, .rate = o->rate, .ramp_ns = o->ramp ? o->warmup_ns : 0};
        k->schedule = &r->schedule;
    }
    kw_tally_clear(&k->tally, now);
    kw_calls_pump(k, now + o->warmup_ns, UINT64_MAX);
}

/* Whether it came to its end, and if not, why. */
static void load_say_end(const struct kw_calls *k, struct kw_load_result *out)
{
    const char *fault = kw_calls_fault(k);
    char limit[32];
    out->stopped = k->window.broken > 0;
    out->partial = out->stopped || fault != NULL || kw_stop_asked();
    if (out->stopped) {
        kw_duration_text(limit, sizeof limit, k->window.limit_ns);
        snprintf(out->fault, sizeof out->fault,
                 "stopped: p99 over the limit: %" PRIu32 " of %d calls in a row took "
                 "longer than %s",
                 k->window.broken, KW_WINDOW, limit);
    } else if (out->partial) {
        snprintf(out->fault, sizeof out->fault, "%s",
                 fault != NULL ? fault : "interrupted");
    }
}

/* Finding the server's children takes milliseconds during which nobody reads replies.
 * Those that waited for us meanwhile belong to nobody's latency: they come in first. */
static void load_look_first(struct run *r, int32_t pid, struct kw_watch *begun)
{
    struct kw_calls *k = &r->calls;
    kw_watch_begin(begun, "/proc", pid);
    kw_tally_clear(&k->tally, kw_mono_ns(&kw_clock_system));
    kw_calls_pump(k, kw_mono_ns(&kw_clock_system) + 100 * KW_MS_NS, k->under_way);
    if (k->schedule != NULL)
        r->late_before = kw_schedule_late(k->schedule, k->now_ns);
    kw_watch_again(begun);
}

/* One without an end yet is told until now. */
static void keep_outages(struct kw_calls *k, struct kw_load_result *out)
{
    kw_outage_end(k);
    out->outage_count = k->reconnect.count;
    for (size_t i = 0; i < k->reconnect.count; i++)
        out->outage[i] = k->reconnect.outage[i];
}

static void load_measure_run(struct run *r, int32_t pid, struct kw_load_result *out)
{
    struct kw_calls *k = &r->calls;
    struct kw_watch begun;
    load_look_first(r, pid, &begun);
    k->what = "measuring";
    uint64_t cpu = load_own_cpu_ns();
    int64_t from = kw_mono_ns(&kw_clock_system);
    kw_tally_clear(&k->tally, from);
    k->reconnect.count = 0;
    k->reconnect.is_open = false;
    kw_calls_pump(k, r->o->calls > 0 ? INT64_MAX : from + r->o->seconds_ns,
                  r->o->calls > 0 ? r->o->calls : UINT64_MAX);
    out->elapsed_ns = kw_mono_ns(&kw_clock_system) - from;
    out->client_cpu_ns = load_own_cpu_ns() - cpu;
    kw_watch_end(&begun, &out->used);
    /* The time since the last good reply is a gap too, though it has no end yet. */
    if (k->now_ns - k->tally.last_good_ns > k->tally.gap_ns)
        k->tally.gap_ns = k->now_ns - k->tally.last_good_ns;
    out->late = k->schedule != NULL ? kw_schedule_late(k->schedule, k->now_ns) : 0;
    out->late_more = out->late > r->late_before ? out->late - r->late_before : 0;
    out->tally = k->tally;
    out->from_ns = from;
    keep_outages(k, out);
    load_say_end(k, out);
}

/* Decrypts whatever Encrypt answered last for each seed. */
static void load_prove(struct run *r, struct kw_load_result *out)
{
    struct kw_corpus *c = &r->corpus;
    const size_t first = r->choice.needs.ciphertexts;
    size_t kept = 0;
    struct kw_note note;
    if (out->partial)
        return;
    for (size_t i = first; i < c->count; i++)
        if (c->entry[i].len > 0) {
            struct kw_corpus_entry swap = c->entry[first + kept];
            c->entry[first + kept++] = c->entry[i];
            c->entry[i] = swap;
        }
    if (kept == 0)
        return;
    (void)kw_calls_prepare(&r->calls, KW_DECRYPT, first, kept, "proof",
                           &note); /* the counts say it */
    out->proven = r->calls.tally.all.good.count;
    out->not_proven = kept - out->proven;
}

/* Everything that may fail before anything is measured. */
static kw_err load_get_ready(struct run *r, int32_t *ret_pid, struct kw_note *note)
{
    const struct kw_load_options *o = r->o;
    struct kw_calls *k = &r->calls;
    kw_err e = load_open_all(r, note);
    if (!kw_failed(e))
        e = kw_calls_prepare(&r->calls, KW_STATUS, 0, o->connections, "Status", note);
    if (kw_failed(e))
        return e;
    int32_t pid = o->server_pid > 0 ? (int32_t)o->server_pid : kw_h2_peer(k->connection);
    if (!o->any_token)
        e = kw_guard("/proc", pid, r->corpus.is_keyward, note);
    if (!kw_failed(e) && r->choice.needs.ciphertexts > 0)
        e = kw_calls_prepare(&r->calls, KW_ENCRYPT, 0, r->choice.needs.ciphertexts,
                             "making ciphertexts with Encrypt", note);
    *ret_pid = pid;
    return e;
}

static kw_err load_run(struct run *r, struct kw_load_result *out, struct kw_note *note)
{
    struct kw_calls *k = &r->calls;
    int32_t pid = 0;
    kw_err e = load_get_ready(r, &pid, note);
    if (kw_failed(e) && k->window.broken == 0)
        return e;
    load_warm_up(r); /* both end at once when the window is broken */
    load_measure_run(r, pid, out);
    k->schedule = NULL;
    k->reconnect.socket = NULL;
    k->window.limit_ns = 0;
    k->issue_max = 0;
    kw_calls_drain(k);
    load_prove(r, out);
    for (unsigned m = 0; m < KW_METHODS; m++)
        out->sent[m] = k->sent[m];
    return KW_OK;
}

static kw_err load_init(struct run *r)
{
    const struct kw_load_options *o = r->o;
    struct kw_calls *k = &r->calls;
    kw_err e = kw_choice_init(&r->choice, &o->choice);
    if (kw_failed(e))
        return e;
    size_t entries = r->choice.needs.ciphertexts + r->choice.needs.seeds;
    k->corpus = &r->corpus;
    k->timeout_ns = o->timeout_ns;
    k->gathers = !o->eager;
    k->progress = o->progress;
    k->window.limit_ns = o->stop_p99_ns;
    k->pace = kw_pace_begin((double)o->max_rate, kw_mono_ns(&kw_clock_system),
                            o->ramp ? o->warmup_ns : 0, 0);
    return kw_corpus_init(&r->corpus, entries > 0 ? entries : 1);
}

kw_err kw_load_run(const struct kw_load_options *o, struct kw_load_result *ret_result,
                   struct kw_note *note)
{
    struct run *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "load");
    r->o = o;
    kw_err e = load_init(r);
    if (!kw_failed(e))
        e = load_run(r, ret_result, note);
    kw_progress_end(o->progress);
    for (size_t i = 0; i < r->calls.connection_count; i++)
        kw_h2_close(&r->calls.connection[i]);
    kw_free(r->calls.connection);
    kw_corpus_wipe(&r->corpus);
    kw_choice_wipe(&r->choice);
    kw_free(r);
    return e;
}
