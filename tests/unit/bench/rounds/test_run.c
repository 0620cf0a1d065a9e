/* SPDX-License-Identifier: Apache-2.0 */
/* The run itself, in a world of its own: made-up measurements on a clock that stands
 * still until told. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "rounds.h"

static struct kw_rounds *r;
static struct kw_note note;
static struct kw_fake_clock fake;
static struct kw_clock fake_clock;
static struct kw_rounds_world world;
static char order[256];   /* which cells were measured, by their first letters */
static size_t calls;      /* measurements so far                               */
static size_t stop_after; /* Ctrl-C in the measurement with this number        */
static bool asked;
static bool flood;        /* the second cell gives 32 figures of its own     */
static size_t slow_round; /* its pulses take twice as long                   */
static double spread;     /* of the second cell's cpu_us, from round to round  */
static kw_err (*upset)(size_t at, size_t round, struct kw_note *why);

static double pulse(const struct kw_clock *clock)
{
    (void)clock;
    return r->results->rounds == slow_round ? 2e7 : 1e7;
}

static bool stop_asked(void)
{
    return asked;
}

/* A second each; the base and its control cost 10, the rest 20. */
static kw_err measure(struct kw_rounds *rounds, size_t at, struct kw_reading *ret_reading,
                      struct kw_note *why)
{
    const size_t round = rounds->results->rounds;
    const struct kw_results_cell *c = &rounds->results->cell[at];
    order[calls++] = c->name[0];
    fake.now_ns += KW_S_NS;
    asked = asked || calls == stop_after;
    kw_err e = upset != NULL ? upset(at, round, why) : KW_OK;
    if (kw_failed(e))
        return e;
    struct kw_reading reading = {.tool = "keyward-bench load", .count = 1};
    static struct kw_count bucket = {1000, 5};
    CHECK(kw_copy_str(reading.figure[0].name, 48, kw_span_str("cpu_us")));
    reading.figure[0].value = at == 0 || c->control ? 10 : 20;
    if (at == 1)
        reading.figure[0].value *= round % 2 == 0 ? 1 + spread : 1 - spread;
    for (size_t i = 0; at == 1 && flood && i < KW_RESULTS_FIGURES; i++) {
        snprintf(reading.figure[i].name, sizeof reading.figure[i].name, "f%zu", i);
        reading.figure[i].value = 1;
        reading.count = i + 1;
    }
    CHECK_OK(kw_counts_add(&reading.histogram, &(struct kw_counts){&bucket, 1}));
    *ret_reading = reading;
    return KW_OK;
}

static void begin(size_t wanted)
{
    fake = (struct kw_fake_clock){0};
    fake_clock = kw_fake_clock(&fake);
    world = (struct kw_rounds_world){&fake_clock, measure, pulse, stop_asked};
    calls = stop_after = 0;
    asked = flood = false;
    slow_round = SIZE_MAX;
    spread = 0;
    upset = NULL;
    order[0] = '\0';
    note = (struct kw_note){{0}};
    r = kw_new(1, sizeof *r);
    CHECK(r != NULL);
    r->results = kw_results_new();
    CHECK(r->results != NULL);
    r->results->command = kw_strdup(kw_span_str("x"));
    r->world = &world;
    r->wanted = wanted;
    r->kept = true;
    CHECK_OK(kw_rounds_add(r, "a=load /s", &note));
    CHECK_OK(kw_rounds_add(r, "b*=load /s", &note));
    CHECK_OK(kw_rounds_add_control(r));
}

static void end(void)
{
    kw_rounds_wipe(r);
    kw_results_free(r->results);
    kw_free(r);
}

static kw_err b_fails_in_round_1(size_t at, size_t round, struct kw_note *why)
{
    if (at != 1 || round != 1)
        return KW_OK;
    kw_note_set(why, "exit status 3: gone");
    return kw_err_at(KW_CODE_WRONG_ANSWER, "test");
}

static kw_err b_is_wrong_usage(size_t at, size_t round, struct kw_note *why)
{
    if (at != 1 || round != 1)
        return KW_OK;
    kw_note_set(why, "exit status 2: --oops is no option");
    return kw_err_at(KW_CODE_BAD_INPUT, "test");
}

static void run__wrong_usage__ended_and_whole_rounds_kept(void **state)
{
    (void)state;
    begin(4);
    upset = b_is_wrong_usage;
    CHECK_CODE(kw_rounds_run(r, &note), KW_CODE_BAD_INPUT);
    CHECK_STR(note.text, "b: exit status 2: --oops is no option");
    CHECK(r->results->rounds == 1 && r->results->partial);
    CHECK_HAS(r->results->fault, "round 2 does not count: b: exit status 2");
    CHECK(r->results->cell[1].failures == 0);
    end();
}

