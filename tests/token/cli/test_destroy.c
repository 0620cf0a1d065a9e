/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a version: the irreversible word, and what the recorded tokens say of its
 * object. */
#include "site.h"
#include "words.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/clock.h>

static struct site s;

static void gone_of(uint32_t n, char dst[96])
{
    struct kw_keyring *ring = site_ring(&s);
    const struct kw_version *v = kw_keyring_by_n(ring, n);
    CHECK(v != NULL && v->object_count == 1 && v->objects[0].token_count == 1);
    snprintf(dst, 96, "%s", v->objects[0].tokens[0].gone);
    kw_keyring_give(ring);
}

static enum kw_key_state state_of(uint32_t n)
{
    struct kw_keyring *ring = site_ring(&s);
    enum kw_key_state state = kw_keyring_by_n(ring, n)->state;
    kw_keyring_give(ring);
    return state;
}

static uint64_t serial(void)
{
    struct kw_keyring *ring = site_ring(&s);
    uint64_t is = ring->serial;
    kw_keyring_give(ring);
    return is;
}

/* Another token of the same label in the place of the site's; called again, back. */
static void swap_token(struct site *other)
{
    char aside[160];
    const char *const pairs[][2] = {{s.tokens, other->tokens}, {s.pin, other->pin}};
    snprintf(aside, sizeof aside, "%s/aside", s.dir);
    CHECK(chmod(s.tokens, 0700) == 0 && chmod(other->tokens, 0700) == 0);
    for (size_t i = 0; i < 2; i++)
        CHECK(rename(pairs[i][0], aside) == 0 && rename(pairs[i][1], pairs[i][0]) == 0 &&
              rename(aside, pairs[i][1]) == 0);
}

TEST(its_object_is_an_active_versions__recorded_without_looking)
{
    char gone[96];
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create", "--destroyable");
    KEYWARD_MUST(&s, 0, "key", "create", "--same-key-as", "1");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy");
    site_edit(&s, "libsofthsm2.so", "libnothing.so"); /* who asks it, hears of it */
    KEYWARD_MUST(&s, 0, "key", "destroy", "1", "--said", "gone");
    CHECK_HAS(s.run.out, "its object must stay in the token: it is also the key of "
                         "version 2 (kw1-2-");
    CHECK_HAS(s.run.out, ", active)");
    CHECK_HAS(s.run.out, "key material gone: no");
    CHECK(strstr(s.run.out, "delete-") == NULL && strstr(s.run.out, "remove") == NULL);
    CHECK(strstr(s.run.out, "libnothing") == NULL && strstr(s.run.err, "lib") == NULL);
    CHECK(state_of(1) == KW_KEY_DESTROYED);
    gone_of(1, gone);
    CHECK_STR(gone, "");
    KEYWARD_MUST(&s, 0, "key", "show", "1");
    CHECK_HAS(s.run.out, "key material gone: no; it must stay");
    KEYWARD_MUST(&s, 0, "key", "destroy", "1", "--json"); /* a second look: the same */
    CHECK_HAS(s.run.out, "\"answer\": \"shared\"");
    CHECK_HAS(s.run.out, "\"state\": \"active\"");
    CHECK(serial() == 5);
    site_remove(&s);
}

TEST(still_there__recorded_and_told_that_pkcs11_never_deletes_it)
{
    char gone[96], command[2048], deletion[2048];
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "destroy", "1");
    CHECK(state_of(1) == KW_KEY_DESTROYED);
    CHECK_HAS(s.run.out, ": still there\nkey material gone: no\n");
    printed_command(s.run.out, "look again", 0, command);
    CHECK_HAS(command, "keyward key destroy 1");
    CHECK(words_run(&s, command) == 1);
    CHECK(serial() == 2); /* nothing new, nothing written */
    gone_of(1, gone);
    CHECK_STR(gone, "");
    CHECK_HAS(s.run.out, "CKA_DESTROYABLE is false");
    CHECK_HAS(s.run.out, "CKR_ACTION_PROHIBITED");
    CHECK(strstr(s.run.out, "--delete-object") == NULL);
    /* One after the other: a verb between them would seal the token again. */
    printed_command(s.run.out, "only the whole token can go", 0, command);
    printed_command(s.run.out, "only the whole token can go", 1, deletion);
    CHECK(words_run(&s, command) == 0);
    CHECK(words_run(&s, deletion) == 0);
    KEYWARD_MUST(&s, 3, "key", "destroy", "1");
    CHECK_HAS(s.run.out, "the configured token keyward gave no answer");
    site_remove(&s);
}

