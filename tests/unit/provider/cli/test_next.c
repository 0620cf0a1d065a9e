/* SPDX-License-Identifier: Apache-2.0 */
/* What comes after each act: one place changes, the others copy. */
#include "check.h"

#include <stdio.h>

#include "next.h"

static struct kw_commands next;

static const char *after(enum kw_act act, struct kw_next_facts facts)
{
    facts.config = facts.config != NULL ? facts.config : "";
    facts.keyring = "/etc/keyward/keyring.json";
    facts.n = facts.n != 0 ? facts.n : 2;
    next = (struct kw_commands){.len = 0};
    kw_next_after(act, &facts, &next);
    return next.text;
}
#define AFTER(act, ...) after(act, (struct kw_next_facts){__VA_ARGS__})

#define COPY                                                                             \
    "install -m 0644 FROM /etc/keyward/keyring.json.new && mv "                          \
    "/etc/keyward/keyring.json.new /etc/keyward/keyring.json\n"

/* The line that begins so; they stand in the order in which they are asked for. */
static const char *line(const char *text, const char *begin)
{
    char want[256];
    if (strncmp(text, begin, strlen(begin)) == 0)
        return text;
    snprintf(want, sizeof want, "\n%s", begin);
    const char *at = strstr(text, want);
    if (at == NULL)
        fail_msg("no line \"%s\" in:\n%s", begin, text);
    return at + 1;
}

TEST(too_long_a_line__left_out_whole)
{
    static char word[KW_CURE_MAX];
    memset(word, 'x', sizeof word - 1);
    next = (struct kw_commands){.len = 0};
    kw_commands_add(&next, "first");
    kw_commands_add(&next, "%s", word);
    kw_commands_add(&next, "second");
    CHECK_STR(next.text, "first\nsecond\n");
}

TEST(nothing_active_yet__activation_first_and_no_copy_before_it)
{
    const char *text = AFTER(KW_ACT_ACCEPT, .n = 1, .former = 0);
    CHECK(strstr(text, "FROM") == NULL && strstr(text, "five minutes") == NULL);
    line(text, "keyward key activate 1 --second-copy-token URI\n");
    line(text, "keyward key activate 1 --only-copy\n");
    text = AFTER(KW_ACT_ACCEPT, .n = 1, .former = 0, .has_copy = true);
    line(text, "keyward key activate 1\n");
    CHECK(strstr(text, "--only-copy") == NULL);
}

TEST(a_next_one_accepted__copy_reload_five_minutes_each_node_baseline)
{
    const char *text = AFTER(KW_ACT_ACCEPT, .former = 1, .has_copy = true);
    text = line(text, "# one place makes every change");
    text = line(text, COPY);
    text = line(text, "systemctl reload keywardd\n");
    text = line(text, "# five minutes after the last reload (--now does not wait)");
    text = line(text, "keyward key activate 2\n");
    text = line(text, "systemctl reload keywardd\n");
    line(text, "keyward key activate 2 --baseline\n");
}

TEST(no_second_copy_known__proven_once_before_it_is_handed_out)
{
    const char *text = AFTER(KW_ACT_ACCEPT, .former = 1);
    text = line(text, "keyward key prove 2 --token URI\n");
    text = line(text, COPY);
    line(text, "keyward key activate 2 --only-copy\n");
}

TEST(activated_here__the_other_nodes_then_the_baseline)
{
    const char *text = AFTER(KW_ACT_ACTIVATE, .former = 1, .node_only = true);
    CHECK(strstr(text, "FROM") == NULL); /* the keyring did not change */
    text = line(text, "systemctl reload keywardd\n");
    line(text, "keyward key activate 2 --baseline\n");
}

TEST(baseline_moved__handed_out_again_and_the_former_one_named)
{
    const char *text = AFTER(KW_ACT_ACTIVATE, .former = 1);
    text = line(text, COPY);
    text = line(text, "systemctl reload keywardd\n");
    line(text, "keyward key disable 1\n");
    text = AFTER(KW_ACT_ACTIVATE, .n = 1, .former = 0);
    line(text, COPY);
    CHECK(strstr(text, "disable") == NULL);
}

TEST(every_act_that_changes_the_file__copy_and_reload)
{
    static const enum kw_act acts[] = {KW_ACT_RETIRE,  KW_ACT_DISABLE, KW_ACT_ENABLE,
                                       KW_ACT_DESTROY, KW_ACT_PRUNE,   KW_ACT_PROVE};
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        const char *text = AFTER(acts[i], .former = 1, .state = KW_KEY_ACCEPTED);
        line(line(text, COPY), "systemctl reload keywardd\n");
    }
    CHECK_HAS(AFTER(KW_ACT_ENABLE, .state = KW_KEY_ACCEPTED), "five minutes anew");
    CHECK(strstr(AFTER(KW_ACT_ENABLE, .state = KW_KEY_RETIRED), "five minutes") == NULL);
}

TEST(another_configuration__in_every_command_of_ours)
{
    const char *text =
        AFTER(KW_ACT_ACCEPT, .former = 1, .has_copy = true, .config = " --config /x");
    line(text, "keyward key activate 2 --config /x\n");
    next = (struct kw_commands){.len = 0};
    kw_next_cure("# when\nkeyward key enable 2\nmv a b\n", " --config /x", &next);
    CHECK_STR(next.text, "# when\nkeyward key enable 2 --config /x\nmv a b\n");
}

KW_CASES("provider/cli/next", CASE(too_long_a_line__left_out_whole),
         CASE(nothing_active_yet__activation_first_and_no_copy_before_it),
         CASE(a_next_one_accepted__copy_reload_five_minutes_each_node_baseline),
         CASE(no_second_copy_known__proven_once_before_it_is_handed_out),
         CASE(activated_here__the_other_nodes_then_the_baseline),
         CASE(baseline_moved__handed_out_again_and_the_former_one_named),
         CASE(every_act_that_changes_the_file__copy_and_reload),
         CASE(another_configuration__in_every_command_of_ours))
