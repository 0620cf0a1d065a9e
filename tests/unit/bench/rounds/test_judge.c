/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of judge.h on made-up figures. */
#include "check.h"

#include <math.h>

#include <keyward/alloc.h>

#include "judge.h"

static struct kw_results *r;

/* `cells` cells, the last one the control, all of them as even as can be: pulses of 10
 * ms, 10 us of CPU a call for the base and the control, 20 for the others. */
static void begin(size_t cells, size_t rounds)
{
    r = kw_results_new();
    CHECK(r != NULL);
    CHECK(kw_copy_str(r->base, sizeof r->base, kw_span_str("c0")));
    CHECK(kw_copy_str(r->control, sizeof r->control, kw_span_str("c0")));
    CHECK(kw_results_figure_add(r, "cpu_us") == 0);
    r->cell_count = cells;
    r->rounds = rounds;
    for (size_t i = 0; i < cells; i++) {
        snprintf(r->cell[i].name, sizeof r->cell[i].name, "c%zu", i);
        for (size_t n = 0; n < rounds; n++) {
            r->pulse_ns[n][i] = 1e7;
            r->cell[i].figure[0][n] = i == 0 || i == cells - 1 ? 10 : 20;
        }
    }
    r->cell[cells - 1].control = true;
}

static void end(void)
{
    kw_results_free(r);
}

static void judge__no_memory__untouched(void **state)
{
    (void)state;
    begin(3, 8);
    kw_alloc_fail_from(0);
    CHECK_CODE(kw_judge(r), KW_CODE_NO_MEMORY);
    kw_alloc_fail_from(-1);
    CHECK_STR(r->quiet, "");
    end();
}

static void judge__no_round__unusable(void **state)
{
    (void)state;
    begin(3, 0);
    CHECK_OK(kw_judge(r));
    CHECK_STR(r->quiet, "unusable");
    CHECK_STR(r->quiet_words, "no round is whole");
    end();
}

static void judge__all_even__quiet(void **state)
{
    (void)state;
    begin(3, 8);
    CHECK_OK(kw_judge(r));
    CHECK_STR(r->quiet, "quiet");
    CHECK_HAS(r->quiet_words, "0 of 8 rounds disturbed");
    CHECK_HAS(r->quiet_words, "within 0.0 % of its twin");
    CHECK_HAS(r->pulse_rule, "1.15");
    CHECK(kw_results_calm(r) == 8);
    CHECK(fabs(r->noise[0].mid - 1) < 1e-9);
    end();
}

static void judge__five_rounds__too_few_for_quiet(void **state)
{
    (void)state;
    begin(3, 5);
    CHECK_OK(kw_judge(r));
    CHECK_STR(r->quiet, "restless");
    CHECK_HAS(r->quiet_words, "fewer than 6 rounds");
    end();
}

/* Up to ten cells one pulse is enough, and it has to be over 1.15, not at it. */
static void disturbed__one_slow_pulse_of_ten__left_out(void **state)
{
    (void)state;
    begin(10, 8);
    r->pulse_ns[3][7] = 1.16e7;
    r->pulse_ns[4][7] = 1.15e7;
    CHECK_OK(kw_judge(r));
    CHECK(r->disturbed[3] && !r->disturbed[4]);
    CHECK_STR(r->why[3], "1 of 10 pulses over 1.15 of the median, the worst 1.16");
    CHECK_STR(r->why[4], "");
    CHECK(kw_results_calm(r) == 7);
    end();
}

static void disturbed__one_slow_pulse_of_eleven__kept(void **state)
{
    (void)state;
    begin(11, 8);
    r->pulse_ns[3][7] = 9e7;
    r->pulse_ns[5][7] = 9e7;
    r->pulse_ns[5][8] = 9e7;
    CHECK_OK(kw_judge(r));
    CHECK(!r->disturbed[3]);
    CHECK(r->disturbed[5]);
    end();
}

/* Later rounds may show that it was the first ones that were slow. */
static void disturbed__judged_again__by_the_whole_run(void **state)
{
    (void)state;
    begin(3, 8);
    for (size_t i = 0; i < 3; i++)
        r->pulse_ns[0][i] = 2e7;
    r->rounds = 1;
    CHECK_OK(kw_judge(r));
    CHECK(!r->disturbed[0]);
    r->rounds = 8;
    CHECK_OK(kw_judge(r));
    CHECK(r->disturbed[0]);
    CHECK_HAS(r->why[0], "3 of 3 pulses");
    end();
}

