/* SPDX-License-Identifier: Apache-2.0 */
/* The key of the marks is gone, as the machine restarted: no PIN is known again. */
#include "asked.h"

TEST(key_lost__latch_holds_proof_is_none_and_another_pin_lifts_later)
{
    struct kw_pin_record latched = {.mark = pin_mark_of("Ka"), .latched = true};
    CHECK(asked(&latched, "Lb", 1, NULL) == KW_PIN_STOP); /* who knows: it may be "a" */
    CHECK(asked(&latched, "", 1, NULL) == KW_PIN_STOP);
    CHECK(asked(&latched, "Lc", 1, NULL) == KW_PIN_GO); /* that is not what it was then */
    struct kw_pin_record proven = {.mark = pin_mark_of("Ka"), .proven = true};
    CHECK(asked(&proven, "La", 1, NULL) == KW_PIN_GO);
    ended(&proven, KW_PIN_UNCLEAR, 2);
    CHECK(proven.latched);
}

/* A latch that counts as about this PIN, as it cannot be compared, fills no place. */
TEST(key_lost_often__same_place)
{
    char mark[3] = "La";
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(asked(&r, "Ka", 1, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_REFUSED, 2);
    for (; mark[0] <= 'Z'; mark[0]++)
        CHECK(asked(&r, mark, 3, NULL) == KW_PIN_STOP);
    CHECK(r.refused_count == 1);
    CHECK(asked(&r, "Zb", 4, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_WORKED, 5);
    CHECK(asked(&r, "Za", 6, NULL) == KW_PIN_STOP);
}

static void retry(struct kw_pin_record *r)
{
    r->retry = true;
    r->latched = false;
    r->refused_count = 0;
}

/* Under the new key neither is known again, so none of them can be let through. */
TEST(two_wrong_pins__key_lost_between__one_login_each_until_retry)
{
    static const char *const turns[] = {"Ka", "Ka", "Kb", "Ka", "La", "Lb",
                                        "Lc", "Ma", "Mb", "Kb", NULL};
    struct kw_note why;
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(logins_of(&r, turns) == 2);
    CHECK(asked(&r, "Mc", 1, &why) == KW_PIN_STOP);
    CHECK_HAS(why.text, "under a key that is gone");
    CHECK_HAS(why.text, "keyward pin retry");
    retry(&r);
    CHECK(asked(&r, "Mc", 2, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_REFUSED, 3);
    CHECK(asked(&r, "Md", 4, NULL) == KW_PIN_GO);
}

/* The commonest case: one wrong PIN, a restart, and then the right one. */
TEST(one_wrong_pin__key_lost_and_read_again__another_is_tried)
{
    static const char *const turns[] = {"Ka", "La", "Lb", "La", "Ma", "Mb", "Na", NULL};
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(logins_of(&r, turns) == 2);
}

/* A machine that restarts serves again by itself, whatever was mistyped long ago. */
TEST(refused_then_proven__key_lost__one_try_and_no_other_pin)
{
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(asked(&r, "Ka", 1, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_REFUSED, 2);
    CHECK(asked(&r, "Kb", 3, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_WORKED, 4);
    CHECK(asked(&r, "Lb", 5, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_WORKED, 6);
    CHECK(asked(&r, "Lb", 7, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_NOT_BEGUN, 8);
    CHECK(asked(&r, "La", 9, NULL) == KW_PIN_STOP);
    CHECK(asked(&r, "Mb", 10, NULL) == KW_PIN_STOP); /* a proof that was turned from */
}

/* What is owed to one that was never tried is not owed to the one refused before it. */
TEST(refused_and_another_not_begun__key_lost__stopped)
{
    struct kw_pin_record r = {.serial = "00cafe"};
    CHECK(asked(&r, "Ka", 1, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_REFUSED, 2);
    CHECK(asked(&r, "Kb", 3, NULL) == KW_PIN_GO);
    ended(&r, KW_PIN_NOT_BEGUN, 4);
    CHECK(asked(&r, "La", 5, NULL) == KW_PIN_STOP);
}

KW_CASES("hsm/keyring/pin_key_lost",
         CASE(key_lost__latch_holds_proof_is_none_and_another_pin_lifts_later),
         CASE(key_lost_often__same_place),
         CASE(two_wrong_pins__key_lost_between__one_login_each_until_retry),
         CASE(one_wrong_pin__key_lost_and_read_again__another_is_tried),
         CASE(refused_then_proven__key_lost__one_try_and_no_other_pin),
         CASE(refused_and_another_not_begun__key_lost__stopped))
