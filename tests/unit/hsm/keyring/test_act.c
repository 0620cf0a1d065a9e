/* SPDX-License-Identifier: Apache-2.0 */
/* May an operator do it, and what does it change. */
#include "ring.h"

#include <stdio.h>

#include <keyward/act.h>

static const struct kw_judgement good = {.refusal = KW_ADMITTED, .active = 2};

static void denied(enum kw_act act, uint32_t n, const struct kw_keyring *ring,
                   const struct kw_judgement *j, const char *first, const char *second)
{
    struct kw_note note = {{0}};
    CHECK_CODE(kw_act_may(act, n, ring, j, &note), KW_CODE_DENIED);
    CHECK_HAS(note.text, first);
    CHECK_HAS(note.text, second);
}

/* ---- may it be? ---- */

/* One letter an act, in the order of enum kw_act: y = the judge does not stand in its
 * way. */
static const char *const leads_out[] = {
    [KW_REFUSED_DOMAIN] = "-----------",    [KW_REFUSED_MISSING] = "-y---------",
    [KW_REFUSED_DAMAGED] = "-y---------",   [KW_REFUSED_OLDER] = "-----------",
    [KW_REFUSED_FORK] = "-----------",      [KW_REFUSED_FAR] = "-----------",
    [KW_REFUSED_RENAMED] = "-----------",   [KW_REFUSED_LOST] = "-y---------",
    [KW_REFUSED_NEXT_N] = "-----------",    [KW_REFUSED_BASELINE] = "-----------",
    [KW_REFUSED_ACTIVE] = "y-yy--y--y-",    [KW_REFUSED_UNTRUSTED] = "-----------",
    [KW_REFUSED_DESTROYED] = "-----------",
};

TEST(may__refused_ring__only_what_leads_out)
{
    struct kw_keyring *ring = good_file();
    for (int r = KW_REFUSED_DOMAIN; r <= KW_REFUSED_UNTRUSTED; r++)
        for (int act = KW_ACT_CREATE; act < KW_ACT_COUNT; act++) {
            struct kw_judgement j = {.refusal = (enum kw_refusal)r, .active = 2};
            struct kw_note note = {{0}};
            kw_note_set(&j.why, "the judge's words");
            kw_err e = kw_act_may((enum kw_act)act, 3, ring, &j, &note);
            bool by_judge = strcmp(note.text, "the judge's words") == 0;
            if (by_judge != (leads_out[r][act] == '-'))
                fail_msg("refusal %d, %s: %s", r, kw_act_name((enum kw_act)act),
                         note.text);
            CHECK(!by_judge || e.code == KW_CODE_DENIED);
        }
    kw_keyring_give(ring);
}

TEST(may__critical_name__nothing_by_this_program)
{
    struct kw_keyring *ring = good_ring();
    snprintf(ring->critical[ring->critical_count++], sizeof ring->critical[0], "quorum");
    for (int act = KW_ACT_CREATE; act < KW_ACT_COUNT; act++)
        denied((enum kw_act)act, 3, ring, &good, "\"quorum\"", "newer keyward");
    kw_keyring_give(ring);
}

TEST(may__no_such_version__said)
{
    struct kw_note note = {{0}};
    struct kw_keyring *ring = good_file();
    for (int act = KW_ACT_ACCEPT; act < KW_ACT_COUNT; act++) {
        CHECK_CODE(kw_act_may((enum kw_act)act, 9, ring, &good, &note),
                   KW_CODE_UNKNOWN_KEY);
        CHECK_HAS(note.text, "no version 9");
        CHECK_CODE(kw_act_may((enum kw_act)act, 1, NULL, &good, &note),
                   KW_CODE_UNKNOWN_KEY);
    }
    kw_keyring_give(ring);
}

