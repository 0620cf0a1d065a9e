/* SPDX-License-Identifier: Apache-2.0 */
/* refuse - why a ring is not taken, and the commands that lead out of it
 *
 * For ret->refusal, ret->n and ret->active.  memory->last is NULL unless this node would
 * take it. */
#ifndef KEYWARD_KEYRING_REFUSE_H
#define KEYWARD_KEYRING_REFUSE_H

#include <keyward/state.h>

/* Fills ret->why. */
void kw_refusal_words(const struct kw_keyring *ring, const char *domain,
                      const struct kw_memory *memory, const struct kw_places *places,
                      struct kw_judgement *ret);
/* Fills ret->cure. */
void kw_refusal_cure(const struct kw_keyring *ring, const struct kw_memory *memory,
                     const struct kw_places *places, struct kw_judgement *ret);

#endif
