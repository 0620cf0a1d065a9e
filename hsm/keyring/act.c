/* SPDX-License-Identifier: Apache-2.0 */
/* act - one act of an operator: may it be, and what does it change */
#include <keyward/act.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PUT(dst, src) kw_copy_str(dst, sizeof dst, kw_span_str(src))
#define REFUSED(note, ...)                                                               \
    (kw_note_set((note), __VA_ARGS__), kw_err_at(KW_CODE_DENIED, "keyring act"))

/* ---- may it be? ---- */

/* The acts that lead out of a refusal; all others wait until the ring is taken. */
static bool leads_out(enum kw_refusal refusal, enum kw_act act)
{
    switch (refusal) {
    case KW_ADMITTED: return true;
    case KW_REFUSED_MISSING:
    case KW_REFUSED_DAMAGED: /* and nothing is written over what lies there */
    case KW_REFUSED_LOST: return act == KW_ACT_ADOPT;
    case KW_REFUSED_ACTIVE:
        return act == KW_ACT_CREATE || act == KW_ACT_ACCEPT || act == KW_ACT_ACTIVATE ||
               act == KW_ACT_ENABLE || act == KW_ACT_PROVE;
    case KW_REFUSED_DOMAIN:
    case KW_REFUSED_OLDER:
    case KW_REFUSED_FORK:
    case KW_REFUSED_FAR:
    case KW_REFUSED_RENAMED:
    case KW_REFUSED_DESTROYED:
    case KW_REFUSED_NEXT_N:
    case KW_REFUSED_BASELINE:
    case KW_REFUSED_UNTRUSTED: return false;
    }
    return false;
}

/* Also one that is not understood: who made it would not read a ring without n. */
static const struct kw_version *built_on(const struct kw_keyring *ring, uint32_t n)
{
    for (size_t i = 0; i < ring->count; i++)
        if (ring->versions[i].same_key_as == n)
            return &ring->versions[i];
    return NULL;
}

/* The highest version that there is no way back from. */
static uint32_t highest(const struct kw_keyring *ring, const struct kw_judgement *j)
{
    uint32_t n = j->active > ring->active ? j->active : ring->active;
    return j->refusal == KW_REFUSED_ACTIVE && j->n > n ? j->n : n;
}

/* What the neighbours of a version have to say. */
static kw_err neighbours(enum kw_act act, uint32_t n, const struct kw_keyring *ring,
                         const struct kw_judgement *j, struct kw_note *note)
{
    if ((act == KW_ACT_RETIRE || act == KW_ACT_DISABLE) && j->active == n)
        return REFUSED(note,
                       "version %u: this node wraps with it; activate another one here "
                       "first (keyward key activate)",
                       n);
    const struct kw_version *other = act == KW_ACT_PRUNE ? built_on(ring, n) : NULL;
    if (other != NULL)
        return REFUSED(note,
                       "version %u cannot be pruned: version %u is made with "
                       "--same-key-as %u, which must stay as long as that one",
                       n, other->n, n);
    if (act == KW_ACT_ACTIVATE && n < highest(ring, j))
        return REFUSED(note,
                       "version %u is older than version %u, which is or was active "
                       "here; there is no way back: make a new version (keyward key "
                       "create)",
                       n, highest(ring, j));
    return KW_OK;
}

static kw_err on_version(enum kw_act act, uint32_t n, const struct kw_keyring *ring,
                         const struct kw_judgement *j, struct kw_note *note)
{
    enum kw_key_state to;
    const struct kw_version *v = ring != NULL ? kw_keyring_by_n(ring, n) : NULL;
    if (v == NULL) {
        kw_note_set(note, "there is no version %u; see keyward key list", n);
        return kw_err_at(KW_CODE_UNKNOWN_KEY, "keyring act");
    }
    const char *no = kw_transition(act, v->state, v->disabled_from, &to);
    if (no != NULL)
        return REFUSED(note, "version %u: no %s: %s", n, kw_act_name(act), no);
    return neighbours(act, n, ring, j, note);
}

