/* SPDX-License-Identifier: Apache-2.0 */
/* ckr - the names of PKCS#11's return values
 *
 * Apart from the token, so that a program that loads no PKCS#11 module can name them.
 *
 * Threads:   pure.
 */
#ifndef KEYWARD_CKR_H
#define KEYWARD_CKR_H

#include <stdint.h>

/* "CKR_PIN_INCORRECT"; "CKR_0x…" for a number without a name. */
void kw_ckr_name(uint32_t rv, char dst[48]);

#endif
