/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring is lost: what is not adopted, and what is said instead. */
#include "lost.h"

#include <unistd.h>

#include <keyward/act.h>
#include <keyward/file.h>

TEST(no_proof__refused_with_the_three_ways_and_no_login)
{
    lost_begin(1, true);
    lost_lose(false);
    size_t before = lost_logins();
    ADOPT(1, lost.key_id[1]);
    CHECK_HAS(lost.s.run.err, "nothing shows that");
    CHECK_HAS(lost.s.run.err, "--keyring-backup FILE");
    CHECK_HAS(lost.s.run.err, "--sample FILE");
    CHECK_HAS(lost.s.run.err, "--unproven");
    CHECK(lost_logins() == before);
    lost_still();
    lost_end();
}

TEST(words_that_do_not_go_together__wrong_usage)
{
    site_make(&lost.s);
    KEYWARD_MUST(&lost.s, 2, "key", "create", "--unproven");
    KEYWARD_MUST(&lost.s, 2, "key", "create", "--sample", "x");
    KEYWARD_MUST(&lost.s, 2, "key", "create", "--keyring-backup", "x");
    ADOPT(2, "kw1-1-00112233445566778899aabb", "--sample", "x", "--unproven");
    ADOPT(1, "kw1-01-00112233445566778899aabb", "--unproven");
    CHECK_HAS(lost.s.run.err, "24 hex digits");
    lost_end();
}

/* Also for a plain key create: nothing is made beside the keys that are there. */
TEST(last_good_one_is_there__put_back_and_nothing_made)
{
    lost_begin(1, true);
    lost_lose(true);
    size_t before = lost_logins(), names = site_names(lost.s.tokens);
    KEYWARD_MUST(&lost.s, 1, "key", "create");
    CHECK_HAS(lost.s.run.err, "put it back");
    ADOPT(1, lost.key_id[1], "--unproven");
    CHECK_HAS(lost.s.run.err, "put it back");
    CHECK(lost_logins() == before && site_names(lost.s.tokens) == names);
    lost_still();
    lost_obey("install -m 0644");
    KEYWARD_MUST(&lost.s, 0, "key", "list");
    CHECK_HAS(lost.s.run.out, "active here");
    lost_end();
}

/* The copy is written before the marks: a crash between them leaves it alone. */
TEST(last_good_one_without_marks__put_back_too)
{
    char marks[160];
    lost_begin(1, false);
    lost_lose(true);
    snprintf(marks, sizeof marks, "%s/marks.json", lost.s.state);
    CHECK(unlink(marks) == 0);
    KEYWARD_MUST(&lost.s, 1, "key", "create");
    CHECK_HAS(lost.s.run.err, "put it back");
    ADOPT(1, lost.key_id[1], "--unproven");
    lost_still();
    lost_obey("install -m 0644");
    KEYWARD_MUST(&lost.s, 0, "key", "list");
    lost_end();
}

TEST(missing_though_remembered__create_makes_nothing)
{
    lost_begin(1, true);
    lost_lose(false);
    size_t before = lost_logins(), names = site_names(lost.s.tokens);
    KEYWARD_MUST(&lost.s, 1, "key", "create");
    CHECK_HAS(lost.s.run.err, "is not there");
    CHECK_HAS(lost.s.run.err, "--adopt");
    KEYWARD_MUST(&lost.s, 1, "key", "create", "--dry-run");
    CHECK(lost_logins() == before && site_names(lost.s.tokens) == names);
    lost_still();
    lost_end();
}

TEST(sample_of_another_key_id_or_domain__refused_before_the_login)
{
    lost_begin(2, true);
    seal_sample(&lost.s, lost.key_id[2], lost.key_id[2], "demo", lost.sample);
    lost_lose(false);
    size_t before = lost_logins();
    ADOPT(1, lost.key_id[1], "--sample", lost.sample);
    CHECK_HAS(lost.s.run.err, lost.key_id[2]);
    CHECK(unlink(lost.sample) == 0);
    seal_sample(&lost.s, lost.key_id[1], lost.key_id[1], "other", lost.sample);
    ADOPT(1, lost.key_id[1], "--sample", lost.sample);
    CHECK_HAS(lost.s.run.err, "domain \"other\"");
    ADOPT(3, lost.key_id[1], "--sample", "/nonexistent/sample");
    CHECK(lost_logins() == before);
    lost_still();
    lost_end();
}