kw_err kw_act_may(enum kw_act act, uint32_t n, const struct kw_keyring *ring,
                  const struct kw_judgement *judgement, struct kw_note *note)
{
    if (ring != NULL && ring->critical_count > 0)
        return REFUSED(note,
                       "the keyring says that \"%s\" must be understood to change it, "
                       "and this program does not: use the newer keyward that wrote it",
                       ring->critical[0]);
    if (!leads_out(judgement->refusal, act))
        return REFUSED(note, "%s", judgement->why.text);
    if (act == KW_ACT_CREATE || act == KW_ACT_ADOPT)
        return KW_OK;
    return on_version(act, n, ring, judgement, note);
}

/* ---- what it changes ---- */

static kw_err act_record(struct kw_keyring *ring, enum kw_act act, uint32_t n,
                         const struct kw_act_facts *f, const char *proof)
{
    struct kw_history h = {.serial = ring->serial + 1, .n = n};
    PUT(h.act, kw_act_name(act));
    PUT(h.at, f->at);
    PUT(h.by, f->by);
    PUT(h.tool, f->tool);
    PUT(h.proof, proof);
    return kw_keyring_record(ring, &h);
}

/* A number whose version was pruned is known by that line only. */
static bool act_was_pruned(const struct kw_keyring *ring, uint32_t n)
{
    for (size_t i = 0; i < ring->history_count; i++)
        if (ring->history[i].n == n &&
            strcmp(ring->history[i].act, kw_act_name(KW_ACT_PRUNE)) == 0)
            return true;
    return false;
}

kw_err kw_act_add(struct kw_keyring *ring, enum kw_act act, const struct kw_version *v,
                  const struct kw_act_facts *f)
{
    if (act_was_pruned(ring, v->n))
        return kw_err_at(KW_CODE_BAD_INPUT, "number of a pruned version");
    kw_err e = kw_keyring_add(ring, v);
    return kw_failed(e) ? e : act_record(ring, act, v->n, f, f->proof);
}

static void stamp(struct kw_version *v, enum kw_act act, enum kw_key_state to,
                  const char *at)
{
    if (act == KW_ACT_ENABLE)
        v->disabled[0] = v->disabled_from[0] = '\0';
    else if (to == KW_KEY_ACCEPTED)
        PUT(v->accepted, at);
    else if (to == KW_KEY_ACTIVE && v->activated[0] == '\0')
        PUT(v->activated, at);
    else if (to == KW_KEY_RETIRED)
        PUT(v->retired, at);
    else if (to == KW_KEY_DISABLED) {
        PUT(v->disabled, at);
        PUT(v->disabled_from, kw_key_state_name(v->state));
    } else if (to == KW_KEY_DESTROYED) {
        PUT(v->destroyed, at);
        v->disabled_from[0] = '\0';
    }
    v->state = to;
}

/* One that this program does not understand cannot be retired by it. */
static kw_err may_follow(const struct kw_keyring *ring, struct kw_note *note)
{
    const struct kw_version *old = kw_keyring_by_n(ring, ring->active);
    if (old == NULL || old->state != KW_KEY_UNKNOWN)
        return KW_OK;
    return REFUSED(note,
                   "version %u is the baseline, and %s: it cannot be retired by this "
                   "program; use the newer keyward that made it",
                   old->n, old->unknown);
}

static kw_err move_baseline(struct kw_keyring *ring, uint32_t n,
                            const struct kw_act_facts *f)
{
    struct kw_version *old = kw_keyring_edit(ring, ring->active);
    kw_err e = KW_OK;
    if (old != NULL && old->n != n && old->state == KW_KEY_ACTIVE) {
        stamp(old, KW_ACT_RETIRE, KW_KEY_RETIRED, f->at);
        e = act_record(ring, KW_ACT_RETIRE, old->n, f, "");
    }
    ring->active = n;
    return e;
}

