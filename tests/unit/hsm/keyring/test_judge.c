/* SPDX-License-Identifier: Apache-2.0 */
/* Which ring this node takes, and which version it wraps with.  The words and the ways
 * out are in test_cure.c, trust in test_trust.c. */
#include "judged.h"

#include <stdio.h>

/* ---- the file as a whole ---- */

TEST(domain__another__refused_before_all_else)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    marks.serial = 99;
    struct kw_judgement j;
    const struct kw_memory memory = {&marks, &no_act, NULL};
    kw_keyring_judge(file, "demo2", &memory, &some_places, &j);
    CHECK(j.refusal == KW_REFUSED_DOMAIN && j.n == 0 && j.active == 0);
    kw_keyring_give(file);
}

TEST(missing__one_was_taken__refused)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    is_judged(NULL, &marks, KW_REFUSED_MISSING, 0);
    kw_keyring_give(file);
}

TEST(missing__one_was_activated__refused)
{
    const struct kw_marks none = {0};
    struct kw_activation act = {.n = 2};
    snprintf(act.key_id, sizeof act.key_id, "kw1-2-000000000000000000000002");
    struct kw_judgement j = judge_with(NULL, &none, &act);
    CHECK(j.refusal == KW_REFUSED_MISSING && !j.last_good);
    CHECK_HAS(j.why.text,
              "this node has activated version 2 (kw1-2-000000000000000000000002)");
    is_judged(NULL, &none, KW_ADMITTED, 0); /* a new node */
}

TEST(older__rolled_back__refused)
{
    struct kw_keyring *old = good_file();
    struct kw_keyring *file = acted(old, KW_ACT_RETIRE, 3);
    struct kw_marks marks = seen(file);
    is_judged(old, &marks, KW_REFUSED_OLDER, 0);
    kw_keyring_give(old);
    kw_keyring_give(file);
}

TEST(fork__same_serial_other_bytes__refused)
{
    struct kw_keyring *file = good_file();
    struct kw_keyring *a = acted(file, KW_ACT_RETIRE, 3);
    struct kw_keyring *b = acted(file, KW_ACT_DISABLE, 3);
    struct kw_marks marks = seen(a);
    is_judged(b, &marks, KW_REFUSED_FORK, 0);
    kw_keyring_give(file);
    kw_keyring_give(a);
    kw_keyring_give(b);
}

/* Two places changed the file of serial 7; the other one made more changes since. */
TEST(fork__older_reaches_higher__refused)
{
    struct kw_keyring *file = good_file();
    struct kw_keyring *here = acted(file, KW_ACT_RETIRE, 3);
    struct kw_marks marks = seen(here);
    becomes(&file, acted(file, KW_ACT_DISABLE, 3));
    for (unsigned i = 0; i < 5; i++) {
        becomes(&file, acted(file, KW_ACT_ENABLE, 3));
        is_judged(file, &marks, KW_REFUSED_FORK, 0);
        becomes(&file, acted(file, KW_ACT_DISABLE, 3));
        is_judged(file, &marks, KW_REFUSED_FORK, 0);
    }
    CHECK(file->serial == 18);
    kw_keyring_give(file);
    kw_keyring_give(here);
}

TEST(far__sixty_five_files_on__refused_sixty_four_taken)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    for (unsigned i = 0; i < KW_ANCESTORS_MAX; i++)
        becomes(&file, reread(change(file)));
    is_judged(file, &marks, KW_ADMITTED, 0);
    becomes(&file, reread(change(file)));
    is_judged(file, &marks, KW_REFUSED_FAR, 0);
    kw_keyring_give(file);
}

/* A file with the largest serial that says it is ours: without the digests it is not. */
TEST(far__the_largest_serial__poisons_nobody)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    struct kw_keyring *bad = change(file);
    bad->serial = KW_SERIAL_MAX;
    bad->ancestor_count = KW_ANCESTORS_MAX;
    bad = reread(bad);
    is_judged(bad, &marks, KW_REFUSED_FAR, 0);
    is_judged(file, &marks, KW_ADMITTED, 0);
    kw_keyring_give(bad);
    kw_keyring_give(file);
}

/* ---- the versions in it ---- */

TEST(renamed__one_number_for_two_keys__refused)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    becomes(&file, with_version(file, 3, "kw1-3-ffffffffffffffffffffffff"));
    is_judged(file, &marks, KW_REFUSED_RENAMED, 3);
    kw_keyring_give(file);
}

TEST(lost__not_destroyed_and_pruned__refused)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    struct kw_keyring *next = change(file);
    kw_keyring_remove(next, 3);
    next = reread(next);
    is_judged(next, &marks, KW_REFUSED_LOST, 3);
    kw_keyring_give(next);
    kw_keyring_give(file);
}

