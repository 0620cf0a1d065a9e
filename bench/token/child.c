/* SPDX-License-Identifier: Apache-2.0 */
#include "token_bench.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ARENA = 256 * 1024, ARENA_PER_THREAD = 8 * 1024 };

kw_err kw_token_plan_open(const struct kw_token_plan *plan, bool read_write,
                          struct kw_token **ret_token, struct kw_note *note)
{
    const struct kw_token_options options = {.module = plan->module,
                                             .uri = plan->uri,
                                             .pin = plan->pin,
                                             .read_write = read_write};
    kw_err e =
        kw_arena_open(ARENA + plan->threads * ARENA_PER_THREAD, KW_ARENA_AUTO, note);
    return kw_failed(e) ? e : kw_token_open(&options, ret_token, note);
}

void kw_failure_set(struct kw_failure *f, struct kw_shared *s, kw_err e,
                    const struct kw_note *note)
{
    if (!atomic_exchange(&f->taken, true)) {
        f->error = e;
        f->note = *note;
    }
    atomic_store(&s->stop, true);
}

void kw_token_child_ready(const struct kw_token_task *task)
{
    /* A parent that is gone is seen at the next read. */
    (void)send(task->fd, "R", 1, MSG_NOSIGNAL);
}

bool kw_token_child_told(const struct kw_token_task *task)
{
    char what = 0;
    ssize_t n;
    do
        n = recv(task->fd, &what, 1, 0);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

/* ---- the owner ---------------------------------------------------------------------- */

/* Only a key on the token outlives a session, so only that one is kept here. */
static bool owner_wants_key(const struct kw_token_plan *p)
{
    return kw_op_wants_key(p->op) && p->key != KW_BENCH_KEY_SESSION;
}

static kw_err owner_prepare(const struct kw_token_task *task, struct kw_token **ret_token,
                            struct kw_token_key **ret_key, struct kw_note *note)
{
    const struct kw_token_plan *p = task->plan;
    struct kw_shared *s = task->shared;
    kw_err e = kw_token_plan_open(p, owner_wants_key(p), ret_token, note);
    if (kw_failed(e))
        return e;
    s->facts = *kw_token_facts(*ret_token);
    e = kw_bench_token_allowed(&s->facts, p->any_token, note);
    if (!kw_failed(e))
        e = kw_token_login(*ret_token, note);
    /* An IV regime that the wrapping could not live with ends it here, on a key of the
     * session, before anything lies on the token. */
    if (!kw_failed(e) && kw_op_seals(p->op))
        e = kw_token_self_test(*ret_token, note);
    if (kw_failed(e) || !owner_wants_key(p))
        return e;
    e = kw_key_guard_label(task->guard, s->label, note);
    return kw_failed(e)
               ? e
               : kw_token_make_throwaway(*ret_token, s->label, true, ret_key, note);
}

_Noreturn void kw_token_owner_main(const struct kw_token_task *task)
{
    struct kw_shared *s = task->shared;
    struct kw_note note = {{0}};
    struct kw_token *token = NULL;
    struct kw_token_key *key = NULL; /* NULL: none on the token */
    kw_err e = owner_prepare(task, &token, &key, &note);
    if (kw_failed(e)) {
        kw_failure_set(&s->owner, s, e, &note);
    } else {
        kw_token_child_ready(task);
        (void)kw_token_child_told(task); /* to go, which is all that it is told */
    }
    atomic_store(&s->stop, true); /* if the parent is dead nobody else does */
    e = key != NULL ? kw_token_destroy_throwaway(token, key) : KW_OK;
    if (kw_failed(e)) {
        kw_note_set(&note,
                    "the key that was measured with could not be destroyed: %s at %s "
                    "(0x%x); look for %s with --clean",
                    kw_code_name(e.code), e.where, e.native, s->label);
        kw_failure_set(&s->owner, s, e, &note);
    }
    kw_token_close(token);
    _exit(KW_CHILD_DONE);
}
