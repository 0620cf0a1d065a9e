/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody asks for logins to one token, and tells how they end. */
#ifndef KEYWARD_TESTS_KEYRING_ASKED_H
#define KEYWARD_TESTS_KEYRING_ASKED_H

#include "check.h"

#include <keyward/pin_latch.h>

enum { MINE = 77 };
#define HOUR (3600 * KW_S_NS)

extern const struct kw_pin_owner the_asker;

/* In this boot. */
struct kw_moment moment(int64_t boot_ns);
/* Of PIN 'a', 'b' … under key 'K', 'L' …; "" is no mark. */
struct kw_pin_mark pin_mark_of(const char *key_and_pin);
/* What was read of the token, with the PIN of this mark. */
struct kw_pin_facts facts_of(const char *mark);

enum kw_pin_word asked(struct kw_pin_record *r, const char *mark, int64_t boot_ns,
                       struct kw_note *ret_why);
void ended(struct kw_pin_record *r, enum kw_pin_end end, int64_t boot_ns);
/* How many logins it costs when these PINs come one after the other, each refused. */
unsigned logins_of(struct kw_pin_record *r, const char *const marks[]);

#endif
