/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring is lost, and the key lies in the token: what proves that it is the old one,
 * and what is built upon. */
#include "lost.h"

#include <unistd.h>

#include <keyward/act.h>
#include <keyward/file.h>

/* Nodes take the new ring: it follows the one that they took last. */
static void must_follow(uint64_t serial, const uint8_t sha256[32])
{
    struct kw_keyring *ring = lost_load(lost.s.keyring);
    CHECK(ring->serial == serial + 1);
    CHECK(ring->ancestor_count == serial);
    CHECK(kw_span_equal(kw_span_of(ring->ancestors[0], 32), kw_span_of(sha256, 32)));
    kw_keyring_give(ring);
}

TEST(backup__opens_its_check_blob_and_keeps_the_record)
{
    lost_begin(1, false);
    struct kw_keyring *whole = lost_load(lost.s.keyring), *old = lost_load(lost.backup);
    lost_lose(false);
    ADOPT(0, lost.key_id[1], "--keyring-backup", lost.backup);
    CHECK_HAS(lost.s.run.out, "opened the check blob of keyring serial 1");
    struct kw_keyring *ring = lost_load(lost.s.keyring);
    const struct kw_version *v = &ring->versions[0], *was = &old->versions[0];
    CHECK(ring->count == 1 && ring->active == 1 && v->state == KW_KEY_ACTIVE);
    CHECK(kw_span_equal(kw_span_of(v->check_blob, v->check_blob_len),
                        kw_span_of(was->check_blob, was->check_blob_len)));
    CHECK_STR(v->created, was->created);
    CHECK(v->objects[0].token_count == 1);
    CHECK(strncmp(v->origin, "adopted: opened the check blob of keyring serial 1, 20",
                  54) == 0);
    must_follow(whole->serial, whole->sha256);
    const struct kw_history *h = &ring->history[ring->history_count - 1];
    CHECK_STR(h->act, "adopt");
    CHECK_HAS(h->proof, "opened the check blob");
    kw_keyring_give(ring);
    kw_keyring_give(whole);
    kw_keyring_give(old);
    KEYWARD_MUST(&lost.s, 0, "key", "list");
    CHECK_HAS(lost.s.run.out, "baseline  active here");
    KEYWARD_MUST(&lost.s, 0, "check", "--json");
    lost_end();
}

/* The lines that come next are of this key, and take away nothing. */
static void still_lacks(const char *key_id, const char *proof)
{
    char want[256];
    const char *next = strstr(lost.s.run.out, "\nnext:");
    CHECK(next != NULL);
    snprintf(want, sizeof want, "--adopt %s %s\n", key_id, proof);
    CHECK_HAS(next, want);
    HAS_NOT(next, "  mv ");
    HAS_NOT(next, lost.key_id[1]);
}

/* Too old, or of a fork: what it says of the other versions counts for nothing, but its
 * check blob proves the key all the same. */
TEST(backup_that_is_no_ancestor__its_record_alone)
{
    char want[160];
    lost_begin(2, false);
    struct kw_keyring *whole = lost_load(lost.s.keyring), *fork = NULL;
    CHECK_OK(kw_keyring_dup(whole, &fork));
    snprintf(fork->versions[1].operator_, sizeof fork->versions[1].operator_, "Mallory");
    lost_back_up(fork); /* the same serial, other bytes; version 1 is active in it */
    lost_lose(false);
    ADOPT(0, lost.key_id[1], "--keyring-backup", lost.backup);
    CHECK_HAS(lost.s.run.out, "does not take the keyring yet");
    snprintf(want, sizeof want, "--keyring-backup %s", lost.backup);
    still_lacks(lost.key_id[2], want);
    HAS_NOT(lost.s.run.out, "FILE"); /* it is in this one */
    struct kw_keyring *ring = lost_load(lost.s.keyring);
    CHECK(ring->count == 1 && ring->active == 1);
    must_follow(whole->serial, whole->sha256);
    KEYWARD_MUST(&lost.s, 1, "key", "list");
    ADOPT(0, lost.key_id[2], "--keyring-backup", lost.backup);
    KEYWARD_MUST(&lost.s, 0, "key", "list");
    kw_keyring_give(ring);
    kw_keyring_give(whole);
    lost_end();
}

