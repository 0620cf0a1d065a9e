/* SPDX-License-Identifier: Apache-2.0 */
/* The way out of a refusal, as the tool prints it, word by word. */
#include "site.h"
#include "words.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/act.h>
#include <keyward/file.h>
#include <keyward/state.h>

static struct site s;
static char other[160]; /* what somebody else made of the same file */

/* Version 1 is the baseline; this node has taken the file of it. */
static void make_one(void)
{
    site_make(&s);
    snprintf(other, sizeof other, "%s/other.json", s.dir);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--only-copy");
    site_take_ring(&s, 1, 301 * KW_S_NS);
}

static void copy(const char *from, const char *to)
{
    struct kw_blob file = {0};
    CHECK_OK(kw_file_read(from, KW_KEYRING_MAX, &file, NULL));
    CHECK_OK(kw_file_replace(to, kw_blob_peek(&file), 0644, NULL));
    kw_blob_wipe(&file);
}

/* An act in another place, on the file there. */
static void elsewhere(const char *path, enum kw_act act, uint32_t n)
{
    struct kw_keyring *ring = NULL, *changed = NULL;
    struct kw_note note = {{0}};
    const struct kw_act_facts facts = {
        .at = "2026-11-26T12:00:00.000000Z", .by = "Eve", .tool = "keyward 0.1.0"};
    CHECK_OK(kw_keyring_load(path, &ring, NULL, NULL));
    CHECK_OK(kw_keyring_dup(ring, &changed));
    if (kw_failed(kw_act_apply(changed, act, n, &facts, &note)))
        fail_msg("%s", note.text);
    CHECK_OK(kw_keyring_save(path, changed, ring->sha256, NULL));
    kw_keyring_give(changed);
    kw_keyring_give(ring);
}

static void run_line(const char *text, const char *below, size_t n)
{
    char command[2048];
    printed_command(text, below, n, command);
    if (words_run(&s, command) != 0)
        fail_msg("%s: %s%s", command, s.run.out, s.run.err);
}

/* What list says of the keyring that lies there, which it must refuse. */
static const char *refusal(const char *why)
{
    static char text[sizeof s.run.err];
    KEYWARD_MUST(&s, 1, "key", "list");
    CHECK_HAS(s.run.err, why);
    snprintf(text, sizeof text, "%s", s.run.err);
    return text;
}

/* The daemon takes the keyring: the tool judges as it does. */
static void serves(uint32_t active)
{
    char want[64];
    KEYWARD_MUST(&s, 0, "key", "list", "--json");
    snprintf(want, sizeof want, "\"active_here\": %u", (unsigned)active);
    CHECK_HAS(s.run.out, want);
    KEYWARD_MUST(&s, 0, "check");
    site_take_ring(&s, active, 0);
    KEYWARD_MUST(&s, 0, "key", "list");
}

/* 2 is what this node has activated by itself, and wraps with. */
static void make_activated_here(void)
{
    make_one();
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy", "--now");
    site_take_ring(&s, 2, 301 * KW_S_NS);
    copy(s.keyring, other);
}

TEST(retired_elsewhere_what_this_node_wraps_with__a_later_one)
{
    make_activated_here();
    elsewhere(other, KW_ACT_RETIRE, 2);
    copy(other, s.keyring);
    const char *text = refusal("make, accept and activate a later one");
    for (size_t i = 0; i < 2; i++)
        run_line(text, NULL, i);
    run_line(text, "when there is no second copy, and you accept that", 0);
    serves(3);
    struct kw_keyring *ring = site_ring(&s);
    CHECK(ring->active == 3 && kw_keyring_by_n(ring, 2)->state == KW_KEY_RETIRED);
    kw_keyring_give(ring);
    site_remove(&s);
}

TEST(disabled_elsewhere_what_this_node_wraps_with__enabled_again)
{
    make_activated_here();
    elsewhere(other, KW_ACT_DISABLE, 2);
    copy(other, s.keyring);
    run_line(refusal("enable it again"), NULL, 0);
    serves(2);
    site_remove(&s);
}

TEST(keyring_lost__the_last_good_one_is_put_back)
{
    make_one();
    CHECK(unlink(s.keyring) == 0);
    run_line(refusal("put it back"), NULL, 0);
    CHECK(site_mode(s.keyring) == 0644);
    serves(1);
    site_remove(&s);
}

