/* SPDX-License-Identifier: Apache-2.0 */
/* What records say of a period: seconds of a day that has no name. */
#include "check.h"

#include <stdio.h>

#include <keyward/alloc.h>

#include "audit_coverage.h"

static struct kw_coverage c;
static struct kw_covered covered;
static struct kw_audit_record record;
static char when[KW_TIME_TEXT];
static uint64_t seq;

static void asks_for(int64_t from, int64_t to, bool signatures, bool anchors)
{
    const struct kw_coverage_asked asked = {
        {from * 1000000, to * 1000000}, signatures, anchors};
    kw_coverage_free(&c);
    kw_coverage_begin(&c, &asked);
    seq = 0;
}

static void begin(void)
{
    asks_for(100, 200, false, false);
}

static void end(void)
{
    kw_coverage_free(&c);
    kw_covered_free(&covered);
}

/* At this second of the wall clock and that of the monotonic one. */
static kw_err meets(enum kw_audit_kind kind, int64_t wall, int64_t mono)
{
    kw_time_text(when, wall * KW_S_NS);
    record = (struct kw_audit_record){.seq = seq++,
                                      .time = kw_span_str(when),
                                      .mono_us = (uint64_t)mono * 1000000,
                                      .kind = kind};
    if (kind == KW_AUDIT_CHECKPOINT)
        record.value[KW_AUDIT_CHECKPOINT_COVERED] = kw_audit_number(record.seq - 1);
    return kw_coverage_meet(&c, &record);
}

/* Both clocks go alike. */
static void meet(enum kw_audit_kind kind, int64_t at)
{
    CHECK_OK(meets(kind, at, at));
}

static void begun(int64_t at)
{
    meet(KW_AUDIT_GENESIS, at);
    meet(KW_AUDIT_START, at);
}

/* "absent 100-120! running 120-200": an exclamation mark behind a gap. */
static const char *told(void)
{
    static char text[1024];
    size_t len = 0;
    kw_covered_free(&covered);
    CHECK_OK(kw_coverage_end(&c, &covered));
    text[0] = '\0';
    for (size_t i = 0; i < covered.count; i++) {
        const struct kw_coverage_interval *one = &covered.at[i];
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %lld-%lld%s",
                                i == 0 ? "" : " ", kw_coverage_word(one->kind),
                                (long long)one->from_us / 1000000,
                                (long long)one->to_us / 1000000, one->is_gap ? "!" : "");
    }
    CHECK(covered.is_whole == (!covered.is_more && strchr(text, '!') == NULL));
    return text;
}

/* ---- gaps --------------------------------------------------------------------------- */

TEST(no_record__absent)
{
    CHECK_STR(told(), "absent 100-200!");
    assert_int_equal(covered.gaps, 1);
    assert_int_equal(covered.gap_us, 100000000);
    assert_int_equal(covered.us[KW_COVERAGE_ABSENT], 100000000);
}

TEST(all_records_before_the_period_or_behind_it__absent)
{
    begun(10);
    meet(KW_AUDIT_CALL, 50);
    CHECK_STR(told(), "absent 100-200!");
    begin();
    begun(210);
    meet(KW_AUDIT_CALL, 250);
    CHECK_STR(told(), "absent 100-200!");
}

/* Not even that a run of it began with the log. */
TEST(before_the_first_start__absent)
{
    meet(KW_AUDIT_GENESIS, 90);
    meet(KW_AUDIT_START, 120);
    meet(KW_AUDIT_CALL, 210);
    CHECK_STR(told(), "absent 100-120! running 120-200");
}

TEST(behind_the_last_record_that_is_no_stop__absent)
{
    begun(90);
    meet(KW_AUDIT_CALL, 150);
    CHECK_STR(told(), "running 100-150 absent 150-200!");
    CHECK(!covered.ends_stopped);
}

TEST(crash__absent_from_the_last_record_to_the_next_start)
{
    begun(90);
    meet(KW_AUDIT_EVENT, 130);
    CHECK_OK(meets(KW_AUDIT_START, 140, 5));
    CHECK_OK(meets(KW_AUDIT_CALL, 210, 75));
    CHECK_STR(told(), "running 100-130 absent 130-140! running 140-200");
}

