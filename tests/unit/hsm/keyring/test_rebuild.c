/* SPDX-License-Identifier: Apache-2.0 */
/* A lost keyring file, from a backup and what this node's marks remember. */
#include "ring.h"

#include <stdio.h>
#include <unistd.h>

static const char now[] = "2026-04-01T00:00:00Z";

static struct kw_marks seen(const struct kw_keyring *file)
{
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, 0, when(1000));
    return marks;
}

static void denied(const struct kw_keyring *backup, const struct kw_marks *marks,
                   const char *first, const char *second)
{
    struct kw_note note = {{0}};
    struct kw_keyring *ring = NULL;
    CHECK_CODE(kw_act_rebuild(backup, "demo", marks, now, &ring, &note), KW_CODE_DENIED);
    CHECK(ring == NULL);
    CHECK_HAS(note.text, first);
    CHECK_HAS(note.text, second);
}

static struct kw_keyring *rebuilt(const struct kw_keyring *backup,
                                  const struct kw_marks *marks)
{
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    if (kw_failed(kw_act_rebuild(backup, "demo", marks, now, &ring, &note)))
        fail_msg("%s", note.text);
    return ring;
}

/* What is written next on a rebuilt ring, as kw_keyring_save does it.  Takes `ring`. */
static struct kw_keyring *next_of(struct kw_keyring *ring)
{
    struct kw_keyring *next = change(ring);
    kw_keyring_give(ring);
    return reread(next);
}

static void is_taken(const struct kw_keyring *ring, const struct kw_marks *marks)
{
    static struct kw_judgement j;
    static const struct kw_activation no_act;
    static const struct kw_places places = {"/etc/keyward/keyring.json", "/var"};
    const struct kw_memory memory = {marks, &no_act, NULL};
    kw_keyring_judge(ring, "demo", &memory, &places, &j);
    if (j.refusal != KW_ADMITTED)
        fail_msg("%s", j.why.text);
}

TEST(backup__of_a_fork_or_another_cluster__denied)
{
    struct kw_keyring *file = good_file();
    struct kw_keyring *here = acted(file, KW_ACT_RETIRE, 3);
    struct kw_keyring *fork = acted(file, KW_ACT_DISABLE, 3);
    struct kw_marks marks = seen(here);
    denied(fork, &marks, "the backup, serial 8, is none of the files before serial 8",
           "fork");
    becomes(&here, acted(here, KW_ACT_DISABLE, 1));
    marks = seen(here);
    denied(fork, &marks, "serial 8", "serial 9");
    becomes(&fork, acted(fork, KW_ACT_ENABLE, 3));
    becomes(&fork, acted(fork, KW_ACT_DISABLE, 3));
    denied(fork, &marks, "serial 10", "serial 9");
    kw_keyring_give(file);
    kw_keyring_give(here);
    kw_keyring_give(fork);
}

TEST(backup__of_another_domain__denied)
{
    const struct kw_marks none = {0};
    struct kw_keyring *file = good_ring();
    snprintf(file->domain, sizeof file->domain, "prod");
    file = reread(file);
    denied(file, &none, "\"prod\"", "\"demo\"");
    kw_keyring_give(file);
}

TEST(backup__further_back_than_the_marks_can_say__denied)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = reread(change(old));
    for (unsigned i = 1; i < KW_ANCESTORS_MAX; i++)
        becomes(&file, reread(change(file)));
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = rebuilt(old, &marks); /* sixty-four back */
    kw_keyring_give(ring);
    becomes(&file, reread(change(file)));
    marks = seen(file);
    denied(old, &marks, "serial 7", "serial 72");
    kw_keyring_give(old);
    kw_keyring_give(file);
}

/* Newer than what this node took, and it follows: nothing is to be built. */
TEST(backup__later_than_the_last_one_taken__to_be_put_back_as_it_is)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    becomes(&file, acted(file, KW_ACT_RETIRE, 3));
    denied(file, &marks, "serial 8, follows serial 7", "put it back as it is");
    kw_keyring_give(file);
}