/* A and B are made of one file; this node has taken A, and B lies there. */
static void make_fork(void)
{
    make_one();
    copy(s.keyring, other);
    KEYWARD_MUST(&s, 0, "key", "create"); /* 2, which B has not */
    site_take_ring(&s, 1, 301 * KW_S_NS);
    elsewhere(other, KW_ACT_ACTIVATE, 1);
    copy(other, s.keyring);
}

TEST(changed_in_two_places__this_nodes_own_is_put_back)
{
    make_fork();
    run_line(refusal("this one did: activate 1 by Eve; the other: create 2 by "),
             "when they hold what this node took last", 0);
    serves(1);
    site_remove(&s);
}

TEST(changed_in_two_places__the_other_is_trusted_once)
{
    make_fork();
    run_line(refusal("the change was made in two places"),
             "when the others hold what lies here now", 0);
    CHECK_HAS(
        s.run.out,
        "(version 2, created here) is not there in it: what is sealed under it cannot be "
        "read then");
    CHECK_HAS(s.run.out, "it gives the numbers from 2 on once more");
    CHECK_HAS(s.run.out, "\n  systemctl reload keywardd\n");
    CHECK(strstr(s.run.out, "  install ") == NULL); /* it lies there already */
    serves(1);
    site_remove(&s);
}

static void hash_of(const char *path, char hex[65])
{
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_load(path, &ring, NULL, NULL));
    kw_hex(hex, 65, kw_span_of(ring->sha256, 32));
    kw_keyring_give(ring);
}

/* Each side has made a version 2, and wraps with it; `other` lies there. */
static void make_fork_that_both_used(char theirs[KW_KEY_ID_MAX + 1])
{
    char base[160];
    make_one();
    snprintf(base, sizeof base, "%s/base.json", s.dir);
    copy(s.keyring, base);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
    copy(s.keyring, other);
    elsewhere(other, KW_ACT_ACTIVATE, 2);
    struct kw_keyring *ring = site_ring(&s);
    snprintf(theirs, KW_KEY_ID_MAX + 1, "%s", kw_keyring_by_n(ring, 2)->key_id);
    kw_keyring_give(ring);
    copy(base, s.keyring);
    KEYWARD_MUST(&s, 0, "key", "create", "--beside-others");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy", "--now", "--baseline");
    site_take_ring(&s, 2, 301 * KW_S_NS);
    copy(other, s.keyring);
}

static bool has_version_2(const char *key_id)
{
    struct kw_keyring *ring = site_ring(&s);
    bool has = strcmp(kw_keyring_by_n(ring, 2)->key_id, key_id) == 0;
    kw_keyring_give(ring);
    return has;
}

TEST(both_have_wrapped__this_nodes_own_is_put_back)
{
    char theirs[KW_KEY_ID_MAX + 1];
    make_fork_that_both_used(theirs);
    const char *text = refusal("the change was made in two places");
    CHECK(strstr(text, "keyward keyring trust") == NULL);
    CHECK_HAS(text, "\n  # both have wrapped: ");
    CHECK_HAS(text, theirs);
    run_line(text, "when this node's own goes on", 0);
    serves(2);
    CHECK(!has_version_2(theirs));
    KEYWARD_MUST(&s, 1, "keyring", "compare", s.keyring, other);
    CHECK(strstr(s.run.out, "keyring trust") == NULL);
    CHECK_HAS(s.run.out, "\n  # both have wrapped: ");
    CHECK_HAS(s.run.out, "other.json: something may be sealed under version 2 (");
    CHECK_HAS(s.run.out, "keyring.json: something may be sealed under version 2 (");
    CHECK_HAS(s.run.out, theirs);
    CHECK_HAS(s.run.out, "\n  keyward key list --config ");
    site_remove(&s);
}

