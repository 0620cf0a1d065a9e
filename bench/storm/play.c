/* SPDX-License-Identifier: Apache-2.0 */
#include "play.h"

#include <inttypes.h>
#include <stdio.h>

#include <keyward/alloc.h>
#include <keyward/limits.h>

#include "calls.h"
#include "guard.h"
#include "tool.h"

enum { KEY_IDS_MAX = 64 };

/* The key_ids seen so far; a storm knows them by number, from 1. */
struct key_ids {
    unsigned count;
    struct {
        uint8_t text[KW_WIRE_KEY_ID_MAX];
        size_t len;
    } known[KEY_IDS_MAX];
};

struct play {
    const struct kw_play_options *o;
    struct kw_storm *storm;
    struct kw_corpus *corpus;
    struct kw_corpus own; /* the seed that each server makes itself */
    struct kw_h2 connection[KW_STORM_SERVERS_MAX];
    struct on_its_way {
        struct kw_h2_call *stream; /* NULL: not sent */
        size_t seed;
    } * call; /* [askers] */
    struct key_ids keys;
    struct kw_play_result *result;
    int64_t began_ns, now_ns;
    char timeout[24];
};

/* ---- making ciphertexts ---------------------------------------------------------------- */

/* The method for entries 0 to count - 1 on this connection, before anything is measured. */
static kw_err play_calls(const struct kw_play_options *o, struct kw_h2 *c,
                         struct kw_corpus *corpus, enum kw_bench_method method,
                         size_t count, struct kw_progress *progress, struct kw_note *note)
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
    k->progress = progress;
    kw_err e = kw_calls_prepare(k, method, 0, count, what[method], note);
    kw_free(k);
    return e;
}

/* Whoever answers Status is a KMS v2 plugin. */
static kw_err play_greet(const struct kw_play_options *o, struct kw_h2 *c,
                         struct kw_corpus *corpus, struct kw_note *note)
{
    struct kw_progress silent = {0};
    kw_err e = play_calls(o, c, corpus, KW_STATUS, 1, &silent, note);
    if (!kw_failed(e) && !o->any_token)
        e = kw_guard("/proc", kw_h2_peer(c), corpus->is_keyward, note);
    return e;
}

kw_err kw_play_make(const struct kw_play_options *o, struct kw_corpus *corpus,
                    struct kw_progress *progress, struct kw_note *note)
{
    enum { IN_FLIGHT = 16 };
    struct kw_h2 c = {.fd = -1};
    kw_err e = kw_h2_open(&c, o->socket[0], IN_FLIGHT, NULL, note);
    if (!kw_failed(e))
        e = play_greet(o, &c, corpus, note);
    if (!kw_failed(e))
        e = play_calls(o, &c, corpus, KW_ENCRYPT, corpus->count, progress, note);
    kw_h2_close(&c);
    return e;
}

/* ---- calls and replies ----------------------------------------------------------------- */

/* 0: there is no room for another one. */
static unsigned number_of(struct key_ids *keys, kw_span id)
{
    for (unsigned i = 0; i < keys->count; i++)
        if (kw_span_equal(id, kw_span_of(keys->known[i].text, keys->known[i].len)))
            return i + 1;
    if (keys->count == KEY_IDS_MAX || id.len > KW_WIRE_KEY_ID_MAX)
        return 0;
    kw_copy(keys->known[keys->count].text, KW_WIRE_KEY_ID_MAX, id);
    keys->known[keys->count].len = id.len;
    return ++keys->count;
}

static uint32_t play_server_of(const struct play *p, const struct kw_h2 *c)
{
    return (uint32_t)(c - p->connection);
}

static struct kw_storm_reply play_reply_of(struct play *p, const struct kw_h2 *c,
                                           const struct kw_h2_call *s, size_t seed)
{
    kw_span body = kw_span_of(s->body, s->len);
    struct kw_reply said = {0};
    struct kw_storm_reply r = {.outcome = KW_STORM_FAILED, .code = (unsigned)s->status};
    if (s->status != 0)
        return r;
    r.outcome = KW_STORM_WRONG;
    bool decrypt = s->method == KW_DECRYPT;
    if (s->overlong || !kw_corpus_judge(decrypt ? p->corpus : &p->own, s->method,
                                        decrypt ? seed : play_server_of(p, c), body))
        return r;
    if (!decrypt && kw_message_read(s->method, body, &said))
        r.key_id = number_of(&p->keys, said.key_id);
    if (decrypt || r.key_id != 0)
        r.outcome = KW_STORM_GOOD;
    return r;
}

