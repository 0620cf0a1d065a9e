/* SPDX-License-Identifier: Apache-2.0 */
/* Histories that the model found, one for each defect that they showed; and one that its
 * dice seldom come to. */
#include "check.h"

#include "moves.h"

#include <stdio.h>
#include <unistd.h>

static struct world w;

/* Version 1 is active on every node, in serial 3. */
static void begin(void)
{
    CHECK(world_open(&w, 1));
    history_begin(&w);
}

static void end(void)
{
    for (size_t i = 0; i < w.node_count && w.broken[0] == '\0'; i++)
        remedy_run(&w, i);
    if (w.broken[0] != '\0') {
        fputs(w.story, stderr);
        fail_msg("%s", w.broken);
    }
    world_close(&w);
}

static void take(size_t i)
{
    node_reload(&w, i);
    node_settle(&w, i);
}

/* The newest file that any tool made. */
static int newest(void)
{
    return (int)w.file_count - 1;
}

static void lay(int file, size_t i)
{
    CHECK(file >= 0);
    raw_write(w.nodes[i].keyring, kw_blob_peek(&w.files[file].bytes));
}

static void give(size_t from, size_t to)
{
    lay(node_lies(&w, from), to);
    take(to);
}

static void act(size_t i, enum kw_act what, uint32_t n)
{
    CHECK(tool_change(&w, i, what, n) == DONE);
}

static void create(size_t i)
{
    CHECK(tool_create(&w, i, 0) == DONE);
}

static void activate(size_t i, uint32_t n, bool baseline)
{
    CHECK(tool_activate(&w, i, n, baseline, true) == DONE);
}

static enum outcome try_trust(size_t i)
{
    char hex[65];
    kw_hex(hex, sizeof hex, kw_span_of(w.files[node_lies(&w, i)].sha256, 32));
    return tool_trust(&w, i, hex);
}

static void trust(size_t i)
{
    CHECK(try_trust(i) == DONE);
}

static void lose_last(size_t i)
{
    char path[192];
    snprintf(path, sizeof path, "%s/keyring.json", w.nodes[i].state);
    CHECK(unlink(path) == 0);
    w.nodes[i].has_last = false;
}

static void lose_file(size_t i)
{
    CHECK(unlink(w.nodes[i].keyring) == 0);
}

static enum kw_refusal refusal_of(size_t i)
{
    struct kw_judgement j;
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_load(w.nodes[i].keyring, &ring, NULL, NULL));
    CHECK_OK(node_judge(&w, i, ring, NULL, &j));
    kw_keyring_give(ring);
    return j.refusal;
}

/* Version 2, accepted everywhere; node 1 wraps with it by an act of its own. */
static void node_1_goes_ahead(void)
{
    create(0);
    act(0, KW_ACT_ACCEPT, 2);
    take(0);
    give(0, 1);
    activate(1, 2, false);
    take(1);
    CHECK(w.nodes[1].active == 2);
}

/* ---- what a node remembers ---- */

TEST(restart__act_of_a_version_that_was_never_taken__last_good_serves)
{
    begin();
    node_1_goes_ahead();
    create(1);
    act(1, KW_ACT_ACCEPT, 3);
    activate(1, 3, false);
    lose_file(1);
    node_start(&w, 1);
    CHECK(w.nodes[1].ring != NULL && w.nodes[1].active == 2);
    end();
}

TEST(restart__died_between_copy_and_marks__fork_refused)
{
    begin();
    create(1);
    create(0);
    char path[192];
    snprintf(path, sizeof path, "%s/keyring.json", w.nodes[0].state);
    raw_write(path, kw_blob_peek(&w.files[newest()].bytes));
    lay(node_lies(&w, 1), 0);
    node_start(&w, 0);
    CHECK(w.nodes[0].file == newest());
    end();
}

TEST(state__last_good_is_an_old_one__no_way_back)
{
    begin();
    create(0);
    take(0);
    char path[192];
    snprintf(path, sizeof path, "%s/keyring.json", w.nodes[0].state);
    raw_write(path, kw_blob_peek(&w.files[0].bytes));
    w.nodes[0].has_last = false;
    lose_file(0);
    end();
}

/* ---- trust ---- */

TEST(trust__wrapped_version_is_only_created_in_the_fork__refused)
{
    begin();
    create(0);
    create(0);
    take(0);
    give(0, 1);
    act(0, KW_ACT_ACCEPT, 2);
    activate(0, 2, true);
    take(0);
    act(0, KW_ACT_ACCEPT, 3);
    activate(0, 3, true);
    take(0);
    act(1, KW_ACT_ACCEPT, 3);
    activate(1, 3, true);
    lay(node_lies(&w, 1), 0);
    CHECK(try_trust(0) == REFUSED);
    CHECK(refusal_of(0) == KW_REFUSED_FORK);
    take(0);
    end();
}