TEST(backup__a_state_that_is_not_understood__denied)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    marks.serial++;
    kw_copy(marks.ancestors[0], 32, kw_span_of(file->sha256, 32));
    marks.ancestor_count = 7;
    snprintf(marks.versions[2].state, sizeof marks.versions[2].state, "suspended");
    denied(file, &marks, "version 3 was last \"suspended\"", "newer keyward");
    kw_keyring_give(file);
}

TEST(backup__a_version_not_understood_that_changed_since__denied)
{
    struct kw_keyring *file = NULL;
    char *json = swap(good_text(), "\"state\": \"accepted\"", "\"state\": \"suspended\"");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &file, NULL));
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = rebuilt(file, &marks); /* as it was: kept */
    CHECK(kw_keyring_by_n(ring, 3)->state == KW_KEY_UNKNOWN);
    kw_keyring_give(ring);
    snprintf(marks.versions[2].state, sizeof marks.versions[2].state, "retired");
    denied(file, &marks, "version 3 was last \"retired\"", "newer keyward");
    kw_keyring_give(file);
}

TEST(rebuild__no_backup_nor_memory__an_empty_ring)
{
    const struct kw_marks none = {0};
    struct kw_keyring *ring = rebuilt(NULL, &none);
    CHECK(ring->serial == 0 && ring->count == 0 && ring->next_n == 1);
    CHECK_STR(ring->domain, "demo");
    kw_keyring_give(ring);
}

/* A node that forgot everything: the backup is all there is. */
TEST(rebuild__no_memory__as_the_backup_is)
{
    const struct kw_marks none = {0};
    struct kw_keyring *file = good_file();
    struct kw_keyring *ring = rebuilt(file, &none);
    CHECK(ring->serial == 7 && ring->active == 2 && ring->count == 3);
    CHECK(memcmp(ring->sha256, file->sha256, 32) == 0);
    ring = next_of(ring);
    struct kw_marks marks = seen(file);
    is_taken(ring, &marks);
    kw_keyring_give(ring);
    kw_keyring_give(file);
}

/* Without a backup only the names are left: whoever took the lost file takes what comes
 * after it, when the keys were adopted. */
TEST(rebuild__no_backup__the_chain_and_the_numbers)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = rebuilt(NULL, &marks);
    CHECK(ring->serial == 7 && ring->count == 0 && ring->active == 0);
    CHECK(ring->next_n == 4 && ring->ancestor_count == 6);
    CHECK(memcmp(ring->sha256, file->sha256, 32) == 0);
    for (uint32_t n = 1; n <= 3; n++) {
        struct kw_version v = good_version(n, KW_KEY_CREATED);
        CHECK_OK(kw_act_add(ring, KW_ACT_ADOPT, &v, &some_facts));
        kw_act_recall(ring, kw_keyring_edit(ring, n), &marks, now);
    }
    CHECK(ring->active == 2 && kw_keyring_by_n(ring, 2)->state == KW_KEY_ACTIVE);
    CHECK(kw_keyring_by_n(ring, 1)->state == KW_KEY_RETIRED);
    CHECK_STR(kw_keyring_by_n(ring, 1)->retired, now);
    CHECK(kw_keyring_by_n(ring, 3)->state == KW_KEY_ACCEPTED);
    ring = next_of(ring);
    is_taken(ring, &marks);
    kw_keyring_give(ring);
    kw_keyring_give(file);
}

