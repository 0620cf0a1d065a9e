/* SPDX-License-Identifier: Apache-2.0 */
/* manifest - what is signed of a bundle of evidence: the bytes of its manifest
 *
 * The manifest lists every other file of the bundle (docs/FORMATS.md section 11).  It is signed
 * inside the token by the key that signs checkpoints, and no text of the one kind can be
 * taken for one of the other: a manifest begins with its domain, a checkpoint with another.
 * Whoever asks for a signature gives the bytes, and their hash is made where the token is
 * called.
 *
 * Threads:   pure functions.
 * Blocking:  never.
 * Secrets:   none.
 */
#ifndef KEYWARD_MANIFEST_H
#define KEYWARD_MANIFEST_H

#include <keyward/checkpoint.h>

#define KW_BUNDLE_DOMAIN "{\n  \"bundle\": \"keyward-evidence-1\",\n"

/* Does it begin with the domain, and go on? */
bool kw_bundle_is_manifest(kw_span bytes);

/* The hash that is signed.  BAD_INPUT  it is no manifest;  NO_MEMORY */
KW_MUST_USE kw_err kw_bundle_hash(kw_span manifest, uint8_t ret_hash[KW_SHA256]);

/* Did the holder of this key sign this manifest?
 * BAD_INPUT  it is no manifest, `spki` no P-256 key, or `der` no signature
 * FORGED     no
 * NO_MEMORY */
KW_MUST_USE kw_err kw_bundle_verify(kw_span manifest, kw_span spki, kw_span der);

#endif
