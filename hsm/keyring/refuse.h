/* SPDX-License-Identifier: Apache-2.0 */
/* refuse - why a ring is not taken, and the commands that lead out of it
 *
 * For ret->refusal, ret->n and ret->active.  memory->last is NULL unless this node would
 * take it. */
#ifndef KEYWARD_KEYRING_REFUSE_H
#define KEYWARD_KEYRING_REFUSE_H

#include <keyward/state.h>

/* What this node would say of the ring if somebody said to trust it; *ret_marks: by what
 * it would know then. */
enum kw_refusal kw_refusal_if_trusted(const struct kw_keyring *ring,
                                      const struct kw_memory *memory,
                                      struct kw_marks *ret_marks);
/* Is a version that this node knows not in the ring, or not as one that could open? */
bool kw_refusal_lacks(const struct kw_keyring *ring, const struct kw_mark *mark);
/* Would taking the ring cost what this node sealed under the version? */
bool kw_refusal_costs(const struct kw_keyring *ring, const struct kw_marks *marks,
                      const struct kw_mark *mark);

/* Fills ret->why. */
void kw_refusal_words(const struct kw_keyring *ring, const char *domain,
                      const struct kw_memory *memory, struct kw_judgement *ret);
/* The same when there is no ring: there is no file (`reason` NULL), or it was not
 * read. */
void kw_refusal_words_absent(const char *reason, const struct kw_memory *memory,
                             const struct kw_places *places, struct kw_judgement *ret);
/* Fills ret->cure; ring NULL: MISSING or DAMAGED.  has_marks: the state directory has a
 * file of them; memory->marks may come from the last good one alone. */
void kw_refusal_cure(const struct kw_keyring *ring, const struct kw_memory *memory,
                     bool has_marks, const struct kw_places *places,
                     struct kw_judgement *ret);

#endif
