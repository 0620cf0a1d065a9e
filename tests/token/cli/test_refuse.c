/* SPDX-License-Identifier: Apache-2.0 */
/* What the tool does not do, and what it leaves behind then: nothing. */
#include "site.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/keyring.h>
#include <keyward/state.h>

static struct site s;

/* Two versions: 1 active, 2 accepted. */
static void make_two(void)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--only-copy");
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
}

/* A PIN file of the same owner and mode with other contents. */
static void write_pin(const char *pin)
{
    FILE *f = fopen(s.pin, "w");
    CHECK(f != NULL && fputs(pin, f) >= 0 && fclose(f) == 0);
}

TEST(activate_without_a_word_on_copies__wrong_usage)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 2, "key", "activate", "1");
    CHECK_HAS(s.run.err, "--second-copy");
    site_remove(&s);
}

TEST(activate_what_is_only_created__refused)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 1, "key", "activate", "1", "--only-copy");
    CHECK_HAS(s.run.err, "keyward key accept");
    KEYWARD_MUST(&s, 1, "key", "activate", "2", "--only-copy");
    CHECK_HAS(s.run.err, "no version 2");
    site_remove(&s);
}

TEST(activate_what_this_node_never_saw_accepted__refused)
{
    make_two();
    KEYWARD_MUST(&s, 1, "key", "activate", "2", "--only-copy");
    CHECK_HAS(s.run.err, "has not yet seen version 2");
    site_remove(&s);
}

static kw_err mark(struct kw_moment when)
{
    struct kw_state_dir *dir = NULL;
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_load(s.keyring, &ring, NULL, NULL));
    CHECK_OK(kw_state_open(s.state, &dir, NULL));
    kw_err e = kw_state_raise(dir, ring, 1, when, NULL);
    kw_state_close(dir);
    kw_keyring_give(ring);
    return e;
}

TEST(activate_what_was_seen_accepted_just_now__refused_until_then)
{
    make_two();
    CHECK_OK(mark(ago(0)));
    KEYWARD_MUST(&s, 1, "key", "activate", "2", "--only-copy");
    CHECK_HAS(s.run.err, "wait five minutes");
    site_remove(&s);
}

TEST(activate_what_was_seen_accepted_long_ago__good)
{
    make_two();
    CHECK_OK(mark(ago(301 * KW_S_NS)));
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy");
    site_remove(&s);
}

static const int64_t year = INT64_C(365) * 24 * 3600 * KW_S_NS;

/* The clock was a year behind when it was seen, which is no year's wait. */
TEST(activate_clock_set_forward_since_it_was_seen__what_passed_counts)
{
    char day[KW_TIME_TEXT];
    struct kw_moment seen = ago(10 * KW_S_NS);
    kw_time_text(day, seen.wall_ns);
    day[sizeof "2026-01-31T" - 1] = '\0';
    seen.wall_ns -= year;
    make_two();
    CHECK_OK(mark(seen));
    KEYWARD_MUST(&s, 1, "key", "activate", "2", "--only-copy");
    CHECK_HAS(s.run.err, "seen as accepted on this node only since");
    CHECK_HAS(s.run.err, day); /* by the clock of today */
    CHECK_HAS(s.run.err, "wait five minutes");
    site_remove(&s);
}

TEST(activate_clock_set_back_since_it_was_seen__what_passed_counts)
{
    struct kw_moment seen = ago(10 * KW_S_NS);
    seen.wall_ns += year;
    make_two();
    CHECK_OK(mark(seen));
    KEYWARD_MUST(&s, 1, "key", "activate", "2", "--only-copy");
    CHECK_HAS(s.run.err, "the clock was set back since then");
    CHECK_HAS(s.run.err, "wait five minutes");
    site_remove(&s);
    make_two();
    seen = ago(301 * KW_S_NS);
    seen.wall_ns += year;
    CHECK_OK(mark(seen));
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy");
    site_remove(&s);
}

