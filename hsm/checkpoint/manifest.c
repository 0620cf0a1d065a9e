/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest begins with, and its hash. */
#include <keyward/manifest.h>

bool kw_bundle_is_manifest(kw_span bytes)
{
    const kw_span domain = kw_span_str(KW_BUNDLE_DOMAIN);
    return bytes.len > domain.len &&
           kw_span_equal(kw_span_of(bytes.ptr, domain.len), domain);
}

kw_err kw_bundle_hash(kw_span manifest, uint8_t ret_hash[KW_SHA256])
{
    return kw_bundle_is_manifest(manifest) ? kw_sha256(manifest, ret_hash)
                                           : kw_err_at(KW_CODE_BAD_INPUT, "audit key");
}