TEST(two_starts_one_behind_the_other__absent_between)
{
    begun(90);
    meet(KW_AUDIT_START, 150);
    meet(KW_AUDIT_CALL, 210);
    CHECK_STR(told(), "absent 100-150! running 150-200");
}

TEST(each_mark__absent_back_to_the_record_before_it)
{
    static const enum kw_audit_kind marks[] = {KW_AUDIT_TAMPERED, KW_AUDIT_TORN,
                                               KW_AUDIT_UNSYNCED, KW_AUDIT_UNRECORDED,
                                               KW_AUDIT_LOG_LOST};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        begin();
        begun(90);
        meet(KW_AUDIT_CALL, 120);
        meet(marks[i], 130);
        meet(KW_AUDIT_CALL, 210);
        CHECK_STR(told(), "running 100-120 absent 120-130! running 130-200");
    }
}

/* They come together, and what the mark is about was before both. */
TEST(mark_behind_the_begin_of_a_file__absent_back_to_the_record_before_the_file)
{
    begun(90);
    meet(KW_AUDIT_CALL, 120);
    meet(KW_AUDIT_FILE, 130);
    meet(KW_AUDIT_UNSYNCED, 130);
    meet(KW_AUDIT_UNRECORDED, 131);
    meet(KW_AUDIT_CALL, 210);
    CHECK_STR(told(), "running 100-120 absent 120-131! running 131-200");
}

/* More was there behind the stop. */
TEST(mark_behind_a_stop__absent_from_the_stop_to_the_next_start)
{
    begun(90);
    meet(KW_AUDIT_STOP, 120);
    meet(KW_AUDIT_LOG_LOST, 130);
    meet(KW_AUDIT_START, 140);
    meet(KW_AUDIT_STOP, 150);
    meet(KW_AUDIT_TORN, 160);
    CHECK_STR(told(), "running 100-120 absent 120-140! running 140-150 absent 150-200!");
}

TEST(calls_behind_a_stop_without_a_start__absent_up_to_the_first)
{
    begun(90);
    meet(KW_AUDIT_STOP, 120);
    meet(KW_AUDIT_CALL, 140);
    meet(KW_AUDIT_CALL, 210);
    CHECK_STR(told(), "running 100-120 absent 120-140! running 140-200");
}

TEST(two_stops_one_behind_the_other__absent_between)
{
    begun(90);
    meet(KW_AUDIT_STOP, 120);
    meet(KW_AUDIT_STOP, 140);
    CHECK_STR(told(), "running 100-120 absent 120-140! stopped 140-200");
}

TEST(log_of_the_operators_tool__absent)
{
    meet(KW_AUDIT_GENESIS, 90);
    meet(KW_AUDIT_OPERATOR, 120);
    meet(KW_AUDIT_OPERATOR, 250);
    CHECK_STR(told(), "absent 100-200!");
}

/* ---- clocks ------------------------------------------------------------------------- */

/* Of so many seconds nobody knows which were passed over. */
TEST(wall_clock_went_on_by_more_than_the_other_one__absent_between)
{
    begun(90);
    CHECK_OK(meets(KW_AUDIT_CALL, 120, 120));
    CHECK_OK(meets(KW_AUDIT_CALL, 140, 137));
    CHECK_OK(meets(KW_AUDIT_CALL, 210, 207));
    CHECK_STR(told(), "running 100-120 absent 120-140! running 140-200");
    assert_int_equal(covered.set_onward, 1);
}

TEST(wall_clock_was_corrected_a_little__running)
{
    begun(90);
    CHECK_OK(meets(KW_AUDIT_CALL, 120, 120));
    CHECK_OK(meets(KW_AUDIT_CALL, 140, 138));
    CHECK_OK(meets(KW_AUDIT_CALL, 210, 219));
    CHECK_STR(told(), "running 100-200");
    assert_int_equal(covered.set_onward, 0);
}

/* A run from 90 to 160, and one of the same hour once more. */
TEST(clock_was_set_back__told_and_what_is_told_twice_counts_once)
{
    begun(90);
    CHECK_OK(meets(KW_AUDIT_CALL, 160, 160));
    CHECK_OK(meets(KW_AUDIT_CALL, 120, 161));
    CHECK_OK(meets(KW_AUDIT_CALL, 180, 221));
    CHECK_STR(told(), "running 100-180 absent 180-200!");
    assert_int_equal(covered.set_back, 1);
}

