/* SPDX-License-Identifier: Apache-2.0 */
#include "gap.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <keyward/clock.h>

#include "corpus.h"
#include "h2.h"
#include "tool.h"

enum { STREAMS = 1, PAUSE_MS = 1 };
static const int64_t call_ns = 3 * KW_S_NS;

struct gap {
    const struct kw_gap_options *o;
    struct kw_gap_child child;
    struct kw_h2 h2;
    bool connected;
    struct kw_corpus corpus; /* of one seed */
    /* of the call under way */
    enum kw_method method;
    bool ended, good, wrong, final; /* final: refused, and will be */
    char said[128];                 /* what the last refusal said  */
};

static int64_t now_ns(void)
{
    return kw_mono_ns(&kw_clock_system);
}

static void disconnect(struct gap *g)
{
    if (g->connected)
        kw_h2_close(&g->h2);
    g->connected = false;
}

static bool connect_to(struct gap *g)
{
    if (g->connected)
        return true;
    kw_err e = kw_h2_open(&g->h2, g->o->socket, STREAMS, "3S", NULL);
    g->connected = true;
    if (kw_failed(e))
        disconnect(g);
    return g->connected;
}

/* What the plugin was asked is right, it made the ciphertext itself: these codes say that
 * it does not know it any more.  Anything else may pass. */
static bool is_final(int status)
{
    enum {
        INVALID_ARGUMENT = 3,
        NOT_FOUND = 5,
        PERMISSION_DENIED = 7,
        FAILED_PRECONDITION = 9,
        DATA_LOSS = 15,
    };
    return status == INVALID_ARGUMENT || status == NOT_FOUND ||
           status == PERMISSION_DENIED || status == FAILED_PRECONDITION ||
           status == DATA_LOSS;
}

static void on_ended(void *ctx, struct kw_h2 *c, struct kw_stream *s)
{
    struct gap *g = ctx;
    g->ended = true;
    g->good = s->status == 0 && !s->overlong &&
              kw_corpus_judge(&g->corpus, g->method, 0, kw_span_of(s->body, s->len));
    if (s->status > 0)
        kw_copy_str(g->said, sizeof g->said, kw_span_str(c->said));
    g->wrong = s->status == 0 && g->method == KW_DECRYPT && !g->good;
    g->final = g->method == KW_DECRYPT && is_final(s->status);
}

static bool submit(struct gap *g)
{
    uint8_t buffer[KW_MESSAGE_MAX];
    kw_dst dst = kw_dst_of(buffer, sizeof buffer);
    kw_span message = kw_corpus_decrypt(&g->corpus, 0);
    if (g->method != KW_DECRYPT) {
        bool fits = g->method == KW_STATUS ? kw_message_status(&dst)
                                           : kw_corpus_encrypt(&g->corpus, 0, &dst);
        KW_INVARIANT(fits);
        message = kw_dst_span(&dst);
    }
    return kw_h2_submit(&g->h2, g->method, message) != NULL;
}

/* One call, if it can be made; false when it was not good, whatever the reason.  Ends
 * early when the process has: nobody will answer then. */
static bool try_call(struct gap *g, enum kw_method method)
{
    g->method = method;
    g->ended = g->good = false;
    if (!connect_to(g))
        return false;
    int64_t until = now_ns() + call_ns;
    if (!submit(g))
        kw_h2_end(&g->h2, "no stream");
    kw_h2_flush(&g->h2);
    while (!g->ended && !g->h2.over && now_ns() < until && kw_gap_child_runs(&g->child)) {
        struct pollfd p = {g->h2.fd, POLLIN, 0};
        if (poll(&p, 1, PAUSE_MS) > 0 && kw_h2_read(&g->h2, false))
            kw_h2_digest(&g->h2, on_ended, g);
    }
    /* A connection that is draining, or has an unanswered call, serves no other. */
    if (!g->ended || g->h2.over || g->h2.draining)
        disconnect(g);
    return g->good;
}

