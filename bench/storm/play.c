/* SPDX-License-Identifier: Apache-2.0 */
#include "play.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "calls.h"

struct play {
    const struct kw_play_options *o;
    struct kw_storm *storm;
    struct kw_corpus *corpus;
    struct kw_corpus own; /* the seed that each server makes itself */
    struct kw_h2 connection[KW_STORM_SERVERS_MAX];
    struct kw_play_result *result;
    int64_t now_ns;
    char timeout[24];
};

/* The method for entries 0 to count - 1 on this connection, before anything is measured. */
static kw_err play_calls(const struct kw_play_options *o, struct kw_h2 *c,
                         struct kw_corpus *corpus, enum kw_bench_method method,
                         size_t count, struct kw_note *note)
{
    static const char *const what[KW_METHODS] = {
        "Status", "making ciphertexts with Encrypt", "Decrypt"};
    struct kw_calls *k = kw_new(1, sizeof *k);
    if (k == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "storm");
    k->connection = c;
    k->connection_count = 1;
    k->corpus = corpus;
    k->timeout_ns = o->storm.timeout_ns;
    k->progress = o->progress;
    kw_err e = kw_calls_prepare(k, method, 0, count, what[method], note);
    kw_free(k);
    return e;
}

/* Whoever answers Status is a KMS v2 plugin. */
static kw_err play_greet(const struct kw_play_options *o, struct kw_h2 *c,
                         struct kw_corpus *corpus, struct kw_note *note)
{
    kw_err e = play_calls(o, c, corpus, KW_STATUS, 1, note);
    if (!kw_failed(e) && !o->any_token)
        e = kw_guard("/proc", kw_h2_peer(c), corpus->is_keyward, note);
    return e;
}

kw_err kw_play_make(const struct kw_play_options *o, struct kw_corpus *corpus,
                    struct kw_note *note)
{
    const struct kw_h2_setup setup = {.path = o->socket[0], .calls = 16};
    struct kw_h2 c = {.fd = -1};
    kw_err e = kw_h2_open(&c, &setup, note);
    if (!kw_failed(e))
        e = play_greet(o, &c, corpus, note);
    if (!kw_failed(e))
        e = play_calls(o, &c, corpus, KW_ENCRYPT, corpus->count, note);
    kw_h2_close(&c);
    return e;
}

/* A storm knows key_ids by number: this one's, which is not 0 (FNV-1a). */
static unsigned play_key_number(kw_span id)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < id.len; i++)
        hash = (hash ^ id.ptr[i]) * 16777619u;
    return hash != 0 ? hash : 1;
}

/* The entry that a call is about: its seed, or the one that the server makes itself. */
static struct kw_corpus *play_entry(struct play *p, enum kw_bench_method method,
                                    uint32_t asker, size_t *ret_entry)
{
    *ret_entry = method == KW_DECRYPT ? p->storm->asker[asker].seed
                                      : kw_storm_server_of(p->storm, asker);
    return method == KW_DECRYPT ? p->corpus : &p->own;
}

static struct kw_storm_reply play_reply(struct play *p, const struct kw_h2_call *s)
{
    const kw_span body = kw_span_of(s->body, s->len);
    struct kw_message said = {0};
    size_t entry = 0;
    struct kw_corpus *corpus = play_entry(p, s->method, (uint32_t)s->entry, &entry);
    if (s->status != 0)
        return (struct kw_storm_reply){KW_STORM_FAILED, (unsigned)s->status, 0};
    struct kw_storm_reply r = {.outcome = KW_STORM_WRONG};
    if (s->overlong || !kw_corpus_judge(corpus, s->method, entry, body))
        return r;
    if (s->method != KW_DECRYPT && kw_message_read(s->method, body, &said))
        r.key_id = play_key_number(said.key_id);
    r.outcome = KW_STORM_GOOD;
    return r;
}

static void play_keep_saying(struct play *p, unsigned code, const char *text)
{
    char *said = p->result->said[code < KW_GRPC_CODES ? code : KW_GRPC_UNKNOWN];
    if (said[0] == '\0')
        (void)kw_copy_str(said, sizeof p->result->said[0], kw_span_str(text));
}

static void play_ended(void *ctx, struct kw_h2 *c, struct kw_h2_call *s)
{
    struct play *p = ctx;
    struct kw_storm_reply r = play_reply(p, s);
    if (r.outcome == KW_STORM_FAILED)
        play_keep_saying(p, r.code, s->status < 0 ? "no grpc-status" : c->said);
    kw_storm_ended(p->storm, p->now_ns, (uint32_t)s->entry, &r);
}