/* The run that makes it irreversible is not the one that tells how it is removed. */
TEST(still_there__no_word_of_removing_before_the_second_look)
{
    static const char *const words[] = {"delete", "remove", "chmod", "pkcs11-tool"};
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create", "--destroyable");
    KEYWARD_MUST(&s, 0, "key", "create");
    for (const char *n = "1"; n[0] <= '2'; n = n[0] == '1' ? "2" : "3") {
        KEYWARD_MUST(&s, 0, "key", "destroy", n);
        const char *end = strstr(s.run.out, "that says how it is removed:");
        CHECK(end != NULL && strstr(end, "#") == NULL);
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            const char *at = strstr(s.run.out, words[i]);
            CHECK(at == NULL || (at < end + 30 && at > end));
        }
        KEYWARD_MUST(&s, 1, "key", "destroy", n);
    }
    site_remove(&s);
}

/* `key prune` and `key destroy` do not send to each other for ever. */
TEST(still_there__what_is_said_of_it_is_not_taken)
{
    char command[2048], gone[96];
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "destroy", "1");
    KEYWARD_MUST(&s, 1, "key", "prune", "1");
    CHECK(strstr(s.run.err, "--said") == NULL);
    printed_command(s.run.err, NULL, 0, command);
    CHECK(words_run(&s, command) == 1);
    CHECK(strstr(s.run.out, "--said") == NULL);
    CHECK_HAS(s.run.out, "until then version 1 stays in the keyring, and does no harm");
    KEYWARD_MUST(&s, 1, "key", "destroy", "1", "--said", "it is gone");
    CHECK_HAS(s.run.out, ": still there: what was said of it is not recorded\n");
    gone_of(1, gone);
    CHECK_STR(gone, "");
    site_remove(&s);
}

/* Version 1 is the former baseline, and this node has taken the keyring in which it is
 * disabled then. */
static void disabled_here_since(struct kw_moment then)
{
    site_make(&s);
    for (const char *n = "1"; n[0] <= '2'; n = n[0] == '1' ? "2" : "3") {
        KEYWARD_MUST(&s, 0, "key", "create");
        KEYWARD_MUST(&s, 0, "key", "accept", n);
        KEYWARD_MUST(&s, 0, "key", "activate", n, "--only-copy", "--baseline", "--now");
    }
    site_take_ring(&s, 2, INT64_C(200000) * KW_S_NS);
    KEYWARD_MUST(&s, 0, "key", "disable", "1", WITHOUT_PROOF);
    CHECK_HAS(s.run.out, "when nothing has missed it for a day");
    KEYWARD_MUST(&s, 1, "key", "destroy", "1");
    CHECK_HAS(s.run.err, "this node's daemon has not yet seen version 1 as disabled");
    site_take_ring_at(&s, 2, then);
}

static void disabled_here(int64_t age_ns)
{
    disabled_here_since(ago(age_ns));
}

TEST(disabled_here_for_less_than_a_day__refused_but_with_now)
{
    disabled_here(INT64_C(86300) * KW_S_NS);
    KEYWARD_MUST(&s, 1, "key", "destroy", "1");
    CHECK_HAS(s.run.err, "version 1 is seen as disabled on this node only since 20");
    CHECK_HAS(s.run.err, "or say --now");
    CHECK(state_of(1) == KW_KEY_DISABLED);
    KEYWARD_MUST(&s, 0, "key", "destroy", "1", "--now", WITHOUT_PROOF);
    CHECK(state_of(1) == KW_KEY_DESTROYED);
    KEYWARD_MUST(&s, 1, "key", "destroy", "1"); /* a look waits for nothing */
    CHECK_HAS(s.run.out, "version 1 (kw1-1-");
    site_remove(&s);
}