/* Version 3 in each state, and what the table of transitions says. */
TEST(may__every_act_on_every_state__as_the_table_says)
{
    struct kw_keyring *ring = good_file();
    struct kw_version *v = kw_keyring_edit(ring, 3);
    snprintf(v->disabled_from, sizeof v->disabled_from, "accepted");
    for (int act = KW_ACT_ACCEPT; act < KW_ACT_COUNT; act++)
        for (int s = KW_KEY_CREATED; s <= KW_KEY_DESTROYED; s++) {
            enum kw_key_state to;
            struct kw_note note = {{0}};
            v->state = (enum kw_key_state)s;
            const char *no =
                kw_transition((enum kw_act)act, v->state, v->disabled_from, &to);
            kw_err e = kw_act_may((enum kw_act)act, 3, ring, &good, &note);
            CHECK(e.code == (no != NULL ? KW_CODE_DENIED : KW_CODE_OK));
            if (no != NULL)
                CHECK_HAS(note.text, no);
        }
    kw_keyring_give(ring);
}

TEST(may__not_understood__by_the_newer_one_only)
{
    struct kw_keyring *ring = NULL;
    char *json = swap(good_text(), "\"state\": \"accepted\"", "\"state\": \"suspended\"");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    for (int act = KW_ACT_ACCEPT; act < KW_ACT_COUNT; act++)
        denied((enum kw_act)act, 3, ring, &good, "version 3", "newer keyward");
    kw_keyring_give(ring);
}

TEST(may__retire_or_disable_what_this_node_wraps_with__denied)
{
    const struct kw_judgement own = {.refusal = KW_ADMITTED, .active = 3};
    struct kw_keyring *ring = good_file();
    denied(KW_ACT_RETIRE, 3, ring, &own, "this node wraps with it", "key activate");
    denied(KW_ACT_DISABLE, 3, ring, &own, "this node wraps with it", "key activate");
    CHECK_OK(kw_act_may(KW_ACT_RETIRE, 3, ring, &good, NULL));
    CHECK_OK(kw_act_may(KW_ACT_DISABLE, 1, ring, &own, NULL));
    kw_keyring_give(ring);
}

TEST(may__activate_an_older_one__denied)
{
    const struct kw_judgement own = {.refusal = KW_ADMITTED, .active = 3};
    const struct kw_judgement refused_here = {
        .refusal = KW_REFUSED_ACTIVE, .active = 0, .n = 3};
    struct kw_keyring *ring = good_file();
    kw_keyring_edit(ring, 1)->state = KW_KEY_ACCEPTED;
    denied(KW_ACT_ACTIVATE, 1, ring, &good, "older than version 2", "key create");
    denied(KW_ACT_ACTIVATE, 2, ring, &own, "older than version 3", "key create");
    /* what it has wrapped with, though nothing is left of that */
    denied(KW_ACT_ACTIVATE, 2, ring, &refused_here, "older than version 3", "key create");
    CHECK_OK(kw_act_may(KW_ACT_ACTIVATE, 3, ring, &own, NULL));
    CHECK_OK(kw_act_may(KW_ACT_ACTIVATE, 3, ring, &refused_here, NULL));
    kw_keyring_give(ring);
}

TEST(may__prune_what_another_is_built_on__denied)
{
    struct kw_keyring *ring = good_file();
    kw_keyring_edit(ring, 1)->state = KW_KEY_DESTROYED;
    CHECK_OK(kw_act_may(KW_ACT_PRUNE, 1, ring, &good, NULL));
    struct kw_version *v = kw_keyring_edit(ring, 3);
    v->same_key_as = 1;
    denied(KW_ACT_PRUNE, 1, ring, &good, "version 1 cannot be pruned",
           "version 3 is made with --same-key-as 1");
    v->state = KW_KEY_UNKNOWN; /* the newer keyward that made it needs it too */
    denied(KW_ACT_PRUNE, 1, ring, &good, "version 1 cannot be pruned",
           "version 3 is made with --same-key-as 1");
    v->state = KW_KEY_DESTROYED;
    denied(KW_ACT_PRUNE, 1, ring, &good, "version 1 cannot be pruned", "version 3");
    kw_keyring_give(ring);
}

TEST(may__create_or_adopt__on_a_good_ring_and_on_none_yet)
{
    struct kw_keyring *ring = good_file();
    CHECK_OK(kw_act_may(KW_ACT_CREATE, 0, ring, &good, NULL));
    CHECK_OK(kw_act_may(KW_ACT_ADOPT, 0, ring, &good, NULL));
    CHECK_OK(kw_act_may(KW_ACT_CREATE, 0, NULL, &good, NULL));
    CHECK_OK(kw_act_may(KW_ACT_ADOPT, 0, NULL, &good, NULL));
    kw_keyring_give(ring);
}

