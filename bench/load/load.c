/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <keyward/alloc.h>

struct run {
    const struct kw_load_options *o;
    struct kw_corpus corpus;
    struct kw_calls calls;
    struct kw_schedule schedule;
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

static kw_err open_all(struct run *r, struct kw_note *note)
{
    const struct kw_load_options *o = r->o;
    struct kw_calls *k = &r->calls;
    k->connection = kw_new(o->connections, sizeof k->connection[0]);
    if (k->connection == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "load");
    if (o->timeout_ns > 0)
        snprintf(r->timeout, sizeof r->timeout, "%" PRId64 "m", o->timeout_ns / KW_MS_NS);
    for (uint64_t i = 0; i < o->connections; i++) {
        uint64_t share =
            o->in_flight / o->connections + (i < o->in_flight % o->connections);
        k->connection_count++;
        kw_err e = kw_h2_open(&k->connection[i], o->socket, (unsigned)share,
                              o->timeout_ns > 0 ? r->timeout : NULL, note);
        if (kw_failed(e))
            return e;
    }
    return KW_OK;
}

/* What the last stretch ended in, when it was not all good. */
static kw_err judge(const struct kw_calls *k, const char *what, struct kw_note *note)
{
    const struct kw_tally *t = &k->tally;
    for (unsigned code = 0; code < KW_GRPC_CODES; code++)
        if (t->by_code[code] > 0) {
            kw_note_set(note, "%s: %" PRIu64 " of %" PRIu64 " failed with %s: %s", what,
                        t->by_code[code], k->issued, kw_grpc_code_name(code),
                        t->said[code]);
            return kw_err_at(KW_CODE_BAD_INPUT, "prepare");
        }
    if (t->wrong > 0) {
        kw_note_set(note, "%s: %" PRIu64 " replies were wrong: is this a KMS v2 plugin?",
                    what, t->wrong);
        return kw_err_at(KW_CODE_WRONG_ANSWER, "prepare");
    }
    if (kw_calls_fault(k) != NULL || t->good.count < k->issue_max) {
        kw_note_set(note, "%s: %s", what,
                    kw_calls_fault(k) != NULL ? kw_calls_fault(k) : "interrupted");
        return kw_err_at(KW_CODE_IO, "prepare");
    }
    return KW_OK;
}

/* So many calls and no more, none of which may fail. */
static kw_err prepare(struct run *r, enum kw_method method, uint64_t count,
                      const char *what, struct kw_note *note)
{
    struct kw_calls *k = &r->calls;
    k->method = method;
    k->issued = 0;
    k->issue_max = count;
    kw_tally_clear(&k->tally, kw_mono_ns(&kw_clock_system));
    kw_calls_pump(k, INT64_MAX, UINT64_MAX);
    kw_calls_drain(k);
    return judge(k, what, note);
}

static uint64_t own_cpu_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * (uint64_t)KW_S_NS + (uint64_t)t.tv_nsec;
}

static void warm_up(struct run *r)
{
    struct kw_calls *k = &r->calls;
    int64_t now = kw_mono_ns(&kw_clock_system);
    k->method = r->o->method;
    k->issued = 0;
    k->issue_max = UINT64_MAX;
    if (r->o->rate > 0) {
        r->schedule = (struct kw_schedule){now, r->o->rate, 0};
        k->schedule = &r->schedule;
    }
    kw_tally_clear(&k->tally, now);
    kw_calls_pump(k, now + r->o->warmup_ns, UINT64_MAX);
}

static void measure(struct run *r, int32_t pid, struct kw_load_result *out)
{
    struct kw_calls *k = &r->calls;
    struct kw_watch begun;
    kw_watch_begin(&begun, "/proc", pid);
    uint64_t cpu = own_cpu_ns();
    int64_t from = kw_mono_ns(&kw_clock_system);
    kw_tally_clear(&k->tally, from);
    kw_calls_pump(k, r->o->calls > 0 ? INT64_MAX : from + r->o->seconds_ns,
                  r->o->calls > 0 ? r->o->calls : UINT64_MAX);
    out->elapsed_ns = kw_mono_ns(&kw_clock_system) - from;
    out->client_cpu_ns = own_cpu_ns() - cpu;
    kw_watch_end(&begun, &out->used);
    /* The time since the last good reply is a gap too, though it has no end yet. */
    if (k->now_ns - k->tally.last_good_ns > k->tally.gap_ns)
        k->tally.gap_ns = k->now_ns - k->tally.last_good_ns;
    out->late = k->schedule != NULL ? kw_schedule_late(k->schedule, k->now_ns) : 0;
    out->tally = k->tally;
    const char *fault = kw_calls_fault(k);
    out->partial = fault != NULL || kw_stop_asked();
    snprintf(out->fault, sizeof out->fault, "%s",
             fault != NULL     ? fault
             : kw_stop_asked() ? "interrupted"
                               : "");
}

/* Decrypts whatever Encrypt answered last for each seed. */
static void prove(struct run *r, struct kw_load_result *out)
{
    struct kw_calls *k = &r->calls;
    struct kw_corpus *c = &r->corpus;
    size_t kept = 0;
    if (r->o->method != KW_ENCRYPT || out->partial)
        return;
    for (size_t i = 0; i < c->count; i++)
        if (c->entry[i].len > 0) {
            struct kw_corpus_entry swap = c->entry[kept];
            c->entry[kept++] = c->entry[i];
            c->entry[i] = swap;
        }
    size_t all = c->count;
    if (kept == 0)
        return;
    c->count = kept;
    struct kw_note note;
    (void)prepare(r, KW_DECRYPT, kept, "proof", &note); /* the counts say it */
    c->count = all;
    out->proven = k->tally.good.count;
    out->not_proven = kept - out->proven;
}

static kw_err run(struct run *r, struct kw_load_result *out, struct kw_note *note)
{
    struct kw_calls *k = &r->calls;
    const struct kw_load_options *o = r->o;
    kw_err e = open_all(r, note);
    if (!kw_failed(e))
        e = prepare(r, KW_STATUS, o->connections, "Status", note);
    if (!kw_failed(e) && o->method == KW_DECRYPT)
        e = prepare(r, KW_ENCRYPT, r->corpus.count, "making ciphertexts with Encrypt",
                    note);
    if (kw_failed(e))
        return e;
    int32_t pid = o->server_pid > 0 ? (int32_t)o->server_pid : kw_h2_peer(k->connection);
    warm_up(r);
    measure(r, pid, out);
    k->schedule = NULL;
    k->issue_max = 0;
    kw_calls_drain(k);
    prove(r, out);
    return KW_OK;
}

kw_err kw_load_run(const struct kw_load_options *o, struct kw_load_result *ret_result,
                   struct kw_note *note)
{
    struct run *r = kw_new(1, sizeof *r);
    if (r == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "load");
    r->o = o;
    r->calls.corpus = &r->corpus;
    r->calls.timeout_ns = o->timeout_ns;
    r->calls.gathers = !o->eager;
    kw_err e = kw_corpus_init(&r->corpus, o->distinct);
    if (!kw_failed(e))
        e = run(r, ret_result, note);
    for (size_t i = 0; i < r->calls.connection_count; i++)
        kw_h2_close(&r->calls.connection[i]);
    kw_free(r->calls.connection);
    kw_corpus_wipe(&r->corpus);
    kw_free(r);
    return e;
}
