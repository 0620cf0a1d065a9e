/* SPDX-License-Identifier: Apache-2.0 */
/* judge - may this node use this ring, and which version does it wrap with?  Pure.
 *
 * A ring is taken when it follows, file by file, from the last one that was taken here;
 * when every version known here is still in it under the same key_id, or was destroyed
 * and pruned in between; when what this node wrapped with was not destroyed while it did
 * not look; and when nothing goes back: no number twice, no lower baseline,
 * no lower version to wrap with.  The words of a refusal lie in refuse.c. */
#include "chain.h"
#include "refuse.h"

#include <string.h>

static bool is_pruned(const struct kw_keyring *ring, const struct kw_mark *mark)
{
    for (size_t i = 0; i < ring->history_count; i++) {
        const struct kw_history *h = &ring->history[i];
        if (h->n == mark->id.n && strcmp(h->act, "prune") == 0)
            return strncmp(h->proof, mark->id.key_id, strlen(mark->id.key_id)) == 0;
    }
    return false;
}

/* A key that another version still uses is not gone, whatever is written of it. */
static bool is_needed(const struct kw_keyring *ring, const struct kw_mark *mark)
{
    for (size_t i = 0; i < ring->count; i++)
        if (ring->versions[i].same_key_as == mark->id.n)
            return true;
    return false;
}

static bool was(const struct kw_mark *mark, enum kw_key_state state)
{
    return strcmp(mark->state, kw_key_state_name(state)) == 0;
}

static bool may_miss(const struct kw_keyring *ring, const struct kw_mark *mark)
{
    return (was(mark, KW_KEY_DESTROYED) || is_pruned(ring, mark)) &&
           !is_needed(ring, mark);
}

/* Whoever destroys looks at a day of `disabled` in one place.  This node sealed under the
 * version, and was not asked, unless it saw that state itself; in another line of files
 * that is not the same day. */
static bool goes_past(const struct kw_mark *mark, bool trusted)
{
    return mark->wrapped && !was(mark, KW_KEY_DESTROYED) &&
           (trusted || !was(mark, KW_KEY_DISABLED));
}

/* Under which data may be sealed, as far as this node knows. */
static bool may_seal(const struct kw_mark *mark)
{
    enum kw_key_state state;
    return mark->wrapped ||
           (kw_key_state_from_name(mark->state, &state) && kw_key_state_unwraps(state));
}

/* Is the version there as this node knows it?  Back in `created` it would unwrap nothing,
 * and nobody said that it shall not. */
static enum kw_refusal known_version(const struct kw_keyring *ring,
                                     const struct kw_mark *mark, bool trusted)
{
    const struct kw_version *v = kw_keyring_by_n(ring, mark->id.n);
    if (v == NULL && !may_miss(ring, mark))
        return KW_REFUSED_LOST;
    if (v != NULL && strcmp(v->key_id, mark->id.key_id) != 0)
        return KW_REFUSED_RENAMED;
    if (v != NULL && v->state == KW_KEY_CREATED && may_seal(mark))
        return KW_REFUSED_LOST;
    bool ended = v == NULL || v->state == KW_KEY_DESTROYED;
    return ended && goes_past(mark, trusted) ? KW_REFUSED_DESTROYED : KW_ADMITTED;
}

/* A trusted ring may lack what this node never wrapped with. */
static enum kw_refusal known_versions(const struct kw_keyring *ring,
                                      const struct kw_marks *m, bool trusted,
                                      uint32_t *ret_n)
{
    for (size_t i = 0; i < m->count; i++) {
        enum kw_refusal r = known_version(ring, &m->versions[i], trusted);
        if (r == KW_ADMITTED || (trusted && !m->versions[i].wrapped))
            continue;
        *ret_n = m->versions[i].id.n;
        return trusted ? KW_REFUSED_UNTRUSTED : r;
    }
    return KW_ADMITTED;
}

static enum kw_refusal judge_admit(const struct kw_keyring *ring, const char *domain,
                                   const struct kw_marks *m, uint32_t *ret_n)
{
    if (strcmp(ring->domain, domain) != 0)
        return KW_REFUSED_DOMAIN;
    enum kw_refusal r = kw_chain(ring, m);
    bool trusted = r != KW_ADMITTED && kw_chain_is_trusted(ring, m);
    if (r == KW_ADMITTED || trusted)
        r = known_versions(ring, m, trusted, ret_n);
    if (r == KW_ADMITTED && !trusted && ring->next_n < m->next_n)
        r = KW_REFUSED_NEXT_N;
    if (r == KW_ADMITTED && ring->active < m->baseline.n) {
        *ret_n = m->baseline.n;
        r = KW_REFUSED_BASELINE;
    }
    return r;
}

/* n, as far as the ring lets a node that activated it go on with it; else 0. */
static uint32_t usable(const struct kw_keyring *ring, uint32_t n, const char *key_id)
{
    const struct kw_version *v = kw_keyring_by_n(ring, n);
    bool good = n != 0 && v != NULL && strcmp(v->key_id, key_id) == 0 &&
                (kw_key_state_wraps(v->state) || v->state == KW_KEY_UNKNOWN);
    return good ? n : 0;
}

/* The highest of the baseline, this node's act, and what it wrapped with: the act may be
 * of a version that the ring does not have (yet), or be lost. */
