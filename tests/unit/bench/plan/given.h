/* SPDX-License-Identifier: Apache-2.0 */
/* given - a plan whose figures can be reckoned in the head
 *
 * One server, 100 seeds, one list; 2 ms in the token, 8 at once, 1 ms outside it; 2
 * workers; 3 s, 1.5 s; ready wanted in 60 s.  Canaries are so rare that they cost
 * nothing.
 */
#ifndef KEYWARD_TESTS_PLAN_GIVEN_H
#define KEYWARD_TESTS_PLAN_GIVEN_H

#include <keyward/clock.h>

#include "plan.h"

struct kw_plan given(void);

/* a is within `percent` of b. */
bool near(double a, double b, double percent);

#endif
