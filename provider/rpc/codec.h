/* SPDX-License-Identifier: Apache-2.0 */
/* codec - KMS v2 messages, protobuf to spans and struct kw_request to protobuf
 *
 * Threads:   one at a time for each block.
 * Secrets:   an Encrypt's plaintext lies in the block until it is cleared; a Decrypt's
 * goes straight into `reply`, which must be secret memory.
 */
#ifndef KEYWARD_RPC_CODEC_H
#define KEYWARD_RPC_CODEC_H

#include <keyward/kms.h>

#include "block.h"

/* The largest request that is accepted unpacks into less. */
#define KW_CODEC_BLOCK 24576u
/* The largest replies: an Encrypt's, which is no secret, and a Decrypt's. */
#define KW_REPLY_PLAIN_MAX (KW_CIPHERTEXT_MAX + KW_KEY_ID_MAX + 16u)
#define KW_REPLY_SECRET_MAX (KW_SEED_MAX + 8u)

struct kw_codec_fields {
    kw_span uid;    /* text                                             */
    kw_span key_id; /* Decrypt; text                                    */
    kw_span bytes;  /* Encrypt: the plaintext; Decrypt: the ciphertext  */
    bool has_annotations;
};

/* Views into `block`, which was clear before; valid until it is cleared.
 * BAD_INPUT  no such message; a string with a NUL or that is not UTF-8; a field longer
 *            than limits.h allows; more than the block holds */
KW_MUST_USE kw_err kw_codec_decode(enum kw_method method, kw_span message,
                                   struct kw_pb_block *block,
                                   struct kw_codec_fields *ret_fields);

/* Appends the reply to a request that succeeded.
 * BUG  it does not fit */
KW_MUST_USE kw_err kw_codec_encode(const struct kw_request *request, kw_dst *reply);

#endif