TEST(rebuild__the_last_one_itself__versions_as_they_were_and_adopted_anew)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = rebuilt(file, &marks);
    CHECK(ring->serial == 7 && ring->active == 2 && ring->history_count == 9 + 3);
    CHECK(memcmp(ring->versions, file->versions, 3 * sizeof *ring->versions) == 0);
    for (uint32_t n = 1; n <= 3; n++) { /* of the file that will be written */
        const struct kw_history *h = &ring->history[8 + n];
        CHECK(h->serial == 8 && h->n == n);
        CHECK_STR(h->act, "adopt");
        CHECK_STR(h->at, now);
        CHECK_STR(h->proof, "from the backup, serial 7");
    }
    kw_keyring_give(ring);
    kw_keyring_give(file);
}

TEST(rebuild__an_older_backup__states_as_the_marks_remember)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = acted(old, KW_ACT_ACTIVATE, 3);
    becomes(&file, acted(file, KW_ACT_DISABLE, 1));
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = rebuilt(old, &marks);
    CHECK(ring->serial == 9 && ring->ancestor_count == 8 && ring->active == 3);
    CHECK(memcmp(ring->ancestors[1], old->sha256, 32) == 0);
    CHECK(kw_keyring_by_n(ring, 3)->state == KW_KEY_ACTIVE);
    CHECK_STR(kw_keyring_by_n(ring, 3)->activated, now);
    CHECK(kw_keyring_by_n(ring, 2)->state == KW_KEY_RETIRED);
    CHECK(kw_keyring_by_n(ring, 1)->state == KW_KEY_DISABLED);
    CHECK_STR(kw_keyring_by_n(ring, 1)->disabled_from, "retired");
    ring = next_of(ring);
    CHECK(ring->serial == 10);
    is_taken(ring, &marks);
    kw_keyring_give(ring);
    kw_keyring_give(file);
    kw_keyring_give(old);
}

TEST(rebuild__disabled_since__comes_back_to_no_more_than_it_was)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = acted(old, KW_ACT_ACTIVATE, 3);
    becomes(&file, acted(file, KW_ACT_DISABLE, 2)); /* active in the backup */
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = rebuilt(old, &marks);
    CHECK_STR(kw_keyring_by_n(ring, 2)->disabled_from, "retired");
    kw_keyring_give(next_of(ring));
    kw_keyring_give(file);
    kw_keyring_give(old);
}

/* Destroyed is for good: no backup brings a version back. */
TEST(rebuild__destroyed_or_pruned_since__stays_so)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = acted(old, KW_ACT_DISABLE, 1);
    becomes(&file, acted(file, KW_ACT_DESTROY, 1));
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = rebuilt(old, &marks);
    CHECK(kw_keyring_by_n(ring, 1)->state == KW_KEY_DESTROYED);
    kw_keyring_give(next_of(ring));
    becomes(&file, acted(file, KW_ACT_PRUNE, 1));
    marks = seen(file);
    ring = rebuilt(old, &marks);
    CHECK(kw_keyring_by_n(ring, 1) == NULL && ring->count == 2);
    const struct kw_history *h = &ring->history[ring->history_count - 3];
    CHECK(h->serial == 11 && h->n == 1);
    CHECK_STR(h->act, "prune");
    CHECK_STR(h->at, now);
    CHECK_STR(h->proof, "kw1-1-000000000000000000000001 destroyed, after the backup");
    ring = next_of(ring);
    is_taken(ring, &marks);
    struct kw_marks behind = seen(old); /* a node that never saw that it was destroyed */
    is_taken(ring, &behind);
    kw_keyring_give(ring);
    kw_keyring_give(file);
    kw_keyring_give(old);
}

TEST(rebuild__baseline_that_the_backup_lacks__none_until_it_is_adopted)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = change(old);
    struct kw_version v = good_version(4, KW_KEY_ACCEPTED);
    CHECK_OK(kw_keyring_add(file, &v));
    file = reread(file);
    becomes(&file, acted(file, KW_ACT_ACTIVATE, 4));
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = rebuilt(old, &marks);
    CHECK(ring->active == 0 && ring->next_n == 5);
    CHECK(kw_keyring_by_n(ring, 2)->state == KW_KEY_RETIRED);
    v = good_version(4, KW_KEY_CREATED);
    CHECK_OK(kw_act_add(ring, KW_ACT_ADOPT, &v, &some_facts));
    kw_act_recall(ring, kw_keyring_edit(ring, 4), &marks, now);
    CHECK(ring->active == 4);
    ring = next_of(ring);
    is_taken(ring, &marks);
    kw_keyring_give(ring);
    kw_keyring_give(file);
    kw_keyring_give(old);
}

