/* SPDX-License-Identifier: Apache-2.0 */
/* Every verb that changes something looks at what list and check look at: on a keyring
 * that this node refuses nothing is written, and nothing is left in the token. */
#include "site.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/act.h>
#include <keyward/file.h>
#include <keyward/state.h>

static struct site s;

/* ---- a ring in which each verb has something to do ---- */

/* 1 active, 2 created, 3 accepted, 4 disabled, 5 destroyed and 6 destroyed and gone. */
static void make_all(void)
{
    site_make(&s);
    for (int i = 0; i < 6; i++)
        KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--only-copy");
    KEYWARD_MUST(&s, 0, "key", "accept", "3");
    KEYWARD_MUST(&s, 0, "key", "disable", "4");
    KEYWARD_MUST(&s, 0, "key", "destroy", "5");
    KEYWARD_MUST(&s, 0, "key", "destroy", "6");
    struct kw_keyring *ring = site_ring(&s), *changed = NULL;
    const struct kw_act_facts facts = {
        .at = "2026-11-26T12:00:00.000000Z", .by = "Ada", .tool = "keyward 0.1.0"};
    CHECK_OK(kw_keyring_dup(ring, &changed));
    CHECK_OK(kw_act_gone(changed, 6, 0, "seen 2026-11-26T12:00:00.000000Z", &facts));
    CHECK_OK(kw_keyring_save(s.keyring, changed, ring->sha256, NULL));
    kw_keyring_give(changed);
    kw_keyring_give(ring);
    site_take_ring(&s, 1, 301 * KW_S_NS);
}

