/* SPDX-License-Identifier: Apache-2.0 */
/* Target: an entry of etcd's bucket `key`.  Input: a name and a value of a leaf.  Useful
 * maximum: 18 bytes of a name; messages of each size up to three bytes, which are read
 * field by field by what proof/etcd_proto proves.
 * Claim: nothing outside is read; what is refused gives nothing. */
#include "proof.h"

#include "revision.h"

enum { LONGEST = 19, SIZES = 3 };
static uint8_t in[LONGEST];

static void name(size_t len)
{
    struct kw_etcd_revision r = {7, 7};
    bool tombstone = true;
    bool ok = kw_etcd_revision_read(kw_span_of(PROOF_TAIL(in, len), len), &r, &tombstone);
    /*@ assert length: ok ==> len == 17 || len == 18; */
    /*@ assert kind: ok ==> tombstone == (len == 18); */
    /*@ assert untouched: !ok ==> r.main == 7 && r.sub == 7 && tombstone == 1; */
    (void)ok;
}

static void message(size_t len)
{
    struct kw_etcd_kv kv = {.version = 7};
    bool ok = kw_etcd_kv_read(kw_span_of(PROOF_TAIL(in, len), len), &kv);
    /*@ assert nothing: !ok ==> kv.version == 7; */
    /*@ assert within: ok ==> kv.key.len <= len && kv.value.len <= len; */
    (void)ok;
}

static void order(void)
{
    const struct kw_etcd_revision a = {proof_size(0, UINT64_MAX), proof_u8()};
    const struct kw_etcd_revision b = {proof_size(0, UINT64_MAX), proof_u8()};
    int c = kw_etcd_revision_compare(a, b);
    /*@ assert sign: -1 <= c <= 1; */
    (void)c;
}

int main(void)
{
    PROOF_UNKNOWN(in);
    for (size_t len = 0; len <= LONGEST; len++)
        name(len);
    for (size_t len = 0; len <= SIZES; len++)
        message(len);
    order();
    return 0;
}
