/* SPDX-License-Identifier: Apache-2.0 */
/* spelling - the one way in which a value of a record is written
 *
 * Writer and reader ask the same functions: what one takes the other takes. */
#ifndef KEYWARD_AUDIT_SPELLING_H
#define KEYWARD_AUDIT_SPELLING_H

#include <keyward/audit.h>

/* `text` as it stands between its quotes; not of a NUMBER. */
bool kw_audit_is_spelled(const struct kw_audit_member *member, kw_span text);
/* A date and a time of day, six digits of a second, Z. */
bool kw_audit_is_time(kw_span text);

enum { KW_AUDIT_DIGITS = 19 }; /* of INT64_MAX */
/* *ret_digits are at the end of `room`. */
kw_span kw_audit_digits(uint64_t number, uint8_t room[KW_AUDIT_DIGITS]);
/* Takes the literal, if it stands at the front of `src`. */
bool kw_audit_take(struct kw_src *src, const char *literal);
/* Takes all digits at the front of `src`; false when that is no NUMBER. */
bool kw_audit_take_number(struct kw_src *src, uint64_t *ret_number);

#endif