static void play_keep_saying(struct play *p, unsigned code, const char *text)
{
    char *said = p->result->said[code < KW_STORM_CODES ? code : 2];
    if (said[0] == '\0')
        (void)kw_copy_str(said, sizeof p->result->said[0], kw_span_str(text));
}

static void play_ended(void *ctx, struct kw_h2 *c, struct kw_h2_call *s)
{
    struct play *p = ctx;
    uint32_t asker = (uint32_t)s->entry;
    struct kw_storm_reply r = play_reply_of(p, c, s, p->call[asker].seed);
    if (r.outcome == KW_STORM_FAILED)
        play_keep_saying(p, r.code, s->status < 0 ? "no grpc-status" : c->said);
    p->call[asker].stream = NULL;
    kw_storm_ended(p->storm, p->now_ns, asker, &r);
}

static void play_ask(void *ctx, const struct kw_storm_call *call)
{
    uint8_t buffer[KW_MESSAGE_MAX];
    struct play *p = ctx;
    struct kw_h2 *c = &p->connection[call->server];
    const bool decrypt = call->method == KW_DECRYPT;
    if (call->method == KW_ENCRYPT) /* a new seed each time */
        kw_random(p->own.entry[call->server].seed, KW_SEED);
    struct kw_h2_call *sent =
        kw_h2_submit(c, call->method,
                     kw_corpus_request(decrypt ? p->corpus : &p->own, call->method,
                                       decrypt ? call->seed : call->server, buffer));
    p->call[call->asker] = (struct on_its_way){sent, call->seed};
    if (sent != NULL) /* else the connection is lost, which ends the storm */
        sent->entry = call->asker;
}

static void play_give_up(void *ctx, const struct kw_storm_call *call)
{
    struct play *p = ctx;
    struct on_its_way *c = &p->call[call->asker];
    play_keep_saying(p, KW_GRPC_DEADLINE_EXCEEDED, "no answer in time");
    if (c->stream != NULL)
        kw_h2_cancel(&p->connection[call->server], c->stream);
    c->stream = NULL;
}

/* ---- the run --------------------------------------------------------------------------- */

/* Can it go on?  Else the result says why not. */
static bool play_can_go_on(struct play *p)
{
    struct kw_play_result *r = p->result;
    const struct kw_storm_options *o = &p->o->storm;
    for (uint64_t i = 0; i < o->servers; i++)
        if (p->connection[i].over || p->connection[i].draining) {
            snprintf(r->fault, sizeof r->fault, "%s: %s", p->o->socket[i % o->sockets],
                     p->connection[i].fault);
            return false;
        }
    const char *fault = kw_stop_asked() ? "interrupted" : NULL;
    if (fault == NULL && p->now_ns - p->began_ns >= p->o->limit_ns)
        fault = "not all servers were ready within the limit";
    if (fault != NULL)
        snprintf(r->fault, sizeof r->fault, "%s", fault);
    return fault == NULL;
}

static void play_tell(const struct play *p, struct kw_progress *progress)
{
    const struct kw_storm_options *o = &p->o->storm;
    if (o->day_ns > 0)
        kw_progress_tell(progress, "a day",
                         (uint64_t)((p->now_ns - p->began_ns) / KW_MS_NS),
                         (uint64_t)(o->day_ns / KW_MS_NS));
    else
        kw_progress_tell(progress, "unwrapping", kw_storm_unwrapped(p->storm),
                         o->servers * o->seeds);
}

static void play_run(struct play *p, struct kw_progress *progress)
{
    while (!kw_storm_over(p->storm) && !p->result->partial) {
        kw_storm_tick(p->storm, p->now_ns);
        for (uint32_t i = 0; i < p->o->storm.servers; i++)
            kw_h2_flush(&p->connection[i]);
        kw_h2_wait(p->connection, p->o->storm.servers,
                   kw_storm_wakes(p->storm) - p->now_ns, play_ended, p, &p->now_ns);
        play_tell(p, progress);
        if (!kw_storm_over(p->storm))
            p->result->partial = !play_can_go_on(p);
    }
}