/* The backup has version 1 alone. */
TEST(backup_that_lacks_another__that_one_by_a_sample)
{
    char sample[96], lacks[160];
    lost_begin(1, false);
    KEYWARD_MUST(&lost.s, 0, "key", "create");
    KEYWARD_MUST(&lost.s, 0, "key", "accept", "2");
    lost_names();
    snprintf(sample, sizeof sample, "%s/second.json", lost.s.dir);
    seal_sample(&lost.s, lost.key_id[2], lost.key_id[2], "demo", sample);
    lost_lose(false);
    ADOPT(0, lost.key_id[1], "--keyring-backup", lost.backup);
    snprintf(lacks, sizeof lacks, "\n  # version 2, which %s does not have; when ",
             lost.backup);
    CHECK_HAS(lost.s.run.out, lacks);
    still_lacks(lost.key_id[2], "--keyring-backup FILE");
    still_lacks(lost.key_id[2], "--sample FILE");
    ADOPT(1, lost.key_id[2], "--keyring-backup", lost.backup);
    CHECK_HAS(lost.s.run.err,
              "backup.json does not have this key_id: nothing shows that");
    ADOPT(0, lost.key_id[2], "--sample", sample);
    KEYWARD_MUST(&lost.s, 0, "key", "list");
    lost_end();
}

TEST(samples__one_key_after_the_other_until_the_node_takes_it)
{
    char second[96];
    lost_begin(2, false);
    snprintf(second, sizeof second, "%s/second.json", lost.s.dir);
    seal_sample(&lost.s, lost.key_id[1], lost.key_id[1], "demo", lost.sample);
    seal_sample(&lost.s, lost.key_id[2], lost.key_id[2], "demo", second);
    struct kw_keyring *whole = lost_load(lost.s.keyring);
    lost_lose(false);
    ADOPT(0, lost.key_id[1], "--sample", lost.sample);
    CHECK_HAS(lost.s.run.out, "adopted: opened a sample, 20");
    must_follow(whole->serial, whole->sha256);
    CHECK_HAS(lost.s.run.out, "\n  # version 2, which the keyring lacks; when ");
    still_lacks(lost.key_id[2], "--sample FILE");
    KEYWARD_MUST(&lost.s, 1, "key", "list"); /* and so say the others */
    CHECK_HAS(lost.s.run.err, lost.key_id[2]);
    HAS_NOT(lost.s.run.err, ".refused");
    KEYWARD_MUST(&lost.s, 1, "key", "accept",
                 "1"); /* nothing else may be done meanwhile */
    ADOPT(0, lost.key_id[2], "--sample", second, "--json");
    CHECK_HAS(lost.s.run.out, "\"refused_here\": null");
    struct kw_keyring *ring = lost_load(lost.s.keyring);
    CHECK(ring->count == 2 && ring->active == 1 && ring->next_n == 3);
    CHECK(ring->versions[0].state == KW_KEY_ACTIVE);
    CHECK(ring->versions[1].state == KW_KEY_ACCEPTED);
    CHECK(ring->versions[0].objects[0].locator_len == KW_NEW_LOCATOR);
    kw_keyring_give(ring);
    kw_keyring_give(whole);
    KEYWARD_MUST(&lost.s, 0, "key", "list");
    HAS_NOT(lost.s.run.out, "UNPROVEN");
    lost_end();
}

TEST(unproven__visible_in_every_report)
{
    lost_begin(1, false);
    lost_lose(false);
    ADOPT(0, lost.key_id[1], "--unproven", "--operator", "Ada");
    CHECK_HAS(lost.s.run.out, "unproven: Ada, 20");
    KEYWARD_MUST(&lost.s, 0, "key", "list");
    CHECK_HAS(lost.s.run.out, "UNPROVEN");
    KEYWARD_MUST(&lost.s, 0, "key", "list", "--json");
    CHECK_HAS(lost.s.run.out, "\"origin\": \"unproven: Ada, 20");
    KEYWARD_MUST(&lost.s, 0, "key", "show", "1");
    CHECK_HAS(lost.s.run.out, "unproven: Ada, 20");
    (void)KEYWARD_DO(&lost.s, "check");
    CHECK_HAS(lost.s.run.out, "version 1: unproven: Ada, 20");
    KEYWARD_MUST(&lost.s, 0, "key", "create", "--same-key-as", "1");
    KEYWARD_MUST(&lost.s, 0, "key", "show", "2"); /* the same key is as unproven */
    CHECK_HAS(lost.s.run.out, "unproven: Ada, 20");
    lost_end();
}

