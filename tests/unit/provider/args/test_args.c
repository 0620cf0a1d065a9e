/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <keyward/args.h>

static struct given {
    bool deep, help;
    const char *name, *operand[1];
    struct kw_words many, rest;
    struct kw_note note;
} g;

static struct kw_args spec(bool rest)
{
    static const struct kw_option options[] = {
        {"deep", NULL, "a switch", &g.deep},
        {"name", "TEXT", "a value", .text = &g.name},
        {"many", "TEXT", "a value, as often as one likes", .words = &g.many},
    };
    static const struct kw_option common[] = {{"help", NULL, "this text", &g.help},
                                              {"hidden", NULL, NULL, &g.deep}};
    return (struct kw_args){.program = "prog",
                            .verb = "test",
                            .operands = "N",
                            .summary = "Tests.",
                            .more = "More.",
                            .exits = "0 good",
                            .options = options,
                            .option_count = 3,
                            .common = common,
                            .common_count = 2,
                            .column = 16,
                            .operand = g.operand,
                            .operand_count = 1,
                            .rest = rest ? &g.rest : NULL};
}

static kw_err read_words(bool rest, const char *const argv[])
{
    int argc = 0;
    g = (struct given){0};
    const struct kw_args args = spec(rest);
    while (argv[argc] != NULL)
        argc++;
    return kw_args_read(&args, argc, (char **)(uintptr_t)argv, &g.note);
}
#define READ(...) read_words(false, (const char *const[]){"test", __VA_ARGS__, NULL})
#define READ_REST(...) read_words(true, (const char *const[]){"test", __VA_ARGS__, NULL})
#define WRONG(said, ...)                                                                 \
    do {                                                                                 \
        CHECK_CODE(READ(__VA_ARGS__), KW_CODE_BAD_INPUT);                                \
        CHECK_STR(g.note.text, (said));                                                  \
    } while (0)

TEST(words__so_many_letters_apart)
{
    static const struct {
        const char *a, *b;
        size_t apart;
    } pairs[] = {{"", "", 0},
                 {"", "abc", 3},
                 {"config", "config", 0},
                 {"confg", "config", 1},
                 {"config", "confg", 1},
                 {"conifg", "config", 1},
                 {"cinfog", "config", 2},
                 {"kitten", "sitting", 3},
                 {"ca", "abc", 3}};
    char longest[KW_NEAR_MAX + 1], longer[KW_NEAR_MAX + 2];
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_int_equal(kw_words_apart(pairs[i].a, pairs[i].b), pairs[i].apart);
    memset(longest, 'a', sizeof longest - 1);
    memset(longer, 'a', sizeof longer - 1);
    longest[KW_NEAR_MAX] = longer[KW_NEAR_MAX + 1] = '\0';
    assert_int_equal(kw_words_apart(longest, longest), 0);
    assert_int_equal(kw_words_apart(longest, "aa"), KW_NEAR_MAX - 2);
    assert_int_equal(kw_words_apart(longer, longer), KW_NEAR_MAX);
}

TEST(nearer__a_third_of_the_letters_at_most_and_two)
{
    size_t least = SIZE_MAX;
    CHECK(!kw_word_is_nearer("ke", "ok", &least));
    CHECK(!kw_word_is_nearer("cnfg", "consoling", &least));
    CHECK(kw_word_is_nearer("cnfg", "config", &least) && least == 2);
    CHECK(!kw_word_is_nearer("cnfg", "config", &least)); /* as near as the last one */
    CHECK(kw_word_is_nearer("cnfg", "confg", &least) && least == 1);
}

TEST(h__help_at_once)
{
    CHECK_OK(READ("-h", "--oops"));
    CHECK(g.help);
    g.help = false;
    CHECK_OK(READ("--deep", "-h"));
    CHECK(g.help && g.deep);
}

TEST(wrong_usage__refused_and_named)
{
    WRONG("--deeper is no option of this verb", "--deeper", "1");
    WRONG("--dee is no option of this verb; did you mean --deep?", "--dee=7", "1");
    WRONG("--eman is no option of this verb", "--eman", "1");
    WRONG("--hiden is no option of this verb", "--hiden", "1"); /* nobody is told of it */
    WRONG("options begin with two dashes: -d", "-d", "1");
    WRONG("--name wants TEXT", "1", "--name");
    WRONG("--name wants TEXT", "1", "--name=");
    WRONG("--name wants TEXT", "1", "--name", "");
    WRONG("--deep takes no value", "1", "--deep=yes");
    WRONG("--name is given twice", "1", "--name", "a", "--name", "b");
    WRONG("it wants N", "--deep");
    WRONG("'2' is one word too many", "1", "2");
    CHECK_CODE(READ_REST("--many", "x"), KW_CODE_BAD_INPUT); /* N is still wanted */
}

