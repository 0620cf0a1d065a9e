/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include "run.h"
#include "commands.h"

static struct kw_commands w;

#define COMMAND(...) kw_commands_command(&w, (const char *const[]){__VA_ARGS__, NULL})

TEST(command__longer_than_the_room__left_out_whole)
{
    static char word[KW_CURE_MAX];
    w = (struct kw_commands){{0}, 0};
    COMMAND("first");
    for (size_t i = 0; i < sizeof word - 1; i++)
        word[i] = 'a';
    COMMAND("rm", word, "never-alone");
    COMMAND("last");
    CHECK_STR(w.text, "first\nlast\n");
}

TEST(command__words_that_a_shell_would_change__quoted)
{
    w = (struct kw_commands){{0}, 0};
    COMMAND("keyward", "--config", "/etc/key ward/it's.yaml", "", "A=1,2;3");
    CHECK_STR(w.text, "keyward --config '/etc/key ward/it'\\''s.yaml' '' 'A=1,2;3'\n");
    w = (struct kw_commands){{0}, 0};
    COMMAND("env", "A=1,2", "x");
    CHECK_STR(w.text, "env A=1,2 x\n");
}

/* sh(1) is the judge. */
TEST(command__run_by_a_shell__the_same_words)
{
    static struct kw_run r;
    w = (struct kw_commands){{0}, 0};
    COMMAND("printf", "%s|", "plain", "a b", "$HOME", "it's", "`x`", "\\", "*", "");
    kw_run(&r, (const char *const[]){"/bin/sh", "-c", w.text, NULL});
    CHECK(r.status == 0);
    CHECK_STR(r.out, "plain|a b|$HOME|it's|`x`|\\|*||");
}

TEST(when_and_install__lines_in_their_order)
{
    w = (struct kw_commands){{0}, 0};
    kw_commands_when(&w, "the file is there %d times:", 2);
    kw_commands_install(&w, "/a b/keyring.json", "/etc/keyward/keyring.json");
    CHECK_STR(w.text, "# the file is there 2 times:\n"
                      "install -m 0644 '/a b/keyring.json' /etc/keyward/keyring.json.new "
                      "&& mv /etc/keyward/keyring.json.new /etc/keyward/keyring.json\n");
}

KW_CASES("provider/cli/commands", CASE(command__longer_than_the_room__left_out_whole),
         CASE(command__words_that_a_shell_would_change__quoted),
         CASE(command__run_by_a_shell__the_same_words),
         CASE(when_and_install__lines_in_their_order))
