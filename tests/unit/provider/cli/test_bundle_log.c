/* SPDX-License-Identifier: Apache-2.0 */
/* A control plane's own log as rows of a bundle. */
#include "check.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle_site.h"

#define RUN "2026-11-28T12:00:01Z..2026-11-28T12:00:05Z"
#define AUDIT KW_EVIDENCE_LOGS, 0
#define NO_OPERATORS KW_EVIDENCE_LOGS, 1

static const char audit_pem[] = KW_VECTORS "/audit.pem";
static struct bundle_site s;
static struct log_sample log_of;

static void begin(void)
{
    site_begin(&s, RUN);
}

static void end(void)
{
    site_end(&s);
}

TEST(all_is_signed__sound_and_each_column_is_told)
{
    site_vector(&s, "audit.jsonl", "audit-signed.jsonl");
    s.asked.key = audit_pem;
    site_run(&s);
    assert_int_equal(site_rows(&s, KW_EVIDENCE_LOGS), 2);
    site_row(&s, AUDIT,
             "node = cp-1, log = audit, files = 1, verdict = sound, why = null, "
             "records = 8, first_time = 2026-11-28T12:00:00.000000Z, "
             "last_time = 2026-11-28T12:00:07.000000Z, log_id ~ 000102030405, "
             "beginning_known = true, anchored_to = null, signed_to = 5, "
             "end_signed = true, unsigned_stretches = 0, marks = 0, checkpoints = 1, "
             "unsynchronised = 0, covered = true, gaps = 0, gap_seconds = 0");
    site_row(&s, AUDIT, "head ~ f227cd24c2147767, key_sha256 ~ 207fea09581ca0d9");
    assert_int_equal(site_rows(&s, KW_EVIDENCE_COVERAGE), 1);
    site_row(&s, KW_EVIDENCE_COVERAGE, 0,
             "node = cp-1, from = 2026-11-28T12:00:01.000000Z, "
             "to = 2026-11-28T12:00:05.000000Z, kind = signed, gap = false");
    assert_int_equal(site_rows(&s, KW_EVIDENCE_CALLS), 1);
    site_row(&s, KW_EVIDENCE_CALLS, 0, "method = encrypt, code = 0, count = 1");
    site_row(&s, NO_OPERATORS,
             "log = operator, files = 0, verdict = none, records = 0, log_id = null, "
             "head = null, first_time = null, covered = null, gaps = null");
    CHECK_STR(site_why(&s, 1), "there is no file of it");
    assert_int_equal(site_rows(&s, KW_EVIDENCE_ACTS), 0);
}

TEST(nobody_asks_for_signatures__sound_and_nothing_is_said_of_them)
{
    site_vector(&s, "audit.jsonl", "audit-signed.jsonl");
    site_run(&s);
    site_row(&s, AUDIT,
             "verdict = sound, signed_to = null, end_signed = false, key_sha256 = null");
    site_row(&s, KW_EVIDENCE_COVERAGE, 0, "kind = running, gap = false");
}

TEST(stretch_is_signed_with_what_came_later__incomplete_and_a_gap)
{
    site_vector(&s, "audit.jsonl", "audit-gap.jsonl");
    s.asked.key = audit_pem;
    site_run(&s);
    site_row(&s, AUDIT,
             "verdict = incomplete, unsigned_stretches = 1, end_signed = true, "
             "checkpoints = 2, covered = false, gaps = 1, gap_seconds = 3");
    CHECK_STR(site_why(&s, 0),
              "1 stretches are signed only with what came later; the period has 1 gaps");
    assert_int_equal(site_rows(&s, KW_EVIDENCE_COVERAGE), 2);
    site_row(&s, KW_EVIDENCE_COVERAGE, 0, "kind = unsigned, gap = true");
    site_row(&s, KW_EVIDENCE_COVERAGE, 1, "kind = signed, gap = false");
}

TEST(log_says_that_something_is_missing__incomplete_and_counted)
{
    site_vector(&s, "audit-000000000000-000000000005.jsonl", "audit-genesis.jsonl");
    site_vector(&s, "audit.jsonl", "audit-later.jsonl");
    site_run(&s);
    site_row(&s, AUDIT, "files = 2, verdict = incomplete, records = 25, marks = 7");
    CHECK_HAS(
        site_why(&s, 0),
        "; tampered, 2 of its records: a file was not as it had been left; torn, 1");
    assert_int_equal(site_rows(&s, KW_EVIDENCE_CALLS), 3);
    site_row(&s, KW_EVIDENCE_CALLS, 1, "code = 3, key_id = other:5:810c8f6c0e4940ee");
}

TEST(first_file_is_gone__its_beginning_is_not_known)
{
    site_vector(&s, "audit.jsonl", "audit-later.jsonl");
    site_run(&s);
    site_row(&s, AUDIT, "records = 19, beginning_known = false");
}