TEST(more_than_there_is_room_for__refused)
{
    const char *argv[KW_WORDS_MAX + 4] = {"test", "1"};
    for (size_t i = 0; i <= KW_WORDS_MAX; i++)
        argv[2 + i] = "word";
    CHECK_CODE(read_words(true, argv), KW_CODE_BAD_INPUT);
    CHECK_STR(g.note.text, "'word': there are at most 32 of them");
    argv[2 + KW_WORDS_MAX] = NULL;
    CHECK_OK(read_words(true, argv));
    CHECK(g.rest.count == KW_WORDS_MAX);
}

TEST(all_spellings__read)
{
    CHECK_OK(READ("--name=a=b", "--deep", "-"));
    CHECK(g.deep && !g.help);
    CHECK_STR(g.name, "a=b");
    CHECK_STR(g.operand[0], "-");
    CHECK_OK(READ("--", "--deep"));
    CHECK(!g.deep);
    CHECK_STR(g.operand[0], "--deep");
}

TEST(given_again_and_again__all_of_them_in_order)
{
    CHECK_OK(READ_REST("a", "--many", "x", "b", "--many=y", "--", "--c"));
    CHECK_STR(g.operand[0], "a");
    CHECK(g.rest.count == 2 && g.many.count == 2);
    CHECK_STR(g.rest.at[0], "b");
    CHECK_STR(g.rest.at[1], "--c");
    CHECK_STR(g.many.at[0], "x");
    CHECK_STR(g.many.at[1], "y");
}

TEST(help__nothing_else_is_looked_at)
{
    CHECK_OK(READ("--help", "--nonsense"));
    CHECK(g.help);
}

/* What the help is, which fits into a pipe. */
static void check_help(const struct kw_args *args, const char *wanted)
{
    char got[4096] = {0};
    int ends[2], out = dup(STDOUT_FILENO);
    CHECK(out >= 0 && pipe(ends) == 0 && fflush(stdout) == 0);
    CHECK(dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO);
    bool printed = kw_args_help(args);
    CHECK(dup2(out, STDOUT_FILENO) == STDOUT_FILENO);
    CHECK(printed && read(ends[0], got, sizeof got - 1) == (ssize_t)strlen(wanted));
    CHECK_STR(got, wanted);
    close(out);
    close(ends[0]);
    close(ends[1]);
}

TEST(help__the_table_in_words)
{
    static const char wanted[] = "usage: prog test [options] N\n\nTests.\n\n"
                                 "  --deep           a switch\n"
                                 "  --name TEXT      a value\n"
                                 "  --many TEXT      a value, as often as one likes\n"
                                 "  --help           this text\n"
                                 "\nMore.\n\nexit status: 0 good\n";
    const struct kw_args args = spec(false);
    check_help(&args, wanted);
}

#define NINE "nine nine "
#define X30 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* In columns, not bytes; a word that is wider has a line of its own. */
TEST(help__wide__goes_on_in_the_next_line)
{
    const struct kw_option options[] = {
        {"name", "TEXT", X30 " " X30 " xxxxxxxxxxxxxxxxxxx end", .text = &g.name},
        {"long-name-of-it", "TEXT", X30 " " X30 " xxxxxxxx\u2026 end", .text = &g.name}};
    struct kw_args args = spec(false);
    args.options = options;
    args.option_count = 2;
    args.common_count = 1;
    args.summary = NINE NINE NINE NINE NINE NINE NINE NINE NINE NINE "end.\nTwo";
    args.more = X30 X30 X30 X30 " more";
    args.exits = "0 " X30 " " X30 " " X30 "; 1 bad";
    check_help(&args, "usage: prog test [options] N\n\n" NINE NINE NINE NINE NINE NINE
                          NINE NINE NINE "nine nine\nend.\nTwo\n\n"
                      "  --name TEXT      " X30 " " X30 " xxxxxxxxxxxxxxxxxxx\n"
                      "                   end\n"
                      "  --long-name-of-it TEXT " X30 " " X30 " xxxxxxxx\u2026 end\n"
                      "  --help           this text\n\n" X30 X30 X30 X30 "\nmore\n\n"
                      "exit status: 0 " X30 " " X30 "\n" X30 "; 1 bad\n");
}

KW_CASES("provider/args", CASE(wrong_usage__refused_and_named),
         CASE(more_than_there_is_room_for__refused), CASE(all_spellings__read),
         CASE(given_again_and_again__all_of_them_in_order),
         CASE(help__nothing_else_is_looked_at), CASE(help__the_table_in_words),
         CASE(help__wide__goes_on_in_the_next_line))
