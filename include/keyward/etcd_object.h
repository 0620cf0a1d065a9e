/* SPDX-License-Identifier: Apache-2.0 */
/* etcd_object - does a stored object open with its seed?
 *
 * To the end: the key derived, the tag verified; the plaintext passes through a few
 * kilobytes of the arena, piece by piece, and is wiped.  Nobody gets it.
 *
 *   type 1  info 32 | nonce 12 | ciphertext | tag 16, under HKDF-Expand(SHA-256, seed, info)
 *   type 0  nonce 12 | ciphertext | tag 16, under the seed itself (before Kubernetes 1.29)
 *   additional authenticated data: the whole key in etcd
 *
 * Threads:   pure but for the arena; any thread.
 * Secrets:   `seed` is a sink; what is derived lies in the arena, and in OpenSSL's contexts
 *            until they are freed, which wipes them.
 * Sources:   kubernetes/apiserver: pkg/storage/value/encrypt/aes/{aes,aes_extended_nonce}.go;
 *            RFC 5869; NIST SP 800-38D
 */
#ifndef KEYWARD_ETCD_OBJECT_H
#define KEYWARD_ETCD_OBJECT_H

#include <keyward/etcd_value.h>
#include <keyward/secret.h>

/* FORGED     the tag does not match: another seed, another key in etcd, or changed bytes
 * BAD_INPUT  stored->data is too short, or the seed is no key (32 bytes)
 * NO_MEMORY */
KW_MUST_USE kw_err kw_etcd_object_open(const struct kw_secret *seed, kw_span etcd_key,
                                       const struct kw_stored *stored);

#endif