/* The other file is the newer one, and would be refused: this one may be trusted. */
TEST(one_side_has_wrapped__compare_names_that_one)
{
    char want[256], hex[65];
    make_one();
    copy(s.keyring, other);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy", "--now");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--now", "--baseline");
    for (int i = 0; i < 9; i++)
        elsewhere(other, KW_ACT_ACTIVATE, 1);
    KEYWARD_MUST(&s, 1, "keyring", "compare", s.keyring, other);
    CHECK_HAS(s.run.out, "newest      ");
    hash_of(s.keyring, hex);
    snprintf(want, sizeof want, "\n  keyward keyring trust %s --sha256 %s --config %s\n",
             s.keyring, hex, s.config);
    CHECK_HAS(s.run.out, want);
    site_remove(&s);
}

TEST(both_have_wrapped__begun_anew_with_the_other)
{
    char theirs[KW_KEY_ID_MAX + 1];
    make_fork_that_both_used(theirs);
    const char *text = refusal("the change was made in two places");
    CHECK_HAS(text, "what was not is lost");
    for (size_t i = 0; i < 3; i++)
        run_line(text, "when what lies here goes on", i);
    serves(2);
    CHECK(has_version_2(theirs));
    site_remove(&s);
}

/* So far behind that the changes of the way out would be too far: that it is trusted is
 * recorded before they are made. */
TEST(nearly_sixty_four_behind__what_is_made_is_taken)
{
    make_activated_here();
    elsewhere(other, KW_ACT_RETIRE, 2);
    for (unsigned i = 0; i < (KW_ANCESTORS_MAX - 2) / 2; i++) {
        elsewhere(other, KW_ACT_DISABLE, 2);
        elsewhere(other, KW_ACT_ENABLE, 2);
    }
    copy(other, s.keyring);
    const char *text = refusal("make, accept and activate a later one");
    for (size_t i = 0; i < 3; i++)
        run_line(text, NULL, i);
    run_line(text, "when there is no second copy, and you accept that", 0);
    serves(3);
    site_remove(&s);
}

/* The same commands wherever they are shown. */
TEST(in_check_and_in_documents__the_same_commands)
{
    char command[2048], indented[2100];
    make_fork();
    printed_command(refusal("two places"), "when the others hold", 0, command);
    CHECK_HAS(command, " --config ");
    KEYWARD_MUST(&s, 1, "key", "list", "--json");
    CHECK_HAS(s.run.out, "\"next\": [");
    CHECK_HAS(s.run.out, command);
    KEYWARD_MUST(&s, 1, "check", "--json");
    CHECK_HAS(s.run.out, command);
    KEYWARD_MUST(&s, 1, "check");
    snprintf(indented, sizeof indented, "\n%28s%s\n", "", command);
    CHECK_HAS(s.run.out, indented);
    CHECK_HAS(s.run.out, "-> # compare it");
    site_remove(&s);
}

static void trust(int want, const char *sha256)
{
    KEYWARD_MUST(&s, want, "keyring", "trust", other, "--sha256", sha256);
}

/* There is nothing to choose for a file that is only older, but it can be said. */
TEST(older_file_that_the_others_hold__trusted)
{
    char hex[65];
    make_one();
    hash_of(s.keyring, hex);
    copy(s.keyring, other);
    KEYWARD_MUST(&s, 0, "key", "create");
    site_take_ring(&s, 1, 301 * KW_S_NS);
    copy(other, s.keyring);
    CHECK(strstr(refusal("an older file was put back"), "# when") == NULL);
    trust(0, hex);
    serves(1);
    site_remove(&s);
}

TEST(trusted_from_elsewhere__installed_as_told)
{
    char command[2048], hex[65];
    struct kw_keyring *ring = NULL;
    make_fork();
    run_line(refusal("two places"), "when they hold what this node took last", 0);
    CHECK_OK(kw_keyring_load(other, &ring, NULL, NULL));
    kw_hex(hex, sizeof hex, kw_span_of(ring->sha256, 32));
    kw_keyring_give(ring);
    KEYWARD_MUST(&s, 0, "keyring", "trust", other, "--sha256", hex, "--json");
    CHECK_HAS(s.run.out, "\"recorded\": true");
    CHECK_HAS(s.run.out, "\"state\": \"created\"");
    KEYWARD_MUST(&s, 0, "keyring", "trust", other, "--sha256", hex);
    printed_command(s.run.out, NULL, 0, command);
    CHECK(words_run(&s, command) == 0);
    serves(1);
    site_remove(&s);
}

