/* SPDX-License-Identifier: Apache-2.0 */
/* chain - a file names the digests of those before it: entry k - 1 is that of serial - k
 */
#include "chain.h"

static bool is_digest(const uint8_t a[32], const uint8_t *b, size_t b_len)
{
    return kw_span_equal(kw_span_of(a, 32), kw_span_of(b, b_len));
}

enum kw_refusal kw_chain(const struct kw_keyring *ring, const struct kw_marks *m)
{
    if (m->serial == 0)
        return KW_ADMITTED; /* the first one that this node sees */
    if (ring->serial < m->serial)
        return KW_REFUSED_OLDER;
    uint64_t back = ring->serial - m->serial;
    if (back > ring->ancestor_count)
        return KW_REFUSED_FAR;
    const uint8_t *then = back == 0 ? ring->sha256 : ring->ancestors[back - 1];
    return is_digest(then, m->sha256, m->sha256_len) ? KW_ADMITTED : KW_REFUSED_FORK;
}

static bool is_among(const uint8_t (*digests)[32], size_t count, const struct kw_trust *t)
{
    for (size_t i = 0; i < count; i++)
        if (is_digest(digests[i], t->sha256, t->sha256_len))
            return true;
    return false;
}

/* Both sides of a fork are made from what was ours before it: a trust in that says
 * nothing of the other side. */
static bool was_ours(const struct kw_marks *m)
{
    return is_digest(m->sha256, m->trust.sha256, m->trust.sha256_len) ||
           is_among(m->ancestors, m->ancestor_count, &m->trust);
}

bool kw_chain_is_trusted(const struct kw_keyring *ring, const struct kw_marks *m)
{
    return is_digest(ring->sha256, m->trust.sha256, m->trust.sha256_len) ||
           (!was_ours(m) && is_among(ring->ancestors, ring->ancestor_count, &m->trust));
}