TEST(clock_was_set_back__the_worse_proof_counts)
{
    asks_for(100, 200, true, false);
    begun(90);
    meet(KW_AUDIT_CALL, 160);
    meet(KW_AUDIT_CHECKPOINT, 160);
    kw_coverage_signed(&c, seq - 2);
    CHECK_OK(meets(KW_AUDIT_CALL, 120, 161));
    CHECK_OK(meets(KW_AUDIT_CALL, 180, 221));
    CHECK_STR(told(), "signed 100-120 unsigned 120-180! absent 180-200!");
}

TEST(clock_was_set_back__over_a_crash_or_a_mark__absent_all_the_same)
{
    for (int is_marked = 0; is_marked < 2; is_marked++) {
        begin();
        begun(90);
        CHECK_OK(meets(KW_AUDIT_CALL, 120, 120));
        CHECK_OK(meets(is_marked ? KW_AUDIT_TORN : KW_AUDIT_START, 140, 140));
        CHECK_OK(meets(KW_AUDIT_CALL, 150, 150));
        CHECK_OK(meets(KW_AUDIT_CALL, 100, 151));
        CHECK_OK(meets(KW_AUDIT_CALL, 210, 261));
        CHECK_STR(told(), "running 100-120 absent 120-140! running 140-200");
    }
}

/* What the clock passed over tells nothing against what another pass says. */
TEST(clock_was_set_onward_and_back__what_was_told_later_counts)
{
    begun(90);
    CHECK_OK(meets(KW_AUDIT_CALL, 120, 120));
    CHECK_OK(meets(KW_AUDIT_CALL, 500, 121));
    CHECK_OK(meets(KW_AUDIT_CALL, 122, 122));
    CHECK_OK(meets(KW_AUDIT_CALL, 210, 210));
    CHECK_STR(told(), "running 100-120 absent 120-122! running 122-200");
}

TEST(clock_was_set_back_between_stop_and_start__that_says_nothing)
{
    begun(90);
    meet(KW_AUDIT_STOP, 150);
    CHECK_OK(meets(KW_AUDIT_START, 140, 0));
    CHECK_OK(meets(KW_AUDIT_CALL, 145, 5));
    CHECK_STR(told(), "running 100-150 absent 150-200!");
    assert_int_equal(covered.set_back, 1);
}

TEST(clock_was_set_outside_of_the_period__not_told)
{
    begun(10);
    CHECK_OK(meets(KW_AUDIT_CALL, 90, 15));
    CHECK_OK(meets(KW_AUDIT_CALL, 20, 16));
    CHECK_OK(meets(KW_AUDIT_STOP, 30, 26));
    CHECK_STR(told(), "stopped 100-200");
    assert_int_equal(covered.set_back, 0);
    assert_int_equal(covered.set_onward, 0);
}

/* Of another boot, whatever wrote it. */
TEST(monotonic_clock_went_back__absent_between)
{
    begun(90);
    CHECK_OK(meets(KW_AUDIT_CALL, 150, 10));
    CHECK_OK(meets(KW_AUDIT_CALL, 210, 70));
    CHECK_STR(told(), "absent 100-150! running 150-200");
}

/* ---- what is covered ---------------------------------------------------------------- */

TEST(period_within_the_silence_of_one_run__running)
{
    begun(10);
    meet(KW_AUDIT_CHECKPOINT, 20);
    meet(KW_AUDIT_CALL, 300);
    CHECK_STR(told(), "running 100-200");
}

TEST(log_that_begins_within_a_run__running_from_its_first_record_of_keywardd)
{
    meet(KW_AUDIT_FILE, 90);
    meet(KW_AUDIT_SIGNATURE, 95);
    meet(KW_AUDIT_CALL, 110);
    meet(KW_AUDIT_CALL, 210);
    CHECK_STR(told(), "absent 100-110! running 110-200");
}