/* In the keyring that lacks it another version is the baseline by now. */
TEST(former_baseline_is_missing__comes_back_retired)
{
    struct kw_keyring *ring, *changed = NULL;
    const struct kw_act_facts facts = {.at = "2026-01-01T00:00:00.000000Z"};
    lost_begin(2, false);
    lost_take(false);
    ring = lost_load(lost.s.keyring);
    CHECK_OK(kw_keyring_dup(ring, &changed));
    CHECK_OK(kw_act_apply(changed, KW_ACT_ACTIVATE, 2, &facts, NULL));
    kw_keyring_remove(changed, 1);
    CHECK_OK(kw_keyring_save(lost.s.keyring, changed, ring->sha256, NULL));
    kw_keyring_give(changed);
    kw_keyring_give(ring);
    KEYWARD_MUST(&lost.s, 1, "key", "list");
    ADOPT(0, lost.key_id[1], "--keyring-backup", lost.backup);
    ring = lost_load(lost.s.keyring);
    CHECK(ring->active == 2 && ring->versions[0].state == KW_KEY_RETIRED);
    kw_keyring_give(ring);
    KEYWARD_MUST(&lost.s, 0, "key", "list");
    lost_end();
}

/* Nobody knows any more what it was before it was disabled. */
TEST(disabled_version_is_missing__a_day_before_the_end_and_a_way_back)
{
    lost_begin(2, false);
    KEYWARD_MUST(&lost.s, 0, "key", "disable", "2", WITHOUT_PROOF);
    lost_lose(false);
    ADOPT(0, lost.key_id[2], "--unproven");
    ADOPT(0, lost.key_id[1], "--keyring-backup", lost.backup);
    lost_take(false);
    KEYWARD_MUST(&lost.s, 1, "key", "destroy", "2");
    CHECK_HAS(lost.s.run.err, "version 2 is seen as disabled on this node only since 20");
    KEYWARD_MUST(&lost.s, 0, "key", "enable", "2");
    struct kw_keyring *ring = lost_load(lost.s.keyring);
    CHECK(ring->versions[1].state == KW_KEY_RETIRED);
    kw_keyring_give(ring);
    KEYWARD_MUST(&lost.s, 0, "key", "list");
    lost_end();
}

/* Its check blob was made on somebody's word. */
TEST(backup_of_an_unproven_version__stays_unproven)
{
    lost_begin(1, false);
    lost_lose(false);
    ADOPT(0, lost.key_id[1], "--unproven", "--operator", "Ada");
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/cp", lost.s.keyring, lost.backup, NULL});
    KEYWARD_MUST(&lost.s, 0, "key", "create"); /* so that the backup is an older file */
    lost_names();
    lost_lose(false);
    ADOPT(0, lost.key_id[1], "--keyring-backup", lost.backup);
    CHECK_HAS(lost.s.run.out, "unproven: Ada, 20");
    struct kw_keyring *ring = lost_load(lost.s.keyring);
    CHECK_HAS(ring->versions[0].origin, "unproven: Ada");
    kw_keyring_give(ring);
    lost_end();
}

TEST(operator_of_a_long_name__its_origin_is_cut_within_no_letter)
{
    const char *name =
        "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
        "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
        "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3"
        "\xa4";
    lost_begin(1, false);
    lost_lose(false);
    ADOPT(0, lost.key_id[1], "--unproven", "--operator", name);
    struct kw_keyring *ring = lost_load(lost.s.keyring);
    CHECK_HAS(ring->versions[0].origin, "\xc3\xa4, 20");
    kw_keyring_give(ring);
    lost_end();
}

