/* SPDX-License-Identifier: Apache-2.0 */
/* A key in a second token: opened there, recorded once, asked for no more. */
#include "site.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/act.h>
#include <keyward/state.h>

static struct site s;
static char env[160]; /* of the copy */

/* A copy of the token, with one version in it; another token to that module's eyes when
 * it is another `serial`: SoftHSM derives it from the folder's name and the token's file,
 * so here a copy has the same. */
static void make_with_copy(void)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    site_clone_token(&s, env, sizeof env);
}

#define PROVE(want, ...)                                                                 \
    KEYWARD_MUST(&s, want, "key", "prove", "1", "--token", "pkcs11:token=keyward",       \
                 __VA_ARGS__)

static void activation(struct kw_activation *ret_act)
{
    struct kw_state_dir *dir = NULL;
    CHECK_OK(kw_state_open(s.state, &dir, NULL));
    CHECK_OK(kw_state_activation(dir, ret_act, NULL));
    kw_state_close(dir);
}

TEST(no_token_or_a_wrong_one__nothing_written)
{
    make_with_copy();
    KEYWARD_MUST(&s, 2, "key", "prove", "1");
    KEYWARD_MUST(&s, 2, "key", "prove", "1", "--token", "keyward", "--pin", "file:/x");
    KEYWARD_MUST(&s, 1, "key", "prove", "1", "--token", "nobody");
    CHECK_HAS(s.run.err, "no token 'nobody'");
    PROVE(1, "--env", "nonsense");
    CHECK_HAS(s.run.err, "--env wants NAME=VALUE");
    KEYWARD_MUST(&s, 3, "key", "prove", "1", "--token", "pkcs11:token=another");
    KEYWARD_MUST(&s, 1, "key", "prove", "2", "--token", "keyward");
    struct kw_keyring *ring = site_ring(&s);
    CHECK(ring->serial == 1 && ring->versions[0].second_copy[0] == '\0');
    kw_keyring_give(ring);
    site_remove(&s);
}

TEST(a_copy_without_the_key__refused)
{
    site_make(&s);
    site_clone_token(&s, env, sizeof env);
    KEYWARD_MUST(&s, 0, "key", "create");
    PROVE(1, "--env", env);
    CHECK_HAS(s.run.err, "no secret key with label");
    site_remove(&s);
}

TEST(the_ceremonys_own_token__a_row_and_no_second_copy)
{
    make_with_copy();
    KEYWARD_MUST(&s, 0, "key", "prove", "1", "--token", "keyward");
    CHECK_HAS(s.run.out, "no second copy is proven by it");
    struct kw_keyring *ring = site_ring(&s);
    const struct kw_version *v = &ring->versions[0];
    CHECK(ring->serial == 2 && v->objects[0].token_count == 1);
    CHECK(strcmp(v->objects[0].tokens[0].proven, v->created) > 0);
    CHECK_STR(v->second_copy, "");
    CHECK_STR(ring->history[1].act, "prove");
    CHECK_HAS(ring->history[1].proof, "opened on token keyward, serial ");
    kw_keyring_give(ring);
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 2, "key", "activate", "1");
    site_remove(&s);
}

TEST(proven_once__no_activation_asks_again)
{
    struct kw_activation act;
    make_with_copy();
    PROVE(0, "--env", env, "--operator", "Ada");
    CHECK_HAS(s.run.out, "install -m 0644 FROM ");
    struct kw_keyring *ring = site_ring(&s);
    CHECK_HAS(ring->versions[0].second_copy, "opened on token keyward, serial ");
    CHECK_STR(ring->history[1].by, "Ada");
    kw_keyring_give(ring);
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    CHECK(strstr(s.run.out, "only-copy") == NULL);
    KEYWARD_MUST(&s, 0, "key", "activate", "1");
    CHECK_HAS(s.run.out, "as the keyring says: opened on token keyward");
    activation(&act);
    CHECK_HAS(act.proof, "opened on token keyward");
    site_remove(&s);
}

/* Another token, made anew with the key's file of the first one: what a vendor's backup
 * restored elsewhere is.  SoftHSM's serial is the token's own. */
static void second_row(void)
{
    struct kw_keyring *ring = site_ring(&s), *changed = NULL;
    struct kw_object_token row = {.label = "backup", .serial = "0000000000000001"};
    const struct kw_act_facts facts = {.at = "2026-11-26T12:00:00.000000Z",
                                       .by = "Ada",
                                       .tool = "keyward 0.1.0",
                                       .proof = "opened"};
    CHECK_OK(kw_keyring_dup(ring, &changed));
    CHECK_OK(kw_act_prove(changed, 1, &row, &facts));
    CHECK_OK(kw_keyring_save(s.keyring, changed, ring->sha256, NULL));
    kw_keyring_give(changed);
    kw_keyring_give(ring);
}

TEST(a_second_row_that_was_proven__is_proof_enough)
{
    make_with_copy();
    second_row();
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1");
    CHECK_HAS(s.run.out, "as the keyring says: opened on token backup, serial "
                         "0000000000000001, 2026-11-26T12:00:00.000000Z");
    site_remove(&s);
}

static void make_the_next_one(void)
{
    make_with_copy();
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--only-copy");
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
}