TEST(stop_and_start__stopped_between)
{
    begun(90);
    meet(KW_AUDIT_STOP, 120);
    meet(KW_AUDIT_CHECKPOINT, 120);
    meet(KW_AUDIT_SIGNATURE, 121);
    meet(KW_AUDIT_EVENT, 122);
    meet(KW_AUDIT_FILE, 170);
    CHECK_OK(meets(KW_AUDIT_START, 180, 1));
    CHECK_OK(meets(KW_AUDIT_CALL, 205, 26));
    CHECK_STR(told(), "running 100-120 stopped 120-180 running 180-200");
    assert_int_equal(covered.us[KW_COVERAGE_STOPPED], 60000000);
    assert_int_equal(covered.gap_us, 0);
    CHECK(!covered.ends_stopped);
}

TEST(behind_a_last_stop__stopped_and_said_that_it_is_the_last)
{
    begun(90);
    meet(KW_AUDIT_STOP, 120);
    meet(KW_AUDIT_EVENT, 122);
    CHECK_STR(told(), "running 100-120 stopped 120-200");
    CHECK(covered.ends_stopped);
}

/* ---- signatures --------------------------------------------------------------------- */

/* What a checkpoint covers, and nothing that a later one does. */
TEST(signatures__of_each_stretch_its_own_checkpoint_tells)
{
    asks_for(100, 200, true, false);
    begun(90);
    meet(KW_AUDIT_CALL, 120);
    meet(KW_AUDIT_CHECKPOINT, 130);
    meet(KW_AUDIT_CALL, 140);
    meet(KW_AUDIT_CHECKPOINT, 150);
    meet(KW_AUDIT_CALL, 160);
    meet(KW_AUDIT_CHECKPOINT, 210);
    kw_coverage_signed(&c, seq - 2);
    kw_coverage_signed(&c, 2);
    CHECK_STR(told(), "signed 100-130 unsigned 130-150! signed 150-200");
}

TEST(signatures__that_come_when_eight_checkpoints_lie_behind__count_for_nothing)
{
    asks_for(100, 200, true, false);
    begun(90);
    meet(KW_AUDIT_CHECKPOINT, 110);
    for (int64_t i = 0; i < KW_AUDIT_CHECKPOINTS_KEPT; i++)
        meet(KW_AUDIT_CHECKPOINT, 120 + i);
    kw_coverage_signed(&c, 1);
    kw_coverage_signed(&c, 2);
    CHECK_STR(told(), "unsigned 100-110! signed 110-120 unsigned 120-127! "
                      "absent 127-200!");
}

TEST(signatures__none_behind_the_last_checkpoint__unsigned)
{
    asks_for(100, 200, true, false);
    begun(90);
    meet(KW_AUDIT_CHECKPOINT, 150);
    kw_coverage_signed(&c, 1);
    meet(KW_AUDIT_CALL, 210);
    CHECK_STR(told(), "signed 100-150 unsigned 150-200!");
    assert_int_equal(covered.us[KW_COVERAGE_UNSIGNED], 50000000);
}

/* What the end itself makes is covered by one more checkpoint, which nobody signs. */
TEST(signatures__stopped_is_proven_by_the_start_that_ends_it)
{
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        asks_for(100, 200, true, false);
        begun(90);
        meet(KW_AUDIT_STOP, 120);
        meet(KW_AUDIT_CHECKPOINT, 120);
        kw_coverage_signed(&c, 2);
        meet(KW_AUDIT_EVENT, 121);
        meet(KW_AUDIT_CHECKPOINT, 121);
        meet(KW_AUDIT_START, 180);
        meet(KW_AUDIT_CHECKPOINT, 210);
        if (is_signed)
            kw_coverage_signed(&c, seq - 2);
        CHECK_STR(told(), is_signed ? "signed 100-120 stopped 120-180 signed 180-200"
                                    : "signed 100-120 stopped 120-180! "
                                      "unsigned 180-200!");
    }
}

TEST(signatures__stopped_without_a_start_is_proven_by_the_stop)
{
    asks_for(100, 200, true, false);
    begun(90);
    meet(KW_AUDIT_STOP, 120);
    meet(KW_AUDIT_CHECKPOINT, 120);
    CHECK_STR(told(), "unsigned 100-120! stopped 120-200!");
    asks_for(100, 200, true, false);
    begun(90);
    meet(KW_AUDIT_STOP, 120);
    meet(KW_AUDIT_CHECKPOINT, 120);
    kw_coverage_signed(&c, 2);
    CHECK_STR(told(), "signed 100-120 stopped 120-200");
}

