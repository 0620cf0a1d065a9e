/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "tool.h"

static const char *one, *many[3];
static const struct kw_flag flags[] = {
    {"one", "X", "once", NULL, &one},
    {"many", "X", "again and again", NULL, many, 3},
};
static const struct kw_verb verb = {.name = "test",
                                    .operands = "",
                                    .summary = "",
                                    .operand_max = 1,
                                    .flags = flags,
                                    .flag_count = 2};

static int read_words(char **words, int count)
{
    int operands = 0;
    one = many[0] = many[1] = many[2] = NULL;
    return kw_args(&verb, count, words, &operands);
}

static void twice__a_flag_for_one_value__usage(void **state)
{
    (void)state;
    char *words[] = {(char[]){"test"}, (char[]){"--one=a"}, (char[]){"--one=b"}};
    CHECK(read_words(words, 3) == KW_EXIT_USAGE);
}

static void repeated__more_than_it_may__usage(void **state)
{
    (void)state;
    char *words[] = {(char[]){"test"}, (char[]){"--many=a"}, (char[]){"--many=b"},
                     (char[]){"--many=c"}, (char[]){"--many=d"}};
    CHECK(read_words(words, 5) == KW_EXIT_USAGE);
}

static void repeated__as_often_as_it_may__in_their_order(void **state)
{
    (void)state;
    char *words[] = {(char[]){"test"}, (char[]){"--many"}, (char[]){"a"},
                     (char[]){"--one=x"}, (char[]){"--many=b"}};
    CHECK(read_words(words, 5) == -1);
    CHECK_STR(many[0], "a");
    CHECK_STR(many[1], "b");
    CHECK(many[2] == NULL);
    CHECK_STR(one, "x");
}

KW_CASES("bench/tool/args", CASE(twice__a_flag_for_one_value__usage),
         CASE(repeated__more_than_it_may__usage),
         CASE(repeated__as_often_as_it_may__in_their_order))
