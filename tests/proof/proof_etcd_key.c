/* SPDX-License-Identifier: Apache-2.0 */
/* Target: a key of etcd's as the name of an object.  Input: a key, and the prefix that the
 * operator gave.  Useful maximum: none of its own; keys of each size up to what holds the
 * longest word that is looked for, a slash and a few bytes more.
 * Claim: nothing outside of the key is read; its parts are no longer than it is; what is
 * refused gives nothing. */
#include "proof.h"

#include <keyward/etcd_value.h>

enum { SIZES = 14 };
static uint8_t in[SIZES], prefix[1];

static void key(size_t len, size_t prefix_len)
{
    struct kw_etcd_key k = {.name = {prefix, 7}, .group = {prefix, 1}};
    bool ok =
        kw_etcd_key_read(kw_span_of(PROOF_TAIL(in, len), len),
                         kw_span_of(PROOF_TAIL(prefix, prefix_len), prefix_len), &k);
    /*@ assert untouched: !ok ==> k.name.len == 7 && k.group.len == 1; */
    /*@ assert named: ok ==> k.name.len > 0 && k.resource.len > 0; */
    /*@ assert within: ok ==> k.group.len <= len && k.resource.len <= len &&
          k.name_space.len <= len && k.name.len <= len; */
    (void)ok;
}

int main(void)
{
    PROOF_UNKNOWN(in);
    PROOF_UNKNOWN(prefix);
    for (size_t len = 0; len <= SIZES; len++)
        for (size_t prefix_len = 0; prefix_len <= sizeof prefix; prefix_len++)
            key(len, prefix_len);
    return 0;
}
