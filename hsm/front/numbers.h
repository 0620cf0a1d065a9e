/* SPDX-License-Identifier: Apache-2.0 */
/* numbers - what workers of a token answered, how long it took, and how they ended
 *
 * Of the token, so they outlive its workers; none ever falls.
 *
 * Main thread only.
 */
#ifndef KEYWARD_FRONT_NUMBERS_H
#define KEYWARD_FRONT_NUMBERS_H

#include <keyward/front.h>
#include <keyward/wire.h>

struct kw_worker; /* worker.h */

/* An answer; one that never came to the module (DEADLINE) took no time there. */
void kw_numbers_answered(struct kw_front_numbers_of_token *n, enum kw_wire_op op,
                         const struct kw_wire_answer *answer);
/* A return value of the module, if it is one. */
void kw_numbers_error(struct kw_front_numbers_of_token *n, kw_err e);
/* Why this worker is no more; `good`: it left by itself, with status 0. */
enum kw_front_end kw_numbers_end_of(const struct kw_worker *w, bool good);

#endif
