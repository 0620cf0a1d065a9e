/* SPDX-License-Identifier: Apache-2.0 */
/* envelope - the bytes kube-apiserver stores for a wrapped seed, and the check blobs'
 *
 * Format 1, every byte in docs/FORMATS.md:
 *
 *   format 1 | purpose 1 | mechanism 1 | scope length 1 | scope | seed length 2 |
 *   iv (exact size per mechanism) | sealed (exact size per mechanism and seed length)
 *
 * The header is everything before `sealed`.  Additional authenticated data:
 *   "keyward" | header | length 2, key_id | length 2, domain
 * What the token encrypts: seed | first 16 bytes of SHA-256(AAD | seed), the inner
 * digest.  As the header holds the iv, the digest belongs to this one ciphertext: an
 * answer that a library took from another request, or flipped, does not match.
 *
 * One reader, one writer: what was read writes back identically, and no two spellings
 * of one envelope are accepted.
 *
 * Threads:   pure functions.
 * Secrets:   `seed` and `inner` parameters are sinks; nothing is kept.
 * Sources:   sizes of AES-GCM: NIST SP 800-38D 5.2.1.1 (96-bit IV), 5.2.1.2 (128-bit
 * tag).
 */
#ifndef KEYWARD_ENVELOPE_H
#define KEYWARD_ENVELOPE_H

#include <keyward/bytes.h>
#include <keyward/limits.h>
#include <keyward/secret.h>

enum kw_purpose {
    KW_PURPOSE_SEED = 1,  /* a seed of kube-apiserver                              */
    KW_PURPOSE_CHECK = 2, /* the check blob of a KEK version; scope is "check"     */
};

/* Fixed per KEK version at its ceremony.  Numbers are stored and never reused.  Reserved,
 * and neither read nor written until each has its code and its vectors (docs/FORMATS.md):
 *   2  aes-256-cbc-hmac-sha256, encrypt-then-MAC with two keys
 *   3  aes-256-kwp
 *   4  rsa-2048-oaep-sha256, 5 rsa-3072-…, 6 rsa-4096-…: each with the token's HMAC over
 *      header and ciphertext, as whoever has the public key could seal otherwise */
enum kw_mechanism {
    KW_MECH_AES_256_GCM = 1,
};
#define KW_MECH_RESERVED_FIRST 2u
#define KW_MECH_RESERVED_LAST 6u
const char *kw_mechanism_name(enum kw_mechanism m); /* "aes-256-gcm"; NULL when unknown */
bool kw_mechanism_from_name(const char *name, enum kw_mechanism *ret_mechanism);
size_t kw_mechanism_iv_len(enum kw_mechanism m); /* bytes */
/* Bytes of `sealed` for an inner plaintext (seed and digest) of inner_len bytes. */
size_t kw_mechanism_sealed_len(enum kw_mechanism m, size_t inner_len);

#define KW_FORMAT_1 1u
#define KW_FORMAT_RESERVED 2u /* two sealed parts, for a KEM beside the KEK */
#define KW_CHECK_SCOPE "check"

/* Spans borrow from what was parsed, or from the caller who fills them in to write. */
struct kw_envelope {
    uint8_t format; /* KW_FORMAT_1 */
    enum kw_purpose purpose;
    enum kw_mechanism mechanism;
    kw_span scope;   /* 1..32 of [a-z0-9-]                    */
    size_t seed_len; /* 1..256                                */
    kw_span iv;      /* kw_mechanism_iv_len bytes             */
    kw_span sealed;  /* kw_mechanism_sealed_len(seed_len + 16)*/
};

/* true when the text can be a scope: 1..32 of [a-z0-9-], not beginning or ending in
 * '-'. */
bool kw_is_scope(kw_span s);
/* true when the text can be a domain: 1..64 of [a-z0-9.-], beginning and ending in
 * [a-z0-9]. */
bool kw_is_domain(kw_span s);

/* BAD_INPUT with `where` saying which field: unknown format, purpose or mechanism, bad
 * scope, wrong size, trailing bytes.  A reserved number is "envelope format reserved" or
 * "envelope mechanism reserved": the bytes may well be good, and a later keyward's. Never
 * reads outside `stored`. */
KW_MUST_USE kw_err kw_envelope_parse(kw_span stored, struct kw_envelope *ret_env);

/* Appends the whole envelope.  BAD_INPUT for fields that parse would refuse,
 * NO_MEMORY when it does not fit; nothing is appended then. */
KW_MUST_USE kw_err kw_envelope_write(const struct kw_envelope *env, kw_dst *dst);

/* Appends the AAD; `sealed` is not looked at.  dst wants KW_AAD_MAX bytes.
 * BAD_INPUT for header fields that parse would refuse, a key_id over KW_KEY_ID_MAX or a
 * domain over KW_DOMAIN_MAX. */
KW_MUST_USE kw_err kw_envelope_aad(const struct kw_envelope *env, kw_span key_id,
                                   kw_span domain, kw_dst *dst);

/* A fresh IV: SHA-256(random 32 | seed), cut.  The seed is mixed in as a hedge against
 * two machines that were cloned with the same state of the random number generator. */
void kw_envelope_iv(enum kw_mechanism m, kw_span seed, uint8_t *ret_iv);

/* inner = seed | digest, into the arena.  BAD_INPUT for a seed of 0 or over KW_SEED_MAX
 * bytes; NO_MEMORY. */
KW_MUST_USE kw_err kw_envelope_inner(kw_span aad, kw_span seed,
                                     struct kw_secret *ret_inner);

/* Checks the digest and cuts *inner down to the seed.
 * WRONG_ANSWER  the length is not seed_len + 16, or the digest differs
 * NO_MEMORY     it could not be told
 * *inner is wiped on both. */
KW_MUST_USE kw_err kw_envelope_prove(kw_span aad, size_t seed_len,
                                     struct kw_secret *inner);

#endif
