/* SPDX-License-Identifier: Apache-2.0 */
/* owner - the process that makes the key and destroys it
 *
 * Apart from those that measure, so that the key goes whatever becomes of them: a module
 * that crashes takes a worker with it and not the owner, and a parent that is killed is
 * an end of file here.
 */
#include "token_child.h"

#include <unistd.h>

struct owner {
    const struct kw_token_child_task *task;
    struct kw_token *token;
    struct kw_token_key *key; /* NULL: none on the token */
};

/* Only a key on the token outlives a session, so only that one is kept here. */
static bool owner_wants_key(const struct kw_token_plan *p)
{
    return kw_op_wants_key(p->op) && p->key != KW_BENCH_KEY_SESSION;
}

static kw_err owner_make_key(struct owner *o, struct kw_note *note)
{
    struct kw_shared *s = o->task->shared;
    kw_err e = kw_token_child_label(o->task->guard, s->label, note);
    if (!kw_failed(e))
        e = kw_token_make_throwaway(o->token, s->label, true, &o->key, note);
    return e;
}

static kw_err owner_prepare(struct owner *o, struct kw_note *note)
{
    const struct kw_token_plan *p = o->task->plan;
    struct kw_shared *s = o->task->shared;
    kw_err e = kw_token_child_open(p, owner_wants_key(p), &o->token, note);
    if (kw_failed(e))
        return e;
    s->facts = *kw_token_facts(o->token);
    e = kw_token_child_check(p, &s->facts, note);
    if (!kw_failed(e))
        e = kw_token_login(o->token, note);
    /* An IV regime that the wrapping could not live with ends it here, on a key of the
     * session, before anything lies on the token. */
    if (!kw_failed(e) && kw_op_seals(p->op))
        e = kw_token_self_test(o->token, note);
    if (!kw_failed(e) && owner_wants_key(p))
        e = owner_make_key(o, note);
    return e;
}

static kw_err owner_put_away(struct owner *o, struct kw_note *note)
{
    if (o->key == NULL)
        return KW_OK;
    kw_err e = kw_token_destroy_throwaway(o->token, o->key);
    if (kw_failed(e))
        kw_note_set(note,
                    "the key that was measured with could not be destroyed: %s at %s "
                    "(0x%x); look for %s with --clean",
                    kw_code_name(e.code), e.where, e.native, o->task->shared->label);
    return e;
}

_Noreturn void kw_token_owner_main(const struct kw_token_child_task *task)
{
    struct owner o = {.task = task};
    struct kw_process_slot *slot = &task->shared->owner;
    slot->error = owner_prepare(&o, &slot->note);
    bool ready = !kw_failed(slot->error);
    kw_token_child_say(task, ready ? KW_SAY_READY : KW_SAY_DONE);
    while (ready && kw_token_child_told(task))
        ;
    kw_err gone = owner_put_away(&o, &slot->note);
    if (kw_failed(gone))
        slot->error = gone;
    kw_token_close(o.token);
    if (ready)
        kw_token_child_say(task, KW_SAY_DONE);
    _exit(0);
}
