/* SPDX-License-Identifier: Apache-2.0 */
/* sign_bundle - the audit log's key signs the manifest of a bundle of evidence; linked into
 * the operator's tool only
 *
 * A worker has no code that would sign anything but a checkpoint.
 */
#include "token_internal.h"

kw_err kw_token_sign_bundle(struct kw_token *token, const struct kw_token_signer *signer,
                            kw_span manifest, struct kw_token_signed *ret_signed,
                            struct kw_note *note)
{
    uint8_t hash[KW_SHA256];
    const kw_err e = kw_bundle_hash(manifest, hash);
    if (!kw_failed(e))
        return kw_sign_under(token, signer, hash, ret_signed, note);
    if (e.code == KW_CODE_BAD_INPUT)
        kw_note_set(note, "this is no manifest of a bundle of evidence: the audit log's "
                          "key signs nothing else");
    return e;
}