TEST(activate_clock_set_back_over_a_restart__what_helps_is_said)
{
    const int64_t in_a_year = kw_wall_ns(&kw_clock_system) + year;
    make_two();
    CHECK_OK(mark((struct kw_moment){"another-boot", 10 * KW_S_NS, in_a_year}));
    KEYWARD_MUST(&s, 1, "key", "activate", "2", "--only-copy");
    CHECK_HAS(s.run.err, "the clock was set back since");
    CHECK_HAS(s.run.err, "systemctl reload keywardd");
    CHECK_OK(mark(ago(301 * KW_S_NS))); /* what a reload does, five minutes ago */
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy");
    site_remove(&s);
}

/* In between another node may have taken a file in which it unwraps nothing. */
TEST(activate_what_was_enabled_again_unseen__refused)
{
    make_two();
    CHECK_OK(mark(ago(301 * KW_S_NS)));
    KEYWARD_MUST(&s, 0, "key", "disable", "2", WITHOUT_PROOF);
    KEYWARD_MUST(&s, 0, "key", "enable", "2");
    KEYWARD_MUST(&s, 1, "key", "activate", "2", "--only-copy");
    CHECK_HAS(s.run.err, "has not yet seen version 2 as accepted");
    CHECK_OK(mark(ago(301 * KW_S_NS)));
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy");
    site_remove(&s);
}

TEST(activate_an_older_one__there_is_no_way_back)
{
    make_two();
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy", "--now");
    KEYWARD_MUST(&s, 1, "key", "activate", "1", "--only-copy", "--now");
    CHECK_HAS(s.run.err, "no way back");
    site_remove(&s);
}

TEST(take_away_what_this_node_wraps_with__refused)
{
    make_two();
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy", "--now");
    KEYWARD_MUST(&s, 1, "key", "retire", "2");
    CHECK_HAS(s.run.err, "this node wraps with it");
    KEYWARD_MUST(&s, 1, "key", "disable", "2");
    KEYWARD_MUST(&s, 1, "key", "disable", "1"); /* the baseline */
    site_remove(&s);
}

TEST(wrong_pin__one_try_then_none_until_the_file_changes)
{
    char right[64] = {0};
    site_make(&s);
    FILE *f = fopen(s.pin, "r");
    CHECK(f != NULL && fread(right, 1, sizeof right - 1, f) == 24 && fclose(f) == 0);
    write_pin("certainly-not-the-pin");
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "CKR_PIN_INCORRECT");
    CHECK(access(s.keyring, F_OK) != 0);
    CHECK(site_sealed(s.tokens) >= 4); /* sealed after the failure too */
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "no login is tried since");
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "no login is tried since");
    write_pin(right);
    KEYWARD_MUST(&s, 0, "key", "create");
    site_remove(&s);
}

/* What this node remembers of the token. */
static void remembered(const char *word)
{
    char path[160], text[8192];
    struct kw_blob file = {0};
    snprintf(path, sizeof path, "%s/pin-latch.json", s.state);
    CHECK_OK(kw_file_read(path, sizeof text - 1, &file, NULL));
    kw_copy_str(text, sizeof text, kw_blob_peek(&file));
    kw_blob_wipe(&file);
    CHECK_HAS(text, word);
}

/* So that a wrong PIN that somebody else gave the token does not stop the daemon. */
TEST(pin_that_worked__remembered_as_proven)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    remembered("\"proven\": true");
    remembered("\"latched\": false");
    remembered("\"tried\": null");
    site_remove(&s);
}

TEST(refused_pin__stopped_until_retry_is_said__one_try_each)
{
    site_make_fault(&s);
    site_tell(&s, "C_Login rv=0xa0\n"); /* CKR_PIN_INCORRECT */
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "CKR_PIN_INCORRECT");
    site_tell(&s, "\n");
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "no login is tried since");
    KEYWARD_MUST(&s, 1, "pin", "retry", "--token", "other");
    CHECK_HAS(s.run.err, "--token other: no token of the configuration");
    KEYWARD_MUST(&s, 1, "key", "create");
    KEYWARD_MUST(&s, 0, "pin", "retry");
    CHECK_HAS(s.run.out, "keyward, serial ");
    CHECK_HAS(s.run.out, ": stopped since 20");
    CHECK_HAS(s.run.out, "CKR_PIN_INCORRECT");
    KEYWARD_MUST(&s, 0, "pin", "retry", "--json");
    CHECK_HAS(s.run.out, "\"lifted\": false");
    KEYWARD_MUST(&s, 0, "key", "create");
    site_remove(&s);
}