/* ---- what it changes ---- */

static const struct kw_history *last_line(const struct kw_keyring *ring, size_t back)
{
    CHECK(ring->history_count > back);
    return &ring->history[ring->history_count - 1 - back];
}

static void is_line(const struct kw_history *h, uint64_t serial, const char *act,
                    uint32_t n, const char *proof)
{
    CHECK(h->serial == serial && h->n == n);
    CHECK_STR(h->act, act);
    CHECK_STR(h->at, some_facts.at);
    CHECK_STR(h->by, some_facts.by);
    CHECK_STR(h->tool, some_facts.tool);
    CHECK_STR(h->proof, proof);
}

TEST(apply__what_the_table_forbids__denied_and_unchanged)
{
    struct kw_note note = {{0}};
    struct kw_keyring *ring = good_ring();
    const struct kw_version before = ring->versions[0];
    CHECK_CODE(kw_act_apply(ring, KW_ACT_ACCEPT, 1, &some_facts, &note), KW_CODE_DENIED);
    CHECK_HAS(note.text, "version 1: no accept: it is retired");
    CHECK_CODE(kw_act_apply(ring, KW_ACT_PRUNE, 1, &some_facts, &note), KW_CODE_DENIED);
    CHECK(memcmp(&before, &ring->versions[0], sizeof before) == 0);
    CHECK(ring->history_count == 9 && ring->count == 3);
    kw_keyring_give(ring);
}

/* It cannot be retired by a program that does not understand it, and two are too many. */
TEST(apply__activate_beside_one_not_understood__denied_and_unchanged)
{
    struct kw_note note = {{0}};
    struct kw_keyring *ring = NULL;
    char *json = swap(good_text(), "\"format\": 1,\n      \"state\": \"active\"",
                      "\"format\": 2,\n      \"state\": \"active\"");
    CHECK_OK(kw_keyring_parse(kw_span_str(json), &ring, NULL));
    CHECK(kw_keyring_by_n(ring, 2)->state == KW_KEY_UNKNOWN);
    CHECK_CODE(kw_act_apply(ring, KW_ACT_ACTIVATE, 3, &some_facts, &note),
               KW_CODE_DENIED);
    CHECK_HAS(note.text, "version 2");
    CHECK_HAS(note.text, "newer keyward");
    CHECK(ring->active == 2 && ring->history_count == 9);
    CHECK(kw_keyring_by_n(ring, 3)->state == KW_KEY_ACCEPTED);
    kw_keyring_give(ring);
}

/* State, time and line of one act on version 3; the neighbours as they were. */
static void changes(struct kw_keyring *ring, enum kw_act act, enum kw_key_state to,
                    size_t time_at)
{
    const struct kw_version first = ring->versions[0];
    const size_t lines = ring->history_count;
    CHECK_OK(kw_act_apply(ring, act, 3, &some_facts, NULL));
    const struct kw_version *v = kw_keyring_by_n(ring, 3);
    CHECK(v->state == to && ring->history_count == lines + 1);
    if (time_at != 0)
        CHECK_STR((const char *)v + time_at, some_facts.at);
    is_line(last_line(ring, 0), ring->serial + 1, kw_act_name(act), 3, "seen");
    CHECK(memcmp(&first, &ring->versions[0], sizeof first) == 0);
    struct kw_keyring *next = reread(change(ring)); /* such a file can be written */
    kw_keyring_give(next);
}
#define TIME_OF(field) offsetof(struct kw_version, field)