static void verdict__half_of_the_rounds_disturbed__unusable(void **state)
{
    (void)state;
    begin(3, 8);
    for (size_t n = 0; n < 4; n++)
        r->pulse_ns[n][0] = 3e7;
    CHECK_OK(kw_judge(r));
    CHECK_STR(r->quiet, "unusable");
    r->pulse_ns[0][0] = 1e7;
    CHECK_OK(kw_judge(r));
    CHECK_STR(r->quiet, "restless");
    end();
}

static void verdict__control_far_from_its_twin__restless_then_unusable(void **state)
{
    (void)state;
    begin(3, 8);
    for (size_t n = 0; n < 8; n++)
        r->cell[2].figure[0][n] = 10.6;
    CHECK_OK(kw_judge(r));
    CHECK_STR(r->quiet, "restless");
    for (size_t n = 0; n < 8; n++)
        r->cell[2].figure[0][n] = 12.6;
    CHECK_OK(kw_judge(r));
    CHECK_STR(r->quiet, "unusable");
    end();
}

static void verdict__pulses_spread__restless(void **state)
{
    (void)state;
    begin(3, 8);
    for (size_t n = 0; n < 8; n += 2)
        r->pulse_ns[n][0] = 1.08e7;
    CHECK_OK(kw_judge(r));
    CHECK(kw_results_calm(r) == 8);
    CHECK_STR(r->quiet, "restless");
    end();
}

static void verdict__control_without_figures__restless(void **state)
{
    (void)state;
    begin(3, 8);
    for (size_t n = 0; n < 8; n++)
        r->cell[2].figure[0][n] = NAN;
    CHECK_OK(kw_judge(r));
    CHECK_STR(r->quiet, "restless");
    CHECK_HAS(r->quiet_words, "the control not known");
    end();
}

static void verdict__no_cpu_us__by_calls_per_s(void **state)
{
    (void)state;
    begin(3, 8);
    CHECK(kw_copy_str(r->figure[0], sizeof r->figure[0], kw_span_str("calls_per_s")));
    CHECK_OK(kw_judge(r));
    CHECK_STR(r->quiet, "quiet");
    end();
}

static void width__no_cpu_us_or_too_few_pairs__unknown(void **state)
{
    (void)state;
    begin(3, 8);
    r->cell[1].primary = true;
    for (size_t n = 0; n < 3; n++)
        r->cell[1].figure[0][n] = NAN;
    CHECK(isinf(kw_judge_width(r)));
    r->cell[1].figure[0][0] = 20;
    CHECK(!isinf(kw_judge_width(r)));
    r->disturbed[4] = true;
    CHECK(isinf(kw_judge_width(r)));
    CHECK(kw_copy_str(r->figure[0], sizeof r->figure[0], kw_span_str("other")));
    CHECK(isinf(kw_judge_width(r)));
    end();
}

static void width__several_primary_cells__the_widest(void **state)
{
    (void)state;
    begin(5, 8);
    CHECK(kw_judge_width(r) < 1e-9); /* none is primary */
    r->cell[1].primary = r->cell[2].primary = true;
    CHECK(kw_judge_width(r) < 1e-9);
    for (size_t n = 0; n < 8; n++) {
        r->cell[2].figure[0][n] = n % 2 == 0 ? 18 : 22;
        r->cell[3].figure[0][n] = n % 2 == 0 ? 1 : 99; /* not primary */
    }
    const double width = kw_judge_width(r);
    CHECK(width > 0.09 && width < 0.12); /* sqrt(18 * 22) is 19.9: +10.6 %, -9.5 % */
    end();
}

KW_CASES("bench/rounds/judge", CASE(judge__no_memory__untouched),
         CASE(judge__no_round__unusable), CASE(judge__all_even__quiet),
         CASE(judge__five_rounds__too_few_for_quiet),
         CASE(disturbed__one_slow_pulse_of_ten__left_out),
         CASE(disturbed__one_slow_pulse_of_eleven__kept),
         CASE(disturbed__judged_again__by_the_whole_run),
         CASE(verdict__half_of_the_rounds_disturbed__unusable),
         CASE(verdict__control_far_from_its_twin__restless_then_unusable),
         CASE(verdict__pulses_spread__restless),
         CASE(verdict__control_without_figures__restless),
         CASE(verdict__no_cpu_us__by_calls_per_s),
         CASE(width__no_cpu_us_or_too_few_pairs__unknown),
         CASE(width__several_primary_cells__the_widest))