/* ---- anchors ------------------------------------------------------------------------ */

TEST(anchors__all_up_to_the_last_that_agrees_and_nothing_behind_it)
{
    asks_for(100, 200, false, true);
    begun(90);
    meet(KW_AUDIT_CALL, 110);
    kw_coverage_anchored(&c);
    meet(KW_AUDIT_STOP, 120);
    meet(KW_AUDIT_START, 130);
    meet(KW_AUDIT_CALL, 150);
    kw_coverage_anchored(&c);
    meet(KW_AUDIT_CALL, 210);
    CHECK_STR(told(), "anchored 100-120 stopped 120-130 anchored 130-150 "
                      "running 150-200!");
}

/* That nothing is known of it is anchored as well. */
TEST(anchors__behind_a_crash__absent_all_the_same)
{
    asks_for(100, 200, false, true);
    begun(90);
    meet(KW_AUDIT_CALL, 130);
    meet(KW_AUDIT_START, 140);
    meet(KW_AUDIT_CALL, 210);
    kw_coverage_anchored(&c);
    CHECK_STR(told(), "anchored 100-130 absent 130-140! anchored 140-200");
}

TEST(anchors__none__all_of_it_a_gap)
{
    asks_for(100, 200, false, true);
    begun(90);
    meet(KW_AUDIT_STOP, 150);
    CHECK_STR(told(), "running 100-150! stopped 150-200!");
}

TEST(anchors__the_last_stop_is_anchored__so_is_what_follows)
{
    asks_for(100, 200, false, true);
    begun(90);
    meet(KW_AUDIT_STOP, 150);
    kw_coverage_anchored(&c);
    CHECK_STR(told(), "anchored 100-150 stopped 150-200");
}

/* What is signed alone is told as such; it is not what was asked for. */
TEST(anchors_and_signatures__anchored_counts_and_signed_behind_it_does_not)
{
    asks_for(100, 200, true, true);
    begun(90);
    meet(KW_AUDIT_CALL, 120);
    kw_coverage_anchored(&c);
    meet(KW_AUDIT_CHECKPOINT, 150);
    kw_coverage_signed(&c, 2);
    meet(KW_AUDIT_CALL, 210);
    CHECK_STR(told(), "anchored 100-120 signed 120-150! unsigned 150-200!");
}

/* ---- bounds ------------------------------------------------------------------------- */

TEST(more_intervals_than_are_kept__none_is_given_and_it_is_not_covered)
{
    const int64_t runs = KW_COVERAGE_MAX / 2 + 1;
    asks_for(0, 4 * runs, false, false);
    for (int64_t i = 0; i < runs; i++) {
        meet(KW_AUDIT_START, 4 * i);
        meet(KW_AUDIT_STOP, 4 * i + 2);
    }
    CHECK_STR(told(), "");
    CHECK(covered.is_more && !covered.is_whole);
    assert_int_equal(covered.count, 0);
}

/* Equal neighbours are one: a long log is a short list. */
TEST(many_records_of_one_run__one_interval)
{
    asks_for(100, 400000, true, true);
    begun(90);
    for (int64_t i = 0; i < 100000; i++) {
        meet(KW_AUDIT_CHECKPOINT, 100 + 4 * i);
        kw_coverage_signed(&c, seq - 2);
        if (i % 3 == 0)
            kw_coverage_anchored(&c);
    }
    meet(KW_AUDIT_CALL, 500000);
    kw_coverage_anchored(&c);
    CHECK_STR(told(), "anchored 100-400000");
    CHECK(c.pieces.room < 100);
}

TEST(no_memory__said)
{
    for (long n = 0; n < 4; n++) {
        begin();
        kw_alloc_fail_from(n);
        kw_err e = meets(KW_AUDIT_START, 90, 90);
        if (!kw_failed(e))
            e = meets(KW_AUDIT_CALL, 150, 150);
        if (!kw_failed(e))
            e = kw_coverage_end(&c, &covered);
        kw_alloc_fail_from(-1);
        CHECK_CODE(e, KW_CODE_NO_MEMORY);
    }
}

KW_SUITE_AROUND("provider/cli/audit_coverage", begin, end)