static uint32_t active_of(const struct kw_keyring *ring, const struct kw_marks *m,
                          const struct kw_activation *act)
{
    uint32_t acted = usable(ring, act->n, act->key_id);
    uint32_t before = usable(ring, m->active.n, m->active.key_id);
    uint32_t highest = acted > before ? acted : before;
    return ring->active > highest ? ring->active : highest;
}

/* Who wraps with a version had a keyring with it. */
static enum kw_refusal judge_absent(const struct kw_memory *memory)
{
    return memory->marks->serial != 0 || memory->act->n != 0 ? KW_REFUSED_MISSING
                                                             : KW_ADMITTED;
}

static enum kw_refusal whole(const struct kw_keyring *ring, const char *domain,
                             const struct kw_memory *memory, uint32_t *ret_n,
                             uint32_t *ret_active)
{
    if (ring == NULL)
        return judge_absent(memory);
    enum kw_refusal r = judge_admit(ring, domain, memory->marks, ret_n);
    if (r != KW_ADMITTED)
        return r;
    *ret_active = active_of(ring, memory->marks, memory->act);
    if (*ret_active >= memory->marks->active.n)
        return KW_ADMITTED;
    *ret_n = memory->marks->active.n;
    return KW_REFUSED_ACTIVE;
}

bool kw_refusal_lacks(const struct kw_keyring *ring, const struct kw_mark *mark)
{
    enum kw_refusal r = known_version(ring, mark, false);
    return r == KW_REFUSED_LOST || r == KW_REFUSED_RENAMED;
}

bool kw_refusal_costs(const struct kw_keyring *ring, const struct kw_marks *marks,
                      const struct kw_mark *mark)
{
    bool follows = kw_chain(ring, marks) == KW_ADMITTED;
    return mark->wrapped && known_version(ring, mark, !follows) != KW_ADMITTED;
}

/* A last good one that this node would not take is none.  One that the marks do not know
 * yet was in use all the same: the copy is written before them. */
static bool is_last_good(const char *domain, struct kw_memory *memory,
                         struct kw_marks *marks)
{
    uint32_t n, active;
    const struct kw_trust trust = marks->trust; /* said after it was in use */
    if (memory->last == NULL ||
        whole(memory->last, domain, memory, &n, &active) != KW_ADMITTED)
        return false;
    if (!kw_span_equal(kw_span_of(memory->last->sha256, 32),
                       kw_span_of(marks->sha256, marks->sha256_len)))
        (void)kw_marks_raise(marks, memory->last, 0, KW_NO_MOMENT);
    marks->trust = trust;
    return true;
}

/* What its act names it wrapped with, or was about to: the mark that says so may be lost,
 * or not be written yet. */
static void count_act(struct kw_marks *marks, const struct kw_activation *act)
{
    for (size_t i = 0; i < marks->count; i++) {
        struct kw_mark *mark = &marks->versions[i];
        if (mark->accepted && strcmp(mark->id.key_id, act->key_id) == 0)
            mark->wrapped = true;
    }
}

enum kw_refusal kw_refusal_if_trusted(const struct kw_keyring *ring,
                                      const struct kw_memory *memory,
                                      struct kw_marks *ret_marks)
{
    uint32_t n = 0, active = 0;
    *ret_marks = *memory->marks;
    ret_marks->trust = (struct kw_trust){.sha256_len = 32};
    kw_copy(ret_marks->trust.sha256, 32, kw_span_of(ring->sha256, 32));
    /* The trust may let in again what lies there as the last good one. */
    struct kw_memory trusting = {ret_marks, memory->act,
                                 memory->last != NULL ? memory->last : memory->refused,
                                 NULL};
    if (!is_last_good(ring->domain, &trusting, ret_marks))
        trusting.last = NULL;
    count_act(ret_marks, memory->act);
    return whole(ring, ring->domain, &trusting, &n, &active);
}

/* ring NULL and a reason: it is there and was not read. */
static void judge(const struct kw_keyring *ring, const char *reason, const char *domain,
                  const struct kw_memory *memory, const struct kw_places *places,
                  struct kw_judgement *ret)
{
    struct kw_marks marks = *memory->marks;
    struct kw_memory known = {&marks, memory->act, memory->last, NULL};
    if (!is_last_good(domain, &known, &marks)) {
        known.refused = known.last;
        known.last = NULL;
    }
    count_act(&marks, memory->act);
    *ret = (struct kw_judgement){.last_good = known.last != NULL};
    ret->refusal = reason != NULL ? KW_REFUSED_DAMAGED
                                  : whole(ring, domain, &known, &ret->n, &ret->active);
    if (ret->refusal == KW_ADMITTED)
        return;
    if (ring == NULL)
        kw_refusal_words_absent(reason, &known, places, ret);
    else
        kw_refusal_words(ring, domain, &known, ret);
    kw_refusal_cure(ring, &known, memory->marks->serial != 0, places, ret);
}

void kw_keyring_judge(const struct kw_keyring *ring, const char *domain,
                      const struct kw_memory *memory, const struct kw_places *places,
                      struct kw_judgement *ret)
{
    judge(ring, NULL, domain, memory, places, ret);
}

void kw_keyring_judge_damaged(const char *reason, const char *domain,
                              const struct kw_memory *memory,
                              const struct kw_places *places, struct kw_judgement *ret)
{
    judge(NULL, reason, domain, memory, places, ret);
}
