/* SPDX-License-Identifier: Apache-2.0 */
/* sample - one checkpoint, its key and its signature, as `openssl` 3.0 made them
 *
 * The bytes were put together by another program (docs/FORMATS.md section 8), the key and the
 * signature by `openssl ecparam -genkey` and `openssl dgst -sha256 -sign`. */
#ifndef KEYWARD_TESTS_CHECKPOINT_SAMPLE_H
#define KEYWARD_TESTS_CHECKPOINT_SAMPLE_H

#include <keyward/checkpoint.h>

extern const char *const sample_hash, *const sample_spki, *const sample_der,
                                                              *const sample_pem;
struct kw_checkpoint sample_checkpoint(void);
/* Appends what these digits mean. */
void sample_unhex(kw_dst *dst, const char *hex);

#endif
