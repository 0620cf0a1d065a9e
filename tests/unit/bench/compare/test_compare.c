/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>
#include <stdio.h>

#include "runs.h"

static struct kw_results *old, *new;

/* Two documents of one session on one machine, or of two, or of two machines. */
static void begin(char session, char machine)
{
    old = run_new('a', 'm');
    new = run_new(session, machine);
}

static void end(void)
{
    compared_free();
    kw_results_free(old);
    kw_results_free(new);
}

/* ---- what cannot be compared ------------------------------------------------------- */

static void compare__other_layout__refused(void **state)
{
    (void)state;
    begin('a', 'm');
    snprintf(new->layout.name, sizeof new->layout.name, "split");
    CHECK_CODE(compare_runs(old, new), KW_CODE_BAD_INPUT);
    CHECK(compared == NULL);
    CHECK_HAS(compared_note.text, "'same'");
    CHECK_HAS(compared_note.text, "'split'");
    end();
}

static void compare__two_runs_with_two_bases__refused(void **state)
{
    (void)state;
    begin('b', 'm');
    snprintf(new->base, sizeof new->base, "status-64");
    CHECK_CODE(compare_runs(old, new), KW_CODE_BAD_INPUT);
    CHECK_HAS(compared_note.text, "status-64");
    end();
}

static void compare__no_primary_cell__refused(void **state)
{
    (void)state;
    begin('a', 'm');
    for (size_t i = 0; i < old->cell_count; i++)
        old->cell[i].primary = new->cell[i].primary = false;
    CHECK_CODE(compare_runs(old, new), KW_CODE_BAD_INPUT);
    CHECK_HAS(compared_note.text, "0 cells are primary");
    CHECK_HAS(compared_note.text, "NAME*=");
    end();
}

static void compare__nine_primary_cells__refused(void **state)
{
    (void)state;
    begin('a', 'm');
    for (size_t i = 0; i < 7; i++) {
        struct kw_results_cell *c = &new->cell[new->cell_count++];
        snprintf(c->name, sizeof c->name, "more-%zu", i);
        c->primary = true;
    }
    CHECK_CODE(compare_runs(old, new), KW_CODE_BAD_INPUT);
    CHECK_HAS(compared_note.text, "9 cells are primary");
    end();
}

static void compare__primary_cell_in_one_of_them__could_not_look(void **state)
{
    (void)state;
    begin('a', 'm');
    snprintf(run_cell(new, "miss-64")->name, KW_RESULTS_NAME, "mist-64");
    CHECK_OK(compare_runs(old, new));
    CHECK_HAS(compared_cell("miss-64")->why, "NEW has no such cell");
    CHECK_HAS(compared_cell("mist-64")->why, "OLD has no such cell");
    CHECK(kw_comparison_exit(compared) == KW_EXIT_UNABLE);
    run_scale(new, "hit-64", 1.3); /* a slow-down that was seen counts for more */
    CHECK_OK(compare_runs(old, new));
    CHECK(kw_comparison_exit(compared) == KW_EXIT_WRONG);
    end();
}

static void compare__other_work_in_a_cell__could_not_look(void **state)
{
    (void)state;
    begin('a', 'm');
    run_cell(new, "hit-64")->axes.in_flight = 8;
    CHECK_OK(compare_runs(old, new));
    CHECK_STR(compared_cell("hit-64")->why, "other in-flight: 64, then 8");
    CHECK(kw_comparison_exit(compared) == KW_EXIT_UNABLE);
    end();
}

static void compare__four_rounds_left__could_not_look(void **state)
{
    (void)state;
    begin('a', 'm');
    for (size_t n = 0; n < 8; n++)
        *(n % 2 == 0 ? &old->disturbed[n] : &new->disturbed[n]) = true;
    CHECK_OK(compare_runs(old, new));
    CHECK_HAS(compared_cell("hit-64")->why, "fewer than 5 undisturbed rounds of both");
    CHECK(kw_comparison_exit(compared) == KW_EXIT_UNABLE);
    end();
}

static void compare__machine_unusable__no_verdicts(void **state)
{
    (void)state;
    begin('a', 'm');
    run_scale(new, "hit-64", 2);
    snprintf(new->quiet, sizeof new->quiet, "unusable");
    CHECK_OK(compare_runs(old, new));
    CHECK(verdict_of("hit-64") == KW_RULING_CANNOT_TELL);
    CHECK(compared_cell("hit-64")->figure[KW_WEIGHED_CPU].mid > 1.9); /* still shown */
    CHECK(kw_comparison_exit(compared) == KW_EXIT_UNABLE);
    end();
}

/* ---- one run ----------------------------------------------------------------------- */

