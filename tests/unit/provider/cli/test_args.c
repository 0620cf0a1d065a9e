/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "cli.h"

struct given {
    bool deep;
    const char *name;
    struct kw_words many, rest;
    struct kw_cli cli;
};

static int parse(struct given *g, bool rest, const char *const argv[])
{
    const struct kw_option options[] = {
        {"deep", NULL, "a switch", &g->deep, NULL},
        {"name", "TEXT", "a value", NULL, &g->name},
        {"many", "TEXT", "a value, as often as one likes", NULL, NULL, &g->many},
    };
    const struct kw_usage usage = {
        .verb = "test",
        .operands = "N",
        .operand_count = 1,
        .rest = rest ? &g->rest : NULL,
        .summary = "…",
        .options = options,
        .option_count = 3,
    };
    int argc = 0;
    *g = (struct given){0};
    while (argv[argc] != NULL)
        argc++;
    return kw_args_read(&usage, argc, (char **)(uintptr_t)argv, &g->cli);
}
#define PARSE(g, ...) parse(g, false, (const char *const[]){"test", __VA_ARGS__, NULL})
#define PARSE_REST(g, ...)                                                               \
    parse(g, true, (const char *const[]){"test", __VA_ARGS__, NULL})

TEST(unknown_option__wrong_usage)
{
    struct given g;
    CHECK(PARSE(&g, "--deeper", "1") == KW_EXIT_USAGE);
    CHECK(PARSE(&g, "--dee", "1") == KW_EXIT_USAGE);
    CHECK(PARSE(&g, "-d", "1") == KW_EXIT_USAGE);
}

TEST(value_missing_or_empty__wrong_usage)
{
    struct given g;
    CHECK(PARSE(&g, "1", "--name") == KW_EXIT_USAGE);
    CHECK(PARSE(&g, "1", "--name=") == KW_EXIT_USAGE);
    CHECK(PARSE(&g, "1", "--deep=yes") == KW_EXIT_USAGE);
}

TEST(option_given_twice__wrong_usage)
{
    struct given g;
    CHECK(PARSE(&g, "1", "--name", "a", "--name", "b") == KW_EXIT_USAGE);
}

TEST(operands_missing_or_too_many__wrong_usage)
{
    struct given g;
    CHECK(PARSE(&g, "--deep") == KW_EXIT_USAGE);
    CHECK(PARSE(&g, "1", "2") == KW_EXIT_USAGE);
}

TEST(all_spellings__read)
{
    struct given g;
    CHECK(PARSE(&g, "--name=a=b", "--deep", "7", "--json", "--config", "/x") == -1);
    CHECK(g.deep && g.cli.json);
    CHECK_STR(g.name, "a=b");
    CHECK_STR(g.cli.operand[0], "7");
    CHECK_STR(g.cli.config, "/x");
}

TEST(given_again_and_again__all_of_them_in_order)
{
    struct given g;
    CHECK(PARSE_REST(&g, "a", "--many", "x", "b", "--many=y", "--", "--c") == -1);
    CHECK_STR(g.cli.operand[0], "a");
    CHECK(g.rest.count == 2 && g.many.count == 2);
    CHECK_STR(g.rest.at[0], "b");
    CHECK_STR(g.rest.at[1], "--c");
    CHECK_STR(g.many.at[0], "x");
    CHECK_STR(g.many.at[1], "y");
    CHECK(PARSE_REST(&g, "--many", "x") == KW_EXIT_USAGE); /* N is still wanted */
}

TEST(more_than_there_is_room_for__wrong_usage)
{
    struct given g;
    const char *argv[KW_WORDS_MAX + 4] = {"test", "1"};
    for (size_t i = 0; i <= KW_WORDS_MAX; i++)
        argv[2 + i] = "word";
    CHECK(parse(&g, true, argv) == KW_EXIT_USAGE);
    argv[2 + KW_WORDS_MAX] = NULL;
    CHECK(parse(&g, true, argv) == -1);
    CHECK(g.rest.count == KW_WORDS_MAX);
}

TEST(nothing_said__the_defaults)
{
    struct given g;
    CHECK(PARSE(&g, "7") == -1);
    CHECK(!g.deep && !g.cli.json && g.name == NULL);
    CHECK_STR(g.cli.config, KW_CONFIG_DEFAULT);
}

TEST(two_dashes__the_rest_are_operands)
{
    struct given g;
    CHECK(PARSE(&g, "--", "--deep") == -1);
    CHECK(!g.deep);
    CHECK_STR(g.cli.operand[0], "--deep");
}

TEST(help__good_and_nothing_else_is_looked_at)
{
    struct given g;
    CHECK(PARSE(&g, "--help", "--nonsense") == KW_EXIT_GOOD);
}

TEST(no_version_number__wrong_usage)
{
    static const char *const bad[] = {"", "0", "01", "-1", "1x", "x", "1000000", " 1"};
    uint32_t n = 77;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(kw_args_number("test", bad[i], &n) == KW_EXIT_USAGE);
    CHECK(n == 77);
}

TEST(version_number__read)
{
    uint32_t n = 0;
    CHECK(kw_args_number("test", "999999", &n) == -1 && n == 999999);
    CHECK(kw_args_number("test", "1", &n) == -1 && n == 1);
}

TEST(config__in_what_is_printed__one_word_or_nothing)
{
    char text[64];
    struct kw_cli cli = {.config = KW_CONFIG_DEFAULT};
    kw_args_config(&cli, text, sizeof text);
    CHECK_STR(text, "");
    cli.config = "/srv/key ward/a.yaml";
    kw_args_config(&cli, text, sizeof text);
    CHECK_STR(text, " --config '/srv/key ward/a.yaml'");
}

KW_CASES("provider/cli/args", CASE(unknown_option__wrong_usage),
         CASE(value_missing_or_empty__wrong_usage), CASE(option_given_twice__wrong_usage),
         CASE(operands_missing_or_too_many__wrong_usage), CASE(all_spellings__read),
         CASE(given_again_and_again__all_of_them_in_order),
         CASE(more_than_there_is_room_for__wrong_usage), CASE(nothing_said__the_defaults),
         CASE(two_dashes__the_rest_are_operands),
         CASE(help__good_and_nothing_else_is_looked_at),
         CASE(no_version_number__wrong_usage), CASE(version_number__read),
         CASE(config__in_what_is_printed__one_word_or_nothing))
