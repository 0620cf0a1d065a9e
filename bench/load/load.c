/* SPDX-License-Identifier: Apache-2.0 */
#include "load_run.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <keyward/alloc.h>

struct load {
    const struct kw_load_options *o;
    struct kw_load_result *out;
    struct kw_corpus corpus;
    struct kw_choice choice;
    struct kw_calls calls;
    char timeout[24];
};

/* Who is just being started does not listen yet: with --reconnect that is no end. */
static kw_err load_open(struct load *l, struct kw_h2 *c, unsigned streams,
                        struct kw_note *note)
{
    const struct kw_load_options *o = l->o;
    const struct kw_h2_setup setup = {o->socket, o->timeout_ns > 0 ? l->timeout : NULL,
                                      streams, false};
    const kw_deadline until = kw_deadline_in(&kw_clock_system, o->seconds_ns);
    kw_err e = kw_h2_open(c, &setup, note);
    while (kw_failed(e) && o->reconnect && !kw_stop_asked() &&
           !kw_deadline_over(until, kw_mono_ns(&kw_clock_system))) {
        kw_h2_close(c);
        (void)poll(NULL, 0, KW_RECONNECT_MS);
        e = kw_h2_open(c, &setup, note);
    }
    return e;
}

static kw_err load_open_all(struct load *l, struct kw_note *note)
{
    const struct kw_load_options *o = l->o;
    struct kw_calls *k = &l->calls;
    kw_err e = KW_OK;
    k->connection = kw_new(o->connections, sizeof k->connection[0]);
    if (k->connection == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "load");
    snprintf(l->timeout, sizeof l->timeout, "%" PRId64 "m", o->timeout_ns / KW_MS_NS);
    while (k->connection_count < o->connections && !kw_failed(e)) {
        const uint64_t i = k->connection_count++;
        e = load_open(l, &k->connection[i],
                      (unsigned)(o->in_flight / o->connections +
                                 (i < o->in_flight % o->connections)),
                      note);
    }
    return e;
}

static void load_warm_up(struct load *l)
{
    const struct kw_load_options *o = l->o;
    struct kw_calls *k = &l->calls;
    int64_t now = kw_mono_ns(&kw_clock_system);
    k->choice = &l->choice;
    k->what = "warm-up";
    k->reconnects = o->reconnect;
    k->issued = 0;
    k->issue_max = UINT64_MAX;
    k->schedule = (struct kw_schedule){
        .start_ns = now, .rate = o->rate, .ramp_ns = o->ramp ? o->warmup_ns : 0};
    k->tally = (struct kw_tally){.last_good_ns = now};
    kw_calls_pump(k, now + o->warmup_ns, UINT64_MAX);
}

/* Whether it came to its end, and if not, why. */
static void load_say_end(const struct kw_calls *k, struct kw_load_result *out)
{
    const char *fault = kw_calls_fault(k);
    char limit[32];
    out->stopped = k->window.broken > 0;
    out->partial = out->stopped || fault != NULL || kw_stop_asked();
    kw_duration_text(limit, sizeof limit, k->window.limit_ns);
    if (out->stopped)
        snprintf(out->fault, sizeof out->fault,
                 "stopped: p99 over the limit: %" PRIu32 " of %d calls in a row took "
                 "longer than %s",
                 k->window.broken, KW_WINDOW, limit);
    else if (out->partial)
        snprintf(out->fault, sizeof out->fault, "%s",
                 fault != NULL ? fault : "interrupted");
}

static uint64_t load_late(const struct kw_calls *k)
{
    return k->schedule.rate > 0 ? kw_schedule_late(&k->schedule, k->now_ns) : 0;
}

static void load_measure(struct load *l, int32_t pid)
{
    const struct kw_load_options *o = l->o;
    struct kw_load_result *out = l->out;
    struct kw_calls *k = &l->calls;
    struct kw_watch begun;
    kw_watch_begin(&begun, "/proc", pid);
    /* Finding the server's children takes milliseconds during which nobody reads replies.
     * Those that waited for us meanwhile belong to nobody's latency: they come in first. */
    k->tally = (struct kw_tally){0}; /* of no interest */
    kw_calls_pump(k, kw_mono_ns(&kw_clock_system) + 100 * KW_MS_NS, k->under_way);
    kw_watch_again(&begun);
    k->what = "measuring";
    const uint64_t late = load_late(k);
    const clock_t cpu = clock();
    out->from_ns = kw_mono_ns(&kw_clock_system);
    k->tally = (struct kw_tally){.last_good_ns = out->from_ns};
    k->outage_count = 0;
    k->in_outage = false;
    kw_calls_pump(k, o->calls > 0 ? INT64_MAX : out->from_ns + o->seconds_ns,
                  o->calls > 0 ? o->calls : UINT64_MAX);
    out->elapsed_ns = kw_mono_ns(&kw_clock_system) - out->from_ns;
    out->client_cpu_ns = (uint64_t)(clock() - cpu) * (KW_S_NS / CLOCKS_PER_SEC);
    kw_watch_end(&begun, &out->used);
    /* The time since the last good reply is a gap too, though it has no end yet. */
    if (k->now_ns - k->tally.last_good_ns > k->tally.gap_ns)
        k->tally.gap_ns = k->now_ns - k->tally.last_good_ns;
    kw_calls_end_outage(k);
    out->late = load_late(k);
    out->late_more = out->late > late ? out->late - late : 0;
    out->calls = *k;
    load_say_end(k, out);
}