/* Acts in files that are lost may have been anything: who missed them waits again. */
TEST(rebuild__a_node_that_missed_files__accepts_anew)
{
    struct kw_keyring *old = good_file();
    struct kw_marks behind = seen(old);
    struct kw_keyring *file = acted(old, KW_ACT_DISABLE, 3);
    becomes(&file, acted(file, KW_ACT_ENABLE, 3));
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = next_of(rebuilt(old, &marks));
    is_taken(ring, &behind);
    (void)kw_marks_raise(&behind, ring, 0, when(5000));
    CHECK(kw_marks_of(&behind, 3)->since.wall_ns == 5000);
    kw_keyring_give(ring);
    kw_keyring_give(file);
    kw_keyring_give(old);
}

/* The marks do not know what it was before it was disabled.  Back in created it would be
 * refused by every node that sealed under it, and destroyed at once. */
TEST(recall__disabled__goes_back_to_what_unwraps)
{
    static const struct {
        enum kw_key_state is;
        const char *from, *want;
    } rows[] = {
        {KW_KEY_CREATED, "", "retired"},          {KW_KEY_ACCEPTED, "", "accepted"},
        {KW_KEY_ACTIVE, "", "retired"},           {KW_KEY_RETIRED, "", "retired"},
        {KW_KEY_DESTROYED, "", "retired"},        {KW_KEY_DISABLED, "created", "retired"},
        {KW_KEY_DISABLED, "accepted", "accepted"}};
    struct kw_keyring *file = good_file();
    becomes(&file, acted(file, KW_ACT_DISABLE, 1));
    struct kw_marks marks = seen(file);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kw_version v = good_version(1, rows[i].is);
        snprintf(v.disabled_from, sizeof v.disabled_from, "%s", rows[i].from);
        kw_act_recall(file, &v, &marks, now);
        CHECK(v.state == KW_KEY_DISABLED);
        CHECK_STR(v.disabled_from, rows[i].want);
    }
    kw_keyring_give(file);
}

/* A record of the version from elsewhere, put into a ring that has another baseline. */
TEST(recall__active_in_both__the_rings_baseline)
{
    struct kw_keyring *file = good_file();
    becomes(&file, acted(file, KW_ACT_ACTIVATE, 3));
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = good_ring(); /* its baseline is 2 */
    struct kw_version v = *kw_keyring_by_n(file, 3);
    CHECK(v.state == KW_KEY_ACTIVE);
    kw_act_recall(ring, &v, &marks, now);
    CHECK(ring->active == 3 && v.state == KW_KEY_ACTIVE);
    CHECK(kw_keyring_by_n(ring, 2)->state == KW_KEY_RETIRED);
    CHECK_STR(kw_keyring_by_n(ring, 2)->retired, now);
    kw_keyring_give(ring);
    kw_keyring_give(file);
}

/* The ring went on without it. */
TEST(recall__the_ring_has_a_higher_baseline__retired)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = good_ring();
    struct kw_version v = *kw_keyring_by_n(ring, 2);
    CHECK(v.state == KW_KEY_ACTIVE);
    CHECK_OK(kw_act_apply(ring, KW_ACT_ACTIVATE, 3, &some_facts, NULL));
    v.state = KW_KEY_CREATED;
    kw_act_recall(ring, &v, &marks, now);
    CHECK(ring->active == 3 && v.state == KW_KEY_RETIRED);
    CHECK_STR(v.retired, now);
    CHECK(kw_keyring_by_n(ring, 3)->state == KW_KEY_ACTIVE);
    kw_keyring_give(ring);
    kw_keyring_give(file);
}

