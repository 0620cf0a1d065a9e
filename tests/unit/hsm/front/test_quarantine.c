/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "quarantine.h"

static struct kw_quarantine q;

TEST(one_death__not_held)
{
    CHECK(kw_quarantine_strike(&q, kw_span_str("a"), 0, 0) == 1);
    CHECK(!kw_quarantine_holds(&q, kw_span_str("a"), 0));
}

TEST(two_deaths__held_for_a_while)
{
    kw_quarantine_strike(&q, kw_span_str("a"), 0, 5);
    CHECK(kw_quarantine_strike(&q, kw_span_str("a"), 0, 10) == 2);
    CHECK(kw_quarantine_holds(&q, kw_span_str("a"), 10));
    CHECK(!kw_quarantine_holds(&q, kw_span_str("b"), 10));
    CHECK(!kw_quarantine_holds(&q, kw_span_str("a"), 10 + KW_QUARANTINE_NS));
}

TEST(success_in_between__innocent)
{
    kw_quarantine_strike(&q, kw_span_str("a"), 0, 0);
    kw_quarantine_clear(&q, kw_span_str("a"));
    CHECK(kw_quarantine_strike(&q, kw_span_str("a"), 0, 0) == 1);
    kw_quarantine_clear(&q, kw_span_str("unheard of"));
    CHECK(q.used == 1);
}

TEST(doubts__count_only_with_a_canary_in_between)
{
    const kw_span a = kw_span_str("doubted");
    q = (struct kw_quarantine){0};
    CHECK(kw_quarantine_doubt(&q, a, 7, 10, 0) == 1);
    CHECK(kw_quarantine_doubt(&q, a, 7, 20, 1) == 1);
    CHECK(kw_quarantine_doubt(&q, a, 10, 30, 2) == 1); /* not asked after the first */
    CHECK(!kw_quarantine_holds(&q, a, 2));
    CHECK(kw_quarantine_doubt(&q, a, 11, 40, 3) == 2);
    CHECK(kw_quarantine_holds(&q, a, 3));
    CHECK(kw_quarantine_doubt(&q, a, 40, 50, 4) == 2); /* the second one's mark */
    kw_quarantine_clear(&q, a);
}

/* What costs workers over anything costs them over this one too. */
TEST(other_deaths_in_between__want_a_canary_after_them)
{
    const kw_span a = kw_span_str("suspected"), none = kw_span_of(NULL, 0);
    q = (struct kw_quarantine){0};
    CHECK(kw_quarantine_doubt(&q, a, 7, 10, 0) == 1);
    kw_quarantine_others(&q, a, 15); /* it was that one itself */
    kw_quarantine_others(&q, kw_span_str("other"), 20);
    CHECK(kw_quarantine_doubt(&q, a, 16, 30, 1) == 1);
    kw_quarantine_others(&q, none, 40); /* a canary, or a wrap */
    CHECK(kw_quarantine_doubt(&q, a, 40, 50, 2) == 1);
    CHECK(kw_quarantine_doubt(&q, a, 41, 60, 3) == 2);
    kw_quarantine_others(&q, none, 70); /* what is held is held */
    CHECK(kw_quarantine_holds(&q, a, 3));
    kw_quarantine_clear(&q, a);
}

TEST(lift__all_suspects__nothing_is_left)
{
    q = (struct kw_quarantine){0};
    kw_quarantine_strike(&q, kw_span_str("a"), 0, 0);
    for (int k = 0; k < 2; k++)
        kw_quarantine_strike(&q, kw_span_str("b"), 0, 0);
    CHECK(kw_quarantine_lift(&q, 0) == 1); /* so many were held */
    CHECK(q.used == 0 && !kw_quarantine_suspects(&q, kw_span_str("a"), 0) &&
          !kw_quarantine_holds(&q, kw_span_str("b"), 0));
    CHECK(kw_quarantine_strike(&q, kw_span_str("b"), 0, 0) == 1);
    CHECK(kw_quarantine_lift(&q, KW_QUARANTINE_NS) == 0);
}

TEST(list__what_is_held__the_longest_first)
{
    const struct kw_suspect *held[KW_QUARANTINE_MAX];
    const char *const inputs[] = {"late", "early", "middle", "once"};
    const int64_t when[] = {30, 10, 20, 5};
    q = (struct kw_quarantine){0};
    CHECK(kw_quarantine_list(&q, 0, held) == 0);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < (i < 3 ? 2 : 1); k++)
            kw_quarantine_strike(&q, kw_span_str(inputs[i]), 0, when[i]);
    CHECK(kw_quarantine_list(&q, 40, held) == 3);
    CHECK(held[0]->last_ns == 10 && held[1]->last_ns == 20 && held[2]->last_ns == 30);
    CHECK(kw_quarantine_list(&q, 10 + KW_QUARANTINE_NS, held) == 2);
    kw_quarantine_lift(&q, 40);
}

TEST(more_suspects_than_places__the_oldest_makes_room)
{
    for (uint8_t i = 0; i <= KW_QUARANTINE_MAX; i++)
        for (int k = 0; k < 2; k++)
            kw_quarantine_strike(&q, kw_span_of(&i, 1), 0, i);
    uint8_t first = 0, second = 1;
    CHECK(!kw_quarantine_holds(&q, kw_span_of(&first, 1), 0));
    CHECK(kw_quarantine_holds(&q, kw_span_of(&second, 1), 0));
    CHECK(q.used == KW_QUARANTINE_MAX);
}

TEST(sample_of__only_unwraps)
{
    uint8_t dst[KW_SAMPLE_MAX];
    struct kw_wire_job m = {.op = KW_WIRE_WRAP, .input = kw_span_str("secret")};
    CHECK(kw_sample_of(&m, dst) == 0);
    m.op = KW_WIRE_CANARY;
    CHECK(kw_sample_of(&m, dst) == 0);
    m.op = KW_WIRE_UNWRAP;
    CHECK(kw_sample_of(&m, dst) == 4 * 2 + 6);
}

/* Of several that were in flight only one may be to blame. */
TEST(suspect__once_or_often__asked_for_alone_but_not_held)
{
    kw_span a = kw_span_str("a");
    CHECK(!kw_quarantine_suspects(&q, a, 0));
    for (int i = 0; i < 3; i++)
        kw_quarantine_suspect(&q, a, 0, 0);
    CHECK(kw_quarantine_suspects(&q, a, 0) && !kw_quarantine_holds(&q, a, 0));
    CHECK(!kw_quarantine_suspects(&q, a, KW_QUARANTINE_NS));
    CHECK(kw_quarantine_strike(&q, a, 0, 0) == 2 && kw_quarantine_holds(&q, a, 0));
    kw_quarantine_clear(&q, a);
    CHECK(!kw_quarantine_suspects(&q, a, 0) && q.used == 0);
}

KW_CASES("hsm/front/quarantine",
         CASE(suspect__once_or_often__asked_for_alone_but_not_held),
         CASE(one_death__not_held), CASE(two_deaths__held_for_a_while),
         CASE(success_in_between__innocent),
         CASE(doubts__count_only_with_a_canary_in_between),
         CASE(other_deaths_in_between__want_a_canary_after_them),
         CASE(lift__all_suspects__nothing_is_left),
         CASE(list__what_is_held__the_longest_first),
         CASE(more_suspects_than_places__the_oldest_makes_room),
         CASE(sample_of__only_unwraps))