/* Decrypts whatever Encrypt answered last for each seed. */
static void load_prove(struct load *l)
{
    struct kw_corpus *c = &l->corpus;
    const size_t first = l->choice.needs.ciphertexts;
    size_t kept = 0;
    struct kw_note note;
    for (size_t i = first; i < c->count; i++)
        if (c->entry[i].len > 0) {
            struct kw_corpus_entry swap = c->entry[first + kept];
            c->entry[first + kept++] = c->entry[i];
            c->entry[i] = swap;
        }
    if (kept > 0 && !l->out->partial) {
        kw_err e = kw_calls_prepare(&l->calls, KW_DECRYPT, first, kept, "proof", &note);
        (void)e; /* the counts say it */
        l->out->proven = l->calls.tally.all.good.count;
        l->out->not_proven = kept - l->out->proven;
    }
}

/* Everything that may fail before anything is measured. */
static kw_err load_get_ready(struct load *l, int32_t *ret_pid, struct kw_note *note)
{
    const struct kw_load_options *o = l->o;
    struct kw_calls *k = &l->calls;
    const size_t ciphertexts = l->choice.needs.ciphertexts;
    kw_err e = load_open_all(l, note);
    if (!kw_failed(e))
        e = kw_calls_prepare(k, KW_STATUS, 0, o->connections, "Status", note);
    if (kw_failed(e))
        return e;
    *ret_pid = o->server_pid > 0 ? (int32_t)o->server_pid : kw_h2_peer(k->connection);
    if (!o->any_token)
        e = kw_guard("/proc", *ret_pid, l->corpus.is_keyward, note);
    if (!kw_failed(e) && ciphertexts > 0)
        e = kw_calls_prepare(k, KW_ENCRYPT, 0, ciphertexts,
                             "making ciphertexts with Encrypt", note);
    return e;
}

static kw_err load_init(struct load *l)
{
    const struct kw_load_options *o = l->o;
    l->calls.corpus = &l->corpus;
    l->calls.timeout_ns = o->timeout_ns;
    l->calls.gathers = !o->eager;
    l->calls.progress = o->progress;
    l->calls.window.limit_ns = o->stop_p99_ns;
    l->calls.pace = kw_pace_begin((double)o->max_rate, kw_mono_ns(&kw_clock_system),
                                  o->ramp ? o->warmup_ns : 0, 0);
    kw_err e = kw_choice_init(&l->choice, &o->choice);
    const size_t entries = l->choice.needs.ciphertexts + l->choice.needs.seeds;
    return kw_failed(e) ? e : kw_corpus_init(&l->corpus, entries > 0 ? entries : 1);
}

static kw_err load_all(struct load *l, struct kw_note *note)
{
    struct kw_calls *k = &l->calls;
    int32_t pid = 0;
    kw_err e = load_init(l);
    if (!kw_failed(e))
        e = load_get_ready(l, &pid, note);
    if (kw_failed(e) && k->window.broken == 0)
        return e;
    load_warm_up(l); /* both end at once when the window is broken */
    load_measure(l, pid);
    k->schedule.rate = k->issue_max = 0;
    k->window.limit_ns = 0;
    k->reconnects = false;
    kw_calls_drain(k);
    load_prove(l);
    kw_copy(l->out->calls.sent, sizeof k->sent, kw_span_of(k->sent, sizeof k->sent));
    return KW_OK;
}

static void load_ask_health(const struct kw_load_options *o, struct kw_load_result *out)
{
    struct kw_note note;
    const char *state = "";
    json_t *all = NULL;
    if (o->status != NULL && !kw_failed(kw_status_read(o->status, &all, &note)) &&
        json_unpack(all, "{s:{s:s}}", "health", "state", &state) == 0)
        (void)kw_copy_str(out->health, sizeof out->health, kw_span_str(state));
    out->is_well = o->status == NULL || strcmp(out->health, "up") == 0;
    json_decref(all);
}

kw_err kw_load_run(const struct kw_load_options *o, struct kw_load_result *ret_result,
                   struct kw_note *note)
{
    struct load *l = kw_new(1, sizeof *l);
    if (l == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "load");
    l->o = o;
    l->out = ret_result;
    kw_err e = load_all(l, note);
    load_ask_health(o, ret_result);
    kw_progress_end(o->progress);
    for (size_t i = 0; i < l->calls.connection_count; i++)
        kw_h2_close(&l->calls.connection[i]);
    kw_free(l->calls.connection);
    kw_corpus_wipe(&l->corpus);
    kw_choice_wipe(&l->choice);
    kw_free(l);
    return e;
}