TEST(recall__other_key_or_nothing_remembered__as_it_is)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = good_ring();
    struct kw_version *v = kw_keyring_edit(ring, 3);
    v->state = KW_KEY_CREATED;
    v->key_id[10] = 'f';
    kw_act_recall(ring, v, &marks, now);
    CHECK(v->state == KW_KEY_CREATED && ring->active == 2);
    v->n = 9;
    kw_act_recall(ring, v, &marks, now);
    CHECK(v->state == KW_KEY_CREATED);
    v = kw_keyring_edit(ring, 1);
    v->state = KW_KEY_UNKNOWN; /* its text says what it is */
    kw_act_recall(ring, v, &marks, now);
    CHECK(v->state == KW_KEY_UNKNOWN);
    kw_keyring_give(ring);
    kw_keyring_give(file);
}

TEST(save__on_a_lost_file__follows_it)
{
    const char *path = in_folder("keyring.json");
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    struct kw_keyring *ring = rebuilt(file, &marks);
    struct kw_keyring *back = NULL;
    CHECK_OK(kw_keyring_save(path, ring, NULL, NULL));
    CHECK_OK(kw_keyring_load(path, &back, NULL, NULL));
    CHECK(back->serial == 8 && memcmp(back->ancestors[0], file->sha256, 32) == 0);
    is_taken(back, &marks);
    kw_keyring_give(back);
    kw_keyring_give(ring);
    kw_keyring_give(file);
    folder_gone();
}

/* A copy has no digest: what is saved would follow from nothing that anybody took. */
TEST(save__on_a_lost_file_without_its_digest__refused)
{
    struct kw_note note = {{0}};
    const char *path = in_folder("keyring.json");
    struct kw_keyring *file = good_file();
    struct kw_keyring *copy = NULL;
    CHECK_OK(kw_keyring_dup(file, &copy));
    CHECK_CODE(kw_keyring_save(path, copy, NULL, &note), KW_CODE_BUG);
    CHECK_HAS(note.text, path);
    CHECK(access(path, F_OK) != 0 && copy->serial == 7);
    kw_keyring_give(copy);
    kw_keyring_give(file);
    folder_gone();
}

KW_CASES("hsm/keyring/rebuild", CASE(backup__of_a_fork_or_another_cluster__denied),
         CASE(backup__of_another_domain__denied),
         CASE(backup__further_back_than_the_marks_can_say__denied),
         CASE(backup__later_than_the_last_one_taken__to_be_put_back_as_it_is),
         CASE(backup__a_state_that_is_not_understood__denied),
         CASE(backup__a_version_not_understood_that_changed_since__denied),
         CASE(rebuild__no_backup_nor_memory__an_empty_ring),
         CASE(rebuild__no_memory__as_the_backup_is),
         CASE(rebuild__no_backup__the_chain_and_the_numbers),
         CASE(rebuild__the_last_one_itself__versions_as_they_were_and_adopted_anew),
         CASE(rebuild__an_older_backup__states_as_the_marks_remember),
         CASE(rebuild__disabled_since__comes_back_to_no_more_than_it_was),
         CASE(rebuild__destroyed_or_pruned_since__stays_so),
         CASE(rebuild__baseline_that_the_backup_lacks__none_until_it_is_adopted),
         CASE(rebuild__a_node_that_missed_files__accepts_anew),
         CASE(recall__disabled__goes_back_to_what_unwraps),
         CASE(recall__active_in_both__the_rings_baseline),
         CASE(recall__the_ring_has_a_higher_baseline__retired),
         CASE(recall__other_key_or_nothing_remembered__as_it_is),
         CASE(save__on_a_lost_file__follows_it),
         CASE(save__on_a_lost_file_without_its_digest__refused))