static void paired__no_difference__same(void **state)
{
    (void)state;
    begin('a', 'm');
    CHECK_OK(compare_runs(old, new));
    CHECK(compared->footing == KW_FOOTING_PAIRED);
    CHECK(verdict_of("hit-64") == KW_RULING_SAME);
    CHECK(verdict_of("miss-64") == KW_RULING_SAME);
    CHECK(kw_comparison_exit(compared) == KW_EXIT_GOOD);
    CHECK(compared->count == 5); /* the control is nobody's cell */
    end();
}

static void paired__20_per_cent_slower__slower(void **state)
{
    (void)state;
    begin('a', 'm');
    run_scale(new, "miss-64", 1.2);
    CHECK_OK(compare_runs(old, new));
    CHECK(verdict_of("miss-64") == KW_RULING_SLOWER);
    CHECK(verdict_of("hit-64") == KW_RULING_SAME);
    CHECK(fabs(compared_cell("miss-64")->figure[KW_WEIGHED_CPU].mid - 1.2) < 1e-9);
    CHECK(kw_comparison_exit(compared) == KW_EXIT_WRONG);
    end();
}

static void paired__faster__good(void **state)
{
    (void)state;
    begin('a', 'm');
    run_scale(new, "miss-64", 0.8);
    CHECK_OK(compare_runs(old, new));
    CHECK(verdict_of("miss-64") == KW_RULING_FASTER);
    CHECK(kw_comparison_exit(compared) == KW_EXIT_GOOD);
    end();
}

static void paired__only_a_secondary_cell_slower__good(void **state)
{
    (void)state;
    begin('a', 'm');
    run_scale(new, "status-64", 2);
    CHECK_OK(compare_runs(old, new));
    CHECK(compared_cell("status-64")->figure[KW_WEIGHED_CPU].mid > 1.9);
    CHECK(kw_comparison_exit(compared) == KW_EXIT_GOOD);
    end();
}

static void paired__only_the_rate_fell__good(void **state)
{
    (void)state;
    begin('a', 'm');
    for (size_t n = 0; n < new->rounds; n++)
        run_cell(new, "hit-64")->figure[kw_results_figure(new, "calls_per_s")][n] /= 2;
    CHECK_OK(compare_runs(old, new));
    CHECK(compared_cell("hit-64")->figure[KW_WEIGHED_RATE].mid < 0.51);
    CHECK(kw_comparison_exit(compared) == KW_EXIT_GOOD);
    end();
}

/* A round that is disturbed on either side, or whose figure nobody knows, is no pair. */
static void paired__disturbed_or_unknown_rounds__left_out(void **state)
{
    (void)state;
    begin('a', 'm');
    for (size_t n = 0; n < 3; n++) {
        *run_cpu(new, "hit-64", 3 * n) *= 50;
        *run_cpu(old, "hit-64", 3 * n + 1) = NAN;
    }
    old->disturbed[0] = new->disturbed[3] = new->disturbed[6] = true;
    CHECK_OK(compare_runs(old, new));
    CHECK(verdict_of("hit-64") == KW_RULING_SAME);
    CHECK(compared_cell("hit-64")->figure[KW_WEIGHED_CPU].high < 1.001);
    end();
}

static void paired__primary_in_one_of_them__decides(void **state)
{
    (void)state;
    begin('a', 'm');
    run_cell(new, "hit-64")->primary = false;
    run_scale(new, "hit-64", 1.2);
    CHECK_OK(compare_runs(old, new));
    CHECK(kw_comparison_exit(compared) == KW_EXIT_WRONG);
    end();
}

/* ---- two runs ---------------------------------------------------------------------- */

static void machine__slower_that_day__same(void **state)
{
    static const char *const all[] = {"echo-64", "reference-64", "hit-64", "miss-64"};
    (void)state;
    begin('b', 'm');
    for (size_t i = 0; i < 4; i++)
        run_scale(new, all[i], 1.4);
    CHECK_OK(compare_runs(old, new));
    CHECK(compared->footing == KW_FOOTING_MACHINE);
    CHECK(verdict_of("hit-64") == KW_RULING_SAME);
    CHECK(verdict_of("miss-64") == KW_RULING_SAME);
    CHECK(kw_comparison_exit(compared) == KW_EXIT_GOOD);
    end();
}

static void machine__20_per_cent_slower__slower(void **state)
{
    (void)state;
    begin('b', 'm');
    run_scale(new, "hit-64", 1.2);
    CHECK_OK(compare_runs(old, new));
    CHECK(verdict_of("hit-64") == KW_RULING_SLOWER);
    CHECK(kw_comparison_exit(compared) == KW_EXIT_WRONG);
    end();
}

