/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of a log, counted by their kind. */
#include "check.h"

#include <stdio.h>

#include "bundle_calls.h"
#include "document.h"
#include "log_sample.h"

static struct kw_evidence *e;
static struct kw_bundle_calls calls;

static void begin(void)
{
    const struct kw_evidence_head head = {.at = "", .from = "", .to = ""};
    struct kw_period period;
    CHECK_OK(kw_evidence_new(&head, &e));
    CHECK(kw_period_read("2026-11-28T12:00:10Z..2026-11-28T12:00:20Z", &period));
    CHECK_OK(kw_bundle_calls_begin(&calls, &period));
}

static void end(void)
{
    kw_bundle_calls_free(&calls);
    kw_evidence_free(e);
}

static void meet(unsigned second, struct kw_audit_record record)
{
    record.time = kw_span_str(sample_time(second));
    kw_bundle_calls_meet(&calls, &record);
}

static size_t rows(void)
{
    kw_bundle_calls_rows(&calls, "cp-1", e);
    CHECK_OK(kw_evidence_state(e));
    return json_array_size(kw_evidence_rows(e, KW_EVIDENCE_CALLS));
}

static void row(size_t i, const char *claims)
{
    kw_holds(json_incref(json_array_get(kw_evidence_rows(e, KW_EVIDENCE_CALLS), i)),
             claims);
}

TEST(kinds__counted_and_in_one_order)
{
    meet(10, sample_call("encrypt", SAMPLE_KEY, 0, "ok"));
    meet(11, sample_call("decrypt", NULL, 14, "hsm-down"));
    meet(12, sample_call("decrypt", SAMPLE_KEY, 0, "ok"));
    meet(13, sample_call("encrypt", SAMPLE_KEY, 0, "ok"));
    meet(14, sample_stop());
    assert_int_equal(rows(), 3);
    row(0, "node = cp-1, method = decrypt, class = secrets, source = hsm, code = 0, "
           "reason = ok, key_id = " SAMPLE_KEY ", count = 1");
    row(1, "method = decrypt, source = none, code = 14, reason = hsm-down, "
           "key_id = null, count = 1");
    row(2, "method = encrypt, code = 0, count = 2");
}

TEST(period__its_first_moment_counts_and_its_end_does_not)
{
    meet(9, sample_call("encrypt", SAMPLE_KEY, 0, "ok"));
    meet(10, sample_call("encrypt", SAMPLE_KEY, 0, "ok"));
    meet(19, sample_call("encrypt", SAMPLE_KEY, 0, "ok"));
    meet(20, sample_call("encrypt", SAMPLE_KEY, 0, "ok"));
    assert_int_equal(rows(), 1);
    row(0, "count = 2");
}

/* A peer asks for another key each time, in our form and in his own. */
static void ask_for(unsigned n)
{
    char key_id[KW_AUDIT_NAME];
    snprintf(key_id, sizeof key_id, n % 2 == 0 ? "kw1-1-%024u" : "other:5:%016u", n);
    meet(10, sample_call("decrypt", key_id, 3, "unknown-key"));
}

TEST(peer_names_many_keys__beyond_the_bound_they_are_other_and_ours_are_not)
{
    for (unsigned n = 0; n < KW_BUNDLE_KEYS_MAX + 10; n++)
        ask_for(n);
    ask_for(1); /* it has a row */
    meet(11, sample_call("decrypt", SAMPLE_KEY, 0, "ok"));
    meet(12, sample_call("decrypt", NULL, 3, "unknown-key"));
    assert_int_equal(rows(), KW_BUNDLE_KEYS_MAX + 3);
    assert_int_equal(calls.folded, 10);
    assert_int_equal(calls.left_out, 0);
    row(0, "code = 0, key_id = " SAMPLE_KEY ", count = 1");
    row(1, "code = 3, key_id = null, count = 1");
    row(KW_BUNDLE_KEYS_MAX / 2 + 2, "key_id = other, count = 10");
    row(KW_BUNDLE_KEYS_MAX / 2 + 3, "key_id ~ other:5:, count = 2");
}

TEST(somebody_wrote_any_words__no_more_rows_than_there_are_and_the_rest_is_told)
{
    char reason[32];
    for (unsigned n = 0; n < KW_BUNDLE_CALLS_MAX + 7; n++) {
        snprintf(reason, sizeof reason, "%u", n);
        meet(10, sample_call("decrypt", SAMPLE_KEY, 0, reason));
    }
    meet(10, sample_call("decrypt", SAMPLE_KEY, 0, "0"));
    assert_int_equal(rows(), KW_BUNDLE_CALLS_MAX);
    assert_int_equal(calls.left_out, 7);
    row(0, "reason = 0, count = 2");
}

KW_SUITE_AROUND("provider/cli/bundle_calls", begin, end)
