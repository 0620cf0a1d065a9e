/* SPDX-License-Identifier: Apache-2.0 */
/* Files that somebody says to take although they do not follow. */
#include "judged.h"

#include <stdio.h>

TEST(trust__of_another_file__refused)
{
    struct kw_keyring *file = good_file();
    struct kw_keyring *a = acted(file, KW_ACT_RETIRE, 3);
    struct kw_keyring *b = acted(file, KW_ACT_DISABLE, 3);
    struct kw_marks marks = seen(a);
    trust_in(&marks, file);
    is_judged(b, &marks, KW_REFUSED_FORK, 0);
    kw_keyring_give(file);
    kw_keyring_give(a);
    kw_keyring_give(b);
}

/* Nothing sealed under version 2 could be read again. */
TEST(trust__without_what_was_wrapped_with__refused)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    struct kw_keyring *other = NULL;
    struct kw_version v = good_version(1, KW_KEY_ACTIVE);
    CHECK_OK(kw_keyring_new("demo", &other));
    CHECK_OK(kw_keyring_add(other, &v));
    other->active = 1;
    other->serial = 1;
    other = reread(other);
    trust_in(&marks, other);
    is_judged(other, &marks, KW_REFUSED_UNTRUSTED, 2);
    struct kw_keyring *renamed = with_version(other, 2, "kw1-2-ffffffffffffffffffffffff");
    trust_in(&marks, renamed);
    is_judged(renamed, &marks, KW_REFUSED_UNTRUSTED, 2);
    kw_keyring_give(renamed);
    kw_keyring_give(other);
    kw_keyring_give(file);
}

/* Whoever destroyed it there did not ask this node, whatever this node saw in files of
 * its own. */
TEST(trust__destroys_what_was_wrapped_with__refused)
{
    static const char *const was[] = {"retired", "disabled"};
    for (size_t i = 0; i < 2; i++) {
        struct kw_keyring *fork = good_file();
        struct kw_keyring *file = acted(fork, KW_ACT_DISABLE, 3);
        struct kw_marks marks = seen(file);
        snprintf(marks.versions[0].state, sizeof marks.versions[0].state, "%s", was[i]);
        marks.versions[0].wrapped = true;
        becomes(&fork, acted(fork, KW_ACT_DISABLE, 1));
        becomes(&fork, acted(fork, KW_ACT_DESTROY, 1));
        trust_in(&marks, fork);
        is_judged(fork, &marks, KW_REFUSED_UNTRUSTED, 1);
        becomes(&fork, acted(fork, KW_ACT_PRUNE, 1));
        is_judged(fork, &marks, KW_REFUSED_UNTRUSTED, 1);
        snprintf(marks.versions[0].state, sizeof marks.versions[0].state, "destroyed");
        taken(&marks, fork);
        kw_keyring_give(fork);
        kw_keyring_give(file);
    }
}

TEST(trust__lower_baseline__refused)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = acted(old, KW_ACT_ACTIVATE, 3);
    struct kw_marks marks = seen(file);
    trust_in(&marks, old);
    is_judged(old, &marks, KW_REFUSED_BASELINE, 3);
    kw_keyring_give(old);
    kw_keyring_give(file);
}

/* A version that nothing here was sealed under may be missing, and a number may be given
 * again: that is what the trust is about. */
TEST(trust__older_fork_or_far__taken_once)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = with_version(old, 4, "kw1-4-000000000000000000000004");
    struct kw_keyring *fork = with_version(old, 4, "kw1-4-ffffffffffffffffffffffff");
    struct kw_marks marks = seen(file);
    trust_in(&marks, old);
    taken(&marks, old);
    CHECK(marks.serial == 7 && marks.trust.sha256_len == 0);
    CHECK(marks.trusted.sha256_len == 32);
    taken(&marks, fork); /* it follows from there */
    is_judged(old, &marks, KW_REFUSED_OLDER, 0);
    is_judged(file, &marks, KW_REFUSED_FORK, 0);
    trust_in(&marks, file);
    taken(&marks, file);
    CHECK_STR(kw_marks_of(&marks, 4)->id.key_id, "kw1-4-000000000000000000000004");
    for (unsigned i = 0; i <= KW_ANCESTORS_MAX; i++)
        becomes(&file, reread(change(file)));
    is_judged(file, &marks, KW_REFUSED_FAR, 0);
    trust_in(&marks, file);
    taken(&marks, file);
    kw_keyring_give(old);
    kw_keyring_give(file);
    kw_keyring_give(fork);
}

/* Whoever trusts a file trusts what is made from it: taking one after the other would
 * come to the same. */
TEST(trust__the_file_after_it__taken_and_the_trust_is_used)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = acted(old, KW_ACT_RETIRE, 3);
    struct kw_keyring *fork = acted(old, KW_ACT_DISABLE, 3);
    struct kw_marks marks = seen(file);
    trust_in(&marks, fork);
    becomes(&fork, acted(fork, KW_ACT_ENABLE, 3));
    becomes(&fork, acted(fork, KW_ACT_ACTIVATE, 3));
    taken(&marks, fork);
    CHECK(marks.trust.sha256_len == 0 && marks.trusted.sha256_len == 32);
    kw_keyring_give(old);
    kw_keyring_give(file);
    kw_keyring_give(fork);
}

/* Sixty-four files after it this node cannot tell any more that it was ours. */
TEST(trust__of_one_that_may_have_been_ours__not_for_a_fork)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = acted(old, KW_ACT_RETIRE, 3);
    struct kw_keyring *fork = acted(old, KW_ACT_DISABLE, 3);
    for (unsigned i = 0; i < KW_ANCESTORS_MAX; i++)
        becomes(&file, reread(change(file)));
    struct kw_marks marks = seen(file);
    trust_in(&marks, old);
    is_judged(fork, &marks, KW_REFUSED_FORK, 0);
    kw_keyring_give(old);
    kw_keyring_give(file);
    kw_keyring_give(fork);
}

/* Sixty-five files say nothing of what this node sealed: it was not there to be asked. */
TEST(trust__destroyed_and_pruned_while_far_away__unless_it_wrapped)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    CHECK(kw_marks_of(&marks, 2)->wrapped);
    becomes(&file, acted(file, KW_ACT_ACTIVATE, 3));
    destroy_and_prune(&file, 2);
    for (unsigned i = 0; i <= KW_ANCESTORS_MAX; i++)
        becomes(&file, reread(change(file)));
    is_judged(file, &marks, KW_REFUSED_FAR, 0);
    trust_in(&marks, file);
    is_judged(file, &marks, KW_REFUSED_UNTRUSTED, 2);
    marks.versions[1].wrapped = false;
    taken(&marks, file);
    kw_keyring_give(file);
}

KW_CASES("hsm/keyring/trust", CASE(trust__destroys_what_was_wrapped_with__refused),
         CASE(trust__of_another_file__refused),
         CASE(trust__without_what_was_wrapped_with__refused),
         CASE(trust__lower_baseline__refused), CASE(trust__older_fork_or_far__taken_once),
         CASE(trust__the_file_after_it__taken_and_the_trust_is_used),
         CASE(trust__of_one_that_may_have_been_ours__not_for_a_fork),
         CASE(trust__destroyed_and_pruned_while_far_away__unless_it_wrapped))
