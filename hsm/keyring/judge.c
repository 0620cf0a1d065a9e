/* SPDX-License-Identifier: Apache-2.0 */
/* judge - may this node use this ring, and which version does it wrap with?  Pure.
 *
 * A ring is taken when it follows, file by file, from the last one that was taken here;
 * when every version known here is still in it under the same key_id, or was destroyed
 * and pruned in between; and when nothing goes back: no number twice, no lower baseline,
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

static bool may_miss(const struct kw_keyring *ring, const struct kw_mark *mark)
{
    bool destroyed = strcmp(mark->state, kw_key_state_name(KW_KEY_DESTROYED)) == 0;
    return (destroyed || is_pruned(ring, mark)) && !is_needed(ring, mark);
}

/* What a trusted ring may lack: what nothing here was ever sealed under. */
static enum kw_refusal known_versions(const struct kw_keyring *ring,
                                      const struct kw_marks *m, bool trusted,
                                      uint32_t *ret_n)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct kw_mark *mark = &m->versions[i];
        const struct kw_version *v = kw_keyring_by_n(ring, mark->id.n);
        bool renamed = v != NULL && strcmp(v->key_id, mark->id.key_id) != 0;
        if ((v != NULL && !renamed) || (trusted && !mark->wrapped) ||
            (v == NULL && may_miss(ring, mark)))
            continue;
        *ret_n = mark->id.n;
        if (trusted)
            return KW_REFUSED_UNTRUSTED;
        return renamed ? KW_REFUSED_RENAMED : KW_REFUSED_LOST;
    }
    return KW_ADMITTED;
}

static enum kw_refusal admit(const struct kw_keyring *ring, const char *domain,
                             const struct kw_marks *m, uint32_t *ret_n)
{
    if (ring == NULL)
        return m->serial != 0 ? KW_REFUSED_MISSING : KW_ADMITTED;
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

/* The version of this node's act, as far as the ring lets it be the one; else 0. */
static uint32_t acted(const struct kw_keyring *ring, const struct kw_activation *act)
{
    const struct kw_version *v = kw_keyring_by_n(ring, act->n);
    bool usable = act->n != 0 && v != NULL && strcmp(v->key_id, act->key_id) == 0 &&
                  (kw_key_state_wraps(v->state) || v->state == KW_KEY_UNKNOWN);
    return usable ? act->n : 0;
}

static enum kw_refusal judge(const struct kw_keyring *ring, const char *domain,
                             const struct kw_marks *marks,
                             const struct kw_activation *act, uint32_t *ret_n,
                             uint32_t *ret_active)
{
    enum kw_refusal r = admit(ring, domain, marks, ret_n);
    if (r != KW_ADMITTED || ring == NULL)
        return r;
    *ret_active = acted(ring, act);
    if (ring->active > *ret_active)
        *ret_active = ring->active;
    if (*ret_active >= marks->active.n)
        return KW_ADMITTED;
    *ret_n = marks->active.n;
    return KW_REFUSED_ACTIVE;
}

/* Would it be taken if it lay there?  From a lower version to wrap with, acts lead on. */
static bool helps(const struct kw_keyring *ring, const char *domain,
                  const struct kw_marks *marks, const struct kw_activation *act)
{
    uint32_t n, active;
    if (ring == NULL)
        return false;
    enum kw_refusal r = judge(ring, domain, marks, act, &n, &active);
    return r == KW_ADMITTED || r == KW_REFUSED_ACTIVE;
}

/* And if somebody said to trust it? */
static bool trust_helps(const struct kw_keyring *ring, const char *domain,
                        const struct kw_memory *memory)
{
    struct kw_marks marks = *memory->marks;
    if (ring == NULL)
        return false;
    marks.trust.sha256_len = sizeof marks.trust.sha256;
    kw_copy(marks.trust.sha256, sizeof marks.trust.sha256, kw_span_of(ring->sha256, 32));
    return helps(ring, domain, &marks, memory->act);
}

void kw_keyring_judge(const struct kw_keyring *ring, const char *domain,
                      const struct kw_memory *memory, const struct kw_places *places,
                      struct kw_judgement *ret)
{
    *ret = (struct kw_judgement){0};
    ret->refusal = judge(ring, domain, memory->marks, memory->act, &ret->n, &ret->active);
    if (ret->refusal == KW_ADMITTED)
        return;
    const struct kw_refusal_facts c = {
        .ring = ring,
        .domain = domain,
        .memory = memory,
        .places = places,
        .last_helps = helps(memory->last, domain, memory->marks, memory->act),
        .trust_helps = trust_helps(ring, domain, memory),
    };
    kw_refusal_words(&c, ret);
    kw_refusal_cure(&c, ret);
}
