/* SPDX-License-Identifier: Apache-2.0 */
/* The operators' log as rows of a bundle: anchored by the daemon's log of the same folder. */
#include "check.h"

#include <stdio.h>

#include "bundle_site.h"

#define PERIOD "2026-11-28T12:00:00Z..2026-11-28T12:00:10Z"
#define OPERATORS KW_EVIDENCE_LOGS, 1

static struct bundle_site s;
static struct log_sample daemons, operators;

/* One act of three seconds. */
static void begin(void)
{
    site_begin(&s, PERIOD);
    sample_log(&daemons, 1);
    sample_put(&daemons, 0, sample_start());
    sample_log(&operators, 2);
    sample_put(&operators, 1, sample_act("key-create", SAMPLE_KEY, "CHG-7", "begun"));
    sample_put(&operators, 4, sample_act("key-create", SAMPLE_KEY, "CHG-7", "done"));
}

static void end(void)
{
    site_end(&s);
}

static void run(void)
{
    site_log(&s, "audit.jsonl", &daemons);
    site_log(&s, "operator.jsonl", &operators);
    site_run(&s);
}

TEST(daemons_log_agrees__sound_and_anchored)
{
    sample_put(&daemons, 5, sample_operator_log(&operators));
    run();
    site_row(&s, OPERATORS,
             "node = cp-1, log = operator, files = 1, verdict = sound, why = null, "
             "records = 3, anchored_to = 2, beginning_known = true, checkpoints = 0, "
             "covered = null, gaps = null, gap_seconds = null, key_sha256 = null, "
             "end_signed = false, first_time = 2026-11-28T12:00:00.000000Z, "
             "last_time = 2026-11-28T12:00:04.000000Z, log_id ~ 02020202");
    assert_int_equal(site_rows(&s, KW_EVIDENCE_ACTS), 1);
    site_row(&s, KW_EVIDENCE_ACTS, 0,
             "from = cp-1, act = key-create, outcome = done, ticket = CHG-7, "
             "in_period = true");
}

TEST(acts_behind_the_last_anchor__sound_and_it_is_told_how_far)
{
    sample_put(&daemons, 5, sample_operator_log(&operators));
    sample_put(&operators, 6, sample_act("pin-retry", NULL, NULL, "begun"));
    run();
    site_row(&s, OPERATORS, "verdict = sound, records = 4, anchored_to = 2");
    site_row(&s, KW_EVIDENCE_ACTS, 1, "act = pin-retry, outcome = broken off");
}

TEST(ended_files__read_before_the_running_one)
{
    struct kw_audit_record file = {.kind = KW_AUDIT_FILE};
    char previous[2 * KW_SHA256 + 1];
    site_log(&s, "operator-000000000000-000000000002.jsonl", &operators);
    operators.len = 0;
    kw_hex(previous, sizeof previous, kw_span_of(operators.hash, KW_SHA256));
    file.value[KW_AUDIT_FILE_FORMAT] = kw_audit_number(1);
    file.value[KW_AUDIT_FILE_LOG] = kw_audit_text(operators.id);
    file.value[KW_AUDIT_FILE_PREVIOUS] = kw_audit_text(previous);
    sample_put(&operators, 5, file);
    sample_put(&daemons, 6, sample_operator_log(&operators));
    run();
    site_row(&s, KW_EVIDENCE_LOGS, 0, "files = 1, verdict = incomplete");
    site_row(&s, OPERATORS, "files = 2, verdict = sound, records = 4, anchored_to = 3");
}

TEST(end_is_cut_off__broken)
{
    char why[192];
    const size_t len = operators.len;
    sample_put(&operators, 6, sample_act("pin-retry", NULL, NULL, "begun"));
    sample_put(&daemons, 7, sample_operator_log(&operators));
    operators.len = len;
    run();
    site_row(&s, OPERATORS, "verdict = broken, records = 3, anchored_to = null");
    snprintf(
        why, sizeof why,
        "audit/operator.jsonl, line 4, byte %zu: an anchor says that there was record "
        "3: the end of the log is missing",
        len);
    CHECK_STR(site_why(&s, 1), why);
}

TEST(written_anew__broken)
{
    sample_put(&daemons, 5, sample_operator_log(&operators));
    sample_log(&operators, 2);
    sample_put(&operators, 1, sample_act("key-create", SAMPLE_KEY, "CHG-8", "begun"));
    sample_put(&operators, 4, sample_act("key-create", SAMPLE_KEY, "CHG-8", "done"));
    run();
    site_row(&s, OPERATORS, "verdict = broken");
    CHECK_HAS(site_why(&s, 1), "record 2 has another hash than an anchor of this log");
}

TEST(outcome_lies_behind_a_broken_place__not_known)
{
    operators.bytes[operators.len - 2] ^= 1;
    run();
    site_row(&s, OPERATORS, "verdict = broken, records = 2");
    site_row(&s, KW_EVIDENCE_ACTS, 0, "act = key-create, outcome = null");
}

TEST(another_log_is_in_its_place__incomplete)
{
    sample_put(&daemons, 5, sample_operator_log(&operators));
    sample_log(&operators, 3);
    sample_put(&daemons, 7, sample_operator_log(&operators));
    run();
    site_row(&s, OPERATORS, "verdict = incomplete, anchored_to = 0");
    CHECK_STR(site_why(&s, 1), "1 anchors are of another log");
}

TEST(daemons_log_says_nothing_of_it__incomplete)
{
    run();
    site_row(&s, OPERATORS, "verdict = incomplete, anchored_to = null");
    CHECK_STR(site_why(&s, 1), "no anchor agrees");
}

TEST(it_is_gone__broken_and_not_as_if_there_never_was_one)
{
    sample_put(&daemons, 5, sample_operator_log(&operators));
    site_log(&s, "audit.jsonl", &daemons);
    site_run(&s);
    site_row(&s, OPERATORS, "files = 0, verdict = broken, records = 0");
    CHECK_STR(site_why(&s, 1),
              "there is no file of it; the audit log speaks of one that is not here");
}

TEST(it_was_no_log_at_some_time__incomplete)
{
    sample_put(&daemons, 5, sample_operator_log(NULL));
    sample_put(&daemons, 6, sample_operator_log(&operators));
    run();
    site_row(&s, OPERATORS, "verdict = incomplete, anchored_to = 2");
    CHECK_STR(site_why(&s, 1), "1 times the audit log says that it was no log");
}

TEST(daemons_log_is_broken__incomplete)
{
    sample_put(&daemons, 5, sample_operator_log(&operators));
    sample_put(&daemons, 6, sample_stop());
    daemons.bytes[daemons.len - 2] ^= 1;
    run();
    site_row(&s, KW_EVIDENCE_LOGS, 0, "verdict = broken");
    site_row(&s, OPERATORS, "verdict = incomplete, anchored_to = 2");
    CHECK_STR(site_why(&s, 1), "the audit log, whose records anchor it, is broken");
}

TEST(node_has_no_other_log__sound_and_not_anchored)
{
    site_log(&s, "operator.jsonl", &operators);
    site_run(&s);
    site_row(&s, KW_EVIDENCE_LOGS, 0, "verdict = none");
    site_row(&s, OPERATORS, "verdict = sound, records = 3, anchored_to = null");
}

KW_SUITE_AROUND("provider/cli/bundle_operators", begin, end)