TEST(lost__pruned_under_another_key_id__refused)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    destroy_and_prune(&file, 1);
    struct kw_history *h = &file->history[file->history_count - 1];
    CHECK_STR(h->act, "prune");
    h->proof[8] ^= 1;
    file = reread(file);
    is_judged(file, &marks, KW_REFUSED_LOST, 1);
    kw_keyring_give(file);
}

/* Version 3 uses the key of version 1, whatever is written of that one. */
static struct kw_keyring *file_with_same_key(void)
{
    struct kw_keyring *ring = good_ring();
    struct kw_version *v = kw_keyring_edit(ring, 3);
    v->same_key_as = 1;
    v->objects[0] = ring->versions[0].objects[0];
    return reread(ring);
}

TEST(lost__a_same_key_as_needs_it__refused_though_destroyed)
{
    struct kw_keyring *file = file_with_same_key();
    becomes(&file, acted(file, KW_ACT_DISABLE, 1));
    becomes(&file, acted(file, KW_ACT_DESTROY, 1));
    struct kw_marks marks = seen(file);
    struct kw_keyring *next = change(file);
    kw_keyring_remove(next, 1); /* no file that is read can look so; belt and braces */
    is_judged(next, &marks, KW_REFUSED_LOST, 1);
    kw_keyring_edit(next, 3)->state = KW_KEY_UNKNOWN; /* a newer keyward needs it too */
    is_judged(next, &marks, KW_REFUSED_LOST, 1);
    kw_keyring_remove(next, 3);
    is_judged(next, &marks, KW_REFUSED_LOST, 3);
    kw_keyring_give(next);
    kw_keyring_give(file);
}

TEST(next_n__goes_back__refused)
{
    struct kw_keyring *file = good_file();
    file->next_n = 9;
    file = reread(file);
    struct kw_marks marks = seen(file);
    struct kw_keyring *next = change(file);
    next->next_n = 8;
    next = reread(next);
    is_judged(next, &marks, KW_REFUSED_NEXT_N, 0);
    kw_keyring_give(next);
    kw_keyring_give(file);
}

static struct kw_keyring *with_baseline(const struct kw_keyring *file, uint32_t n)
{
    struct kw_keyring *next = change(file);
    kw_keyring_edit(next, next->active)->state = KW_KEY_RETIRED;
    if (n != 0)
        kw_keyring_edit(next, n)->state = KW_KEY_ACTIVE;
    next->active = n;
    return reread(next);
}

/* The state of version 1 when this node looked last, and whether the next ring, in which
 * it is destroyed, or pruned as well, is taken: it wrapped with it. */
TEST(destroyed__wrapped_here__taken_only_when_it_was_seen_to_end)
{
    static const struct {
        const char *was;
        bool wrapped, taken;
    } rows[] = {{"accepted", true, false}, {"retired", true, false},
                {"active", true, false},   {"disabled", true, true},
                {"destroyed", true, true}, {"retired", false, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kw_keyring *file = good_file();
        struct kw_marks marks = seen(file);
        struct kw_mark *mark = &marks.versions[0];
        enum kw_refusal want = rows[i].taken ? KW_ADMITTED : KW_REFUSED_DESTROYED;
        snprintf(mark->state, sizeof mark->state, "%s", rows[i].was);
        mark->wrapped = rows[i].wrapped;
        becomes(&file, acted(file, KW_ACT_DISABLE, 1));
        is_judged(file, &marks, KW_ADMITTED, 0);
        becomes(&file, acted(file, KW_ACT_DESTROY, 1));
        is_judged(file, &marks, want, rows[i].taken ? 0 : 1);
        becomes(&file, acted(file, KW_ACT_PRUNE, 1));
        is_judged(file, &marks, want, rows[i].taken ? 0 : 1);
        kw_keyring_give(file);
    }
}

static struct kw_activation act_of(uint32_t n)
{
    struct kw_activation act = {.n = n};
    struct kw_version v = good_version(n, KW_KEY_CREATED);
    CHECK(kw_copy_str(act.key_id, sizeof act.key_id, kw_span_str(v.key_id)));
    return act;
}

/* The marks are lost, and its act is not: what it names was wrapped with. */
TEST(destroyed__named_by_the_act_alone__refused)
{
    struct kw_keyring *last = good_file();
    struct kw_keyring *file = acted(last, KW_ACT_DISABLE, 3);
    const struct kw_activation act = act_of(3);
    const struct kw_marks none = {0};
    struct kw_judgement j;
    becomes(&file, acted(file, KW_ACT_DESTROY, 3));
    const struct kw_memory memory = {&none, &act, last};
    kw_keyring_judge(file, "demo", &memory, &some_places, &j);
    CHECK(j.refusal == KW_REFUSED_DESTROYED && j.n == 3);
    CHECK_HAS(j.cure,
              "# keyring trust is no way out: this node has wrapped with version 3 (");
    struct kw_marks marks = seen(last); /* or it was not yet in use */
    j = judge_with(file, &marks, &act);
    CHECK(j.refusal == KW_REFUSED_DESTROYED && j.n == 3);
    snprintf(marks.versions[2].state, sizeof marks.versions[2].state, "created");
    marks.versions[2].accepted = false; /* it begins anew in a fork that has it so */
    becomes(&file, change(last));
    kw_keyring_edit(file, 3)->state = KW_KEY_CREATED;
    file = reread(file);
    CHECK(judge_with(file, &marks, &act).refusal == KW_ADMITTED);
    kw_keyring_give(file);
    kw_keyring_give(last);
}

TEST(baseline__lower_or_none__refused)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    struct kw_keyring *next = with_baseline(file, 1);
    is_judged(next, &marks, KW_REFUSED_BASELINE, 2);
    becomes(&next, with_baseline(file, 0));
    is_judged(next, &marks, KW_REFUSED_BASELINE, 2);
    kw_keyring_give(next);
    kw_keyring_give(file);
}

