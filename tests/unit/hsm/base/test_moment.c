/* SPDX-License-Identifier: Apache-2.0 */
/* How long ago something is, whatever was done to the clock. */
#include "check.h"

#include <keyward/moment.h>

#define DAY (INT64_C(24) * 3600 * KW_S_NS)
#define WALL (20000 * DAY)

static struct kw_moment moment(const char *boot, int64_t boot_ns, int64_t wall_ns)
{
    struct kw_moment m = {.boot_ns = boot_ns, .wall_ns = wall_ns};
    kw_copy_str(m.boot, sizeof m.boot, kw_span_str(boot));
    return m;
}

/* What happened on boot "a" a day after it began, as it looks at `now`. */
static int64_t age(struct kw_moment now, bool *ret_back)
{
    const struct kw_moment then = moment("a", DAY, WALL);
    return kw_moment_age(&then, &now, ret_back);
}

TEST(age__same_boot__the_smaller_difference)
{
    bool back;
    CHECK(age(moment("a", DAY + 5, WALL + 5), &back) == 5 && !back);
    CHECK(age(moment("a", DAY + 5, WALL + DAY), &back) == 5 && !back);
    CHECK(age(moment("a", DAY + 5, WALL + 3), &back) == 3 && !back);
    CHECK(age(moment("a", DAY, WALL), &back) == 0 && !back);
}

TEST(age__same_boot_and_clock_set_back__said_and_the_other_clock_counts)
{
    bool back;
    CHECK(age(moment("a", 2 * DAY, WALL - 1), &back) == DAY && back);
    CHECK(age(moment("a", DAY, WALL - DAY), &back) == 0 && back);
}

TEST(age__other_boot__by_the_wall_clock)
{
    bool back;
    CHECK(age(moment("b", 5, WALL + DAY), &back) == DAY && !back);
    CHECK(age(moment("b", 9 * DAY, WALL + 1), &back) == 1 && !back);
    CHECK(age(moment("b", 9 * DAY, WALL - 1), &back) == 0 && back);
}

/* It may be this boot; what is still to come in it is of another one. */
TEST(age__boot_without_a_name__the_same_when_it_can_be)
{
    bool back;
    CHECK(age(moment(KW_BOOT_UNKNOWN, DAY + 5, WALL + DAY), &back) == 5 && !back);
    CHECK(age(moment(KW_BOOT_UNKNOWN, DAY - 1, WALL + DAY), &back) == DAY && !back);
    CHECK(age(moment(KW_BOOT_UNKNOWN, DAY - 1, WALL - 1), &back) == 0 && back);
}

TEST(age__numbers_at_their_ends__no_overflow)
{
    bool back;
    const struct kw_moment first = moment("a", INT64_MIN, INT64_MIN);
    const struct kw_moment last = moment("a", INT64_MAX, INT64_MAX);
    CHECK(kw_moment_age(&first, &last, &back) == INT64_MAX && !back);
    CHECK(kw_moment_age(&last, &first, &back) == 0 && back);
    CHECK(kw_moment_age(&last, &last, &back) == 0 && !back);
}

TEST(now__twice__the_same_boot_and_no_earlier)
{
    bool back;
    const struct kw_moment one = kw_moment_now(&kw_clock_system);
    const struct kw_moment two = kw_moment_now(&kw_clock_system);
    CHECK(one.boot[0] != '\0' && kw_boot_is(one.boot, two.boot));
    CHECK(two.boot_ns >= one.boot_ns && kw_moment_age(&one, &two, &back) >= 0);
}

KW_CASES("hsm/base/moment", CASE(age__same_boot__the_smaller_difference),
         CASE(age__same_boot_and_clock_set_back__said_and_the_other_clock_counts),
         CASE(age__other_boot__by_the_wall_clock),
         CASE(age__boot_without_a_name__the_same_when_it_can_be),
         CASE(age__numbers_at_their_ends__no_overflow),
         CASE(now__twice__the_same_boot_and_no_earlier))