static void run__one_cell_fails__counted_and_unknown_in_that_round(void **state)
{
    (void)state;
    begin(3);
    upset = b_fails_in_round_1;
    CHECK_OK(kw_rounds_run(r, &note));
    const struct kw_results_cell *b = &r->results->cell[1];
    CHECK(r->results->rounds == 3 && !r->results->partial);
    CHECK(b->failures == 1);
    CHECK_STR(b->failure, "round 1: exit status 3: gone");
    CHECK(!isnan(b->figure[0][0]) && isnan(b->figure[0][1]) && !isnan(b->figure[0][2]));
    CHECK(b->histogram.bucket[0].count == 10);
    CHECK(r->results->cell[0].failures == 0);
    CHECK(r->results->cell[0].histogram.bucket[0].count == 15);
    end();
}

static void run__more_figures_than_there_is_room__failed_and_none_kept(void **state)
{
    (void)state;
    begin(1);
    flood = true;
    CHECK_OK(kw_rounds_run(r, &note));
    CHECK(r->results->cell[1].failures == 1);
    CHECK_STR(r->results->cell[1].failure,
              "round 0: the cells have more than 32 different figures");
    for (size_t k = 0; k < KW_RESULTS_FIGURES; k++)
        CHECK(isnan(r->results->cell[1].figure[k][0]));
    CHECK(r->results->cell[1].histogram.count == 0);
    end();
}

static void run__disturbed_round__not_in_the_histograms(void **state)
{
    (void)state;
    begin(5);
    slow_round = 0;
    CHECK_OK(kw_rounds_run(r, &note));
    CHECK(r->results->disturbed[0] && kw_results_calm(r->results) == 4);
    CHECK(r->results->cell[1].histogram.bucket[0].count == 20);
    end();
}

static void run__interrupted__the_round_under_way_is_dropped(void **state)
{
    (void)state;
    begin(4);
    stop_after = 5;
    CHECK_OK(kw_rounds_run(r, &note));
    CHECK(calls == 5);
    CHECK(r->results->rounds == 1 && r->results->partial);
    CHECK_STR(r->results->fault, "round 2 does not count: interrupted");
    CHECK(r->results->cell[0].histogram.bucket[0].count == 5);
    json_t *document = kw_results_document(r->results);
    const json_t *cells = json_object_get(document, "cells");
    CHECK(json_array_size(json_object_get(
              json_object_get(json_array_get(cells, 0), "figures"), "cpu_us")) == 1);
    json_decref(document);
    end();
}

static void run__fixed_rounds__every_other_backwards(void **state)
{
    (void)state;
    begin(3);
    CHECK_OK(kw_rounds_run(r, &note));
    order[calls] = '\0';
    CHECK_STR(order, "abccbaabc");
    CHECK(r->results->rounds == 3 && !r->results->partial);
    CHECK_STR(r->results->fault, "");
    CHECK_STR(r->results->began, "2026-01-01T00:00:00Z");
    CHECK(fabs(r->results->elapsed_s - 9) < 1e-9);
    CHECK_STR(r->results->cell[2].tool, "keyward-bench load");
    end();
}

static void until__known_at_once__six_rounds(void **state)
{
    (void)state;
    begin(KW_ROUNDS_MAX);
    r->until = 0.05;
    r->for_ns = 3600 * KW_S_NS;
    CHECK_OK(kw_rounds_run(r, &note));
    CHECK(r->results->rounds == 6 && !r->results->partial);
    CHECK_STR(r->results->fault, "");
    end();
}

/* Three seconds a round: a ninth one would end after 25. */
static void until__time_is_up__said_with_what_was_reached(void **state)
{
    (void)state;
    begin(KW_ROUNDS_MAX);
    spread = 0.2;
    r->until = 0.15;
    r->for_ns = 25 * KW_S_NS;
    CHECK_OK(kw_rounds_run(r, &note));
    CHECK(r->results->rounds == 8 && !r->results->partial);
    CHECK_HAS(r->results->fault, "time was up after 8 rounds");
    CHECK_HAS(r->results->fault, "not to the 15.0 % asked for");
    end();
}

