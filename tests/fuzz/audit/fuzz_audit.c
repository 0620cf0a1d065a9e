/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_audit_read, kw_audit_write, kw_audit_chain_take.
 * Input: one line of an audit log, as a disk kept it; attacker: whoever can write to the
 * log's folder.
 * Useful maximum: 1024 bytes.
 * Claim: refuses, or what it read writes back byte for byte but for the hash, which is
 * the right one; and a chain takes the line with the right hash only. */
#include <string.h>

#include <keyward/audit.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { HASH = 2 * KW_SHA256 + 2 }; /* the digits, and what closes the line */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t previous[KW_SHA256] = {7};
    uint8_t text[KW_AUDIT_LINE_MAX], said[KW_SHA256], hash[KW_SHA256], again[KW_SHA256];
    const kw_span line = kw_span_of(data, len);
    kw_dst dst = kw_dst_of(text, sizeof text);
    struct kw_audit_record r = {0};
    struct kw_audit_chain chain;
    struct kw_note note;
    if (kw_failed(kw_audit_read(line, &r, said, &note)))
        return 0;
    KW_MUST(!kw_failed(kw_audit_write(&r, previous, &dst, hash)));
    KW_INVARIANT(dst.len == len + 1 && memcmp(text, data, len - HASH) == 0);
    KW_MUST(!kw_failed(kw_audit_hash(line, previous, again)));
    KW_INVARIANT(memcmp(hash, again, sizeof hash) == 0);
    kw_audit_chain_from(&chain, r.seq, previous);
    kw_err e = kw_audit_chain_take(&chain, line, &r, &note);
    KW_INVARIANT(kw_failed(e) || memcmp(said, hash, sizeof hash) == 0);
    return 0;
}