static void play_ask(void *ctx, struct kw_storm *storm, uint32_t asker)
{
    uint8_t buffer[KW_MESSAGE_MAX];
    struct play *p = ctx;
    const uint32_t server = kw_storm_server_of(storm, asker);
    const enum kw_bench_method method = storm->asker[asker].method;
    size_t entry = 0;
    if (method == KW_ENCRYPT) /* a new seed each time */
        kw_random(p->own.entry[server].seed, KW_SEED);
    const struct kw_corpus *corpus = play_entry(p, method, asker, &entry);
    struct kw_h2_call *sent = kw_h2_submit(
        &p->connection[server], method, kw_corpus_request(corpus, method, entry, buffer));
    storm->asker[asker].sent = sent;
    if (sent != NULL) /* else the connection is lost, which ends the storm */
        sent->entry = asker;
}

static void play_give_up(void *ctx, struct kw_storm *storm, uint32_t asker)
{
    struct play *p = ctx;
    play_keep_saying(p, KW_GRPC_DEADLINE_EXCEEDED, "no answer in time");
    if (storm->asker[asker].sent != NULL)
        kw_h2_cancel(&p->connection[kw_storm_server_of(storm, asker)],
                     storm->asker[asker].sent);
}

bool kw_counters_parse(json_t *status, struct kw_counters *ret_counters)
{
    struct kw_counters c = {0};
    json_t *classes = NULL, *class = NULL;
    size_t i = 0;
    if (json_unpack(status, "{s:{s:I}, s:o}", "jobs", "total", &c.hsm_jobs, "classes",
                    &classes) != 0 ||
        !json_is_array(classes))
        return false;
    json_array_foreach(classes, i, class)
    {
        json_int_t joined = 0, hits = 0, misses = 0, entries = 0;
        if (json_unpack(class, "{s:I, s:{s:I, s:I, s:I}}", "joined", &joined, "cache",
                        "hits", &hits, "misses", &misses, "entries", &entries) != 0 ||
            joined < 0 || joined > misses)
            return false;
        c.joined += joined;
        c.hits += hits;
        c.unwraps += misses - joined;
        c.entries += entries;
    }
    *ret_counters = c;
    return true;
}

kw_err kw_counters_read(const char *path, struct kw_counters *ret_counters,
                        struct kw_note *note)
{
    json_t *all = NULL;
    kw_err e = kw_status_read(path, &all, note);
    if (!kw_failed(e) && !kw_counters_parse(all, ret_counters)) {
        kw_note_set(note, "--status %s: what it says is not keywardd's status", path);
        e = kw_err_at(KW_CODE_BAD_INPUT, "status");
    }
    json_decref(all);
    return e;
}

bool kw_counters_since(const struct kw_counters *before, struct kw_counters *after)
{
    after->unwraps -= before->unwraps;
    after->hits -= before->hits;
    after->joined -= before->joined;
    after->hsm_jobs -= before->hsm_jobs;
    return after->unwraps >= 0 && after->hits >= 0 && after->joined >= 0 &&
           after->hsm_jobs >= 0;
}

/* Can it go on?  Else the result says why not. */
static bool play_can_go_on(struct play *p)
{
    struct kw_play_result *r = p->result;
    const struct kw_storm_options *o = &p->o->storm;
    const char *fault = NULL;
    if (kw_stop_asked())
        fault = "interrupted";
    else if (p->now_ns - p->storm->began_ns >= p->o->limit_ns)
        fault = "not all servers were ready within the limit";
    if (fault != NULL)
        snprintf(r->fault, sizeof r->fault, "%s", fault);
    for (uint64_t i = 0; i < o->servers && fault == NULL; i++) {
        const struct kw_h2 *c = &p->connection[i];
        fault = c->over || c->draining ? c->fault : NULL;
        if (fault != NULL)
            snprintf(r->fault, sizeof r->fault, "%s: %s", c->setup.path, fault);
    }
    return fault == NULL;
}

static void play_storm(struct play *p)
{
    struct kw_storm *s = p->storm;
    while (!s->over && !p->result->partial) {
        kw_storm_tick(s, p->now_ns);
        for (uint32_t i = 0; i < s->o.servers; i++)
            kw_h2_flush(&p->connection[i]);
        kw_h2_wait(p->connection, s->o.servers,
                   s->wakes_ns == INT64_MAX ? INT64_MAX : s->wakes_ns - p->now_ns,
                   &p->now_ns);
        if (s->o.day_ns > 0)
            kw_progress_tell(p->o->progress, "a day", (uint64_t)(p->now_ns - s->began_ns),
                             (uint64_t)s->o.day_ns);
        else
            kw_progress_tell(p->o->progress, "unwrapping", s->unwrapped,
                             s->o.servers * s->o.seeds);
        if (!s->over)
            p->result->partial = !play_can_go_on(p);
    }
}

