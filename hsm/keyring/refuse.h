/* SPDX-License-Identifier: Apache-2.0 */
/* refuse - why a ring is not taken, and the commands that lead out of it */
#ifndef KEYWARD_KEYRING_REFUSE_H
#define KEYWARD_KEYRING_REFUSE_H

#include <keyward/state.h>

/* Fills ret->why and ret->cure for ret->refusal, ret->n and ret->active. */
void kw_refuse(const struct kw_keyring *ring, const char *domain,
               const struct kw_memory *memory, const struct kw_places *places,
               struct kw_judgement *ret);

#endif
