/* SPDX-License-Identifier: Apache-2.0 */
/* check_names - the names of all checks of a bundle, and which serve no control */
#ifndef KEYWARD_TESTS_UNIT_EVIDENCE_CHECK_NAMES_H
#define KEYWARD_TESTS_UNIT_EVIDENCE_CHECK_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* The i-th; NULL behind the last. */
const char *kw_check_name(size_t i);
bool kw_check_is_one(const char *name);
/* No control of those that are known here asks for it; it is told for its own sake. */
bool kw_check_serves_none(const char *name);
/* Is `name` one of `list`, names with a blank between them? */
bool kw_check_is_in(const char *list, const char *name);

#endif
