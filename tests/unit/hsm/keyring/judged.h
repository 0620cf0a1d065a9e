/* SPDX-License-Identifier: Apache-2.0 */
/* A node of domain "demo" that judges files, and takes them. */
#ifndef KEYWARD_TESTS_KEYRING_JUDGED_H
#define KEYWARD_TESTS_KEYRING_JUDGED_H

#include "ring.h"

extern const struct kw_activation no_act;
extern const struct kw_places some_places;

/* Without a last good copy; the words are there exactly when it is refused. */
struct kw_judgement judge_with(const struct kw_keyring *ring,
                               const struct kw_marks *marks,
                               const struct kw_activation *act);
void is_judged(const struct kw_keyring *ring, const struct kw_marks *marks,
               enum kw_refusal want, uint32_t n);

/* What a node remembers that took this file and wraps with its baseline. */
struct kw_marks seen(const struct kw_keyring *file);
/* It is admitted, and the marks are raised to it. */
void taken(struct kw_marks *marks, const struct kw_keyring *file);
/* Somebody says to trust the file. */
void trust_in(struct kw_marks *marks, const struct kw_keyring *file);

/* The next file, with version n, accepted, under this key_id. */
struct kw_keyring *with_version(const struct kw_keyring *file, uint32_t n,
                                const char *key_id);
/* Three files on, version n is gone but for its line of history. */
void destroy_and_prune(struct kw_keyring **file, uint32_t n);

#endif