/* Its own node would refuse the keyring that comes of it. */
TEST(wrapped_here_and_not_seen_disabled__refused_with_now_too)
{
    site_make(&s);
    for (const char *n = "1"; n[0] <= '2'; n = n[0] == '1' ? "2" : "3") {
        KEYWARD_MUST(&s, 0, "key", "create");
        KEYWARD_MUST(&s, 0, "key", "accept", n);
        KEYWARD_MUST(&s, 0, "key", "activate", n, "--only-copy", "--baseline", "--now");
        site_take_ring(&s, (uint32_t)(n[0] - '0'), 0);
    }
    KEYWARD_MUST(&s, 0, "key", "disable", "1", WITHOUT_PROOF);
    KEYWARD_MUST(&s, 1, "key", "destroy", "1", "--now");
    CHECK_HAS(s.run.err, "this node has wrapped with version 1, and its daemon has not "
                         "yet seen it as disabled");
    CHECK(strstr(s.run.err, "--now") == NULL);
    CHECK(state_of(1) == KW_KEY_DISABLED);
    site_take_ring(&s, 2, 0);
    KEYWARD_MUST(&s, 0, "key", "destroy", "1", "--now", WITHOUT_PROOF);
    KEYWARD_MUST(&s, 0, "key", "list"); /* and its node takes it */
    CHECK(strstr(s.run.out, "wrapped with") == NULL && s.run.err[0] == '\0');
    site_remove(&s);
}

TEST(disabled_here_for_a_day__destroyed)
{
    disabled_here(INT64_C(86401) * KW_S_NS);
    KEYWARD_MUST(&s, 0, "key", "destroy", "1", WITHOUT_PROOF);
    CHECK(state_of(1) == KW_KEY_DESTROYED);
    site_remove(&s);
}

/* A node whose clock was two days behind until ten seconds ago. */
TEST(disabled_here_and_clock_set_since__what_passed_counts)
{
    struct kw_moment seen = ago(10 * KW_S_NS);
    seen.wall_ns -= INT64_C(172800) * KW_S_NS;
    disabled_here_since(seen);
    KEYWARD_MUST(&s, 1, "key", "destroy", "1");
    CHECK_HAS(s.run.err, "version 1 is seen as disabled on this node only since 20");
    CHECK_HAS(s.run.err, "wait a day");
    CHECK(state_of(1) == KW_KEY_DISABLED);
    site_remove(&s);
}

/* The daemon has not taken the file in which it was enabled. */
TEST(enabled_and_disabled_since_then__waits_anew)
{
    disabled_here(INT64_C(90000) * KW_S_NS);
    KEYWARD_MUST(&s, 0, "key", "enable", "1");
    KEYWARD_MUST(&s, 0, "key", "disable", "1", WITHOUT_PROOF);
    KEYWARD_MUST(&s, 1, "key", "destroy", "1");
    CHECK_HAS(s.run.err, "has not yet seen version 1 as disabled");
    site_take_ring(&s, 2, 0);
    KEYWARD_MUST(&s, 1, "key", "destroy", "1");
    CHECK_HAS(s.run.err, "seen as disabled on this node only since 20");
    site_remove(&s);
}

/* Nobody ever unwrapped with it. */
/* Whatever is written of it: this node sealed under it. */
TEST(disabled_from_created_but_wrapped_here__waits_for_a_day)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "disable", "1");
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy");
    site_take_ring(&s, 1, 60 * KW_S_NS);
    KEYWARD_MUST(&s, 1, "key", "destroy", "1");
    CHECK_HAS(s.run.err, "version 1 is seen as disabled on this node only since 20");
    CHECK(state_of(1) == KW_KEY_DISABLED);
    site_remove(&s);
}

TEST(never_accepted__destroyed_at_once)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "disable", "1");
    KEYWARD_MUST(&s, 0, "key", "destroy", "1");
    CHECK(state_of(1) == KW_KEY_DESTROYED);
    site_remove(&s);
}

TEST(another_key_in_the_token__never_the_whole_of_it)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "destroy", "1");
    KEYWARD_MUST(&s, 1, "key", "destroy", "1");
    CHECK_HAS(s.run.out, "never the whole token");
    CHECK_HAS(s.run.out, "version 2 (kw1-2-");
    CHECK(strstr(s.run.out, "delete-token") == NULL);
    site_remove(&s);
}

