/* SPDX-License-Identifier: Apache-2.0 */
/* keeper - the process that makes the key and destroys it
 *
 * Apart from those that measure, so that the key goes whatever becomes of them: a module
 * that crashes takes a worker with it and not the keeper, and a parent that is killed is
 * an end of file here.
 */
#include "board.h"

#include <unistd.h>

struct keeper {
    const struct kw_errand *errand;
    struct kw_token *token;
    struct kw_token_key *key; /* NULL: none on the token */
};

/* Only a key on the token outlives a session, so only that one is kept here. */
static bool wants_key(const struct kw_token_plan *p)
{
    return kw_op_wants_key(p->op) && p->place != KW_PLACE_SESSION;
}

static kw_err make_key(struct keeper *k, struct kw_note *note)
{
    struct kw_board *b = k->errand->board;
    kw_err e = kw_errand_label(k->errand->guard, b->label, note);
    if (!kw_failed(e))
        e = kw_token_make_throwaway(k->token, b->label, true, &k->key, note);
    return e;
}

static kw_err prepare(struct keeper *k, struct kw_note *note)
{
    const struct kw_token_plan *p = k->errand->plan;
    struct kw_board *b = k->errand->board;
    kw_err e = kw_errand_open(k->errand, wants_key(p), &k->token, note);
    if (kw_failed(e))
        return e;
    b->facts = *kw_token_facts(k->token);
    e = kw_errand_check(p, &b->facts, note);
    if (!kw_failed(e))
        e = kw_token_login(k->token, note);
    /* An IV regime that the wrapping could not live with ends it here, on a key of the
     * session, before anything lies on the token. */
    if (!kw_failed(e) && kw_op_seals(p->op))
        e = kw_token_self_test(k->token, note);
    if (!kw_failed(e) && wants_key(p))
        e = make_key(k, note);
    return e;
}

static kw_err put_away(struct keeper *k, struct kw_note *note)
{
    if (k->key == NULL)
        return KW_OK;
    kw_err e = kw_token_destroy_throwaway(k->token, k->key);
    if (kw_failed(e))
        kw_note_set(note,
                    "the key that was measured with could not be destroyed: %s at %s "
                    "(0x%x); look for %s with --clean",
                    kw_code_name(e.code), e.where, e.native, k->errand->board->label);
    return e;
}

_Noreturn void kw_keeper_main(const struct kw_errand *errand)
{
    struct keeper k = {.errand = errand};
    struct kw_process_slot *slot = &errand->board->keeper;
    slot->error = prepare(&k, &slot->note);
    bool ready = !kw_failed(slot->error);
    kw_errand_say(errand, ready ? KW_SAY_READY : KW_SAY_DONE);
    while (ready && kw_errand_told(errand))
        ;
    kw_err gone = put_away(&k, &slot->note);
    if (kw_failed(gone))
        slot->error = gone;
    kw_token_close(k.token);
    if (ready)
        kw_errand_say(errand, KW_SAY_DONE);
    _exit(0);
}