TEST(apply__each_act__state_time_and_line)
{
    struct kw_keyring *ring = good_ring();
    kw_keyring_edit(ring, 3)->state = KW_KEY_CREATED;
    changes(ring, KW_ACT_ACCEPT, KW_KEY_ACCEPTED, TIME_OF(accepted));
    changes(ring, KW_ACT_RETIRE, KW_KEY_RETIRED, TIME_OF(retired));
    changes(ring, KW_ACT_DISABLE, KW_KEY_DISABLED, TIME_OF(disabled));
    CHECK_STR(kw_keyring_by_n(ring, 3)->disabled_from, "retired");
    changes(ring, KW_ACT_ENABLE, KW_KEY_RETIRED, 0);
    CHECK_STR(kw_keyring_by_n(ring, 3)->disabled, "");
    CHECK_STR(kw_keyring_by_n(ring, 3)->disabled_from, "");
    changes(ring, KW_ACT_DISABLE, KW_KEY_DISABLED, TIME_OF(disabled));
    changes(ring, KW_ACT_DESTROY, KW_KEY_DESTROYED, TIME_OF(destroyed));
    CHECK_STR(kw_keyring_by_n(ring, 3)->disabled_from, "");
    kw_keyring_give(ring);
}

TEST(apply__activate__retires_the_former_baseline_with_a_line)
{
    struct kw_keyring *ring = good_ring();
    CHECK_OK(kw_act_apply(ring, KW_ACT_ACTIVATE, 3, &some_facts, NULL));
    CHECK(ring->active == 3 && ring->history_count == 11);
    CHECK(kw_keyring_by_n(ring, 2)->state == KW_KEY_RETIRED);
    CHECK(kw_keyring_by_n(ring, 3)->state == KW_KEY_ACTIVE);
    CHECK_STR(kw_keyring_by_n(ring, 2)->retired, some_facts.at);
    CHECK_STR(kw_keyring_by_n(ring, 3)->activated, some_facts.at);
    is_line(last_line(ring, 1), 8, "retire", 2, "");
    is_line(last_line(ring, 0), 8, "activate", 3, "seen");
    kw_keyring_give(reread(change(ring)));
    kw_keyring_give(ring);
}

TEST(apply__activate_the_active_one__only_a_line)
{
    struct kw_keyring *ring = good_ring();
    struct kw_version *v = kw_keyring_edit(ring, 2);
    snprintf(v->activated, sizeof v->activated, "2026-02-01T00:00:00Z");
    CHECK_OK(kw_act_apply(ring, KW_ACT_ACTIVATE, 2, &some_facts, NULL));
    CHECK(ring->active == 2 && ring->history_count == 10 && v->state == KW_KEY_ACTIVE);
    CHECK_STR(v->activated, "2026-02-01T00:00:00Z");
    is_line(last_line(ring, 0), 8, "activate", 2, "seen");
    kw_keyring_give(ring);
}

TEST(apply__prune__one_line_stays_and_the_number_is_used_up)
{
    struct kw_keyring *file = good_file();
    becomes(&file, acted(file, KW_ACT_DISABLE, 1));
    becomes(&file, acted(file, KW_ACT_DESTROY, 1)); /* serial 9 */
    becomes(&file, acted(file, KW_ACT_PRUNE, 1));
    CHECK(file->count == 2 && kw_keyring_by_n(file, 1) == NULL && file->next_n == 4);
    unsigned of_1 = 0;
    for (size_t i = 0; i < file->history_count; i++)
        of_1 += file->history[i].n == 1;
    CHECK(of_1 == 1 && file->history_count == 6);
    is_line(last_line(file, 0), 10, "prune", 1,
            "kw1-1-000000000000000000000001 destroyed 2026-03-01T08:00:00Z, serial 9");
    kw_keyring_give(file);
}

TEST(apply__prune_what_history_forgot__without_the_serial)
{
    struct kw_keyring *ring = good_ring();
    struct kw_version *v = kw_keyring_edit(ring, 1);
    v->state = KW_KEY_DESTROYED;
    snprintf(v->destroyed, sizeof v->destroyed, "2026-02-01T00:00:00Z");
    CHECK_OK(kw_act_apply(ring, KW_ACT_PRUNE, 1, &some_facts, NULL));
    is_line(last_line(ring, 0), 8, "prune", 1,
            "kw1-1-000000000000000000000001 destroyed 2026-02-01T00:00:00Z");
    kw_keyring_give(ring);
}