/* Who listens at all the sockets; 0 when they are several, or nobody knows. */
static int32_t play_listener(const struct play *p)
{
    int32_t pid = kw_h2_peer(&p->connection[0]);
    for (uint64_t i = 1; i < p->o->storm.servers; i++)
        if (kw_h2_peer(&p->connection[i]) != pid)
            return 0;
    return pid;
}

static kw_err play_measure(struct play *p, struct kw_note *note)
{
    const struct kw_storm_caller caller = {play_ask, play_give_up, p};
    struct kw_play_result *r = p->result;
    struct kw_watch begun;
    kw_err e =
        p->o->status != NULL ? kw_counters_read(p->o->status, &r->before, note) : KW_OK;
    if (kw_failed(e))
        return e;
    if (p->o->status != NULL)
        r->cache = r->before.entries == 0 ? "cold" : "warm";
    kw_watch_begin(&begun, "/proc", play_listener(p));
    for (unsigned i = 0; i < p->o->storm.servers; i++) {
        p->connection[i].ended = play_ended;
        p->connection[i].ctx = p;
    }
    p->now_ns = kw_mono_ns(&kw_clock_system);
    e = kw_storm_new(&p->o->storm, &caller, p->now_ns, &p->storm);
    if (kw_failed(e))
        return e;
    play_storm(p);
    r->elapsed_ns = p->now_ns - p->storm->began_ns;
    kw_watch_end(&begun, &r->used);
    r->counted = p->o->status != NULL &&
                 !kw_failed(kw_counters_read(p->o->status, &r->done, NULL)) &&
                 kw_counters_since(&r->before, &r->done);
    kw_storm_end_timeline(p->storm);
    r->storm = p->storm;
    return KW_OK;
}

/* What the first socket makes, all others must be able to read: else every list would
 * fail, for ever. */
static kw_err play_compare(struct play *p, struct kw_note *note)
{
    struct kw_note why = {{0}};
    if (p->o->storm.sockets == 1)
        return KW_OK;
    kw_err e = play_calls(p->o, &p->connection[0], &p->own, KW_ENCRYPT, 1, note);
    for (uint64_t i = 1; i < p->o->storm.sockets && !kw_failed(e); i++) {
        e = play_calls(p->o, &p->connection[i], &p->own, KW_DECRYPT, 1, &why);
        if (kw_failed(e))
            kw_note_set(note,
                        "%s cannot read what %s made (%s): are they the same provider, "
                        "with the same keys and the same scope?",
                        p->o->socket[i], p->o->socket[0], why.text);
    }
    return e;
}

static kw_err play_connect(struct play *p, struct kw_note *note)
{
    const struct kw_storm_options *o = &p->o->storm;
    struct kw_note why = {{0}};
    kw_err e = kw_corpus_init(&p->own, o->servers);
    snprintf(p->timeout, sizeof p->timeout, "%" PRId64 "m", o->timeout_ns / KW_MS_NS);
    for (uint64_t i = 0; i < o->servers && !kw_failed(e); i++) {
        /* One more than ask at once: a call is free only after its end was told. */
        const struct kw_h2_setup setup = {p->o->socket[i % o->sockets], p->timeout,
                                          2 + (unsigned)(o->parallel * o->readers), true};
        e = kw_h2_open(&p->connection[i], &setup, note);
        if (kw_failed(e) || i >= o->sockets)
            continue;
        e = play_greet(p->o, &p->connection[i], &p->own, &why);
        if (kw_failed(e))
            kw_note_set(note, "%s: %s", setup.path, why.text);
    }
    return kw_failed(e) ? e : play_compare(p, note);
}

kw_err kw_play_run(const struct kw_play_options *o, struct kw_corpus *corpus,
                   struct kw_play_result *ret_result, struct kw_note *note)
{
    struct play *p = kw_new(1, sizeof *p);
    if (p == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "storm");
    p->o = o;
    p->corpus = corpus;
    p->result = ret_result;
    kw_err e = play_connect(p, note);
    if (!kw_failed(e))
        e = play_measure(p, note);
    for (unsigned i = 0; i < KW_STORM_SERVERS_MAX; i++)
        kw_h2_close(&p->connection[i]);
    kw_corpus_wipe(&p->own);
    kw_free(p);
    return e;
}
