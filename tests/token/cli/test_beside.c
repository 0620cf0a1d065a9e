/* SPDX-License-Identifier: Apache-2.0 */
/* A ceremony on a token that holds keys already: of this domain and unknown to the
 * keyring, or of other domains. */
#include "lost.h"
#include "words.h"

#include <unistd.h>

#include <keyward/act.h>

#define KEY(want, ...) KEYWARD_MUST(&lost.s, want, "key", __VA_ARGS__)

/* Nothing was made: as many names in the token as before, and it is sealed. */
static void nothing_made(size_t names)
{
    CHECK(site_sealed(lost.s.tokens) == names);
}

/* What the first node's site is to a second one, with the same token. */
static void become_a_new_node(void)
{
    char act[160];
    snprintf(act, sizeof act, "%s/activation.json", lost.s.state);
    CHECK(unlink(lost.s.keyring) == 0 && unlink(act) == 0);
}

/* As the second node of a cluster, whose keyring nobody has copied there. */
TEST(no_keyring_and_a_key_of_this_domain__refused_and_named)
{
    lost_begin(1, false);
    become_a_new_node();
    size_t names = site_names(lost.s.tokens);
    KEY(1, "create");
    CHECK_HAS(lost.s.run.err, lost.key_id[1]);
    CHECK_HAS(lost.s.run.err, "another node");
    CHECK_HAS(lost.s.run.err, "--adopt");
    CHECK_HAS(lost.s.run.err, "--beside-others");
    lost_still();
    nothing_made(names);
    lost_end();
}

/* An older copy of the keyring was put back on a node that remembers nothing. */
TEST(key_that_an_older_keyring_does_not_know__refused_until_it_is_adopted)
{
    lost_begin(1, false);
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/cp", lost.s.keyring, lost.backup, NULL});
    KEY(0, "create");
    lost_names();
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/cp", lost.backup, lost.s.keyring, NULL});
    size_t names = site_names(lost.s.tokens);
    KEY(1, "create");
    CHECK_HAS(lost.s.run.err, lost.key_id[2]);
    HAS_NOT(lost.s.run.err, lost.key_id[1]);
    KEY(1, "create", "--json");
    CHECK_HAS(lost.s.run.out, lost.key_id[2]);
    nothing_made(names);
    ADOPT(0, lost.key_id[2], "--unproven");
    KEY(0, "create");
    lost_end();
}

/* A fork was resolved, and the other side's key of that number is in the token for
 * good. */
TEST(its_number_is_another_keys_here__no_way_is_told_that_cannot_work)
{
    char theirs[KW_KEY_ID_MAX + 1], command[2048];
    lost_begin(1, false);
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/cp", lost.s.keyring, lost.backup, NULL});
    KEY(0, "create");
    lost_names();
    snprintf(theirs, sizeof theirs, "%s", lost.key_id[2]);
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/cp", lost.backup, lost.s.keyring, NULL});
    KEY(0, "create", "--beside-others");
    lost_names();
    KEY(1, "create");
    CHECK_HAS(lost.s.run.err, theirs);
    CHECK_HAS(lost.s.run.err, "version 2 here is ");
    CHECK_HAS(lost.s.run.err, lost.key_id[2]);
    HAS_NOT(lost.s.run.err, "--adopt");
    HAS_NOT(lost.s.run.err, "copy that file");
    printed_command(lost.s.run.err, NULL, 0, command);
    CHECK_HAS(command, "--beside-others");
    CHECK(words_run(&lost.s, command) == 0);
    lost_end();
}

/* It makes no key that could be one too many. */
TEST(same_key_as_beside_an_unknown_one__made_and_named)
{
    lost_begin(1, false);
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/cp", lost.s.keyring, lost.backup, NULL});
    KEY(0, "create");
    lost_names();
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/cp", lost.backup, lost.s.keyring, NULL});
    KEY(0, "create", "--same-key-as", "1");
    CHECK_HAS(lost.s.run.out, lost.key_id[2]);
    lost_end();
}

TEST(beside_others_spoken_out__made_and_named)
{
    lost_begin(1, false);
    become_a_new_node();
    KEY(0, "create", "--beside-others");
    CHECK_HAS(lost.s.run.out, lost.key_id[1]);
    KEY(0, "create", "--beside-others", "--json");
    CHECK_HAS(lost.s.run.out, "\"unknown_here\"");
    CHECK_HAS(lost.s.run.out, lost.key_id[1]);
    struct kw_keyring *ring = lost_load(lost.s.keyring);
    CHECK(ring->count == 2);
    kw_keyring_give(ring);
    lost_end();
}

TEST(first_key_of_another_domain__refused_then_named)
{
    lost_begin(1, false);
    become_a_new_node();
    site_edit(&lost.s, "domain: demo", "domain: clutser");
    size_t names = site_names(lost.s.tokens);
    KEY(1, "create");
    CHECK_HAS(lost.s.run.err, "domain clutser");
    CHECK_HAS(lost.s.run.err, lost.key_id[1]);
    CHECK_HAS(lost.s.run.err, "--beside-others");
    HAS_NOT(lost.s.run.err, "--adopt");
    lost_still();
    nothing_made(names);
    KEY(0, "create", "--beside-others");
    KEY(0, "create"); /* now that there is a keyring, they are only named */
    CHECK_HAS(lost.s.run.out, lost.key_id[1]);
    lost_end();
}

TEST(object_of_a_pruned_version__known)
{
    struct kw_keyring *ring, *changed = NULL;
    const struct kw_act_facts facts = {.at = "2026-01-01T00:00:00.000000Z"};
    lost_begin(1, false);
    KEY(0, "create");
    ring = lost_load(lost.s.keyring);
    CHECK_OK(kw_keyring_dup(ring, &changed));
    CHECK_OK(kw_act_apply(changed, KW_ACT_DESTROY, 2, &facts, NULL));
    CHECK_OK(kw_act_apply(changed, KW_ACT_PRUNE, 2, &facts, NULL));
    CHECK_OK(kw_keyring_save(lost.s.keyring, changed, ring->sha256, NULL));
    kw_keyring_give(changed);
    kw_keyring_give(ring);
    KEY(0, "create");
    lost_end();
}

TEST(token_does_not_answer__could_not_look)
{
    lost_begin(1, true);
    size_t names = site_names(lost.s.tokens);
    site_tell(&lost.s, "C_FindObjects rv=0x30\n"); /* CKR_DEVICE_ERROR */
    KEY(3, "create");
    CHECK_HAS(lost.s.run.err, "CKR_DEVICE_ERROR");
    nothing_made(names);
    lost_end();
}

KW_CASES("token/cli/beside", CASE(no_keyring_and_a_key_of_this_domain__refused_and_named),
         CASE(key_that_an_older_keyring_does_not_know__refused_until_it_is_adopted),
         CASE(its_number_is_another_keys_here__no_way_is_told_that_cannot_work),
         CASE(same_key_as_beside_an_unknown_one__made_and_named),
         CASE(beside_others_spoken_out__made_and_named),
         CASE(first_key_of_another_domain__refused_then_named),
         CASE(object_of_a_pruned_version__known),
         CASE(token_does_not_answer__could_not_look))