/* This node wraps with version 3 by an act of its own, and it is retired elsewhere. */
TEST(active__retired_elsewhere__refused)
{
    static const enum kw_act elsewhere[] = {KW_ACT_RETIRE, KW_ACT_DISABLE};
    for (size_t i = 0; i < 2; i++) {
        struct kw_keyring *file = good_file();
        struct kw_marks marks = {0};
        const struct kw_activation act = act_of(3);
        (void)kw_marks_raise(&marks, file, 3, when(1000));
        CHECK(judge_with(file, &marks, &act).active == 3);
        becomes(&file, acted(file, elsewhere[i], 3));
        struct kw_judgement j = judge_with(file, &marks, &act);
        CHECK(j.refusal == KW_REFUSED_ACTIVE && j.n == 3 && j.active == 2);
        kw_keyring_give(file);
    }
}

/* Its activation.json is gone, or names a version that this ring does not have: what it
 * wrapped with counts like an act. */
TEST(active__own_act_forgotten__goes_on_with_what_it_wrapped)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    const struct kw_activation act = act_of(9);
    (void)kw_marks_raise(&marks, file, 3, when(1000));
    CHECK(judge_with(file, &marks, &no_act).active == 3);
    CHECK(judge_with(file, &marks, &act).active == 3);
    becomes(&file, acted(file, KW_ACT_DISABLE, 3));
    is_judged(file, &marks, KW_REFUSED_ACTIVE, 3);
    kw_keyring_give(file);
}

/* Nothing unwraps with it then, and nobody said that nothing shall. */
TEST(lost__back_in_created__refused)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    struct kw_keyring *next = change(file);
    kw_keyring_edit(next, 3)->state = KW_KEY_CREATED;
    next = reread(next);
    is_judged(next, &marks, KW_REFUSED_LOST, 3);
    next->ancestors[0][0] ^= 1;
    kw_keyring_edit(next, 2)->state = KW_KEY_CREATED;
    kw_keyring_edit(next, 3)->state = KW_KEY_ACTIVE;
    next->active = 3;
    next = reread(next);
    trust_in(&marks, next);
    is_judged(next, &marks, KW_REFUSED_UNTRUSTED, 2);
    kw_keyring_give(next);
    kw_keyring_give(file);
}

/* ---- taken ---- */

TEST(admitted__the_first_the_same_and_what_follows__taken)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = {0};
    is_judged(NULL, &marks, KW_ADMITTED, 0);
    taken(&marks, file);
    taken(&marks, file);
    becomes(&file, acted(file, KW_ACT_ACTIVATE, 3));
    taken(&marks, file);
    becomes(&file, acted(file, KW_ACT_DISABLE, 1));
    becomes(&file, acted(file, KW_ACT_ENABLE, 1)); /* one file was missed */
    taken(&marks, file);
    CHECK(marks.serial == 10 && marks.baseline.n == 3);
    kw_keyring_give(file);
}

TEST(admitted__pruned_since__may_be_missing)
{
    struct kw_keyring *file = good_file();
    struct kw_marks marks = seen(file);
    destroy_and_prune(&file, 1);
    becomes(&file, reread(change(file)));
    taken(&marks, file);
    CHECK(kw_marks_of(&marks, 1) == NULL);
    kw_keyring_give(file);
}

