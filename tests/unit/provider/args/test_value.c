/* SPDX-License-Identifier: Apache-2.0 */
/* Values that an option's places want: ranges stand in the table. */
#include "check.h"

#include <stdio.h>

#include <keyward/args.h>
#include <keyward/clock.h>

static const char *const colours[] = {"red", "green", "blue", NULL};
/* More than a line has room for. */
static const char *const rivers[] = {
    "the-river-that-rises-in-the-north-and-never-comes-to-the-sea-0",
    "the-river-that-rises-in-the-north-and-never-comes-to-the-sea-1",
    "the-river-that-rises-in-the-north-and-never-comes-to-the-sea-2",
    "the-river-that-rises-in-the-north-and-never-comes-to-the-sea-3",
    "the-river-that-rises-in-the-north-and-never-comes-to-the-sea-4",
    "the-river-that-rises-in-the-north-and-never-comes-to-the-sea-5",
    "the-river-that-rises-in-the-north-and-never-comes-to-the-sea-6",
    NULL,
};
static uint64_t number;
static int64_t time_ns;
static unsigned choice;
static const char *text;
static struct kw_args_list list;
static struct kw_note note;

static const struct kw_option options[] = {
    {"n", "N", "", .text = &text, .number = &number, .least = 2, .most = 40},
    {"t", "TIME", "", .time_ns = &time_ns, .least = KW_MS_NS, .most = 60 * KW_S_NS},
    {"c", "COLOUR", "", .choices = colours, .choice = &choice},
    {"r", "RIVER", "", .choices = rivers, .choice = &choice},
    {"l", "LIST", "", .list = &list, .least = 0, .most = 9},
    {"huge", "N", "", .number = &number, .most = UINT64_C(999999999999999999)},
};

static kw_err read_word(const char *word)
{
    char *argv[] = {(char[]){"test"}, (char *)(uintptr_t)word};
    const struct kw_args args = {.program = "prog",
                                 .verb = "test",
                                 .operands = "",
                                 .options = options,
                                 .option_count = sizeof options / sizeof options[0]};
    return kw_args_read(&args, 2, argv, &note);
}

TEST(out_of_range_or_none__refused_and_what_it_wants)
{
    static const struct {
        const char *word, *said;
    } bad[] = {
        {"--n=1", "--n 1: it wants a whole number from 2 to 40"},
        {"--n=41", "--n 41: it wants a whole number from 2 to 40"},
        {"--n=-3", "--n -3: it wants a whole number from 2 to 40"},
        {"--n=3x", "--n 3x: it wants a whole number from 2 to 40"},
        {"--n= 3", "--n  3: it wants a whole number from 2 to 40"},
        {"--huge=9999999999999999999",
         "--huge 9999999999999999999: it wants a whole number from 0 to "
         "999999999999999999"},
        {"--t=0s", "--t 0s: it wants a time such as 500ms or 2s, from 1ms to 1m"},
        {"--t=61s", "--t 61s: it wants a time such as 500ms or 2s, from 1ms to 1m"},
        {"--t=5", "--t 5: it wants a time such as 500ms or 2s, from 1ms to 1m"},
        {"--c=re", "--c re: it wants red, green or blue"},
        {"--l=1,,2", "--l : it wants a whole number from 0 to 9"},
        {"--l=1,10", "--l 10: it wants a whole number from 0 to 9"},
        {"--l=1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7",
         "--l 1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7: it wants at most 16 numbers with commas "
         "between"},
    };
    number = 7;
    time_ns = 8;
    choice = 1;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_CODE(read_word(bad[i].word), KW_CODE_BAD_INPUT);
        CHECK_STR(note.text, bad[i].said);
    }
    CHECK(number == 7 && time_ns == 8 && choice == 1 && text == NULL);
}

TEST(within__read)
{
    CHECK_OK(read_word("--n=40"));
    CHECK(number == 40);
    CHECK_STR(text, "40"); /* one value, two places */
    CHECK_OK(read_word("--huge=999999999999999999"));
    CHECK(number == UINT64_C(999999999999999999));
    CHECK_OK(read_word("--t=1ms"));
    CHECK(time_ns == KW_MS_NS);
    CHECK_OK(read_word("--c=blue"));
    CHECK(choice == 2);
    for (unsigned i = 0; rivers[i] != NULL; i++) {
        char word[96];
        snprintf(word, sizeof word, "--r=%s", rivers[i]);
        CHECK_OK(read_word(word));
        CHECK(choice == i);
    }
    CHECK_OK(read_word("--l=3,1,9"));
    CHECK(list.count == 3 && list.at[0] == 3 && list.at[2] == 9);
}

KW_CASES("provider/args/value", CASE(out_of_range_or_none__refused_and_what_it_wants),
         CASE(within__read))
