/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_audit_memory_read, kw_audit_memory_write.
 * Input: audit-memory.json; attacker: nobody who is not the daemon's user or root; a torn
 * disk, a hand that edits.
 * Useful maximum: 512 bytes.
 * Claim: refuses, or what it read writes back byte for byte. */
#include <string.h>

#include "memory_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t text[KW_AUDIT_MEMORY_MAX];
    kw_dst dst = kw_dst_of(text, sizeof text);
    struct kw_audit_memory memory;
    size_t at = 0;
    if (kw_audit_memory_read(kw_span_of(data, len), &memory, &at) != NULL) {
        KW_INVARIANT(at <= len);
        return 0;
    }
    kw_audit_memory_write(&memory, &dst);
    KW_INVARIANT(kw_span_equal(kw_dst_span(&dst), kw_span_of(data, len)));
    return 0;
}