static const struct verb {
    const char *words[6];
} verbs[] = {
    {{"key", "create"}},
    {{"key", "create", "--same-key-as", "1"}},
    {{"key", "accept", "2"}},
    {{"key", "prove", "2", "--token", "keyward"}},
    {{"key", "activate", "3", "--only-copy"}},
    {{"key", "activate", "3", "--only-copy", "--baseline"}},
    {{"key", "retire", "1"}}, /* after the activation of 3 in the row without a refusal */
    {{"key", "enable", "4"}},
    {{"key", "disable", "2", WITHOUT_PROOF}},
    {{"key", "destroy", "2", WITHOUT_PROOF}},
    {{"key", "destroy", "5", "--said", "sold"}},
    {{"key", "prune", "6"}},
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static int run(const struct verb *verb)
{
    const char *words[8] = {NULL};
    for (size_t i = 0; i < 6 && verb->words[i] != NULL; i++)
        words[i] = verb->words[i];
    return site_keyward(&s, words);
}

/* ---- what must not change ---- */

struct snapshot {
    struct kw_blob files[3]; /* len 0 = not there */
    size_t names;            /* in the token's folder */
};

static void take(struct snapshot *shot)
{
    char marks[160], act[160];
    snprintf(marks, sizeof marks, "%s/marks.json", s.state);
    snprintf(act, sizeof act, "%s/activation.json", s.state);
    const char *const paths[3] = {s.keyring, marks, act};
    *shot = (struct snapshot){.names = site_sealed(s.tokens)};
    for (size_t i = 0; i < 3; i++) {
        kw_err e = kw_file_read(paths[i], KW_KEYRING_MAX, &shot->files[i], NULL);
        CHECK(!kw_failed(e) || e.code == KW_CODE_MISSING);
    }
}

static bool same(struct snapshot *a, struct snapshot *b)
{
    bool is = a->names == b->names;
    for (size_t i = 0; i < 3; i++)
        is = is && kw_span_equal(kw_blob_peek(&a->files[i]), kw_blob_peek(&b->files[i]));
    return is;
}

static void wipe(struct snapshot *shot)
{
    for (size_t i = 0; i < 3; i++)
        kw_blob_wipe(&shot->files[i]);
}

static void nothing_is_done(int want, const char *why)
{
    struct snapshot before, after;
    take(&before);
    for (size_t i = 0; i < VERBS; i++) {
        int status = run(&verbs[i]);
        if (status != want || strstr(s.run.err, why) == NULL)
            fail_msg("%s %s: exit status %d, not %d, or not \"%s\": %s",
                     verbs[i].words[0], verbs[i].words[1], status, want, why, s.run.err);
        take(&after);
        if (!same(&before, &after))
            fail_msg("%s %s %s changed something", verbs[i].words[0], verbs[i].words[1],
                     verbs[i].words[2] != NULL ? verbs[i].words[2] : "");
        wipe(&after);
    }
    wipe(&before);
}

/* ---- the refusals ---- */

/* Another file in the keyring's place, made from the one that is there. */
static void change(void (*edit)(struct kw_keyring *ring))
{
    struct kw_keyring *ring = site_ring(&s), *changed = NULL;
    CHECK_OK(kw_keyring_dup(ring, &changed));
    edit(changed);
    CHECK_OK(kw_keyring_save(s.keyring, changed, ring->sha256, NULL));
    kw_keyring_give(changed);
    kw_keyring_give(ring);
}

static void record_one(struct kw_keyring *ring)
{
    const struct kw_history h = {.serial = ring->serial + 1,
                                 .act = "prove",
                                 .n = 1,
                                 .at = "2026-11-26T12:00:00.000000Z",
                                 .by = "Ada"};
    CHECK_OK(kw_keyring_record(ring, &h));
}

static void record_another(struct kw_keyring *ring)
{
    const struct kw_history h = {.serial = ring->serial + 1,
                                 .act = "prove",
                                 .n = 2,
                                 .at = "2026-11-26T12:00:00.000000Z",
                                 .by = "Eve"};
    CHECK_OK(kw_keyring_record(ring, &h));
}

TEST(admitted__each_verb_does_its_work)
{
    make_all();
    for (size_t i = 0; i < VERBS; i++) {
        struct snapshot before, after;
        bool has_its_day = strcmp(verbs[i].words[1], "retire") != 0;
        take(&before);
        int status = run(&verbs[i]);
        take(&after);
        bool changed = !same(&before, &after);
        wipe(&before);
        wipe(&after);
        if (!has_its_day)
            CHECK(status == 1); /* the baseline's move has retired it */
        else if (strcmp(verbs[i].words[1], "destroy") == 0)
            CHECK(changed || status == 1); /* a second look that saw it */
        else if (status != 0 || !changed)
            fail_msg("%s %s: %d: %s", verbs[i].words[0], verbs[i].words[1], status,
                     s.run.err);
    }
    site_remove(&s);
}

TEST(rolled_back__nothing_done)
{
    char old[160];
    make_all();
    snprintf(old, sizeof old, "%s.old", s.keyring);
    CHECK(link(s.keyring, old) == 0);
    change(record_one);
    site_take_ring(&s, 1, 301 * KW_S_NS);
    CHECK(rename(old, s.keyring) == 0);
    nothing_is_done(1, "an older file was put back");
    CHECK_HAS(s.run.err, "\n  install -m 0644 ");
    site_remove(&s);
}

TEST(forked__nothing_done)
{
    char old[160];
    make_all();
    snprintf(old, sizeof old, "%s.old", s.keyring);
    CHECK(link(s.keyring, old) == 0);
    change(record_one);
    site_take_ring(&s, 1, 301 * KW_S_NS);
    CHECK(rename(old, s.keyring) == 0);
    change(record_another);
    nothing_is_done(1, "this one did: prove 2 by Eve; the other: prove 1 by Ada");
    site_remove(&s);
}

TEST(a_fork_that_went_further__nothing_done)
{
    char old[160];
    make_all();
    snprintf(old, sizeof old, "%s.old", s.keyring);
    CHECK(link(s.keyring, old) == 0);
    change(record_one);
    site_take_ring(&s, 1, 301 * KW_S_NS);
    CHECK(rename(old, s.keyring) == 0);
    for (int i = 0; i < 3; i++)
        change(record_another);
    nothing_is_done(1, "the change was made in two places");
    site_remove(&s);
}

TEST(missing_though_remembered__nothing_done)
{
    char want[160];
    make_all();
    CHECK(unlink(s.keyring) == 0);
    nothing_is_done(1, "its last good copy lies in the state directory: put it back");
    snprintf(want, sizeof want, "  install -m 0644 %s/keyring.json ", s.state);
    CHECK_HAS(s.run.err, want);
    site_remove(&s);
}

static void lose_one(struct kw_keyring *ring)
{
    kw_keyring_remove(ring, 3);
}

TEST(a_version_lost__nothing_done)
{
    make_all();
    change(lose_one);
    nothing_is_done(1, "has no version 3 (kw1-3-");
    site_remove(&s);
}

static void rename_one(struct kw_keyring *ring)
{
    struct kw_version *v = kw_keyring_edit(ring, 3);
    kw_key_id_make(3, v->key_id);
    kw_copy_str(v->objects[0].label, sizeof v->objects[0].label, kw_span_str(v->key_id));
}

TEST(a_number_for_another_key__nothing_done)
{
    make_all();
    change(rename_one);
    nothing_is_done(1, "one number for two keys");
    site_remove(&s);
}

static void give_back_numbers(struct kw_keyring *ring)
{
    kw_keyring_remove(ring, 6);
    ring->next_n = 6;
    ring->history_count = 0; /* which names version 6 */
}

TEST(a_number_to_be_given_twice__nothing_done)
{
    make_all();
    change(give_back_numbers);
    nothing_is_done(1, "a number would be given twice");
    site_remove(&s);
}

static void take_back_the_baseline(struct kw_keyring *ring)
{
    kw_keyring_edit(ring, 1)->state = KW_KEY_ACCEPTED;
    ring->active = 0;
}

TEST(the_baseline_taken_back__nothing_done)
{
    make_all();
    change(take_back_the_baseline);
    nothing_is_done(1, "the baseline never goes back");
    site_remove(&s);
}

TEST(further_away_than_it_can_prove__nothing_done)
{
    char command[160];
    make_all();
    for (unsigned i = 0; i <= KW_ANCESTORS_MAX; i++)
        change(record_one);
    nothing_is_done(1, "further back than the 64 files that it names");
    snprintf(command, sizeof command, "  keyward keyring trust %s --sha256 ", s.keyring);
    CHECK_HAS(s.run.err, command);
    CHECK_HAS(s.run.err, " --config ");
    site_remove(&s);
}

TEST(of_another_domain__nothing_done)
{
    make_all();
    site_edit(&s, "domain: demo", "domain: other");
    nothing_is_done(1, "a domain never changes");
    site_remove(&s);
}

/* What a newer keyward wrote, and says that one must understand. */
TEST(critical_for_this_program__nothing_done)
{
    static char text[256 * 1024];
    struct kw_blob file = {0};
    make_all();
    CHECK_OK(kw_file_read(s.keyring, sizeof text, &file, NULL));
    /* The file's own stands before those of its versions, or behind them. */
    snprintf(text, sizeof text, "%.*s", (int)file.len, (const char *)file.ptr);
    char *at = strstr(text, "\n  \"critical\": []");
    CHECK(at != NULL);
    char *rest = at + strlen("\n  \"critical\": []");
    static char changed[sizeof text];
    snprintf(changed, sizeof changed, "%.*s\n  \"critical\": [\"quorum\"]%s",
             (int)(at - text), text, rest);
    kw_blob_wipe(&file);
    CHECK_OK(kw_file_replace(s.keyring, kw_span_str(changed), 0644, NULL));
    site_take_ring(&s, 1, 301 * KW_S_NS);
    nothing_is_done(1, "\"quorum\" must be understood to change it");
    site_remove(&s);
}

TEST(memory_lost__nothing_done_and_the_verb_that_makes_it_again)
{
    char aside[160];
    make_all();
    snprintf(aside, sizeof aside, "%s.aside", s.state);
    CHECK(rename(s.state, aside) == 0);
    nothing_is_done(3, "\n  keyward state create --config ");
    site_remove(&s);
}

KW_CASES("token/cli/refused", CASE(admitted__each_verb_does_its_work),
         CASE(rolled_back__nothing_done), CASE(forked__nothing_done),
         CASE(a_fork_that_went_further__nothing_done),
         CASE(missing_though_remembered__nothing_done),
         CASE(a_version_lost__nothing_done), CASE(a_number_for_another_key__nothing_done),
         CASE(a_number_to_be_given_twice__nothing_done),
         CASE(the_baseline_taken_back__nothing_done),
         CASE(further_away_than_it_can_prove__nothing_done),
         CASE(of_another_domain__nothing_done),
         CASE(critical_for_this_program__nothing_done),
         CASE(memory_lost__nothing_done_and_the_verb_that_makes_it_again))