/* The line of history may have made room for others; the mark says that it was. */
TEST(admitted__last_seen_destroyed__may_be_missing)
{
    struct kw_keyring *file = good_file();
    becomes(&file, acted(file, KW_ACT_DISABLE, 1));
    becomes(&file, acted(file, KW_ACT_DESTROY, 1));
    struct kw_marks marks = seen(file);
    struct kw_keyring *next = change(file);
    kw_keyring_remove(next, 1);
    next->history_count = 0;
    next = reread(next);
    taken(&marks, next);
    kw_keyring_give(next);
    kw_keyring_give(file);
}

static void wraps_with(const struct kw_keyring *ring, const struct kw_activation *act,
                       uint32_t want)
{
    const struct kw_marks marks = {0};
    struct kw_judgement j = judge_with(ring, &marks, act);
    CHECK(j.refusal == KW_ADMITTED && j.active == want);
}

TEST(active__act_not_usable_here__baseline)
{
    struct kw_keyring *ring = good_file();
    struct kw_activation act = act_of(9);
    wraps_with(ring, &act, 2); /* not there */
    act = act_of(3);
    act.key_id[10] = 'f'; /* another key under that number */
    wraps_with(ring, &act, 2);
    act = act_of(3);
    static const enum kw_key_state not_usable[] = {KW_KEY_CREATED, KW_KEY_RETIRED,
                                                   KW_KEY_DISABLED, KW_KEY_DESTROYED};
    for (size_t i = 0; i < 4; i++) {
        kw_keyring_edit(ring, 3)->state = not_usable[i];
        wraps_with(ring, &act, 2);
    }
    kw_keyring_give(ring);
}

TEST(active__act_or_baseline__the_higher)
{
    struct kw_keyring *ring = good_file();
    struct kw_activation act = act_of(3);
    wraps_with(ring, &no_act, 2);
    wraps_with(ring, &act, 3);
    kw_keyring_edit(ring, 1)->state = KW_KEY_ACCEPTED;
    act = act_of(1);
    wraps_with(ring, &act, 2);
    kw_keyring_give(ring);
}

TEST(active__nobody__none_yet)
{
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_new("demo", &ring));
    wraps_with(ring, &no_act, 0);
    wraps_with(NULL, &no_act, 0);
    kw_keyring_give(ring);
}

/* Nobody can wrap with what is not understood; an older one must not take its place. */
TEST(active__not_understood__stays_the_one_and_never_an_older)
{
    struct kw_keyring *ring = NULL;
    char *json = swap(good_text(), "\"state\": \"active\"", "\"state\": \"sealed\"");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    kw_keyring_edit(ring, 1)->state = KW_KEY_ACCEPTED;
    struct kw_activation act = act_of(1);
    CHECK(ring->versions[1].state == KW_KEY_UNKNOWN);
    wraps_with(ring, &no_act, 2);
    wraps_with(ring, &act, 2);
    act = act_of(3); /* a later one that this node chose is no fallback */
    wraps_with(ring, &act, 3);
    kw_keyring_give(ring);
    json = swap(good_text(), "\"state\": \"accepted\"", "\"state\": \"suspended\"");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    wraps_with(ring, &act, 3);
    kw_keyring_give(ring);
}

KW_CASES("hsm/keyring/judge", CASE(destroyed__named_by_the_act_alone__refused),
         CASE(destroyed__wrapped_here__taken_only_when_it_was_seen_to_end),
         CASE(domain__another__refused_before_all_else),
         CASE(missing__one_was_taken__refused), CASE(missing__one_was_activated__refused),
         CASE(older__rolled_back__refused), CASE(fork__same_serial_other_bytes__refused),
         CASE(fork__older_reaches_higher__refused),
         CASE(far__sixty_five_files_on__refused_sixty_four_taken),
         CASE(far__the_largest_serial__poisons_nobody),
         CASE(renamed__one_number_for_two_keys__refused),
         CASE(lost__not_destroyed_and_pruned__refused),
         CASE(lost__pruned_under_another_key_id__refused),
         CASE(lost__a_same_key_as_needs_it__refused_though_destroyed),
         CASE(next_n__goes_back__refused), CASE(baseline__lower_or_none__refused),
         CASE(active__retired_elsewhere__refused),
         CASE(active__own_act_forgotten__goes_on_with_what_it_wrapped),
         CASE(lost__back_in_created__refused),
         CASE(admitted__the_first_the_same_and_what_follows__taken),
         CASE(admitted__pruned_since__may_be_missing),
         CASE(admitted__last_seen_destroyed__may_be_missing),
         CASE(active__act_not_usable_here__baseline),
         CASE(active__act_or_baseline__the_higher), CASE(active__nobody__none_yet),
         CASE(active__not_understood__stays_the_one_and_never_an_older))
