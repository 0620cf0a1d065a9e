/* SPDX-License-Identifier: Apache-2.0 */
/* spki - what every P-256 key begins with as SubjectPublicKeyInfo */
#ifndef KEYWARD_CHECKPOINT_SPKI_H
#define KEYWARD_CHECKPOINT_SPKI_H

#include <stdint.h>

#define KW_SPKI_HEAD 26u
extern const uint8_t kw_spki_head[KW_SPKI_HEAD];

#endif
