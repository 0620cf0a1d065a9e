/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint - what is signed of an audit log, and what a signature of it looks like
 *
 * A checkpoint says: this log, on this node, had this record as its last one, and so many
 * operations had been asked of the token, at this time.  It is signed inside the token by
 * a key that does nothing else (ECDSA on P-256, SHA-256).  The fields have one encoding
 * (docs/FORMATS.md section 8); whoever asks for a signature gives the fields, and the bytes and
 * their hash are made where the token is called: nobody can have a hash signed.
 *
 * A token gives a signature as r and s, 32 bytes each, and a point of its own form;
 * everybody else wants DER.  Both ways are strict: of equal things there is one encoding.
 *
 * Threads:   pure functions.
 * Blocking:  never.
 * Secrets:   none.
 * Sources:   SEC 1 v2.0 (2.3.3, C.5), RFC 5480, X.690 (DER), FIPS 186-5, PKCS#11 v2.40 2.3.
 */
#ifndef KEYWARD_CHECKPOINT_H
#define KEYWARD_CHECKPOINT_H

#include <keyward/bytes.h>
#include <keyward/sha256.h>

#define KW_CHECKPOINT_NODE_MAX 64u

/* What is counted since the start of who counts, in the order of the encoding. */
enum kw_checkpoint_count {
    KW_COUNT_WRAP,
    KW_COUNT_VERIFY,
    KW_COUNT_UNWRAP,
    KW_COUNT_CANARY,
    KW_COUNT_SELF_TEST,
    KW_COUNT_SIGN,
    KW_COUNT_LOGIN,
    KW_CHECKPOINT_COUNTS, /* not a count: how many there are */
};

/* Numbers are 0 to 2^63 - 1, as in the log. */
struct kw_checkpoint {
    uint8_t log[KW_SHA256];                /* its id */
    char node[KW_CHECKPOINT_NODE_MAX + 1]; /* printable, may be "" */
    uint64_t covered;                      /* seq of the last record that it speaks of */
    uint8_t head[KW_SHA256];               /* the hash of that record */
    uint64_t counts[KW_CHECKPOINT_COUNTS];
    uint64_t time_us;  /* since 1970 */
    bool synchronised; /* the kernel called the clock so */
};

/* ---- the bytes --------------------------------------------------------------------- */

/* The fields without what stands before them; at most so many bytes. */
#define KW_CHECKPOINT_FIELDS_MAX                                                         \
    (2u * KW_SHA256 + 1u + KW_CHECKPOINT_NODE_MAX + 8u + 8u * KW_CHECKPOINT_COUNTS + 9u)
#define KW_CHECKPOINT_MAX (20u + KW_CHECKPOINT_FIELDS_MAX)

/* Does each field keep its bound? */
bool kw_checkpoint_is_sane(const struct kw_checkpoint *checkpoint);
/* Appends the fields.  false, and nothing written: not sane, or no room. */
KW_MUST_USE bool kw_checkpoint_put(kw_dst *dst, const struct kw_checkpoint *checkpoint);
/* Takes them; latches `bad` when they are none. */
void kw_checkpoint_take(struct kw_src *src, struct kw_checkpoint *ret_checkpoint);

/* What is hashed: "keyward-checkpoint-1" and the fields.  Appends.
 * BAD_INPUT  a field breaks its bound;  NO_MEMORY  no room.  Nothing is written then. */
KW_MUST_USE kw_err kw_checkpoint_write(const struct kw_checkpoint *checkpoint,
                                       kw_dst *dst);
/* And the hash that is signed.  BAD_INPUT, NO_MEMORY */
KW_MUST_USE kw_err kw_checkpoint_hash(const struct kw_checkpoint *checkpoint,
                                      uint8_t ret_hash[KW_SHA256]);

/* ---- the signature ----------------------------------------------------------------- */

#define KW_SIGNATURE 64u         /* r and s, as PKCS#11 has it */
#define KW_SIGNATURE_DER_MAX 72u /* Ecdsa-Sig-Value */

/* Both refuse what is no signature under any key: r and s are 1 to n - 1.
 * BAD_INPUT;  to_der also NO_MEMORY: no room, nothing was written */
KW_MUST_USE kw_err kw_signature_to_der(const uint8_t signature[KW_SIGNATURE],
                                       kw_dst *dst);
KW_MUST_USE kw_err kw_signature_from_der(kw_span der,
                                         uint8_t ret_signature[KW_SIGNATURE]);

/* ---- the public key ---------------------------------------------------------------- */

#define KW_SPKI 91u      /* SubjectPublicKeyInfo of a P-256 key, uncompressed: always */
#define KW_SPKI_PEM 178u /* the same as PEM, without a NUL */

/* From CKA_EC_POINT: a DER OCTET STRING around the uncompressed point, or, as older
 * modules have it, the point itself.
 * BAD_INPUT  neither; that the point is on the curve kw_checkpoint_verify finds out */
KW_MUST_USE kw_err kw_spki_of_point(kw_span ec_point, uint8_t ret_spki[KW_SPKI]);
void kw_spki_pem(const uint8_t spki[KW_SPKI], char ret_pem[KW_SPKI_PEM + 1]);

/* Back, from exactly that text.  BAD_INPUT  any other */
KW_MUST_USE kw_err kw_spki_of_pem(kw_span pem, uint8_t ret_spki[KW_SPKI]);

/* Did the holder of this key sign this checkpoint?
 * BAD_INPUT  `spki` is no P-256 key, `der` no signature, or a field breaks its bound
 * FORGED     no
 * NO_MEMORY */
KW_MUST_USE kw_err kw_checkpoint_verify(const struct kw_checkpoint *checkpoint,
                                        kw_span spki, kw_span der);

#endif