TEST(said_on_this_node_alone__kept_told_and_carried_to_the_baseline)
{
    struct kw_activation act;
    make_the_next_one();
    KEYWARD_MUST(&s, 2, "key", "activate", "2", "--now");
    CHECK_HAS(s.run.err, "keyward key prove once for all nodes");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--now", "--second-copy", "seen on B",
                 "--operator", "Ada");
    CHECK_HAS(s.run.out, "stated: seen on B; recorded on this node alone (");
    CHECK_HAS(s.run.out, "/activation.json)");
    activation(&act);
    CHECK_STR(act.proof, "stated: seen on B");
    struct kw_keyring *ring = site_ring(&s);
    CHECK_STR(ring->versions[1].second_copy, "");
    kw_keyring_give(ring);
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--baseline", "--operator", "Eve");
    CHECK_HAS(s.run.out, "recorded in the keyring: no node asks for it again");
    ring = site_ring(&s);
    CHECK_STR(ring->versions[1].second_copy, "stated: seen on B");
    kw_keyring_give(ring);
    site_remove(&s);
}

TEST(only_copy_on_this_node__carried_with_who_and_when)
{
    struct kw_activation act;
    char want[128];
    make_the_next_one();
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--now", "--only-copy", "--operator",
                 "Ada");
    activation(&act);
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--baseline", "--operator", "Eve");
    struct kw_keyring *ring = site_ring(&s);
    snprintf(want, sizeof want, "only-copy: Ada, %s", act.at);
    CHECK_STR(ring->versions[1].second_copy, want);
    kw_keyring_give(ring);
    site_remove(&s);
}

TEST(a_weaker_word_than_the_keyrings__not_taken_and_told)
{
    struct kw_activation act;
    make_with_copy();
    PROVE(0, "--env", env);
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--only-copy", "--baseline");
    CHECK_HAS(s.run.out, "as the keyring says: opened on token keyward, serial ");
    CHECK_HAS(s.run.out,
              "kept          --only-copy is a weaker word and replaces nothing");
    activation(&act);
    CHECK_HAS(act.proof, "opened on token keyward");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--second-copy", "in the safe", "--json");
    CHECK_HAS(s.run.out, "\"proof\": \"opened on token keyward");
    CHECK_HAS(s.run.out, "\"weaker_word_left_out\": true");
    struct kw_keyring *ring = site_ring(&s);
    CHECK_HAS(ring->versions[0].second_copy, "opened on token keyward");
    CHECK_HAS(ring->history[ring->history_count - 1].proof, "opened on token keyward");
    kw_keyring_give(ring);
    site_remove(&s);
}

TEST(a_weaker_word_than_this_nodes__not_taken_a_stronger_one_is)
{
    struct kw_activation act;
    make_the_next_one();
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--now", "--only-copy");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--now", "--second-copy", "on B");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--now", "--only-copy", "--baseline");
    CHECK_HAS(s.run.out, "stated: on B; recorded in the keyring");
    CHECK_HAS(s.run.out, "--only-copy is a weaker word");
    activation(&act);
    CHECK_STR(act.proof, "stated: on B");
    struct kw_keyring *ring = site_ring(&s);
    CHECK_STR(ring->versions[1].second_copy, "stated: on B");
    kw_keyring_give(ring);
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--now", "--second-copy", "on C",
                 "--baseline"); /* as strong a word, and the newer one */
    ring = site_ring(&s);
    CHECK_STR(ring->versions[1].second_copy, "stated: on C");
    kw_keyring_give(ring);
    site_remove(&s);
}

TEST(what_this_node_said_of_another_version__is_no_word_on_this_one)
{
    make_the_next_one();
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--now", "--only-copy");
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "3");
    KEYWARD_MUST(&s, 2, "key", "activate", "3", "--now");
    site_remove(&s);
}

TEST(seen_with_the_baseline__one_file_a_row_and_the_word)
{
    make_with_copy();
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--second-copy-token",
                 "pkcs11:token=keyward", "--second-copy-env", env);
    struct kw_keyring *ring = site_ring(&s);
    const struct kw_version *v = &ring->versions[0];
    CHECK(ring->serial == 3 && ring->history_count == 4);
    CHECK_STR(ring->history[2].act, "activate");
    CHECK_STR(ring->history[3].act, "prove");
    CHECK(ring->history[3].serial == 3);
    CHECK(strcmp(v->objects[0].tokens[0].proven, v->accepted) > 0);
    CHECK_HAS(v->second_copy, "opened on token keyward");
    kw_keyring_give(ring);
    site_remove(&s);
}

KW_CASES("token/cli/prove", CASE(no_token_or_a_wrong_one__nothing_written),
         CASE(a_copy_without_the_key__refused),
         CASE(the_ceremonys_own_token__a_row_and_no_second_copy),
         CASE(proven_once__no_activation_asks_again),
         CASE(a_second_row_that_was_proven__is_proof_enough),
         CASE(said_on_this_node_alone__kept_told_and_carried_to_the_baseline),
         CASE(only_copy_on_this_node__carried_with_who_and_when),
         CASE(a_weaker_word_than_the_keyrings__not_taken_and_told),
         CASE(a_weaker_word_than_this_nodes__not_taken_a_stronger_one_is),
         CASE(what_this_node_said_of_another_version__is_no_word_on_this_one),
         CASE(seen_with_the_baseline__one_file_a_row_and_the_word))
