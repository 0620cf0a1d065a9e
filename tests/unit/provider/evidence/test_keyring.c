/* SPDX-License-Identifier: Apache-2.0 */
/* The newest keyring as rows of a bundle: rotations, copies, acts. */
#include "check.h"

#include <stdio.h>

#include <keyward/evidence.h>
#include <keyward/keyring.h>

#define AT "2026-07-01T12:00:00Z"
#define KEY "kw1-1-00112233445566778899aabb"

static struct kw_evidence *e;
static struct kw_keyring *ring;

static int64_t us(const char *text)
{
    return kw_time_us(kw_span_str(text));
}

static void begin_at(const char *at)
{
    const struct kw_evidence_head head = {.at = at,
                                          .from = "",
                                          .to = "",
                                          .at_us = us(at),
                                          .from_us = us("2026-06-01T00:00:00Z"),
                                          .to_us = us("2026-07-01T00:00:00Z"),
                                          .cryptoperiod_days = 90};
    kw_evidence_free(e);
    e = NULL;
    CHECK_OK(kw_evidence_new(&head, &e));
}

static void begin(void)
{
    begin_at(AT);
}

static void end(void)
{
    kw_evidence_free(e);
    kw_keyring_give(ring);
    e = NULL;
    ring = NULL;
}

static void load(const char *vector)
{
    char path[256];
    struct kw_note note = {{0}};
    snprintf(path, sizeof path, "%s/%s", KW_VECTORS, vector);
    CHECK_OK(kw_keyring_load(path, &ring, NULL, &note));
}

static const char *cell(enum kw_evidence_table table, size_t i, const char *column)
{
    static char text[192];
    const json_t *row = json_array_get(kw_evidence_rows(e, table), i);
    char *dumped = json_dumps(json_object_get(row, column), JSON_ENCODE_ANY);
    snprintf(text, sizeof text, "%s", dumped != NULL ? dumped : "(absent)");
    free(dumped);
    return text;
}
#define IS(table, i, column, want) CHECK_STR(cell(table, i, column), want)
#define ROTATION(i, column, want) IS(KW_EVIDENCE_ROTATIONS, i, column, want)
#define COPY(i, column, want) IS(KW_EVIDENCE_COPIES, i, column, want)
#define ACT(i, column, want) IS(KW_EVIDENCE_ACTS, i, column, want)

static size_t rows(enum kw_evidence_table table)
{
    return json_array_size(kw_evidence_rows(e, table));
}

static void fill(void)
{
    kw_evidence_fill_keyring(e, ring);
    CHECK_OK(kw_evidence_state(e));
}

/* ---- days ---- */

/* A ring of one version. */
static void one(enum kw_key_state state, const char *activated, const char *retired)
{
    struct kw_version v = {.n = 1, .state = state, .key_id = KEY, .origin = "made"};
    kw_keyring_give(ring);
    CHECK_OK(kw_keyring_new("demo", &ring));
    kw_copy_str(v.activated, sizeof v.activated, kw_span_str(activated));
    kw_copy_str(v.retired, sizeof v.retired, kw_span_str(retired));
    CHECK_OK(kw_keyring_add(ring, &v));
}

