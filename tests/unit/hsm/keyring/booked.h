/* SPDX-License-Identifier: Apache-2.0 */
/* A node's book of logins in a folder of the case, under a fake clock. */
#ifndef KEYWARD_TESTS_KEYRING_BOOKED_H
#define KEYWARD_TESTS_KEYRING_BOOKED_H

#include <keyward/pin_latch.h>

#include "ring.h"

extern struct kw_fake_clock time_now;
extern struct kw_pin_book book;
extern struct kw_pin_owner me; /* who asks: this process */
extern struct kw_note note;    /* of the last call       */
extern char runtime[256];      /* the runtime directory  */

void booked_begin(void);
void booked_end(void); /* nothing else was left in the folders */

/* The mark is of PIN 'a', 'b' … */
struct kw_pin_facts facts(const char *serial, const char *label, char pin);
enum kw_pin_word ask(const struct kw_pin_facts *f);
void settled(const struct kw_pin_facts *f, enum kw_pin_end how);
struct kw_pin_record look(const struct kw_pin_facts *f);

#endif