/* What lies under the label is not the key that sealed the sample. */
TEST(sample_under_another_key__refused)
{
    lost_begin(2, false);
    seal_sample(&lost.s, lost.key_id[2], lost.key_id[1], "demo", lost.sample);
    lost_lose(false);
    ADOPT(1, lost.key_id[1], "--sample", lost.sample);
    CHECK_HAS(lost.s.run.err, "it is another key");
    lost_still();
    CHECK(site_sealed(lost.s.tokens) >= 6);
    lost_end();
}

static void swap_blobs(void)
{
    struct kw_keyring *ring = lost_load(lost.backup);
    struct kw_version *a = &ring->versions[0], *b = &ring->versions[1];
    for (size_t i = 0; i < a->check_blob_len; i++) {
        uint8_t byte = a->check_blob[i];
        a->check_blob[i] = b->check_blob[i];
        b->check_blob[i] = byte;
    }
    lost_back_up(ring);
}

TEST(check_blob_of_another_key__refused)
{
    lost_begin(2, false);
    lost_lose(false);
    swap_blobs();
    ADOPT(1, lost.key_id[1], "--keyring-backup", lost.backup);
    CHECK_HAS(lost.s.run.err, "does not open the check blob");
    lost_still();
    lost_end();
}

TEST(backup_without_the_key_id__proves_nothing)
{
    lost_begin(1, false);
    KEYWARD_MUST(&lost.s, 0, "key", "create");
    lost_names();
    lost_lose(false);
    ADOPT(1, lost.key_id[2], "--keyring-backup", lost.backup);
    CHECK_HAS(lost.s.run.err,
              "backup.json does not have this key_id: nothing shows that");
    lost_still();
    ADOPT(0, lost.key_id[2], "--keyring-backup", lost.backup, "--unproven");
    KEYWARD_MUST(&lost.s, 0, "key", "list"); /* version 1 came with the backup */
    CHECK_HAS(lost.s.run.out, lost.key_id[1]);
    lost_end();
}

/* Put in place it would serve, and what is sealed under the key could not be read. */
TEST(backup_without_the_key_id_and_no_memory__not_put_in_place)
{
    lost_begin(1, false);
    KEYWARD_MUST(&lost.s, 0, "key", "create");
    lost_names();
    CHECK(unlink(lost.s.keyring) == 0); /* no daemon of this node ever took it */
    ADOPT(1, lost.key_id[2], "--keyring-backup", lost.backup);
    CHECK_HAS(lost.s.run.err, "nothing shows that");
    HAS_NOT(lost.s.run.err, "nothing needs to be adopted");
    lost_still();
    lost_end();
}

TEST(backup_with_the_key_id_and_more_words__refused)
{
    lost_begin(1, false);
    lost_lose(false);
    ADOPT(1, lost.key_id[1], "--keyring-backup", lost.backup, "--unproven");
    CHECK_HAS(lost.s.run.err, "leave");
    ADOPT(1, lost.key_id[1], "--keyring-backup", lost.backup, "--destroyable");
    CHECK_HAS(lost.s.run.err, "leave");
    lost_still();
    lost_end();
}

static void other_domain(void)
{
    struct kw_keyring *ring = lost_load(lost.backup);
    snprintf(ring->domain, sizeof ring->domain, "other");
    lost_back_up(ring);
}

TEST(backup_of_another_domain_or_not_there__refused_before_the_login)
{
    lost_begin(1, true);
    lost_lose(false);
    size_t before = lost_logins();
    other_domain();
    ADOPT(1, lost.key_id[1], "--keyring-backup", lost.backup);
    CHECK_HAS(lost.s.run.err, "its domain is \"other\"");
    ADOPT(3, lost.key_id[1], "--keyring-backup", "/nonexistent/keyring.json");
    CHECK(lost_logins() == before);
    lost_still();
    lost_end();
}

/* The last file that this node took, out of a backup. */
TEST(backup_that_this_node_takes__installed_and_nothing_adopted)
{
    lost_begin(1, false);
    lost_take(false);
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/mv", lost.s.keyring, lost.backup, NULL});
    ADOPT(1, lost.key_id[1], "--keyring-backup", lost.backup);
    CHECK_HAS(lost.s.run.err, "takes as it is");
    lost_still();
    lost_obey("install -m 0644");
    KEYWARD_MUST(&lost.s, 0, "key", "list");
    CHECK_HAS(lost.s.run.out, "active here");
    lost_end();
}

TEST(object_is_not_in_the_token__a_problem_and_nothing_written)
{
    site_make(&lost.s);
    ADOPT(1, "kw1-1-00112233445566778899aabb", "--unproven");
    CHECK_HAS(lost.s.run.err, "no secret key with label");
    lost_still();
    lost_end();
}