/* Version 2 was never accepted where it is destroyed, so no day stands before that. */
TEST(trust__wrapped_version_is_destroyed_in_the_fork__refused)
{
    begin();
    create(0);
    take(0);
    give(0, 1);
    act(1, KW_ACT_ACCEPT, 2);
    activate(1, 2, false);
    take(1);
    act(0, KW_ACT_DESTROY, 2);
    act(0, KW_ACT_PROVE, 1);
    lay(newest(), 1);
    CHECK(try_trust(1) == REFUSED);
    act(0, KW_ACT_PRUNE, 2);
    lay(newest(), 1);
    CHECK(try_trust(1) == REFUSED);
    end();
}

/* Each wraps with a version 2 of its own: no trust is a way out, and yet there is one, to
 * either side. */
TEST(fork__both_have_wrapped__every_way_out_serves)
{
    bool own = false, other = false;
    for (uint64_t seed = 1; seed < 40 && !(own && other); seed++) {
        CHECK(world_open(&w, seed));
        history_begin(&w);
        for (size_t i = 0; i < 2; i++) {
            create(i);
            act(i, KW_ACT_ACCEPT, 2);
            activate(i, 2, true);
            take(i);
        }
        int ours = node_lies(&w, 0), theirs = node_lies(&w, 1);
        lay(theirs, 0);
        CHECK(try_trust(0) == REFUSED);
        remedy_run(&w, 0);
        own = own || w.nodes[0].file == ours;
        other = other || w.nodes[0].file == theirs;
        CHECK_STR(w.broken, "");
        world_close(&w);
    }
    CHECK(own && other);
}

TEST(trust__way_out_makes_a_version__its_file_is_taken)
{
    begin();
    node_1_goes_ahead();
    act(1, KW_ACT_PROVE, 1);
    take(1);
    act(0, KW_ACT_RETIRE, 2);
    act(0, KW_ACT_PROVE, 1);
    int fork = newest();
    lay(fork, 1);
    trust(1);
    CHECK(refusal_of(1) == KW_REFUSED_ACTIVE);
    remedy_run(&w, 1);
    CHECK(descends(&w, fork, w.nodes[1].file) && w.nodes[1].active == 3);
    end();
}

TEST(trust__not_used__gone_with_the_next_ring)
{
    begin();
    create(0);
    take(0);
    lay(newest() - 1, 0);
    trust(0);
    lay(newest(), 0);
    act(0, KW_ACT_PROVE, 1);
    take(0);
    lay(2, 0);
    CHECK(refusal_of(0) == KW_REFUSED_OLDER);
    end();
}

TEST(trust__of_what_all_come_from__lets_no_fork_in)
{
    begin();
    create(1);
    act(1, KW_ACT_PROVE, 1);
    int fork = newest();
    create(0);
    take(0);
    lay(2, 0); /* both were made from it */
    trust(0);
    lay(fork, 0);
    CHECK(refusal_of(0) == KW_REFUSED_FORK);
    end();
}

/* ---- destroyed behind the back of a node ---- */

/* Where node 1 can only take the file of node 0, or go on with its own. */
TEST(destroyed__wrapped_here_and_never_seen_disabled__refused)
{
    begin();
    node_1_goes_ahead();
    act(0, KW_ACT_RETIRE, 2);
    act(0, KW_ACT_DISABLE, 2);
    act(0, KW_ACT_DESTROY, 2);
    lay(newest(), 1);
    CHECK(refusal_of(1) == KW_REFUSED_DESTROYED);
    act(0, KW_ACT_PRUNE, 2);
    lay(newest(), 1);
    CHECK(refusal_of(1) == KW_REFUSED_DESTROYED);
    take(1);
    CHECK(w.nodes[1].active == 2);
    end();
}

TEST(destroyed__and_no_last_good__way_out_serves)
{
    begin();
    node_1_goes_ahead();
    act(0, KW_ACT_DISABLE, 2);
    act(0, KW_ACT_DESTROY, 2);
    lay(newest(), 1);
    lose_last(1);
    end();
}

/* It wraps with a later one, and saw the old one disabled: that is the usual end. */
TEST(destroyed__seen_disabled__taken)
{
    begin();
    create(0);
    act(0, KW_ACT_ACCEPT, 2);
    activate(0, 2, true);
    take(0);
    give(0, 1);
    act(0, KW_ACT_DISABLE, 1);
    take(0);
    give(0, 1);
    act(0, KW_ACT_DESTROY, 1);
    take(0);
    give(0, 1);
    CHECK(w.nodes[1].file == newest());
    end();
}

/* ---- rebuilding ---- */

TEST(rebuild__disabled_and_enabled_since_the_backup__accepted_anew)
{
    begin();
    create(0);
    act(0, KW_ACT_ACCEPT, 2);
    int backup = newest();
    take(0);
    give(0, 1);
    act(0, KW_ACT_DISABLE, 2);
    act(0, KW_ACT_ENABLE, 2);
    take(0);
    lose_file(0);
    lose_last(0);
    w.now_ns += 600 * KW_S_NS;
    CHECK(tool_adopt(&w, 0, w.keys[0].id, backup, false) == DONE);
    give(0, 1); /* truth.c looks at since when */
    end();
}