/* The printed line, and the PIN that it would ask a person for. */
static void delete_as_told(void)
{
    char command[2048], pin[4200];
    static char told[sizeof s.run.out];
    KEYWARD_MUST(&s, 0, "key", "destroy", "1");
    KEYWARD_MUST(&s, 1, "key", "destroy", "1");
    snprintf(told, sizeof told, "%s", s.run.out);
    for (size_t i = 0; i < 3; i++) {
        printed_command(told, "PKCS#11 deletes it", i, command);
        snprintf(pin, sizeof pin, "%s%s%s%s", command, i == 1 ? " --pin $(cat " : "",
                 i == 1 ? s.pin : "", i == 1 ? ")" : "");
        if (words_run(&s, pin) != 0)
            fail_msg("%s: %s%s", pin, s.run.out, s.run.err);
    }
}

TEST(deleted_as_it_was_told__seen_gone_sealed_and_pruned)
{
    char gone[96];
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create", "--destroyable");
    delete_as_told();
    CHECK(site_sealed(s.tokens) >= 5);
    KEYWARD_MUST(&s, 1, "key", "prune", "1"); /* nobody has seen it yet */
    KEYWARD_MUST(&s, 0, "key", "destroy", "1");
    CHECK_HAS(s.run.out, ": gone, seen 20");
    CHECK_HAS(s.run.out, "key material gone: yes");
    gone_of(1, gone);
    CHECK(strncmp(gone, "seen 20", 7) == 0);
    CHECK(serial() == 3);
    KEYWARD_MUST(&s, 0, "key", "destroy", "1");
    CHECK(serial() == 3); /* it was seen already */
    KEYWARD_MUST(&s, 0, "key", "show", "1");
    CHECK_HAS(s.run.out, "key material gone: yes\n");
    CHECK_HAS(s.run.out, ": gone, seen 20");
    KEYWARD_MUST(&s, 0, "key", "prune", "1");
    struct kw_keyring *ring = site_ring(&s);
    CHECK(ring->count == 0 && ring->serial == 4 && ring->next_n == 2);
    CHECK(ring->history_count == 1);
    CHECK_STR(ring->history[0].act, "prune");
    kw_keyring_give(ring);
    KEYWARD_MUST(&s, 1, "key", "prune", "1");
    CHECK_HAS(s.run.err, "no version 1");
    site_remove(&s);
}

/* A restored backup has label and serial of its original: one row stands for both. */
TEST(a_second_copy_is_on_record__gone_from_the_tokens_is_not_all)
{
    static const char want[] =
        "key material gone: yes, from each of these tokens; of the "
        "second copy (opened on token keyward, serial ";
    char env[160];
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create", "--destroyable");
    site_clone_token(&s, env, sizeof env);
    KEYWARD_MUST(&s, 0, "key", "prove", "1", "--token", "pkcs11:token=keyward", "--env",
                 env);
    delete_as_told();
    KEYWARD_MUST(&s, 0, "key", "destroy", "1");
    CHECK_HAS(s.run.out, want);
    CHECK_HAS(s.run.out, ") nothing else is known\n");
    KEYWARD_MUST(&s, 0, "key", "show", "1");
    CHECK_HAS(s.run.out, want);
    KEYWARD_MUST(&s, 0, "key", "destroy", "1", "--json");
    CHECK_HAS(s.run.out, "\"key_material_gone\": null");
    CHECK_HAS(s.run.out, "\"second_copy_not_seen\": \"opened on token keyward, ");
    KEYWARD_MUST(&s, 0, "key", "show", "1", "--json");
    CHECK_HAS(s.run.out, "\"key_material_gone\": null");
    KEYWARD_MUST(&s, 0, "key", "prune", "1");
    CHECK_HAS(s.run.out, want);
    struct kw_keyring *ring = site_ring(&s);
    CHECK_HAS(ring->history[0].proof, ", second copy recorded");
    kw_keyring_give(ring);
    site_remove(&s);
}