TEST(key_id_is_in_the_keyring__nothing_done_and_no_login)
{
    lost_begin(1, true);
    size_t before = lost_logins();
    ADOPT(0, lost.key_id[1], "--unproven");
    CHECK_HAS(lost.s.run.out, "already");
    ADOPT(0, lost.key_id[1], "--unproven", "--json");
    CHECK_HAS(lost.s.run.out, "\"already\": true");
    CHECK(lost_logins() == before);
    struct kw_keyring *ring = lost_load(lost.s.keyring);
    CHECK_STR(ring->versions[0].origin, "made");
    kw_keyring_give(ring);
    lost_end();
}

TEST(choices__survive_and_are_compared_with_the_object)
{
    site_make(&lost.s);
    KEYWARD_MUST(&lost.s, 0, "key", "create", "--destroyable", "--copyable");
    HAS_NOT(lost.s.run.out, "was chosen");
    lost_names();
    CHECK(unlink(lost.s.keyring) == 0);
    ADOPT(0, lost.key_id[1], "--unproven", "--destroyable");
    CHECK_HAS(lost.s.run.out, "choices   destroyable, not copyable");
    CHECK_HAS(lost.s.run.out, "CKA_COPYABLE is true, and false was chosen");
    HAS_NOT(lost.s.run.out, "CKA_DESTROYABLE is");
    struct kw_keyring *ring = lost_load(lost.s.keyring);
    CHECK(ring->versions[0].want_destroyable && !ring->versions[0].want_copyable);
    CHECK(ring->versions[0].objects[0].attributes.copyable == KW_ANSWER_TRUE);
    kw_keyring_give(ring);
    lost_end();
}

TEST(choice_that_the_token_did_not_take__told)
{
    site_make_fault(&lost.s);
    site_tell(&lost.s, "fake=0x172:1\nnoread=0x171\n"); /* DESTROYABLE, COPYABLE */
    KEYWARD_MUST(&lost.s, 0, "key", "create", "--json");
    CHECK_HAS(lost.s.run.out, "CKA_DESTROYABLE is true, and false was chosen");
    CHECK_HAS(lost.s.run.out, "CKA_COPYABLE is not answered, and false was chosen");
    lost_end();
}

/* A version that used the object of another one: that is said again, or the backup says
 * it. */
TEST(key_shared_with_an_earlier_version__found_by_that_ones_name)
{
    lost_begin(1, false);
    KEYWARD_MUST(&lost.s, 0, "key", "create", "--same-key-as", "1");
    lost_names();
    lost_lose(false);
    ADOPT(1, lost.key_id[2], "--unproven", "--same-key-as", "1");
    CHECK_HAS(lost.s.run.err, "no version 1");
    ADOPT(0, lost.key_id[1], "--unproven");
    ADOPT(1, lost.key_id[2], "--unproven");
    CHECK_HAS(lost.s.run.err, "no secret key with label");
    ADOPT(0, lost.key_id[2], "--unproven", "--same-key-as", "1");
    struct kw_keyring *ring = lost_load(lost.s.keyring);
    CHECK(ring->versions[1].same_key_as == 1);
    kw_keyring_give(ring);
    KEYWARD_MUST(&lost.s, 0, "key", "list");
    lost_end();
}

KW_CASES("token/cli/adopt", CASE(backup__opens_its_check_blob_and_keeps_the_record),
         CASE(backup_that_is_no_ancestor__its_record_alone),
         CASE(backup_that_lacks_another__that_one_by_a_sample),
         CASE(samples__one_key_after_the_other_until_the_node_takes_it),
         CASE(unproven__visible_in_every_report),
         CASE(former_baseline_is_missing__comes_back_retired),
         CASE(disabled_version_is_missing__a_day_before_the_end_and_a_way_back),
         CASE(backup_of_an_unproven_version__stays_unproven),
         CASE(operator_of_a_long_name__its_origin_is_cut_within_no_letter),
         CASE(key_id_is_in_the_keyring__nothing_done_and_no_login),
         CASE(choices__survive_and_are_compared_with_the_object),
         CASE(choice_that_the_token_did_not_take__told),
         CASE(key_shared_with_an_earlier_version__found_by_that_ones_name))