TEST(trust_of_other_bytes_or_no_digest__refused)
{
    static const char wrong[] =
        "0000000000000000000000000000000000000000000000000000000000000000";
    make_fork();
    trust(1, wrong);
    CHECK_HAS(s.run.err, "look which file you have compared");
    trust(2, "abc");
    KEYWARD_MUST(&s, 2, "keyring", "trust", other);
    CHECK(unlink(other) == 0);
    trust(3, wrong);
    (void)refusal("two places");
    site_remove(&s);
}

TEST(trust_of_a_file_without_what_this_node_wrapped_with__refused)
{
    char hex[65];
    make_one();
    copy(s.keyring, other);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy", "--now", "--baseline");
    site_take_ring(&s, 2, 301 * KW_S_NS);
    hash_of(other, hex);
    trust(1, hex);
    CHECK_HAS(s.run.err, "version 2 (kw1-2-");
    CHECK_HAS(s.run.err, "even trusted, serial 3");
    CHECK_HAS(s.run.err, "under which this node has wrapped");
    CHECK(strstr(s.run.err, "  install ") == NULL); /* its own lies there */
    CHECK_HAS(s.run.err, "\n  keyward key list --config ");
    copy(other, s.keyring);
    (void)refusal("an older file was put back"); /* nothing was recorded */
    site_remove(&s);
}

/* This node has not wrapped with it; another one may have. */
TEST(trust_of_a_file_that_ends_what_unwraps_here__told)
{
    static const enum kw_act acts[] = {KW_ACT_CREATE, KW_ACT_DISABLE, KW_ACT_DESTROY};
    static const char *const is[] = {"created", "disabled", "destroyed"};
    char hex[65], word[64];
    for (size_t i = 0; i < 3; i++) {
        make_one();
        KEYWARD_MUST(&s, 0, "key", "create");
        copy(s.keyring, other);
        KEYWARD_MUST(&s, 0, "key", "accept", "2");
        site_take_ring(&s, 1, 301 * KW_S_NS);
        if (i > 0) /* else the file before it */
            elsewhere(other, acts[i], 2);
        hash_of(other, hex);
        trust(0, hex);
        snprintf(word, sizeof word, "(version 2, accepted here) is %s in it", is[i]);
        CHECK_HAS(s.run.out, word);
        KEYWARD_MUST(&s, 0, "keyring", "trust", other, "--sha256", hex, "--json");
        snprintf(word, sizeof word, "\"there\": \"%s\"", is[i]);
        CHECK_HAS(s.run.out, word);
        site_remove(&s);
    }
}

TEST(trust_of_what_follows_anyway__nothing_recorded)
{
    char hex[65];
    make_one();
    KEYWARD_MUST(&s, 0, "key", "create");
    copy(s.keyring, other);
    hash_of(other, hex);
    KEYWARD_MUST(&s, 0, "keyring", "trust", other, "--sha256", hex, "--json");
    CHECK_HAS(s.run.out, "\"recorded\": false");
    site_edit(&s, "domain: demo", "domain: another");
    trust(1, hex);
    CHECK_HAS(s.run.err, "a domain never changes");
    site_remove(&s);
}

KW_CASES("token/cli/way_out", CASE(trust_of_a_file_that_ends_what_unwraps_here__told),
         CASE(retired_elsewhere_what_this_node_wraps_with__a_later_one),
         CASE(disabled_elsewhere_what_this_node_wraps_with__enabled_again),
         CASE(keyring_lost__the_last_good_one_is_put_back),
         CASE(changed_in_two_places__this_nodes_own_is_put_back),
         CASE(changed_in_two_places__the_other_is_trusted_once),
         CASE(both_have_wrapped__this_nodes_own_is_put_back),
         CASE(both_have_wrapped__begun_anew_with_the_other),
         CASE(one_side_has_wrapped__compare_names_that_one),
         CASE(nearly_sixty_four_behind__what_is_made_is_taken),
         CASE(in_check_and_in_documents__the_same_commands),
         CASE(older_file_that_the_others_hold__trusted),
         CASE(trusted_from_elsewhere__installed_as_told),
         CASE(trust_of_other_bytes_or_no_digest__refused),
         CASE(trust_of_a_file_without_what_this_node_wrapped_with__refused),
         CASE(trust_of_what_follows_anyway__nothing_recorded))
