/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "cli.h"

struct given {
    bool deep;
    const char *name;
    struct kw_cli cli;
};

static int parse(struct given *g, const char *const argv[])
{
    const struct kw_option options[] = {
        {"deep", NULL, "a switch", &g->deep, NULL},
        {"name", "TEXT", "a value", NULL, &g->name},
    };
    const struct kw_usage usage = {
        .verb = "test",
        .operands = "N",
        .operand_count = 1,
        .summary = "…",
        .options = options,
        .option_count = 2,
    };
    int argc = 0;
    *g = (struct given){0};
    while (argv[argc] != NULL)
        argc++;
    return kw_cli_read(&usage, argc, (char **)(uintptr_t)argv, &g->cli);
}
#define PARSE(g, ...) parse(g, (const char *const[]){"test", __VA_ARGS__, NULL})

TEST(value_missing_or_empty__wrong_usage)
{
    struct given g;
    CHECK(PARSE(&g, "1", "--name") == KW_EXIT_USAGE);
    CHECK(PARSE(&g, "1", "--name=") == KW_EXIT_USAGE);
    CHECK(PARSE(&g, "1", "--deep=yes") == KW_EXIT_USAGE);
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

TEST(nothing_said__the_defaults)
{
    struct given g;
    CHECK(PARSE(&g, "7") == -1);
    CHECK(!g.deep && !g.cli.json && g.name == NULL);
    CHECK_STR(g.cli.config, KW_CONFIG_DEFAULT);
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
        CHECK(kw_cli_version_n("test", bad[i], &n) == KW_EXIT_USAGE);
    CHECK(n == 77);
}

TEST(version_number__read)
{
    uint32_t n = 0;
    CHECK(kw_cli_version_n("test", "999999", &n) == -1 && n == 999999);
    CHECK(kw_cli_version_n("test", "1", &n) == -1 && n == 1);
}

TEST(config__in_what_is_printed__one_word_or_nothing)
{
    char text[64];
    struct kw_cli cli = {.config = KW_CONFIG_DEFAULT};
    kw_cli_config(&cli, text, sizeof text);
    CHECK_STR(text, "");
    cli.config = "/srv/key ward/a.yaml";
    kw_cli_config(&cli, text, sizeof text);
    CHECK_STR(text, " --config '/srv/key ward/a.yaml'");
}

KW_CASES("provider/cli/args", CASE(value_missing_or_empty__wrong_usage),
         CASE(operands_missing_or_too_many__wrong_usage), CASE(all_spellings__read),
         CASE(nothing_said__the_defaults), CASE(help__good_and_nothing_else_is_looked_at),
         CASE(no_version_number__wrong_usage), CASE(version_number__read),
         CASE(config__in_what_is_printed__one_word_or_nothing))
