/* SPDX-License-Identifier: Apache-2.0 */
/* chain - digests of files, one after the other */
#include "chain.h"

static bool is_digest(const uint8_t a[32], const uint8_t *b, size_t b_len)
{
    return kw_span_equal(kw_span_of(a, 32), kw_span_of(b, b_len));
}

enum kw_refusal kw_chain(const struct kw_keyring *ring, const struct kw_marks *marks)
{
    if (marks->serial == 0)
        return KW_ADMITTED;
    if (ring->serial < marks->serial)
        return KW_REFUSED_OLDER;
    uint64_t back = ring->serial - marks->serial;
    if (back > ring->ancestor_count)
        return KW_REFUSED_FAR;
    const uint8_t *then = back == 0 ? ring->sha256 : ring->ancestors[back - 1];
    return is_digest(then, marks->sha256, marks->sha256_len) ? KW_ADMITTED
                                                             : KW_REFUSED_FORK;
}

bool kw_chain_is_before(uint64_t serial, const uint8_t sha256[32],
                        const struct kw_marks *marks)
{
    if (serial > marks->serial)
        return false;
    uint64_t back = marks->serial - serial;
    if (back > marks->ancestor_count)
        return true;
    const uint8_t *ours = back == 0 ? marks->sha256 : marks->ancestors[back - 1];
    return is_digest(sha256, ours, 32);
}

bool kw_chain_is_trusted(const struct kw_keyring *ring, const struct kw_marks *marks)
{
    const struct kw_trust *t = &marks->trust;
    if (is_digest(ring->sha256, t->sha256, t->sha256_len))
        return true;
    for (size_t i = 0; i < ring->ancestor_count; i++)
        if (is_digest(ring->ancestors[i], t->sha256, t->sha256_len))
            return !kw_chain_is_before(ring->serial - 1 - i, t->sha256, marks);
    return false;
}