static kw_err ended_early(const struct gap *g, struct kw_note *note)
{
    const int status = g->child.status;
    kw_note_set(note,
                "%s ended with %s %d before it served: look at what it said (--log FILE)",
                g->o->start, WIFSIGNALED(status) ? "signal" : "exit status",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return kw_err_at(KW_CODE_MISSING, "start");
}

/* Calls until one is good; its moment. */
static kw_err await(struct gap *g, enum kw_method method, int64_t *ret_ns,
                    struct kw_note *note)
{
    const int64_t until = now_ns() + g->o->patience_ns;
    while (!try_call(g, method)) {
        if (g->wrong) {
            kw_note_set(note, "%s gave back another seed than it was given",
                        g->o->socket);
            return kw_err_at(KW_CODE_WRONG_ANSWER, "decrypt");
        }
        if (g->final) {
            kw_note_set(note, "%s refuses what it sealed before its restart; it said %s",
                        g->o->socket, g->said);
            return kw_err_at(KW_CODE_DENIED, "decrypt");
        }
        if (kw_stop_asked())
            return kw_err_at(KW_CODE_CANCELLED, "signal");
        if (!kw_gap_child_runs(&g->child))
            return ended_early(g, note);
        if (now_ns() > until) {
            kw_note_set(note, "%s: no good %s within %lld s of the start%s%s",
                        g->o->socket, kw_method_names[method],
                        (long long)(g->o->patience_ns / KW_S_NS),
                        g->said[0] != '\0' ? "; it said " : "", g->said);
            return kw_err_at(KW_CODE_DEADLINE, "start");
        }
        (void)poll(NULL, 0, PAUSE_MS);
    }
    *ret_ns = now_ns();
    return KW_OK;
}

static double ms(int64_t ns)
{
    return (double)ns / 1e6;
}

/* Status first, as an API server asks it. */
static kw_err come_up(struct gap *g, struct kw_gap *times, int64_t *ret_ns,
                      struct kw_note *note)
{
    int64_t status_ns = 0, ready_ns = 0;
    kw_err e = kw_gap_child_start(&g->child, g->o->start, g->o->log, note);
    if (!kw_failed(e))
        e = await(g, KW_STATUS, &status_ns, note);
    if (!kw_failed(e) && kw_corpus_decrypt(&g->corpus, 0).len == 0)
        e = await(g, KW_ENCRYPT, &ready_ns, note);
    if (!kw_failed(e))
        e = await(g, KW_DECRYPT, &ready_ns, note);
    if (kw_failed(e))
        return e;
    times->start_status_ms = ms(status_ns - g->child.began_ns);
    times->start_decrypt_ms = ms(ready_ns - g->child.began_ns);
    *ret_ns = ready_ns;
    return KW_OK;
}

/* Calls on until it has gone. */
static kw_err go_down(struct gap *g, struct kw_gap *times, int64_t *last_good_ns,
                      struct kw_note *note)
{
    const int64_t told_ns = now_ns();
    if (kill(g->child.pid, SIGTERM) != 0)
        return kw_err_at(KW_CODE_BUG, "kill");
    while (kw_gap_child_runs(&g->child)) {
        if (now_ns() - told_ns > g->o->patience_ns) {
            kw_note_set(note, "%s did not end within %lld s of SIGTERM", g->o->start,
                        (long long)(g->o->patience_ns / KW_S_NS));
            return kw_err_at(KW_CODE_DEADLINE, "stop");
        }
        if (try_call(g, KW_DECRYPT))
            *last_good_ns = now_ns();
        else
            (void)poll(NULL, 0, PAUSE_MS);
    }
    times->stop_ms = ms(now_ns() - told_ns);
    disconnect(g);
    return KW_OK;
}

static kw_err restart_all(struct gap *g, struct kw_gap_result *r, struct kw_note *note)
{
    struct kw_gap times = {0};
    int64_t last_good_ns = 0;
    kw_err e = come_up(g, &times, &last_good_ns, note);
    while (!kw_failed(e) && r->count < g->o->restarts) {
        int64_t up_ns = 0;
        e = go_down(g, &times, &last_good_ns, note);
        if (!kw_failed(e))
            e = come_up(g, &times, &up_ns, note);
        if (kw_failed(e))
            break;
        times.gap_ms = ms(up_ns - last_good_ns);
        last_good_ns = up_ns;
        r->gap[r->count++] = times;
    }
    return e;
}

kw_err kw_gap_run(const struct kw_gap_options *options, struct kw_gap_result *ret_result,
                  struct kw_note *note)
{
    struct gap g = {.o = options};
    ret_result->count = 0;
    KW_INVARIANT(options->restarts >= 1 && options->restarts <= KW_GAPS_MAX);
    kw_err e = kw_corpus_init(&g.corpus, 1);
    if (!kw_failed(e))
        e = restart_all(&g, ret_result, note);
    disconnect(&g);
    kw_gap_child_stop(&g.child, options->patience_ns);
    kw_corpus_wipe(&g.corpus);
    return e;
}