TEST(rebuild__pruned_since_the_backup__stays_out)
{
    begin();
    create(0);
    int backup = newest();
    give(0, 1);
    act(0, KW_ACT_DESTROY, 2);
    act(0, KW_ACT_PRUNE, 2);
    take(0);
    lose_file(0);
    lose_last(0);
    CHECK(tool_adopt(&w, 0, w.keys[0].id, backup, false) == DONE);
    give(0, 1);
    CHECK(w.nodes[1].file == newest());
    end();
}

TEST(rebuild__baseline_from_a_second_backup__is_the_baseline)
{
    begin();
    int first = newest();
    create(0);
    act(0, KW_ACT_ACCEPT, 2);
    activate(0, 2, true);
    int second = newest();
    take(0);
    lose_file(0);
    lose_last(0);
    CHECK(tool_adopt(&w, 0, w.keys[0].id, first, false) == DONE);
    CHECK(tool_adopt(&w, 0, w.keys[1].id, second, false) == DONE);
    take(0);
    CHECK(w.nodes[0].active == 2);
    end();
}

/* ---- acts ---- */

TEST(adopt__number_of_a_pruned_version__refused)
{
    begin();
    int orphan = key_make(&w, 2, NOBODY);
    create(0);
    act(0, KW_ACT_DESTROY, 2);
    act(0, KW_ACT_PRUNE, 2);
    CHECK(tool_adopt(&w, 0, w.keys[orphan].id, NOBODY, true) == REFUSED);
    end();
}

TEST(activate__below_what_it_wrapped_with__refused)
{
    begin();
    node_1_goes_ahead();
    act(0, KW_ACT_DISABLE, 2);
    give(0, 1);
    CHECK(tool_activate(&w, 1, 1, false, true) == REFUSED);
    end();
}

TEST(prune__version_in_use__no_word_of_destroying)
{
    begin();
    CHECK(tool_change(&w, 0, KW_ACT_PRUNE, 1) == REFUSED);
    CHECK(tool_change(&w, 0, KW_ACT_GONE, 1) == REFUSED);
    end();
}

/* ---- ways out ---- */

TEST(way_out__other_domain__printed)
{
    begin();
    CHECK(forge(&w, 0, "of another domain"));
    CHECK(refusal_of(0) == KW_REFUSED_DOMAIN);
    end();
}

TEST(way_out__renamed_and_no_last_good__serves)
{
    begin();
    CHECK(forge(&w, 0, "with a version renamed"));
    CHECK(refusal_of(0) == KW_REFUSED_RENAMED);
    lose_last(0);
    end();
}

TEST(way_out__number_given_back__serves)
{
    begin();
    create(0);
    act(0, KW_ACT_DESTROY, 2);
    take(0);
    CHECK(forge(&w, 0, "with next-n lower"));
    CHECK(refusal_of(0) == KW_REFUSED_NEXT_N);
    lose_last(0);
    end();
}

TEST(way_out__last_serial_there_is__can_be_changed_after)
{
    begin();
    CHECK(forge(&w, 0, "with the last serial there is"));
    CHECK(refusal_of(0) == KW_REFUSED_FAR);
    remedy_run(&w, 0);
    act(0, KW_ACT_PROVE, 1);
    end();
}

TEST(way_out__makes_changes_at_the_edge_of_64__serves)
{
    begin();
    node_1_goes_ahead();
    act(0, KW_ACT_RETIRE, 2);
    for (unsigned i = 0; i < KW_ANCESTORS_MAX - 2; i++)
        act(0, KW_ACT_PROVE, 1);
    lay(newest(), 1);
    CHECK(refusal_of(1) == KW_REFUSED_ACTIVE);
    end();
}

KW_CASES("model/defects",
         CASE(restart__act_of_a_version_that_was_never_taken__last_good_serves),
         CASE(restart__died_between_copy_and_marks__fork_refused),
         CASE(state__last_good_is_an_old_one__no_way_back),
         CASE(trust__wrapped_version_is_only_created_in_the_fork__refused),
         CASE(trust__wrapped_version_is_destroyed_in_the_fork__refused),
         CASE(fork__both_have_wrapped__every_way_out_serves),
         CASE(trust__way_out_makes_a_version__its_file_is_taken),
         CASE(trust__not_used__gone_with_the_next_ring),
         CASE(trust__of_what_all_come_from__lets_no_fork_in),
         CASE(destroyed__wrapped_here_and_never_seen_disabled__refused),
         CASE(destroyed__and_no_last_good__way_out_serves),
         CASE(destroyed__seen_disabled__taken),
         CASE(rebuild__disabled_and_enabled_since_the_backup__accepted_anew),
         CASE(rebuild__pruned_since_the_backup__stays_out),
         CASE(rebuild__baseline_from_a_second_backup__is_the_baseline),
         CASE(adopt__number_of_a_pruned_version__refused),
         CASE(activate__below_what_it_wrapped_with__refused),
         CASE(prune__version_in_use__no_word_of_destroying),
         CASE(way_out__other_domain__printed),
         CASE(way_out__renamed_and_no_last_good__serves),
         CASE(way_out__number_given_back__serves),
         CASE(way_out__last_serial_there_is__can_be_changed_after),
         CASE(way_out__makes_changes_at_the_edge_of_64__serves))