TEST(no_file__none_and_the_period_is_a_gap)
{
    site_run(&s);
    site_row(&s, AUDIT,
             "files = 0, verdict = none, records = 0, covered = false, gaps = 1, "
             "gap_seconds = 4");
    site_row(&s, KW_EVIDENCE_COVERAGE, 0, "kind = absent, gap = true");
    CHECK(mkdir(site_path(&s, "cp-1/audit"), 0700) == 0);
    site_anew(&s, RUN);
    site_run(&s);
    CHECK_STR(site_why(&s, 0), "there is no file of it");
    site_put(&s, "cp-1/audit/audit.jsonl", kw_span_str(""));
    site_anew(&s, RUN);
    site_run(&s);
    site_row(&s, AUDIT, "files = 1, verdict = none");
    CHECK_STR(site_why(&s, 0), "there is no record");
}

TEST(log_was_not_copied__nothing_is_known_whatever_lies_there)
{
    site_vector(&s, "audit.jsonl", "audit-signed.jsonl");
    s.asked.copied = false;
    site_run(&s);
    for (size_t i = 0; i < 2; i++) {
        site_row(&s, KW_EVIDENCE_LOGS, i,
                 "files = 0, verdict = none, records = 0, covered = null, gaps = null");
        CHECK_STR(site_why(&s, i), "it was not copied");
    }
    assert_int_equal(site_rows(&s, KW_EVIDENCE_COVERAGE), 0);
    assert_int_equal(site_rows(&s, KW_EVIDENCE_CALLS), 0);
}

/* A call counts; then a line that is no record. */
static void write_broken(void)
{
    sample_log(&log_of, 7);
    sample_put(&log_of, 1, sample_start());
    sample_put(&log_of, 2, sample_call("encrypt", SAMPLE_KEY, 0, "ok"));
    const size_t at = log_of.len;
    sample_put(&log_of, 3, sample_call("encrypt", SAMPLE_KEY, 0, "ok"));
    log_of.bytes[at + 20] ^= 1;
    site_log(&s, "audit.jsonl", &log_of);
}

TEST(byte_changed__broken_at_that_line_and_nothing_is_said_of_the_period)
{
    write_broken();
    site_run(&s);
    site_row(&s, AUDIT,
             "verdict = broken, records = 3, covered = null, gaps = null, "
             "end_signed = false, last_time = 2026-11-28T12:00:02.000000Z");
    CHECK_HAS(site_why(&s, 0), "audit/audit.jsonl, line 4, byte ");
    CHECK(site_why(&s, 0)[0] == 'a');
    assert_int_equal(site_rows(&s, KW_EVIDENCE_COVERAGE), 0);
    site_row(&s, KW_EVIDENCE_CALLS, 0, "count = 1");
}

TEST(last_line_has_no_end__incomplete)
{
    sample_log(&log_of, 7);
    sample_put(&log_of, 1, sample_start());
    sample_put(&log_of, 5, sample_stop());
    sample_put(&log_of, 6, sample_start());
    log_of.len -= 5;
    site_log(&s, "audit.jsonl", &log_of);
    site_run(&s);
    site_row(&s, AUDIT, "verdict = incomplete, records = 3, covered = true");
    CHECK_STR(site_why(&s, 0), "the last line has no end");
}

/* Checkpoints at the seconds 9, 10, 19 and 20, of which two were not synchronised. */
TEST(checkpoints__those_of_the_period_half_open)
{
    sample_log(&log_of, 7);
    sample_put(&log_of, 1, sample_start());
    sample_put(&log_of, 9, sample_checkpoint(&log_of, false));
    sample_put(&log_of, 10, sample_checkpoint(&log_of, false));
    sample_put(&log_of, 19, sample_checkpoint(&log_of, true));
    sample_put(&log_of, 20, sample_checkpoint(&log_of, false));
    site_log(&s, "audit.jsonl", &log_of);
    site_anew(&s, "2026-11-28T12:00:10Z..2026-11-28T12:00:20Z");
    site_run(&s);
    site_row(&s, AUDIT, "verdict = sound, checkpoints = 2, unsynchronised = 1");
}

TEST(peer_names_many_keys__the_log_is_sound_and_what_is_folded_is_told)
{
    char key_id[KW_AUDIT_NAME];
    sample_log(&log_of, 7);
    sample_put(&log_of, 1, sample_start());
    for (unsigned i = 0; i < 300; i++) {
        snprintf(key_id, sizeof key_id, "other:5:%016x", i);
        sample_put(&log_of, 2, sample_call("decrypt", key_id, 3, "unknown-key"));
    }
    sample_put(&log_of, 5, sample_stop());
    site_log(&s, "audit.jsonl", &log_of);
    site_run(&s);
    site_row(&s, AUDIT, "verdict = sound, records = 303");
    CHECK_STR(site_why(&s, 0),
              "44 calls that failed are counted with the key_id other, as more than 256 "
              "such were named");
    assert_int_equal(site_rows(&s, KW_EVIDENCE_CALLS), 257);
    site_row(&s, KW_EVIDENCE_CALLS, 0, "key_id = other, count = 44");
}

