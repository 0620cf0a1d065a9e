/* SPDX-License-Identifier: Apache-2.0 */
/* Acts of an operators' log, with what came of them. */
#include "check.h"

#include <stdio.h>

#include "bundle_acts.h"
#include "document.h"
#include "log_sample.h"

static struct kw_evidence *e;
static struct kw_bundle_acts acts;

static void begin(void)
{
    const struct kw_evidence_head head = {.at = "", .from = "", .to = ""};
    struct kw_period period;
    CHECK_OK(kw_evidence_new(&head, &e));
    CHECK(kw_period_read("2026-11-28T12:00:10Z..2026-11-28T12:00:20Z", &period));
    kw_bundle_acts_begin(&acts, "cp-1", &period);
}

static void end(void)
{
    kw_bundle_acts_free(&acts);
    kw_evidence_free(e);
}

static void meet(unsigned second, struct kw_audit_record record)
{
    record.time = kw_span_str(sample_time(second));
    kw_bundle_acts_meet(&acts, &record);
}

static size_t rows(bool is_all)
{
    CHECK_OK(kw_bundle_acts_rows(&acts, is_all, e));
    return json_array_size(kw_evidence_rows(e, KW_EVIDENCE_ACTS));
}

static json_t *act(size_t i)
{
    return json_array_get(kw_evidence_rows(e, KW_EVIDENCE_ACTS), i);
}

static void row(size_t i, const char *claims)
{
    kw_holds(json_incref(act(i)), claims);
}

TEST(act_and_outcome__one_row_with_the_time_of_its_begin)
{
    meet(9, sample_act("key-create", SAMPLE_KEY, "CHG-7", "begun"));
    meet(11, sample_act("key-create", SAMPLE_KEY, "CHG-7", "done"));
    meet(12, sample_stop());
    assert_int_equal(rows(true), 1);
    row(0, "from = cp-1, time = 2026-11-28T12:00:09.000000Z, in_period = false, "
           "act = key-create, key_id = " SAMPLE_KEY ", ticket = CHG-7, outcome = done, "
           "proof = null");
    CHECK_STR(json_string_value(json_object_get(act(0), "by")), "uid 0, login uid 1000");
}

TEST(nobody_logged_in__only_the_uid)
{
    struct kw_audit_record r = sample_act("pin-retry", NULL, NULL, "begun");
    r.value[KW_AUDIT_OPERATOR_LOGIN_UID] = KW_AUDIT_NULL;
    meet(10, r);
    assert_int_equal(rows(true), 1);
    row(0, "by = uid 0, key_id = null, ticket = null");
}

TEST(period__its_first_moment_is_in_and_its_end_is_not)
{
    static const unsigned seconds[] = {9, 10, 19, 20};
    for (size_t i = 0; i < 4; i++)
        meet(seconds[i], sample_act("pin-retry", NULL, NULL, "begun"));
    assert_int_equal(rows(true), 4);
    row(0, "in_period = false");
    row(1, "in_period = true");
    row(2, "in_period = true");
    row(3, "in_period = false");
}

TEST(no_outcome_follows__broken_off_also_when_the_act_is_done_later)
{
    meet(10, sample_act("key-destroy", SAMPLE_KEY, NULL, "begun"));
    meet(11, sample_act("key-destroy", SAMPLE_KEY, NULL, "begun"));
    meet(12, sample_act("key-destroy", SAMPLE_KEY, NULL, "done"));
    assert_int_equal(rows(true), 2);
    row(0, "time ~ 12:00:10, outcome = broken off");
    row(1, "time ~ 12:00:11, outcome = done");
}

TEST(two_at_once__each_has_its_own_outcome)
{
    meet(10, sample_act("key-create", SAMPLE_KEY, NULL, "begun"));
    meet(11, sample_act("key-create", SAMPLE_KEY, "CHG-8", "begun"));
    meet(12, sample_act("key-create", SAMPLE_KEY, NULL, "failed"));
    meet(13, sample_act("key-create", SAMPLE_KEY, "CHG-8", "done"));
    assert_int_equal(rows(true), 2);
    row(0, "outcome = failed");
    row(1, "outcome = done");
}

TEST(end_of_the_log_is_not_known__nor_is_the_outcome)
{
    meet(10, sample_act("key-create", SAMPLE_KEY, NULL, "begun"));
    assert_int_equal(rows(false), 1);
    row(0, "outcome = null");
}

TEST(outcome_whose_begin_is_not_there__a_row_of_its_own)
{
    meet(10, sample_act("key-create", SAMPLE_KEY, NULL, "done"));
    assert_int_equal(rows(true), 1);
    row(0, "time ~ 12:00:10, outcome = done");
}

TEST(more_wait_than_can__the_first_were_broken_off)
{
    char ticket[16];
    for (unsigned i = 0; i <= KW_BUNDLE_WAITING_MAX; i++) {
        snprintf(ticket, sizeof ticket, "%u", i);
        meet(10, sample_act("key-create", SAMPLE_KEY, ticket, "begun"));
    }
    meet(11, sample_act("key-create", SAMPLE_KEY, "1", "done"));
    assert_int_equal(rows(false), KW_BUNDLE_WAITING_MAX + 1);
    row(0, "outcome = broken off");
    row(1, "outcome = done");
    row(2, "outcome = null");
}

KW_SUITE_AROUND("provider/cli/bundle_acts", begin, end)