TEST(another_token_of_that_label__not_asked_until_somebody_says)
{
    struct site other;
    char gone[96], command[2048];
    site_make(&s);
    site_make(&other);
    KEYWARD_MUST(&s, 0, "key", "create", "--operator", "Ada");
    swap_token(&other);
    KEYWARD_MUST(&s, 0, "key", "destroy", "1");
    CHECK_HAS(s.run.out, "not asked");
    gone_of(1, gone);
    CHECK_STR(gone, "");
    KEYWARD_MUST(&s, 3, "key", "destroy", "1");
    KEYWARD_MUST(&s, 1, "key", "prune", "1");
    printed_command(s.run.err, NULL, 0, command);
    CHECK(words_run(&s, command) == 3);
    printed_command(s.run.out, "cannot be asked any more", 0, command);
    CHECK_HAS(command, "keyward key destroy 1 --said WHY");
    KEYWARD_MUST(&s, 0, "key", "destroy", "1", "--said", "zeroized, ticket 7",
                 "--operator", "Ada");
    gone_of(1, gone);
    CHECK(strncmp(gone, "said Ada 20", 11) == 0);
    CHECK_HAS(gone, "Z: zeroized, ticket 7");
    CHECK_HAS(s.run.out, "key material gone: yes");
    swap_token(&other); /* and there it is */
    KEYWARD_MUST(&s, 1, "key", "destroy", "1");
    gone_of(1, gone);
    CHECK_STR(gone, "");
    CHECK_HAS(s.run.out, "key material gone: no");
    site_remove(&other);
    site_remove(&s);
}

TEST(words_that_do_not_fit__refused_and_nothing_written)
{
    char why[200];
    struct site other;
    site_make(&s);
    site_make(&other);
    KEYWARD_MUST(&s, 0, "key", "create");
    swap_token(&other);
    memset(why, 'x', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    KEYWARD_MUST(&s, 1, "key", "destroy", "1", "--said", why);
    CHECK_HAS(s.run.err, "--said: too long by");
    KEYWARD_MUST(&s, 1, "key", "destroy", "1", "--said", "a\tb");
    CHECK(serial() == 1 && state_of(1) == KW_KEY_CREATED);
    site_remove(&other);
    site_remove(&s);
}

TEST(no_answer_from_the_token__recorded_all_the_same)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    site_edit(&s, "libsofthsm2.so", "libnothing.so");
    KEYWARD_MUST(&s, 0, "key", "destroy", "1");
    CHECK_HAS(s.run.out, "the configured token keyward gave no answer: ");
    CHECK_HAS(s.run.out, "libnothing.so");
    CHECK(state_of(1) == KW_KEY_DESTROYED);
    KEYWARD_MUST(&s, 3, "key", "destroy", "1", "--json");
    CHECK_HAS(s.run.out, "\"key_material_gone\": false");
    CHECK_HAS(s.run.out, "\"answer\": \"not asked\"");
    site_remove(&s);
}

TEST(in_use__not_destroyed_and_no_login)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    site_edit(&s, "libsofthsm2.so", "libnothing.so");
    KEYWARD_MUST(&s, 1, "key", "destroy", "1");
    CHECK_HAS(s.run.err, "it is accepted, so data may be sealed under it");
    KEYWARD_MUST(&s, 1, "key", "prune", "1");
    CHECK_HAS(s.run.err,
              "no prune: it is in use; this is for versions that are destroyed");
    site_remove(&s);
}

KW_CASES("token/cli/destroy",
         CASE(its_object_is_an_active_versions__recorded_without_looking),
         CASE(still_there__recorded_and_told_that_pkcs11_never_deletes_it),
         CASE(still_there__no_word_of_removing_before_the_second_look),
         CASE(still_there__what_is_said_of_it_is_not_taken),
         CASE(disabled_here_for_less_than_a_day__refused_but_with_now),
         CASE(wrapped_here_and_not_seen_disabled__refused_with_now_too),
         CASE(disabled_from_created_but_wrapped_here__waits_for_a_day),
         CASE(disabled_here_for_a_day__destroyed),
         CASE(disabled_here_and_clock_set_since__what_passed_counts),
         CASE(enabled_and_disabled_since_then__waits_anew),
         CASE(never_accepted__destroyed_at_once),
         CASE(another_key_in_the_token__never_the_whole_of_it),
         CASE(deleted_as_it_was_told__seen_gone_sealed_and_pruned),
         CASE(a_second_copy_is_on_record__gone_from_the_tokens_is_not_all),
         CASE(another_token_of_that_label__not_asked_until_somebody_says),
         CASE(words_that_do_not_fit__refused_and_nothing_written),
         CASE(no_answer_from_the_token__recorded_all_the_same),
         CASE(in_use__not_destroyed_and_no_login))
