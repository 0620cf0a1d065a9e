/* SPDX-License-Identifier: Apache-2.0 */
/* chain - digests of files, one after the other */
#include "chain.h"

static bool chain_is_digest(const uint8_t a[32], const uint8_t *b, size_t b_len)
{
    return kw_span_equal(kw_span_of(a, 32), kw_span_of(b, b_len));
}

enum kw_refusal kw_chain(const struct kw_keyring *ring, const struct kw_marks *marks)
{
    if (marks->serial == 0)
        return KW_ADMITTED;
    if (ring->serial < marks->serial)
        return kw_chain_is_before(ring->serial, ring->sha256, marks) ? KW_REFUSED_OLDER
                                                                     : KW_REFUSED_FORK;
    uint64_t back = ring->serial - marks->serial;
    if (back > ring->ancestor_count)
        return KW_REFUSED_FAR;
    const uint8_t *then = back == 0 ? ring->sha256 : ring->ancestors[back - 1];
    return chain_is_digest(then, marks->sha256, marks->sha256_len) ? KW_ADMITTED
                                                                   : KW_REFUSED_FORK;
}

/* The digest of the file with this serial in a history that ends with `last`; NULL: it is
 * not known. */
static const uint8_t *digest_at(uint64_t serial, uint64_t last, const uint8_t sha256[32],
                                const uint8_t ancestors[][32], size_t ancestor_count)
{
    if (serial == last)
        return sha256;
    return serial < last && last - serial <= ancestor_count ? ancestors[last - serial - 1]
                                                            : NULL;
}

uint64_t kw_chain_parts(const struct kw_keyring *ring, const struct kw_marks *marks)
{
    uint64_t serial = ring->serial < marks->serial ? ring->serial : marks->serial;
    for (; serial > 0; serial--) {
        const uint8_t *theirs = digest_at(serial, ring->serial, ring->sha256,
                                          ring->ancestors, ring->ancestor_count);
        const uint8_t *ours = digest_at(serial, marks->serial, marks->sha256,
                                        marks->ancestors, marks->ancestor_count);
        if (theirs == NULL || ours == NULL)
            return 0;
        if (chain_is_digest(theirs, ours, 32))
            return serial + 1;
    }
    return 1;
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
    return chain_is_digest(sha256, ours, 32);
}

bool kw_chain_is_trusted(const struct kw_keyring *ring, const struct kw_marks *marks)
{
    const struct kw_trust *t = &marks->trust;
    if (chain_is_digest(ring->sha256, t->sha256, t->sha256_len))
        return true;
    for (size_t i = 0; i < ring->ancestor_count; i++)
        if (chain_is_digest(ring->ancestors[i], t->sha256, t->sha256_len))
            return !kw_chain_is_before(ring->serial - 1 - i, t->sha256, marks);
    return false;
}
