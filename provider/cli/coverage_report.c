/* SPDX-License-Identifier: Apache-2.0 */
/* What is covered, as people and programs read it. */
#include "coverage_report.h"

#include <inttypes.h>
#include <stdio.h>

enum { LINES_MAX = 100 };
#define SECOND_US UINT64_C(1000000)

static void coverage_time(char dst[KW_TIME_TEXT], int64_t us)
{
    kw_time_text(dst, us * 1000);
}

/* A gap is never 0 seconds long, and what is covered never longer than it is. */
static uint64_t coverage_gap_seconds(uint64_t us)
{
    return (us + SECOND_US - 1) / SECOND_US;
}

uint64_t kw_covered_gap_seconds(const struct kw_covered *covered)
{
    return coverage_gap_seconds(covered->gap_us);
}

static uint64_t coverage_seconds(const struct kw_covered *covered,
                                 enum kw_coverage_kind kind)
{
    const uint64_t us = covered->us[kind];
    return kind == KW_COVERAGE_ABSENT || kind == KW_COVERAGE_UNSIGNED
               ? coverage_gap_seconds(us)
               : us / SECOND_US;
}

/* ---- words ---- */

static void coverage_print_intervals(const struct kw_covered *covered)
{
    const bool only_gaps = covered->count > LINES_MAX;
    uint64_t lines = 0, left_out = 0;
    for (size_t i = 0; i < covered->count; i++) {
        const struct kw_coverage_interval *one = &covered->at[i];
        char from[KW_TIME_TEXT], to[KW_TIME_TEXT];
        if ((only_gaps && !one->is_gap) || lines == LINES_MAX) {
            left_out++;
            continue;
        }
        coverage_time(from, one->from_us);
        coverage_time(to, one->to_us);
        printf("%-10s %s to %s%s\n", kw_coverage_word(one->kind), from, to,
               one->is_gap ? ": a gap" : "");
        lines++;
    }
    if (left_out > 0)
        printf("%-10s %" PRIu64 " more intervals: --json has all of them\n", "",
               left_out);
}

/* "seconds    signed 4, stopped 5" */
static void coverage_print_seconds(const struct kw_covered *covered)
{
    const char *before = "";
    printf("%-10s ", "seconds");
    for (unsigned k = KW_COVERAGE_KINDS; k > 0; k--) {
        const enum kw_coverage_kind kind = (enum kw_coverage_kind)(k - 1);
        if (covered->us[kind] == 0)
            continue;
        printf("%s%s %" PRIu64, before, kw_coverage_word(kind),
               coverage_seconds(covered, kind));
        before = ", ";
    }
    putchar('\n');
}

static void coverage_print_clock(const struct kw_covered *covered)
{
    if (covered->set_back > 0)
        printf("%-10s set back %" PRIu64 " times: of what it showed twice the worse "
               "counts\n",
               "clock", covered->set_back);
    if (covered->set_onward > 0)
        printf("%-10s set onward %" PRIu64 " times, or the machine slept: absent there\n",
               "clock", covered->set_onward);
}

void kw_covered_print(const struct kw_covered *covered, const struct kw_period *period)
{
    char from[KW_TIME_TEXT], to[KW_TIME_TEXT];
    coverage_time(from, period->from_us);
    coverage_time(to, period->to_us);
    printf("%-10s %s to %s: ", "period", from, to);
    if (covered->is_more) {
        printf("there are more than %d intervals; ask for a shorter period\n",
               KW_COVERAGE_MAX);
        return;
    }
    if (covered->is_whole)
        puts("covered");
    else
        printf("not covered, %" PRIu64 " gaps of %" PRIu64 " s in all\n", covered->gaps,
               kw_covered_gap_seconds(covered));
    coverage_print_seconds(covered);
    coverage_print_intervals(covered);
    coverage_print_clock(covered);
    if (covered->ends_stopped)
        printf("%-10s at its end, as no record is behind the last stop: a later copy may "
               "have one\n",
               "stopped");
}

/* ---- a document ---- */

json_t *kw_covered_list_json(const struct kw_covered *covered)
{
    json_t *list = json_array();
    for (size_t i = 0; i < covered->count; i++) {
        const struct kw_coverage_interval *one = &covered->at[i];
        char from[KW_TIME_TEXT], to[KW_TIME_TEXT];
        coverage_time(from, one->from_us);
        coverage_time(to, one->to_us);
        if (json_array_append_new(
                list, json_pack("{s:s, s:s, s:s, s:b}", "from", from, "to", to, "kind",
                                kw_coverage_word(one->kind), "gap", one->is_gap)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *coverage_seconds_json(const struct kw_covered *covered)
{
    json_t *seconds = json_object();
    for (unsigned k = 0; k < KW_COVERAGE_KINDS; k++)
        json_object_set_new(seconds, kw_coverage_word((enum kw_coverage_kind)k),
                            json_integer((json_int_t)coverage_seconds(
                                covered, (enum kw_coverage_kind)k)));
    return seconds;
}

json_t *kw_covered_period_json(const struct kw_covered *covered,
                               const struct kw_period *period)
{
    char from[KW_TIME_TEXT], to[KW_TIME_TEXT];
    coverage_time(from, period->from_us);
    coverage_time(to, period->to_us);
    return json_pack("{s:s, s:s, s:I, s:I, s:o, s:I, s:I, s:b, s:b}", "from", from, "to",
                     to, "gaps", (json_int_t)covered->gaps, "gap_seconds",
                     (json_int_t)kw_covered_gap_seconds(covered), "seconds",
                     coverage_seconds_json(covered), "clock_set_back",
                     (json_int_t)covered->set_back, "clock_set_onward",
                     (json_int_t)covered->set_onward, "ends_stopped",
                     covered->ends_stopped, "more", covered->is_more);
}