TEST(pin_that_others_can_read__refused)
{
    site_make(&s);
    CHECK(chmod(s.pin, 0640) == 0);
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "chmod 0600");
    site_remove(&s);
}

TEST(token_of_another_owner__refused_with_the_remedy)
{
    kw_test_as_root();
    site_make(&s);
    char audit[160];
    snprintf(audit, sizeof audit, "%s/audit", s.base);
    CHECK(chown(s.state, 1, 1) == 0 && chown(audit, 1, 1) == 0);
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "chown -R 1 ");
    site_remove(&s);
}

TEST(production__no_soft_token)
{
    site_make(&s);
    site_edit(&s, "environment: test", "environment: production");
    KEYWARD_MUST(&s, 1, "key", "create");
    CHECK_HAS(s.run.err, "environment: test");
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "SoftHSM");
    site_remove(&s);
}

TEST(module_missing_or_no_module__says_which)
{
    site_make(&s);
    site_edit(&s, "libsofthsm2.so", "libnothing.so");
    KEYWARD_MUST(&s, 3, "key", "create");
    CHECK_HAS(s.run.err, "libnothing.so");
    CHECK(site_sealed(s.tokens) >= 4);
    site_remove(&s);
}

TEST(another_domain__the_keyring_is_refused)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    site_edit(&s, "domain: demo", "domain: other");
    KEYWARD_MUST(&s, 1, "key", "list");
    CHECK_HAS(s.run.err, "domain is \"demo\"");
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "domain is \"demo\"");
    site_remove(&s);
}

TEST(configuration_with_a_typo__file_line_and_key)
{
    char want[160];
    site_make(&s);
    site_edit(&s, "environment:", "enviroment:");
    KEYWARD_MUST(&s, 1, "key", "list");
    snprintf(want, sizeof want, "%s:3:", s.config);
    CHECK_HAS(s.run.err, want);
    CHECK_HAS(s.run.err, "enviroment");
    site_remove(&s);
}

TEST(keyring_edited_by_hand__refused)
{
    struct kw_blob file = {0};
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    CHECK_OK(kw_file_read(s.keyring, KW_KEYRING_MAX, &file, NULL));
    CHECK_OK(kw_file_replace(s.keyring, kw_span_of(file.ptr, file.len - 3), 0644, NULL));
    kw_blob_wipe(&file);
    KEYWARD_MUST(&s, 1, "key", "accept", "1");
    CHECK_HAS(s.run.err, "keyring.json");
    site_remove(&s);
}

KW_CASES("token/cli/refuse", CASE(activate_without_a_word_on_copies__wrong_usage),
         CASE(activate_what_is_only_created__refused),
         CASE(activate_what_this_node_never_saw_accepted__refused),
         CASE(activate_what_was_seen_accepted_just_now__refused_until_then),
         CASE(activate_what_was_seen_accepted_long_ago__good),
         CASE(activate_clock_set_forward_since_it_was_seen__what_passed_counts),
         CASE(activate_clock_set_back_since_it_was_seen__what_passed_counts),
         CASE(activate_clock_set_back_over_a_restart__what_helps_is_said),
         CASE(activate_what_was_enabled_again_unseen__refused),
         CASE(activate_an_older_one__there_is_no_way_back),
         CASE(take_away_what_this_node_wraps_with__refused),
         CASE(wrong_pin__one_try_then_none_until_the_file_changes),
         CASE(pin_that_worked__remembered_as_proven),
         CASE(refused_pin__stopped_until_retry_is_said__one_try_each),
         CASE(pin_that_others_can_read__refused),
         CASE(token_of_another_owner__refused_with_the_remedy),
         CASE(production__no_soft_token), CASE(module_missing_or_no_module__says_which),
         CASE(another_domain__the_keyring_is_refused),
         CASE(configuration_with_a_typo__file_line_and_key),
         CASE(keyring_edited_by_hand__refused))
