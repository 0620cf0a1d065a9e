/* SPDX-License-Identifier: Apache-2.0 */
/* PINs that were refused, and what lifts that, as the book remembers them. */
#include "booked.h"

#include <stdio.h>

/* An agent that flaps between two files. */
TEST(two_wrong_pins_by_turns__one_login_each_and_again_after_retry)
{
    struct kw_pin_facts pins[] = {facts("1", "tok", 'a'), facts("1", "tok", 'b')};
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n = 0;
    booked_begin();
    for (unsigned said = 0; said < 3; said++) {
        unsigned logins = 0;
        for (unsigned i = 0; i < 6; i++)
            if (ask(&pins[i % 2]) == KW_PIN_GO) {
                settled(&pins[i % 2], KW_PIN_REFUSED);
                logins++;
            }
        assert_int_equal(logins, 2);
        struct kw_pin_record r = look(&pins[0]);
        CHECK(r.latched && r.refused_count == 2);
        CHECK_STR(r.refused[0].label, "tok");
        CHECK(r.refused[1].mark.digest_len == 16 && r.refused[1].mark.digest[0] == 'b');
        CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, &note));
        CHECK(n == 1 && lifts[0].lifted && lifts[0].forgotten == 2);
    }
    booked_end();
}

TEST(retry__nothing_is_stopped__forgets_what_was_refused)
{
    struct kw_pin_facts wrong = facts("1", "tok", 'a'), right = facts("1", "tok", 'b');
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n = 0;
    booked_begin();
    CHECK(ask(&wrong) == KW_PIN_GO);
    settled(&wrong, KW_PIN_REFUSED);
    CHECK(ask(&right) == KW_PIN_GO);
    settled(&right, KW_PIN_WORKED);
    CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, &note));
    CHECK(n == 1 && !lifts[0].lifted && lifts[0].forgotten == 1);
    CHECK(look(&right).proven && !look(&right).retry);
    CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, &note));
    CHECK(n == 1 && !lifts[0].lifted && lifts[0].forgotten == 0);
    CHECK(ask(&wrong) == KW_PIN_GO);
    booked_end();
}

/* Its process is gone, another PIN was asked for, and only then the word comes. */
TEST(refused__told_after_another_pin_was_asked_for__remembered)
{
    struct kw_pin_facts first = facts("1", "tok", 'a'), second = facts("1", "tok", 'b');
    booked_begin();
    CHECK(ask(&first) == KW_PIN_GO);
    settled(&first, KW_PIN_WORKED);
    struct kw_pin_owner mine = me;
    me.start++; /* there is no such process any more */
    struct kw_pin_owner gone = me;
    CHECK(ask(&first) == KW_PIN_GO);
    me = mine;
    CHECK(ask(&second) == KW_PIN_GO);
    me = gone;
    settled(&first, KW_PIN_REFUSED);
    CHECK(look(&second).tried.pid == mine.pid && !look(&second).latched);
    me = mine;
    settled(&second, KW_PIN_WORKED);
    CHECK(look(&second).proven);
    CHECK(ask(&first) == KW_PIN_STOP);
    booked_end();
}

/* 32 tokens, four refused PINs each, every text at its longest. */
TEST(everything_at_its_longest__written_and_read_again)
{
    char serial[17], reason[200];
    booked_begin();
    memset(reason, '"', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    for (unsigned i = 0; i < KW_PIN_RECORDS_MAX; i++) {
        snprintf(serial, sizeof serial, "%016u", i);
        for (const char *pin = "abcd"; *pin != '\0'; pin++) {
            struct kw_pin_facts f = facts(
                serial,
                "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"", *pin);
            CHECK(ask(&f) == KW_PIN_GO);
            CHECK_OK(kw_pin_settled(&book, &f, &me, KW_PIN_REFUSED, reason, &note));
        }
    }
    struct kw_pin_facts last = facts(serial, "other", 'z');
    CHECK(look(&last).refused_count == KW_PIN_REFUSED_MAX);
    CHECK(ask(&last) == KW_PIN_STOP);
    booked_end();
}

KW_CASES("hsm/keyring/pin_refused",
         CASE(two_wrong_pins_by_turns__one_login_each_and_again_after_retry),
         CASE(retry__nothing_is_stopped__forgets_what_was_refused),
         CASE(refused__told_after_another_pin_was_asked_for__remembered),
         CASE(everything_at_its_longest__written_and_read_again))
