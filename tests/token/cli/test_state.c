/* SPDX-License-Identifier: Apache-2.0 */
/* A node that lost its state directory: made again, and what cannot be known is said. */
#include "site.h"
#include "words.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/state.h>

static struct site s;

/* 1 is the baseline, 2 was activated here alone. */
static void make_two(void)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--only-copy");
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy", "--now");
    site_take_ring(&s, 2, 301 * KW_S_NS);
}

static void lose_state(void)
{
    kw_run(&s.run, (const char *const[]){"/bin/rm", "-r", s.state, NULL});
    CHECK(s.run.status == 0);
}

static void marks_of(struct kw_marks *ret_marks)
{
    struct kw_state_dir *dir = NULL;
    struct kw_activation act;
    CHECK_OK(kw_state_open(s.state, &dir, NULL));
    CHECK_OK(kw_state_marks(dir, ret_marks, NULL));
    CHECK_OK(kw_state_activation(dir, &act, NULL));
    CHECK(act.n == 0);
    kw_state_close(dir);
}

static void same_bytes(const char *a, const char *b)
{
    struct kw_blob x = {0}, y = {0};
    CHECK_OK(kw_file_read(a, KW_KEYRING_MAX, &x, NULL));
    CHECK_OK(kw_file_read(b, KW_KEYRING_MAX, &y, NULL));
    CHECK(kw_span_equal(kw_blob_peek(&x), kw_blob_peek(&y)));
    kw_blob_wipe(&x);
    kw_blob_wipe(&y);
}

TEST(lost__made_again_for_the_daemons_user_and_told)
{
    struct kw_marks marks;
    char last[160];
    make_two();
    lose_state();
    KEYWARD_MUST(&s, 3, "key", "create");
    CHECK_HAS(s.run.err, "\n  keyward state create --config ");
    KEYWARD_MUST(&s, 0, "state", "create", "--operator", "Ada");
    CHECK_HAS(s.run.out, "known      ");
    CHECK_HAS(s.run.out, "not known  whether that is the newest");
    CHECK_HAS(s.run.out, "not known  which version this node had activated by itself; it "
                         "wraps with the baseline, 1");
    CHECK_HAS(s.run.out, "\n  keyward key activate 2 --now --config ");
    CHECK(site_mode(s.state) == 0700);
    if (geteuid() == 0)
        CHECK(site_owner(s.state) == NOBODY);
    marks_of(&marks);
    struct kw_keyring *ring = site_ring(&s);
    CHECK(marks.serial == ring->serial && marks.baseline.n == 1 && marks.count == 2);
    CHECK(kw_marks_of(&marks, 2)->accepted);
    CHECK_HAS(marks.rebuilt, "Ada, from serial 5");
    kw_keyring_give(ring);
    snprintf(last, sizeof last, "%s/keyring.json", s.state);
    same_bytes(last, s.keyring);
    site_remove(&s);
}

TEST(made_again__check_says_so_and_the_five_minutes_begin_anew)
{
    make_two();
    lose_state();
    KEYWARD_MUST(&s, 0, "state", "create", "--operator", "Ada");
    KEYWARD_MUST(&s, 0, "check");
    CHECK_HAS(s.run.out, "warn  memory");
    CHECK_HAS(s.run.out, "Ada, from serial 5");
    KEYWARD_MUST(&s, 1, "key", "activate", "2", "--only-copy");
    CHECK_HAS(s.run.err, "wait five minutes");
    site_take_ring(&s, 1, 0);
    KEYWARD_MUST(&s, 0, "check", "--offline"); /* the daemon does not forget it */
    CHECK_HAS(s.run.out, "warn  memory");
    site_remove(&s);
}

TEST(there_already__refused_and_nothing_changed)
{
    struct kw_marks before, after;
    make_two();
    struct kw_state_dir *dir = NULL;
    CHECK_OK(kw_state_open(s.state, &dir, NULL));
    CHECK_OK(kw_state_marks(dir, &before, NULL));
    KEYWARD_MUST(&s, 1, "state", "create");
    CHECK_HAS(s.run.err, "marks.json is there already");
    CHECK_OK(kw_state_marks(dir, &after, NULL));
    kw_state_close(dir);
    CHECK_STR(after.rebuilt, "");
    CHECK(after.active.n == before.active.n && before.active.n == 2);
    site_remove(&s);
}

TEST(an_empty_folder_of_somebody_elses__given_to_the_daemons_user)
{
    make_two();
    lose_state();
    CHECK(mkdir(s.state, 0755) == 0 && chmod(s.state, 0755) == 0);
    KEYWARD_MUST(&s, 0, "state", "create");
    CHECK(site_mode(s.state) == 0700);
    if (geteuid() == 0)
        CHECK(site_owner(s.state) == NOBODY);
    site_remove(&s);
}

TEST(no_keyring__fetched_first_and_no_empty_memory_made)
{
    char command[2048];
    make_two();
    lose_state();
    CHECK(unlink(s.keyring) == 0);
    KEYWARD_MUST(&s, 3, "key", "create");
    KEYWARD_MUST(&s, 1, "state", "create");
    CHECK_HAS(s.run.err, "  install -m 0644 FROM ");
    CHECK(access(s.state, F_OK) != 0);
    printed_command(s.run.err, "the cluster never had one, or it is lost everywhere", 0,
                    command);
    CHECK(words_run(&s, command) == 0);
    CHECK(site_mode(s.state) == 0700);
    KEYWARD_MUST(&s, 0, "key", "list");
    site_remove(&s);
}

