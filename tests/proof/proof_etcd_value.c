/* SPDX-License-Identifier: Apache-2.0 */
/* Target: a stored value.  Input: bytes of etcd's, and names of keys from a configuration.
 * Useful maximum: none of its own; any bytes of each size up to the longest beginning, and
 * behind each beginning any bytes of a few sizes, of which proof/etcd_proto proves that they
 * are read field by field.
 * Claim: nothing outside of the value or of a name is read; what is found is no longer than
 * the value; a kind without parts has none. */
#include "proof.h"

#include <string.h>

#include <keyward/etcd_value.h>

enum { SIZES = 22, BEHIND = 6 };
static uint8_t in[SIZES + BEHIND], name[3];

static void check(kw_span value, size_t known_count)
{
    const kw_span known[] = {kw_span_of(PROOF_TAIL(name, 1), 1),
                             kw_span_of(PROOF_TAIL(name, 3), 3)};
    struct kw_stored s;
    kw_stored_read(value, known, known_count, &s);
    /*@ assert kind: s.kind < 10; */
    /*@ assert within: s.name.len <= value.len && s.key_id.len <= value.len &&
          s.wrapped.len <= value.len && s.data.len <= value.len; */
    /*@ assert whole: s.kind != 7 ==> s.key_id.len == 0 && s.wrapped.len == 0 &&
          s.data.len == 0 && s.type == 0 && s.annotations == 0; */
    /*@ assert type: s.type <= 1; */
}

static void any(size_t len)
{
    PROOF_UNKNOWN(in);
    check(kw_span_of(PROOF_TAIL(in, len), len), 2);
}

static void behind(const char *begins, size_t len, size_t more)
{
    PROOF_UNKNOWN(in);
    uint8_t *value = PROOF_TAIL(in, len + more);
    for (size_t i = 0; i < len; i++)
        value[i] = (uint8_t)begins[i];
    check(kw_span_of(value, len + more), 2);
}

int main(void)
{
    PROOF_UNKNOWN(name);
    for (size_t len = 0; len <= SIZES; len++)
        any(len);
    for (size_t more = 0; more <= BEHIND; more++) {
        behind("k8s:enc:kms:v2:", 15, more);
        behind("k8s:enc:kms:v2:d:", 17, more);
        behind("k8s:enc:kms:v1:", 15, more);
        behind("k8s:enc:secretbox:v1:", 21, more);
    }
    return 0;
}
