/* SPDX-License-Identifier: Apache-2.0 */
/* sha256 - the digest of bytes that are no secret */
#ifndef KEYWARD_SHA256_H
#define KEYWARD_SHA256_H

#include <keyward/bytes.h>

#define KW_SHA256 32u

/* NO_MEMORY */
KW_MUST_USE kw_err kw_sha256(kw_span bytes, uint8_t ret_sha256[KW_SHA256]);

#endif