TEST(days__at_the_borders_of_the_cryptoperiod)
{
    static const struct {
        const char *at;
        enum kw_key_state state;
        const char *activated, *retired, *used, *left, *ends;
    } cases[] = {
#define ACTIVE KW_KEY_ACTIVE, "2026-01-01T00:00:00Z", ""
#define ENDS "\"2026-04-01T00:00:00.000000Z\""
        {"2026-01-01T00:00:00Z", ACTIVE, "0", "90", ENDS},
        {"2026-01-01T00:00:00.000001Z", ACTIVE, "1", "89", ENDS},
        {"2026-01-02T00:00:00Z", ACTIVE, "1", "89", ENDS},
        {"2026-04-01T00:00:00Z", ACTIVE, "90", "0", ENDS}, /* exactly the end */
        {"2026-04-01T00:00:00.000001Z", ACTIVE, "91", "-1", ENDS},
        {"2026-04-02T00:00:00.000001Z", ACTIVE, "92", "-2", ENDS},
        {"2025-12-31T23:59:59.999999Z", ACTIVE, "0", "90", ENDS}, /* before it began */
        {"2025-12-30T00:00:00Z", ACTIVE, "-2", "92", ENDS},
        /* activated again: it never ceased; an old end says nothing of the baseline */
        {"2026-01-11T00:00:00Z", KW_KEY_ACTIVE, "2026-01-01T00:00:00Z",
         "2026-01-02T00:00:00Z", "10", "80", ENDS},
        {"2026-07-01T00:00:00Z", KW_KEY_RETIRED, "2026-01-01T00:00:00Z",
         "2026-04-01T00:00:00Z", "90", "null", ENDS},
        {"2026-07-01T00:00:00Z", KW_KEY_RETIRED, "2026-01-01T00:00:00Z",
         "2026-04-01T00:00:00.000001Z", "91", "null", ENDS},
        /* an end that nobody wrote down has not come */
        {"2026-04-11T00:00:00Z", KW_KEY_DISABLED, "2026-01-01T00:00:00Z", "", "100",
         "null", ENDS},
        {"2026-04-11T00:00:00Z", KW_KEY_DESTROYED, "", "2026-02-01T00:00:00Z", "null",
         "null", "null"},
        {"2026-04-11T00:00:00Z", KW_KEY_ACCEPTED, "", "", "null", "null", "null"},
        {"2026-04-11T00:00:00Z", KW_KEY_ACTIVE, "", "", "null", "null", "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin_at(cases[i].at);
        one(cases[i].state, cases[i].activated, cases[i].retired);
        fill();
        ROTATION(0, "days_used", cases[i].used);
        ROTATION(0, "days_left", cases[i].left);
        ROTATION(0, "ends", cases[i].ends);
    }
}

/* ---- the golden rings ---- */

TEST(golden_ring__a_rotation_of_each_version)
{
    load("keyring.json");
    fill();
    CHECK(rows(KW_EVIDENCE_ROTATIONS) == ring->count && ring->count == 6);
    ROTATION(0, "state", "\"retired\"");
    ROTATION(0, "days_used", "60");
    ROTATION(0, "days_left", "null");
    ROTATION(1, "n", "3"); /* disabled, and never the baseline */
    ROTATION(1, "days_used", "null");
    ROTATION(1, "disabled", "\"2026-05-01T12:00:00Z\"");
    ROTATION(2, "state", "\"active\"");
    ROTATION(2, "days_used", "91"); /* since April 2nd, 9:00:00.5 */
    ROTATION(2, "days_left", "-1");
    ROTATION(2, "ends", "\"2026-07-01T09:00:00.500000Z\"");
    ROTATION(5, "state", "\"destroyed\"");
    ROTATION(5, "created", "\"2026-07-01T12:00:00.000000Z\"");
}

TEST(golden_ring__a_copy_for_each_token_with_what_is_not_known)
{
    load("keyring.json");
    fill();
    CHECK(rows(KW_EVIDENCE_COPIES) == 10);
    COPY(0, "token_label", "\"keyward\"");
    COPY(1, "serial", "null");
    COPY(1, "proven", "\"2026-02-01T00:00:00Z\"");
    COPY(1, "second_copy",
         "\"opened on token backup, serial 0002, 2026-02-01T00:00:00Z\"");
    COPY(7, "gone", "\"seen 2026-06-30T12:00:00Z\"");
    COPY(7, "proven", "null");
    COPY(8, "gone", "\"said ann 2026-06-30T12:00:00Z: shredded\"");
    COPY(9, "token_label", "null");
}

TEST(golden_ring__an_act_for_each_line_and_the_name_of_what_was_pruned)
{
    load("keyring.json");
    fill();
    CHECK(rows(KW_EVIDENCE_ACTS) == ring->history_count);
    ACT(0, "act", "\"adopt\"");
    ACT(0, "key_id", "\"" KEY "\"");
    ACT(0, "from", "\"keyring\"");
    ACT(0, "ticket", "null");
    ACT(0, "in_period", "false"); /* July 1st is behind it */
    ACT(5, "by", "null");
    ACT(13, "act", "\"prune\"");
    ACT(13, "key_id", "\"kw1-2-1112131415161718191a1b1c\"");
}

/* The name of another number would be a lie, a text that is no name none at all. */
TEST(prune_of_which_the_line_says_something_else__no_name)
{
    static const char *const proofs[] = {"", "kw1-3-1112131415161718191a1b1c destroyed x",
                                         "gone", "kw1-2-11 destroyed"};
    for (size_t i = 0; i < 4; i++) {
        begin();
        one(KW_KEY_CREATED, "", "");
        struct kw_history h = {.serial = 1, .act = "prune", .n = 2, .at = AT};
        kw_copy_str(h.proof, sizeof h.proof, kw_span_str(proofs[i]));
        CHECK_OK(kw_keyring_record(ring, &h));
        fill();
        ACT(0, "key_id", "null");
    }
}

TEST(ring_of_a_newer_keyward__each_version_told_and_unknown_where_it_is)
{
    load("keyring-future.json");
    fill();
    CHECK(rows(KW_EVIDENCE_ROTATIONS) == ring->count);
    size_t unknown = 0;
    for (size_t i = 0; i < ring->count; i++) {
        if (ring->versions[i].state != KW_KEY_UNKNOWN)
            continue;
        unknown++;
        ROTATION(i, "state", "\"unknown\"");
        ROTATION(i, "activated", "null");
        ROTATION(i, "days_used", "null");
        ROTATION(i, "origin", "\"\"");
    }
    CHECK(unknown >= 5 && rows(KW_EVIDENCE_COPIES) >= ring->count);
}

static size_t said(const char *check, const char *outcome)
{
    const json_t *row;
    size_t i, count = 0;
    json_array_foreach(kw_evidence_rows(e, KW_EVIDENCE_CHECKS), i, row) count +=
        strcmp(json_string_value(json_object_get(row, "check")), check) == 0 &&
        strcmp(json_string_value(json_object_get(row, "outcome")), outcome) == 0;
    return count;
}

/* The baseline may be one of them. */
TEST(ring_of_a_newer_keyward__no_check_of_keyrings_is_answered)
{
    static const char *const checks[] = {"cryptoperiod", "key-ended"};
    load("keyring-future.json");
    fill();
    kw_evidence_judge(e);
    for (size_t i = 0; i < 2; i++)
        CHECK(said(checks[i], KW_OUTCOME_NOT_ANSWERED) >= 5);
}

/* 512 lines: what ended before is told by its times alone. */
TEST(history_is_cut__what_ended_is_not_answered)
{
    begin();
    one(KW_KEY_DISABLED, "2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z");
    kw_copy_str(kw_keyring_edit(ring, 1)->disabled, KW_TIME_TEXT,
                kw_span_str("2026-06-02T00:00:00Z"));
    struct kw_history h = {.serial = 1,
                           .act = "disable",
                           .n = 1,
                           .at = "2026-06-02T00:00:00Z",
                           .proof = "etcd: 1 live, no backups, said to be all"};
    CHECK_OK(kw_keyring_record(ring, &h));
    for (h = (struct kw_history){.serial = 2, .act = "prove", .n = 1, .at = AT};
         h.serial <= KW_HISTORY_MAX + 1; h.serial++)
        CHECK_OK(kw_keyring_record(ring, &h));
    fill();
    CHECK(rows(KW_EVIDENCE_ACTS) == KW_HISTORY_MAX);
    kw_evidence_judge(e);
    CHECK(said("key-ended", KW_OUTCOME_PASS) == 0 &&
          said("key-ended", KW_OUTCOME_NOT_ANSWERED) >= 1);
}

KW_SUITE_AROUND("provider/evidence/keyring", begin, end)