static void until__too_few_rounds_in_time__said(void **state)
{
    (void)state;
    begin(KW_ROUNDS_MAX);
    r->until = 0.05;
    r->for_ns = KW_S_NS;
    CHECK_OK(kw_rounds_run(r, &note));
    CHECK(r->results->rounds == 1);
    CHECK_HAS(r->results->fault, "too few of them");
    end();
}

static void until__never_known__as_many_rounds_as_are_kept(void **state)
{
    (void)state;
    begin(8);
    spread = 0.2;
    r->until = 0.001;
    r->for_ns = 86400 * KW_S_NS;
    CHECK_OK(kw_rounds_run(r, &note));
    CHECK(r->results->rounds == 8);
    CHECK_HAS(r->results->fault, "no more rounds are kept");
    end();
}

static char folder[64], json[96];
static bool folder_taken;

/* In the second round the folder is away: as good as a full disk. */
static kw_err folder_comes_and_goes(size_t at, size_t round, struct kw_note *why)
{
    char aside[72];
    (void)why;
    snprintf(aside, sizeof aside, "%s.aside", folder);
    if (at == 0 && round == 1)
        CHECK(rename(folder, aside) == 0);
    if (at == 0 && round == 2 && !folder_taken)
        CHECK(rename(aside, folder) == 0);
    return KW_OK;
}

static void make_folder(void)
{
    char csv[96];
    snprintf(folder, sizeof folder, "/tmp/kw-rounds-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(json, sizeof json, "%s/results.json", folder);
    snprintf(csv, sizeof csv, "%s/results.csv", folder);
    folder_taken = false;
}

static void remove_folder(void)
{
    char csv[96], aside[72];
    snprintf(csv, sizeof csv, "%s/results.csv", folder);
    snprintf(aside, sizeof aside, "%s.aside", folder);
    (void)rename(aside, folder);
    CHECK(unlink(json) == 0 && unlink(csv) == 0 && rmdir(folder) == 0);
}

static void keep__no_folder_at_the_start__nothing_is_measured(void **state)
{
    (void)state;
    begin(3);
    r->keep = "/nonexistent";
    CHECK(kw_failed(kw_rounds_run(r, &note)));
    CHECK_HAS(note.text, "/nonexistent/results.json");
    CHECK(calls == 0);
    end();
}

static void keep__cannot_be_written_once__tried_again(void **state)
{
    struct kw_results *back = NULL;
    (void)state;
    make_folder();
    begin(3);
    r->keep = folder;
    upset = folder_comes_and_goes;
    CHECK_OK(kw_rounds_run(r, &note));
    CHECK(r->kept);
    CHECK_OK(kw_results_read(json, &back, &note));
    CHECK(back->rounds == 3 && !back->partial);
    kw_results_free(back);
    end();
    remove_folder();
}

static void keep__cannot_be_written_at_the_end__known(void **state)
{
    (void)state;
    make_folder();
    folder_taken = true;
    begin(3);
    r->keep = folder;
    upset = folder_comes_and_goes;
    CHECK_OK(kw_rounds_run(r, &note));
    CHECK(!r->kept);
    CHECK(r->results->rounds == 3); /* measured all the same */
    end();
    remove_folder();
}

static void keep__after_each_round__marked_partial_until_the_last(void **state)
{
    struct kw_results *back = NULL;
    (void)state;
    make_folder();
    begin(2);
    r->keep = folder;
    stop_after = 4;
    CHECK_OK(kw_rounds_run(r, &note));
    CHECK_OK(kw_results_read(json, &back, &note));
    CHECK(back->rounds == 1 && back->partial);
    CHECK_STR(back->fault, "round 2 does not count: interrupted");
    kw_results_free(back);
    end();
    remove_folder();
}

KW_CASES("bench/rounds/run", CASE(run__wrong_usage__ended_and_whole_rounds_kept),
         CASE(run__one_cell_fails__counted_and_unknown_in_that_round),
         CASE(run__more_figures_than_there_is_room__failed_and_none_kept),
         CASE(run__disturbed_round__not_in_the_histograms),
         CASE(run__interrupted__the_round_under_way_is_dropped),
         CASE(run__fixed_rounds__every_other_backwards),
         CASE(until__known_at_once__six_rounds),
         CASE(until__time_is_up__said_with_what_was_reached),
         CASE(until__too_few_rounds_in_time__said),
         CASE(until__never_known__as_many_rounds_as_are_kept),
         CASE(keep__no_folder_at_the_start__nothing_is_measured),
         CASE(keep__cannot_be_written_once__tried_again),
         CASE(keep__cannot_be_written_at_the_end__known),
         CASE(keep__after_each_round__marked_partial_until_the_last))
