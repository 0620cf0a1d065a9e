/* SPDX-License-Identifier: Apache-2.0 */
/* worker - one measuring process: a module and a login of its own, and a few lanes
 *
 * Its main thread sets everything up, then only waits: for the lanes' end, and for the
 * parent's, whose death is the end of the file on the socket.
 */
#include "lane.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/clock.h>

#include "watch.h"

enum { PATIENCE_S = 10 }; /* with the module, once the parent is dead */

struct worker {
    const struct kw_errand *errand;
    struct kw_process_slot *slot;
    struct kw_token *token;
    uint64_t threads, started;
    struct kw_lane lane[KW_THREADS_MAX];
    pthread_t thread[KW_THREADS_MAX];
    int finished; /* an eventfd: one from each lane */
};

/* ---- setting up ----------------------------------------------------------------- */

/* The label of the key that this process uses, which it makes unless it is the token's.
 */
static kw_err get_key(struct worker *w, char label[KW_KEY_ID_MAX + 1],
                      struct kw_note *note)
{
    const struct kw_token_plan *p = w->errand->plan;
    const char *kept = w->errand->board->label;
    struct kw_token_key *key = NULL;
    label[0] = '\0';
    if (!kw_op_wants_key(p->op))
        return KW_OK;
    if (p->place == KW_PLACE_TOKEN) {
        (void)kw_copy_str(label, KW_KEY_ID_MAX + 1, kw_span_str(kept));
        return KW_OK;
    }
    kw_err e = kw_errand_label(w->errand->guard, label, note);
    if (kw_failed(e))
        return e;
    return p->place == KW_PLACE_COPY
               ? kw_token_copy_throwaway(w->token, kept, label, &key, note)
               : kw_token_make_throwaway(w->token, label, false, &key, note);
}

static kw_err open_lanes(struct worker *w, const char *label, struct kw_note *note)
{
    const struct kw_errand *errand = w->errand;
    struct kw_board *b = errand->board;
    kw_err e = KW_OK;
    for (uint64_t i = 0; i < w->threads && !kw_failed(e); i++) {
        struct kw_lane *l = &w->lane[i];
        l->errand = errand;
        l->number = errand->process * b->threads + i;
        l->lanes = b->processes * b->threads;
        l->slot = &b->lane[l->number];
        e = kw_lane_open(l, w->token, i == 0, label, note);
    }
    return e;
}

static kw_err prepare(struct worker *w)
{
    struct kw_note *note = &w->slot->note;
    char label[KW_KEY_ID_MAX + 1];
    kw_err e = kw_errand_open(w->errand, false, &w->token, note);
    if (!kw_failed(e))
        e = kw_token_login(w->token, note);
    if (!kw_failed(e))
        e = get_key(w, label, note);
    if (!kw_failed(e))
        e = open_lanes(w, label, note);
    return e;
}

/* ---- measuring ------------------------------------------------------------------ */

struct start {
    struct worker *w;
    uint64_t i;
};

static void *lane_main(void *arg)
{
    struct start s = *(struct start *)arg;
    struct kw_lane *l = &s.w->lane[s.i];
    const struct kw_token_plan *p = l->errand->plan;
    kw_free(arg);
    if (p->cpu_count > 1)
        (void)kw_pin((unsigned)p->cpu[l->number % p->cpu_count]); /* looked at before */
    kw_lane_run(l);
    (void)eventfd_write(s.w->finished, 1);
    return NULL;
}

static bool start_lane(struct worker *w, uint64_t i)
{
    struct start *s = kw_new(1, sizeof *s);
    if (s == NULL)
        return false;
    *s = (struct start){w, i};
    if (pthread_create(&w->thread[i], NULL, lane_main, s) == 0)
        return true;
    kw_free(s);
    return false;
}

static void stop_all(struct worker *w)
{
    atomic_store(&w->errand->board->stop, true);
}

/* Until lanes are at their end, or the parent is dead.  The parent says nothing between
 * GO and the end. */
static void wait_some(struct worker *w, uint64_t *ends)
{
    struct pollfd polled[] = {{w->finished, POLLIN, 0}, {w->errand->fd, POLLIN, 0}};
    eventfd_t n = 0;
    if (poll(polled, 2, -1) <= 0)
        return;
    if (polled[0].revents != 0 && eventfd_read(w->finished, &n) == 0)
        *ends += n;
    if (polled[1].revents != 0)
        stop_all(w);
}

/* A lane that hangs in the module would keep this process for ever, with nobody there to
 * read what it measured. */
static void leave_if_alone(struct worker *w, uint64_t ends)
{
    struct pollfd parent = {w->errand->fd, POLLIN, 0};
    if (poll(&parent, 1, 0) <= 0)
        return;
    const int64_t until = kw_mono_ns(&kw_clock_system) + PATIENCE_S * KW_S_NS;
    struct pollfd finished = {w->finished, POLLIN, 0};
    while (ends < w->started && kw_mono_ns(&kw_clock_system) < until) {
        eventfd_t n = 0;
        if (poll(&finished, 1, 1000) > 0 && eventfd_read(w->finished, &n) == 0)
            ends += n;
    }
    _exit(1);
}

static void measure(struct worker *w)
{
    uint64_t ends = 0;
    for (; w->started < w->threads && start_lane(w, w->started); w->started++)
        ;
    if (w->started < w->threads) {
        w->slot->error = kw_err_native(KW_CODE_IO, (uint32_t)errno, "pthread_create");
        stop_all(w);
    }
    while (ends < w->started) {
        wait_some(w, &ends);
        leave_if_alone(w, ends);
    }
    const struct kw_used after = kw_used_now();
    for (uint64_t i = 0; i < w->started; i++)
        (void)pthread_join(w->thread[i], NULL);
    w->slot->counted = true;
    if (!w->slot->begun)
        return;
    w->slot->used.cpu_ns = after.cpu_ns - w->slot->before.cpu_ns;
    w->slot->used.switches = after.switches - w->slot->before.switches;
}

_Noreturn void kw_worker_main(const struct kw_errand *errand)
{
    static struct worker w; /* large, once a process */
    w.errand = errand;
    w.slot = &errand->board->process[errand->process];
    w.threads = errand->board->threads;
    w.finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w.slot->error = w.finished >= 0
                        ? prepare(&w)
                        : kw_err_native(KW_CODE_IO, (uint32_t)errno, "eventfd");
    if (!kw_failed(w.slot->error)) {
        kw_errand_say(errand, KW_SAY_READY);
        if (kw_errand_told(errand))
            measure(&w);
    }
    for (uint64_t i = 0; i < w.threads; i++)
        kw_lane_close(&w.lane[i]);
    kw_token_close(w.token);
    kw_errand_say(errand, KW_SAY_DONE);
    _exit(0);
}