static void machine__disturbed_rounds__left_out(void **state)
{
    (void)state;
    begin('b', 'm');
    for (size_t n = 0; n < 4; n++) {
        *run_cpu(new, "hit-64", 2 * n) *= 50;
        new->disturbed[2 * n] = true;
    }
    CHECK_OK(compare_runs(old, new));
    CHECK(verdict_of("hit-64") == KW_RULING_SAME);
    end();
}

/* Divided by itself it would be the same whatever it costs. */
static void machine__the_base_itself__not_judged(void **state)
{
    (void)state;
    begin('b', 'm');
    run_cell(new, "echo-64")->primary = true;
    run_scale(new, "echo-64", 1.01);
    CHECK_OK(compare_runs(old, new));
    CHECK(!compared_cell("echo-64")->primary);
    CHECK_HAS(compared_cell("echo-64")->why, "divided by it");
    CHECK(kw_comparison_exit(compared) == KW_EXIT_GOOD);
    end();
}

static void foreign__only_one_ratio_says_so__cannot_tell(void **state)
{
    (void)state;
    begin('b', 'n');
    run_scale(new, "hit-64", 1.3);
    run_scale(new, "reference-64", 1.3); /* that machine is worse at such work */
    run_scale(new, "miss-64", 1.3);
    CHECK_OK(compare_runs(old, new));
    CHECK(compared->footing == KW_FOOTING_FOREIGN);
    CHECK(verdict_of("hit-64") == KW_RULING_CANNOT_TELL);
    CHECK(kw_comparison_exit(compared) == KW_EXIT_GOOD);
    end();
}

static void foreign__both_ratios_say_so__slower(void **state)
{
    (void)state;
    begin('b', 'n');
    run_scale(new, "hit-64", 1.3);
    CHECK_OK(compare_runs(old, new));
    CHECK(compared_cell("hit-64")->figure[KW_WEIGHED_CPU].way_count == 2);
    CHECK(verdict_of("hit-64") == KW_RULING_SLOWER);
    CHECK(verdict_of("miss-64") == KW_RULING_SAME);
    CHECK_HAS(compared->remark[0], "OLD's machine: made up, 2 CPUs");
    end();
}

/* ---- remarks ----------------------------------------------------------------------- */

static bool remarked(const char *text)
{
    for (size_t i = 0; i < compared->remark_count; i++)
        if (strstr(compared->remark[i], text) != NULL)
            return true;
    return false;
}

static void remarks__whatever_may_explain_it__told(void **state)
{
    (void)state;
    begin('b', 'm');
    CHECK_OK(compare_runs(old, new));
    CHECK(compared->remark_count == 0);
    new->partial = true;
    snprintf(new->fault, sizeof new->fault, "stopped by a signal");
    snprintf(new->quiet, sizeof new->quiet, "restless");
    snprintf(new->environment.build, sizeof new->environment.build, "Debug");
    new->environment.library[0] = (struct kw_results_note){"grpc", "1.99"};
    new->environment.library_count = 1;
    run_cell(new, "hit-64")->failures = 2;
    CHECK_OK(compare_runs(old, new));
    CHECK(remarked("NEW is partial, 12 rounds: stopped by a signal"));
    CHECK(remarked("NEW's machine was restless"));
    CHECK(remarked("other build: RelWithDebInfo, then Debug"));
    CHECK(remarked("other grpc: none, then 1.99"));
    CHECK(remarked("NEW, hit-64: 2 rounds gave no figures"));
    end();
}

KW_CASES("bench/compare/compare", CASE(compare__other_layout__refused),
         CASE(compare__two_runs_with_two_bases__refused),
         CASE(compare__no_primary_cell__refused),
         CASE(compare__nine_primary_cells__refused),
         CASE(compare__primary_cell_in_one_of_them__could_not_look),
         CASE(compare__other_work_in_a_cell__could_not_look),
         CASE(compare__four_rounds_left__could_not_look),
         CASE(compare__machine_unusable__no_verdicts), CASE(paired__no_difference__same),
         CASE(paired__20_per_cent_slower__slower), CASE(paired__faster__good),
         CASE(paired__only_a_secondary_cell_slower__good),
         CASE(paired__only_the_rate_fell__good),
         CASE(paired__disturbed_or_unknown_rounds__left_out),
         CASE(paired__primary_in_one_of_them__decides),
         CASE(machine__slower_that_day__same), CASE(machine__20_per_cent_slower__slower),
         CASE(machine__disturbed_rounds__left_out),
         CASE(machine__the_base_itself__not_judged),
         CASE(foreign__only_one_ratio_says_so__cannot_tell),
         CASE(foreign__both_ratios_say_so__slower),
         CASE(remarks__whatever_may_explain_it__told))
