/* SPDX-License-Identifier: Apache-2.0 */
/* sha256 - the digest of bytes that are no secret */
#ifndef KEYWARD_SHA256_H
#define KEYWARD_SHA256_H

#include <keyward/bytes.h>
#include <keyward/secret.h>

#define KW_SHA256 32u

/* NO_MEMORY */
KW_MUST_USE kw_err kw_sha256(kw_span bytes, uint8_t ret_sha256[KW_SHA256]);

/* Of the first `len` bytes of a file, however many: they are read in pieces, and where the
 * descriptor stands does not change.
 * IO  native = errno, 0 when the file ends before; NO_MEMORY */
KW_MUST_USE kw_err kw_sha256_file(int fd, uint64_t len, uint8_t ret_sha256[KW_SHA256]);

/* HMAC (RFC 2104) of bytes that are no secret, under a key that is one.  NO_MEMORY */
KW_MUST_USE kw_err kw_hmac_sha256(const struct kw_secret *key, kw_span bytes,
                                  uint8_t ret_mac[KW_SHA256]);

#endif