/* Who listens at all the sockets; 0 when they are several, or nobody knows. */
static int32_t listener_of(const struct play *p)
{
    int32_t pid = kw_h2_peer(&p->connection[0]);
    for (uint64_t i = 1; i < p->o->storm.servers; i++)
        if (kw_h2_peer(&p->connection[i]) != pid)
            return 0;
    return pid;
}

static void play_count(struct play *p)
{
    struct kw_play_result *r = p->result;
    struct kw_counters after;
    if (p->o->status != NULL && !kw_failed(kw_counters_read(p->o->status, &after, NULL)))
        r->counted = kw_counters_between(&r->before, &after, &r->done);
}

static kw_err play_measure(struct play *p, struct kw_progress *progress,
                           struct kw_note *note)
{
    struct kw_play_result *r = p->result;
    struct kw_watch begun;
    if (p->o->status != NULL) {
        kw_err unread = kw_counters_read(p->o->status, &r->before, note);
        if (kw_failed(unread))
            return unread;
    }
    kw_watch_begin(&begun, "/proc", listener_of(p));
    p->began_ns = p->now_ns = kw_mono_ns(&kw_clock_system);
    const struct kw_storm_caller caller = {play_ask, play_give_up, p};
    kw_err e = kw_storm_new(&p->o->storm, &caller, p->began_ns, &p->storm);
    if (kw_failed(e))
        return e;
    play_run(p, progress);
    r->elapsed_ns = p->now_ns - p->began_ns;
    kw_watch_end(&begun, &r->used);
    play_count(p);
    r->tally = *kw_storm_tally_peek(p->storm);
    r->ready_ns = kw_storm_ready_ns(p->storm);
    r->point_count = kw_storm_timeline(p->storm, r->point);
    return KW_OK;
}

/* What the first socket makes, all others must be able to read: else every list would
 * fail, for ever. */
static kw_err play_compare(struct play *p, struct kw_note *note)
{
    struct kw_progress silent = {0};
    struct kw_note why = {{0}};
    if (p->o->storm.sockets == 1)
        return KW_OK;
    kw_err e = play_calls(p->o, &p->connection[0], &p->own, KW_ENCRYPT, 1, &silent, note);
    for (uint64_t i = 1; i < p->o->storm.sockets && !kw_failed(e); i++) {
        e = play_calls(p->o, &p->connection[i], &p->own, KW_DECRYPT, 1, &silent, &why);
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
    /* One more than ask at once: a call is free only after its end was told. */
    unsigned calls = 2 + (unsigned)(o->parallel * o->readers);
    struct kw_note why = {{0}};
    snprintf(p->timeout, sizeof p->timeout, "%" PRId64 "m", o->timeout_ns / KW_MS_NS);
    kw_err e = KW_OK;
    for (uint64_t i = 0; i < o->servers && !kw_failed(e); i++) {
        const char *path = p->o->socket[i % o->sockets];
        e = kw_h2_open(&p->connection[i], path, calls, p->timeout, note);
        p->connection[i].queues = true;
        if (kw_failed(e) || i >= o->sockets)
            continue;
        e = play_greet(p->o, &p->connection[i], &p->own, &why);
        if (kw_failed(e))
            kw_note_set(note, "%s: %s", path, why.text);
    }
    return kw_failed(e) ? e : play_compare(p, note);
}

static kw_err play_prepare(struct play *p)
{
    const struct kw_storm_options *o = &p->o->storm;
    for (unsigned i = 0; i < KW_STORM_SERVERS_MAX; i++)
        p->connection[i].fd = -1;
    p->call = kw_new(o->servers * (1 + o->parallel * o->readers), sizeof p->call[0]);
    if (p->call == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "storm");
    return kw_corpus_init(&p->own, o->servers);
}

kw_err kw_play_run(const struct kw_play_options *o, struct kw_corpus *corpus,
                   struct kw_progress *progress, struct kw_play_result *ret_result,
                   struct kw_note *note)
{
    struct play *p = kw_new(1, sizeof *p);
    if (p == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "storm");
    p->o = o;
    p->corpus = corpus;
    p->result = ret_result;
    kw_err e = play_prepare(p);
    if (!kw_failed(e))
        e = play_connect(p, note);
    if (!kw_failed(e))
        e = play_measure(p, progress, note);
    for (unsigned i = 0; i < KW_STORM_SERVERS_MAX; i++)
        kw_h2_close(&p->connection[i]);
    kw_storm_free(p->storm);
    kw_corpus_wipe(&p->own);
    kw_free(p->call);
    kw_free(p);
    return e;
}