TEST(apply__prune_of_a_key_with_a_second_copy__the_line_says_so)
{
    struct kw_keyring *ring = good_ring();
    struct kw_version *v = kw_keyring_edit(ring, 1);
    v->state = KW_KEY_DESTROYED;
    snprintf(v->destroyed, sizeof v->destroyed, "2026-02-01T00:00:00Z");
    snprintf(v->second_copy, sizeof v->second_copy, "stated: in the safe");
    CHECK_OK(kw_act_apply(ring, KW_ACT_PRUNE, 1, &some_facts, NULL));
    is_line(last_line(ring, 0), 8, "prune", 1,
            "kw1-1-000000000000000000000001 destroyed 2026-02-01T00:00:00Z, second copy "
            "recorded");
    kw_keyring_give(ring);
}

TEST(history__full__the_oldest_line_makes_room)
{
    struct kw_keyring *ring = good_ring();
    struct kw_history h = ring->history[8];
    while (ring->history_count < KW_HISTORY_MAX)
        CHECK_OK(kw_keyring_record(ring, &h));
    CHECK(ring->history[1].serial == 2);
    CHECK_OK(kw_act_apply(ring, KW_ACT_RETIRE, 3, &some_facts, NULL));
    CHECK(ring->history_count == KW_HISTORY_MAX && ring->history[0].serial == 2);
    is_line(last_line(ring, 0), 8, "retire", 3, "seen");
    CHECK_OK(kw_act_apply(ring, KW_ACT_DISABLE, 3, &some_facts, NULL));
    CHECK(ring->history[0].serial == 3);
    kw_keyring_give(ring);
}

TEST(add__there_already__refused_without_a_line)
{
    struct kw_keyring *ring = good_ring();
    struct kw_version v = good_version(2, KW_KEY_CREATED);
    CHECK_CODE(kw_act_add(ring, KW_ACT_CREATE, &v, &some_facts), KW_CODE_BAD_INPUT);
    CHECK(ring->history_count == 9 && ring->count == 3);
    kw_keyring_give(ring);
}

/* Nodes have seen another key under it. */
TEST(add__number_of_a_pruned_one__refused)
{
    struct kw_keyring *file = good_file();
    struct kw_version v = good_version(1, KW_KEY_CREATED);
    becomes(&file, acted(file, KW_ACT_DISABLE, 1));
    becomes(&file, acted(file, KW_ACT_DESTROY, 1));
    becomes(&file, acted(file, KW_ACT_PRUNE, 1));
    memset(v.key_id + 6, 'f', 24);
    CHECK_CODE(kw_act_add(file, KW_ACT_ADOPT, &v, &some_facts), KW_CODE_BAD_INPUT);
    CHECK(file->count == 2);
    kw_keyring_give(file);
}

TEST(add__new_one__a_line_and_the_next_number)
{
    struct kw_keyring *ring = good_ring();
    struct kw_version v = good_version(7, KW_KEY_CREATED);
    CHECK_OK(kw_act_add(ring, KW_ACT_ADOPT, &v, &some_facts));
    CHECK(ring->next_n == 8 && ring->count == 4);
    is_line(last_line(ring, 0), 8, "adopt", 7, "seen");
    v = good_version(5, KW_KEY_CREATED);
    CHECK_OK(kw_act_add(ring, KW_ACT_CREATE, &v, &some_facts));
    CHECK(ring->next_n == 8 && ring->versions[3].n == 5);
    is_line(last_line(ring, 0), 8, "create", 5, "seen");
    kw_keyring_give(reread(change(ring)));
    kw_keyring_give(ring);
}

/* ---- tokens ---- */

static struct kw_object_token row_of(const char *label, const char *serial)
{
    struct kw_object_token row = {.locator = {0x99}, .locator_len = 1};
    snprintf(row.label, sizeof row.label, "%s", label);
    snprintf(row.serial, sizeof row.serial, "%s", serial);
    return row;
}

TEST(prove__four_other_tokens__busy_and_unchanged)
{
    struct kw_keyring *ring = good_ring();
    char serial[4] = "s0";
    for (; serial[1] < '3'; serial[1]++) {
        const struct kw_object_token row = row_of("backup", serial);
        CHECK_OK(kw_act_prove(ring, 2, &row, &some_facts));
    }
    const struct kw_object_token row = row_of("backup", "another");
    CHECK_CODE(kw_act_prove(ring, 2, &row, &some_facts), KW_CODE_BUSY);
    CHECK(ring->versions[1].objects[0].token_count == KW_OBJECT_TOKENS_MAX);
    CHECK(ring->history_count == 12);
    kw_keyring_give(reread(change(ring)));
    kw_keyring_give(ring);
}

