/* SPDX-License-Identifier: Apache-2.0 */
/* refuse - why a ring is not taken, and the commands that lead out of it */
#ifndef KEYWARD_KEYRING_REFUSE_H
#define KEYWARD_KEYRING_REFUSE_H

#include <keyward/state.h>

/* What is judged, by what this node remembers, and which ways out of it work. */
struct kw_refusal_facts {
    const struct kw_keyring *ring; /* NULL = there is no file */
    const char *domain;
    const struct kw_memory *memory;
    const struct kw_places *places;
    bool last_helps;  /* the last good copy would be taken if it were put back */
    bool trust_helps; /* the ring would be taken if somebody said to trust it  */
};

/* Fills ret->why for ret->refusal, ret->n and ret->active. */
void kw_refusal_words(const struct kw_refusal_facts *c, struct kw_judgement *ret);
/* Fills ret->cure likewise: every command stands on a line of its own and can be run as
 * it is, on this node, by root, except for FILE, which a line before it explains.  A line
 * that begins with "# " says when the lines below it are the ones to run. */
void kw_refusal_cure(const struct kw_refusal_facts *c, struct kw_judgement *ret);

#endif