/* What is there goes before another node's. */
TEST(no_keyring_but_the_last_good_one__put_back_as_key_list_says)
{
    static char listed[sizeof s.run.err];
    make_two();
    CHECK(unlink(s.keyring) == 0);
    KEYWARD_MUST(&s, 1, "key", "list");
    snprintf(listed, sizeof listed, "%s", s.run.err);
    KEYWARD_MUST(&s, 1, "state", "create");
    CHECK_STR(s.run.err, listed);
    site_remove(&s);
}

/* The way out of a fork moves marks and keyring aside, and nothing else. */
TEST(the_other_files_are_there__only_what_is_lost_is_not_known)
{
    char marks[160], latch[160];
    make_two();
    snprintf(marks, sizeof marks, "%s/marks.json", s.state);
    snprintf(latch, sizeof latch, "%s/pin-latch.json", s.state);
    CHECK(unlink(marks) == 0 && access(latch, F_OK) == 0);
    KEYWARD_MUST(&s, 0, "state", "create");
    CHECK_HAS(s.run.out, "not known  whether that is the newest");
    CHECK(strstr(s.run.out, "whether the PIN") == NULL);
    CHECK(strstr(s.run.out, "had activated") == NULL);
    CHECK(unlink(marks) == 0 && unlink(latch) == 0);
    KEYWARD_MUST(&s, 0, "state", "create", "--json");
    CHECK_HAS(s.run.out, "whether the PIN works");
    CHECK(strstr(s.run.out, "this node's own activation") == NULL);
    site_remove(&s);
}

/* This node wraps with a version, so there was a keyring. */
TEST(no_keyring_and_only_the_activation__lost_and_not_a_new_node)
{
    char path[160];
    make_two();
    snprintf(path, sizeof path, "%s/marks.json", s.state);
    CHECK(unlink(path) == 0 && unlink(s.keyring) == 0);
    snprintf(path, sizeof path, "%s/keyring.json", s.state);
    CHECK(unlink(path) == 0);
    KEYWARD_MUST(&s, 1, "key", "list");
    CHECK_HAS(s.run.err, "this node has activated version 2 (kw1-2-");
    CHECK_HAS(s.run.err, "\n  # when another node or a backup has one with version 2");
    CHECK_HAS(s.run.err, "--adopt kw1-2-");
    KEYWARD_MUST(&s, 1, "key", "create");
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "this node has activated version 2 (kw1-2-");
    KEYWARD_MUST(&s, 1, "state", "create");
    CHECK_HAS(s.run.err, "this node has activated version 2 (kw1-2-");
    site_remove(&s);
}

/* The marks are lost and the last good keyring is not. */
TEST(an_older_keyring_than_the_last_good_one__refused)
{
    char marks[160], old[160];
    make_two();
    snprintf(old, sizeof old, "%s.old", s.keyring);
    CHECK(link(s.keyring, old) == 0);
    KEYWARD_MUST(&s, 0, "key", "create");
    site_take_ring(&s, 2, 0);
    snprintf(marks, sizeof marks, "%s/marks.json", s.state);
    CHECK(unlink(marks) == 0 && rename(old, s.keyring) == 0);
    KEYWARD_MUST(&s, 1, "state", "create");
    CHECK_HAS(s.run.err, "is the last keyring that this node took");
    CHECK_HAS(s.run.err, "put it back first: install -m 0644 ");
    CHECK(access(marks, F_OK) != 0);
    site_remove(&s);
}

TEST(of_another_domain__refused)
{
    make_two();
    lose_state();
    site_edit(&s, "domain: demo", "domain: other");
    KEYWARD_MUST(&s, 1, "state", "create");
    CHECK_HAS(s.run.err, "its domain is \"demo\"");
    CHECK(access(s.state, F_OK) != 0);
    site_remove(&s);
}

TEST(pin_and_sockets_of_two_users__the_user_is_asked_for)
{
    kw_test_as_root();
    make_two();
    lose_state();
    CHECK(chown(s.pin, 1, 1) == 0);
    KEYWARD_MUST(&s, 1, "state", "create");
    CHECK_HAS(s.run.err, "--user");
    KEYWARD_MUST(&s, 1, "state", "create", "--user", "no-such-user");
    CHECK(access(s.state, F_OK) != 0);
    KEYWARD_MUST(&s, 0, "state", "create", "--user", "nobody", "--json");
    CHECK_HAS(s.run.out, "\"uid\": 65534");
    CHECK(site_owner(s.state) == NOBODY);
    site_remove(&s);
}

KW_CASES("token/cli/state", CASE(lost__made_again_for_the_daemons_user_and_told),
         CASE(made_again__check_says_so_and_the_five_minutes_begin_anew),
         CASE(there_already__refused_and_nothing_changed),
         CASE(an_empty_folder_of_somebody_elses__given_to_the_daemons_user),
         CASE(no_keyring__fetched_first_and_no_empty_memory_made),
         CASE(no_keyring_but_the_last_good_one__put_back_as_key_list_says),
         CASE(the_other_files_are_there__only_what_is_lost_is_not_known),
         CASE(no_keyring_and_only_the_activation__lost_and_not_a_new_node),
         CASE(an_older_keyring_than_the_last_good_one__refused),
         CASE(of_another_domain__refused),
         CASE(pin_and_sockets_of_two_users__the_user_is_asked_for))