TEST(prove__new_token__a_row_and_a_line)
{
    struct kw_keyring *ring = good_ring();
    const struct kw_object_token row = row_of("keyward", "restored");
    CHECK_OK(kw_act_prove(ring, 3, &row, &some_facts));
    const struct kw_object *o = &ring->versions[2].objects[0];
    CHECK(o->token_count == 2);
    CHECK_STR(o->tokens[1].label, "keyward");
    CHECK_STR(o->tokens[1].serial, "restored");
    CHECK_STR(o->tokens[1].proven, some_facts.at);
    CHECK(kw_object_locator(o, "restored").ptr[0] == 0x99);
    is_line(last_line(ring, 0), 8, "prove", 3, "seen");
    kw_keyring_give(ring);
}

TEST(prove__known_token__its_row_and_no_longer_gone)
{
    struct kw_keyring *ring = good_ring();
    struct kw_object *o = &ring->versions[2].objects[0];
    snprintf(o->tokens[0].gone, sizeof o->tokens[0].gone, "said ann: lost");
    const struct kw_object_token row = row_of("keyward", "0123456789abcdef");
    CHECK_OK(kw_act_prove(ring, 3, &row, &some_facts));
    CHECK(o->token_count == 1 && o->tokens[0].locator[0] == 0x99);
    CHECK_STR(o->tokens[0].proven, some_facts.at);
    CHECK_STR(o->tokens[0].gone, "");
    kw_keyring_give(ring);
}

TEST(gone__a_row__its_text_is_the_proof)
{
    struct kw_keyring *ring = good_ring();
    kw_keyring_edit(ring, 1)->state = KW_KEY_DESTROYED;
    CHECK_OK(
        kw_act_gone(ring, 1, 0, "said ann 2026-03-01T08:00:00Z: shredded", &some_facts));
    CHECK_STR(ring->versions[0].objects[0].tokens[0].gone,
              "said ann 2026-03-01T08:00:00Z: shredded");
    is_line(last_line(ring, 0), 8, "gone", 1, "said ann 2026-03-01T08:00:00Z: shredded");
    kw_keyring_give(reread(change(ring)));
    kw_keyring_give(ring);
}

KW_CASES("hsm/keyring/act", CASE(may__refused_ring__only_what_leads_out),
         CASE(may__critical_name__nothing_by_this_program),
         CASE(may__no_such_version__said),
         CASE(may__every_act_on_every_state__as_the_table_says),
         CASE(may__not_understood__by_the_newer_one_only),
         CASE(may__retire_or_disable_what_this_node_wraps_with__denied),
         CASE(may__activate_an_older_one__denied),
         CASE(may__prune_what_another_is_built_on__denied),
         CASE(may__create_or_adopt__on_a_good_ring_and_on_none_yet),
         CASE(apply__what_the_table_forbids__denied_and_unchanged),
         CASE(apply__activate_beside_one_not_understood__denied_and_unchanged),
         CASE(apply__each_act__state_time_and_line),
         CASE(apply__activate__retires_the_former_baseline_with_a_line),
         CASE(apply__activate_the_active_one__only_a_line),
         CASE(apply__prune__one_line_stays_and_the_number_is_used_up),
         CASE(apply__prune_what_history_forgot__without_the_serial),
         CASE(apply__prune_of_a_key_with_a_second_copy__the_line_says_so),
         CASE(history__full__the_oldest_line_makes_room),
         CASE(add__there_already__refused_without_a_line),
         CASE(add__number_of_a_pruned_one__refused),
         CASE(add__new_one__a_line_and_the_next_number),
         CASE(prove__four_other_tokens__busy_and_unchanged),
         CASE(prove__new_token__a_row_and_a_line),
         CASE(prove__known_token__its_row_and_no_longer_gone),
         CASE(gone__a_row__its_text_is_the_proof))