/* Somebody saw or said that the key lies in another place too. */
static bool has_copy(const struct kw_version *v)
{
    return v->second_copy[0] != '\0' &&
           strncmp(v->second_copy, "only-copy", sizeof "only-copy" - 1) != 0;
}

/* The lines of a pruned version make one: its name, when it was destroyed, and in which
 * file, as far as the history goes back. */
static kw_err prune(struct kw_keyring *ring, const struct kw_version *v,
                    const struct kw_act_facts *f)
{
    char proof[128];
    uint64_t serial = 0;
    size_t kept = 0;
    for (size_t i = 0; i < ring->history_count; i++) {
        const struct kw_history *h = &ring->history[i];
        if (h->n != v->n)
            ring->history[kept++] = *h;
        else if (strcmp(h->act, "destroy") == 0)
            serial = h->serial;
    }
    ring->history_count = kept;
    int len = snprintf(proof, sizeof proof, "%s destroyed %s", v->key_id, v->destroyed);
    if (serial != 0)
        len += snprintf(proof + len, sizeof proof - (size_t)len, ", serial %" PRIu64,
                        serial);
    if (has_copy(v))
        snprintf(proof + len, sizeof proof - (size_t)len, ", second copy recorded");
    kw_err e = act_record(ring, KW_ACT_PRUNE, v->n, f, proof);
    if (!kw_failed(e))
        kw_keyring_remove(ring, v->n);
    return e;
}

kw_err kw_act_apply(struct kw_keyring *ring, enum kw_act act, uint32_t n,
                    const struct kw_act_facts *f, struct kw_note *note)
{
    enum kw_key_state to;
    struct kw_version *v = kw_keyring_edit(ring, n);
    KW_INVARIANT(v != NULL && act >= KW_ACT_ACCEPT && act <= KW_ACT_PRUNE);
    const char *no = kw_transition(act, v->state, v->disabled_from, &to);
    if (no != NULL)
        return REFUSED(note, "version %u: no %s: %s", n, kw_act_name(act), no);
    if (act == KW_ACT_PRUNE)
        return prune(ring, v, f);
    kw_err e = act == KW_ACT_ACTIVATE ? may_follow(ring, note) : KW_OK;
    if (kw_failed(e))
        return e;
    stamp(v, act, to, f->at);
    if (act == KW_ACT_ACTIVATE)
        e = move_baseline(ring, n, f);
    return kw_failed(e) ? e : act_record(ring, act, n, f, f->proof);
}

static struct kw_object_token *row_for(struct kw_object *o,
                                       const struct kw_object_token *token)
{
    for (size_t i = 0; i < o->token_count; i++)
        if (strcmp(o->tokens[i].label, token->label) == 0 &&
            strcmp(o->tokens[i].serial, token->serial) == 0)
            return &o->tokens[i];
    return o->token_count < KW_OBJECT_TOKENS_MAX ? &o->tokens[o->token_count++] : NULL;
}

kw_err kw_act_prove(struct kw_keyring *ring, uint32_t n,
                    const struct kw_object_token *token, const struct kw_act_facts *f)
{
    struct kw_version *v = kw_keyring_edit(ring, n);
    KW_INVARIANT(v != NULL && v->object_count > 0);
    struct kw_object_token *row = row_for(&v->objects[0], token);
    if (row == NULL)
        return kw_err_at(KW_CODE_BUSY, "keyring object tokens");
    *row = *token;
    PUT(row->proven, f->at);
    row->gone[0] = '\0';
    return act_record(ring, KW_ACT_PROVE, n, f, f->proof);
}

kw_err kw_act_gone(struct kw_keyring *ring, uint32_t n, size_t row, const char *gone,
                   const struct kw_act_facts *f)
{
    struct kw_version *v = kw_keyring_edit(ring, n);
    KW_INVARIANT(v != NULL && v->object_count > 0 && row < v->objects[0].token_count);
    PUT(v->objects[0].tokens[row].gone, gone);
    return act_record(ring, KW_ACT_GONE, n, f, gone);
}