/* Which of the two is the old key nobody knows yet. */
TEST(two_objects_of_the_label__none_is_said_to_be_removed)
{
    char line[512];
    lost_begin(1, false);
    lost_lose(false);
    snprintf(
        line, sizeof line,
        "chmod -R u+w %s && cd %s/* && for o in *.object; do [ $o = token.object ] || "
        "cp -a $o 00000000-0000-0000-0000-000000000000.object; done; chmod -R u-w %s",
        lost.s.tokens, lost.s.tokens, lost.s.tokens);
    kw_run(&lost.s.run, (const char *const[]){"/bin/sh", "-c", line, NULL});
    CHECK(lost.s.run.status == 0);
    ADOPT(1, lost.key_id[1], "--unproven");
    CHECK_HAS(lost.s.run.err, "more than one");
    CHECK_HAS(lost.s.run.err, "remove none");
    HAS_NOT(lost.s.run.err, "remove or");
    lost_still();
    lost_end();
}

TEST(number_that_this_node_knows_by_another_name__refused)
{
    char other[KW_KEY_ID_MAX + 1];
    lost_begin(1, false);
    lost_lose(false);
    kw_key_id_make(1, other);
    ADOPT(1, other, "--unproven");
    CHECK_HAS(lost.s.run.err, "another key under the same number");
    CHECK_HAS(lost.s.run.err, lost.key_id[1]);
    lost_still();
    lost_end();
}

/* Version 2 was destroyed and pruned: its number is spent, its object may be there. */
/* Numbers never go back: the last one there is would be the last KEK for ever. */
TEST(number_far_above_the_next_one__refused)
{
    lost_begin(1, false);
    ADOPT(1, "kw1-999999-0123456789abcdef01234567", "--unproven");
    CHECK_HAS(lost.s.run.err, "far above the next one, 2");
    ADOPT(1, "kw1-66-0123456789abcdef01234567", "--unproven");
    CHECK_HAS(lost.s.run.err, "far above the next one, 2");
    lost_end();
}

TEST(number_that_was_given_before__refused)
{
    struct kw_keyring *ring, *changed = NULL;
    const struct kw_act_facts facts = {.at = "2026-01-01T00:00:00.000000Z"};
    lost_begin(1, false);
    KEYWARD_MUST(&lost.s, 0, "key", "create");
    lost_names();
    ring = lost_load(lost.s.keyring);
    CHECK_OK(kw_keyring_dup(ring, &changed));
    CHECK_OK(kw_act_apply(changed, KW_ACT_DESTROY, 2, &facts, NULL));
    CHECK_OK(kw_act_apply(changed, KW_ACT_PRUNE, 2, &facts, NULL));
    CHECK_OK(kw_keyring_save(lost.s.keyring, changed, ring->sha256, NULL));
    kw_keyring_give(changed);
    kw_keyring_give(ring);
    ADOPT(1, lost.key_id[2], "--unproven");
    CHECK_HAS(lost.s.run.err, "given before");
    lost_lose(false);
    ADOPT(1, lost.key_id[2], "--unproven");
    CHECK_HAS(lost.s.run.err, "given before");
    lost_still();
    lost_end();
}

KW_CASES("token/cli/adopt_refused",
         CASE(no_proof__refused_with_the_three_ways_and_no_login),
         CASE(words_that_do_not_go_together__wrong_usage),
         CASE(last_good_one_is_there__put_back_and_nothing_made),
         CASE(last_good_one_without_marks__put_back_too),
         CASE(missing_though_remembered__create_makes_nothing),
         CASE(sample_of_another_key_id_or_domain__refused_before_the_login),
         CASE(sample_under_another_key__refused),
         CASE(check_blob_of_another_key__refused),
         CASE(backup_without_the_key_id__proves_nothing),
         CASE(backup_without_the_key_id_and_no_memory__not_put_in_place),
         CASE(backup_with_the_key_id_and_more_words__refused),
         CASE(backup_of_another_domain_or_not_there__refused_before_the_login),
         CASE(backup_that_this_node_takes__installed_and_nothing_adopted),
         CASE(object_is_not_in_the_token__a_problem_and_nothing_written),
         CASE(two_objects_of_the_label__none_is_said_to_be_removed),
         CASE(number_that_this_node_knows_by_another_name__refused),
         CASE(number_far_above_the_next_one__refused),
         CASE(number_that_was_given_before__refused))