/* ---- anchors ---- */

/* SEQ:HASH, of the sample's last record. */
static void anchor(uint64_t seq, const char *before)
{
    static char path[192];
    char line[160], head[2 * KW_SHA256 + 1];
    kw_hex(head, sizeof head, kw_span_of(log_of.hash, KW_SHA256));
    snprintf(line, sizeof line, "%s%lu:%s\n", before, (unsigned long)seq, head);
    site_put(&s, "anchors", kw_span_str(line));
    snprintf(path, sizeof path, "%s", site_path(&s, "anchors"));
    s.asked.anchors = path;
}

static void write_run(void)
{
    sample_log(&log_of, 7);
    sample_put(&log_of, 1, sample_start());
    sample_put(&log_of, 5, sample_stop());
    site_log(&s, "audit.jsonl", &log_of);
}

TEST(anchor_agrees__sound_and_anchored)
{
    write_run();
    anchor(2, "");
    site_run(&s);
    site_row(&s, AUDIT, "verdict = sound, anchored_to = 2, covered = true");
    site_row(&s, KW_EVIDENCE_COVERAGE, 0, "kind = anchored, gap = false");
}

TEST(no_anchor_agrees__incomplete_and_all_is_a_gap)
{
    write_run();
    anchor(2, "");
    site_put(&s, "anchors", kw_span_str(""));
    site_run(&s);
    site_row(&s, AUDIT, "verdict = incomplete, anchored_to = null, covered = false");
    CHECK_STR(site_why(&s, 0), "no anchor agrees; the period has 1 gaps");
}

TEST(anchor_of_another_record_or_beyond_the_end__broken)
{
    write_run();
    anchor(1, "");
    site_run(&s);
    site_row(&s, AUDIT, "verdict = broken, anchored_to = null");
    CHECK_HAS(site_why(&s, 0), "record 1 has another hash than an anchor of this log");
    anchor(3, "");
    site_anew(&s, RUN);
    site_run(&s);
    site_row(&s, AUDIT, "verdict = broken");
    CHECK_HAS(site_why(&s, 0), "the end of the log is missing");
}

TEST(anchor_of_another_log__incomplete)
{
    static struct log_sample other;
    write_run();
    anchor(2, "");
    sample_log(&other, 9);
    sample_put(&other, 1, sample_checkpoint(&other, true));
    site_put(&s, "anchors", kw_span_of(other.bytes, other.len));
    site_run(&s);
    site_row(&s, AUDIT, "verdict = incomplete");
    CHECK_HAS(site_why(&s, 0), "no anchor agrees; 1 anchors are of another log");
}

/* ---- failures ---- */

TEST(files_that_are_none__failures_that_name_them)
{
    struct kw_note note = {{0}};
    write_run();
    anchor(2, "anchor ");
    CHECK_CODE(kw_bundle_log(s.e, &s.asked, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, s.asked.anchors);
    s.asked.anchors = NULL;
    s.asked.key = "/nonexistent/audit.pem";
    CHECK_CODE(kw_bundle_log(s.e, &s.asked, &note), KW_CODE_MISSING);
    CHECK_HAS(note.text, "/nonexistent/audit.pem");
    s.asked.key = NULL;
    CHECK(mkdir(site_path(&s, "cp-1/audit/operator.jsonl"), 0700) == 0);
    CHECK_CODE(kw_bundle_log(s.e, &s.asked, &note), KW_CODE_IO);
    CHECK_HAS(note.text, "cp-1/audit/operator.jsonl");
}

/* ---- equal rows ---- */

TEST(twice_and_from_another_place__the_same_rows)
{
    char moved[160], before[96];
    write_broken();
    site_vector(&s, "operator.jsonl", "audit-later.jsonl");
    site_run(&s);
    char *first = site_text(&s);
    site_anew(&s, RUN);
    site_run(&s);
    char *again = site_text(&s);
    CHECK_STR(first, again);
    free(again);
    snprintf(before, sizeof before, "%s", s.folder);
    CHECK(rename(before, site_path(&s, "a-longer-name")) == 0);
    snprintf(moved, sizeof moved, "%s//", site_path(&s, "a-longer-name"));
    s.asked.folder = moved;
    site_anew(&s, RUN);
    site_run(&s);
    char *elsewhere = site_text(&s);
    CHECK_STR(first, elsewhere);
    CHECK(strstr(first, s.root) == NULL);
    free(elsewhere);
    free(first);
}

TEST(two_control_planes__their_rows_follow_each_other)
{
    write_run();
    site_run(&s);
    s.asked.node = "cp-2";
    site_run(&s);
    assert_int_equal(site_rows(&s, KW_EVIDENCE_LOGS), 4);
    site_row(&s, KW_EVIDENCE_LOGS, 2, "node = cp-2, log = audit, verdict = sound");
    site_row(&s, KW_EVIDENCE_COVERAGE, 1, "node = cp-2");
}

KW_SUITE_AROUND("provider/cli/bundle_log", begin, end)
