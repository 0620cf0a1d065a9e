/* SPDX-License-Identifier: Apache-2.0 */
#include "rounds.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <keyward/bytes.h>

#include "judge.h"

const struct kw_rounds_world kw_rounds_world_system = {
    &kw_clock_system, kw_rounds_measure, kw_pulse_ns, kw_stop_asked};

static const char unfinished[] = "not at its end yet";

static int64_t now_ns(const struct kw_rounds *r)
{
    return kw_mono_ns(r->world->clock);
}

/* By cells; with a time limit the time that is over, for nobody knows how many. */
void kw_rounds_tick(struct kw_rounds *r)
{
    const uint64_t cells = r->results->cell_count;
    if (r->for_ns > 0)
        kw_progress_tell(&r->progress, r->under_way,
                         (uint64_t)((now_ns(r) - r->began_ns) / KW_MS_NS),
                         (uint64_t)(r->for_ns / KW_MS_NS));
    else
        kw_progress_tell(&r->progress, r->under_way,
                         r->results->rounds * cells + r->cells_done, r->wanted * cells);
}

/* A name that no place is left for makes the measurement a failed one. */
static kw_err keep_figures(struct kw_results *all, struct kw_results_cell *c,
                           const struct kw_reading *reading, struct kw_note *note)
{
    (void)kw_copy_str(c->tool, sizeof c->tool, kw_span_str(reading->tool));
    for (size_t i = 0; i < reading->count; i++) {
        const size_t k = kw_results_figure_add(all, reading->figure[i].name);
        if (k == KW_RESULTS_FIGURES) {
            kw_note_set(note, "the cells have more than 32 different figures");
            return kw_err_at(KW_CODE_WRONG_ANSWER, "figures");
        }
        c->figure[k][all->rounds] = reading->figure[i].value;
    }
    return KW_OK;
}

static void forget(struct kw_results *all, struct kw_results_cell *c, struct kw_entry *e)
{
    for (size_t k = 0; k < KW_RESULTS_FIGURES; k++)
        c->figure[k][all->rounds] = NAN;
    kw_counts_wipe(&e->histogram[all->rounds]);
    e->failed = false;
}

static kw_err measure(struct kw_rounds *r, size_t at, struct kw_note *note)
{
    struct kw_results *all = r->results;
    struct kw_results_cell *c = &all->cell[at];
    struct kw_entry *entry = &r->entry[at];
    struct kw_reading reading = {.count = 0};
    snprintf(r->under_way, sizeof r->under_way, "round %zu, %s", all->rounds + 1,
             c->name);
    forget(all, c, entry);
    kw_rounds_tick(r);
    all->pulse_ns[all->rounds][at] = r->world->pulse_ns(r->world->clock);
    kw_err e = r->world->measure(r, at, &reading, note);
    if (!kw_failed(e))
        e = keep_figures(all, c, &reading, note);
    entry->histogram[all->rounds] = reading.histogram;
    if (e.code != KW_CODE_WRONG_ANSWER)
        return e;
    forget(all, c, entry);
    entry->failed = true;
    kw_results_text(entry->reason, sizeof entry->reason, note->text);
    return KW_OK;
}

/* The order is turned round every time, so that nobody always comes first. */
static kw_err one_round(struct kw_rounds *r, struct kw_note *note)
{
    const size_t cells = r->results->cell_count;
    for (r->cells_done = 0; r->cells_done < cells; r->cells_done++) {
        const size_t at =
            r->results->rounds % 2 == 0 ? r->cells_done : cells - 1 - r->cells_done;
        kw_err e = r->world->stop_asked() ? KW_OK : measure(r, at, note);
        if (r->world->stop_asked())
            return kw_err_at(KW_CODE_CANCELLED, "round");
        if (kw_failed(e)) {
            char why[sizeof note->text];
            (void)kw_copy_str(why, sizeof why, kw_span_str(note->text));
            kw_note_set(note, "%s: %s", r->results->cell[at].name,
                        why[0] != '\0' ? why : e.where);
            return e;
        }
    }
    return KW_OK;
}

/* Anew each time: another round may make an earlier one a disturbed one. */
static kw_err merge(struct kw_rounds *r)
{
    for (size_t i = 0; i < r->results->cell_count; i++) {
        struct kw_counts *sum = &r->results->cell[i].histogram;
        kw_counts_wipe(sum);
        for (size_t n = 0; n < r->results->rounds; n++) {
            kw_err e = r->results->disturbed[n]
                           ? KW_OK
                           : kw_counts_add(sum, &r->entry[i].histogram[n]);
            if (kw_failed(e))
                return e;
        }
    }
    return KW_OK;
}

/* The round is whole: now it counts. */
static kw_err close_round(struct kw_rounds *r)
{
    struct kw_results *all = r->results;
    for (size_t i = 0; i < all->cell_count; i++) {
        char text[KW_REASON_MAX + 32];
        if (!r->entry[i].failed)
            continue;
        all->cell[i].failures++;
        snprintf(text, sizeof text, "round %zu: %s", all->rounds, r->entry[i].reason);
        kw_results_text(all->cell[i].failure, sizeof all->cell[i].failure, text);
    }
    all->rounds++;
    kw_err e = kw_judge(all);
    return kw_failed(e) ? e : merge(r);
}

/* A failure is said, and does not end the run: what is measured is still told at the
 * end, and the next round tries to write it again. */
static void keep(struct kw_rounds *r)
{
    struct kw_note note = {{0}};
    r->results->elapsed_s = (double)(now_ns(r) - r->began_ns) / (double)KW_S_NS;
    if (r->keep == NULL)
        return;
    const bool before = r->kept;
    r->kept = !kw_failed(kw_results_write(r->results, r->keep, &note));
    if (r->kept || !before)
        return;
    kw_progress_end(&r->progress);
    fprintf(
        stderr,
        "keyward-bench rounds: %s: the run goes on and tries again after each round\n",
        note.text);
}

static void set_fault(struct kw_rounds *r, const char *text)
{
    kw_results_text(r->results->fault, sizeof r->results->fault, text);
}

/* Why `until` was not reached, when it was not. */
static void say_width(struct kw_rounds *r, double width)
{
    char text[KW_REASON_MAX] = "";
    const size_t done = r->results->rounds;
    const char *end = done < r->wanted ? "time was up" : "no more rounds are kept";
    if (width > r->until && width < HUGE_VAL)
        snprintf(text, sizeof text,
                 "%s after %zu rounds: cpu_us of the primary cells is known to %.1f %%, "
                 "not to the %.1f %% asked for",
                 end, done, 100 * width, 100 * r->until);
    else if (width > r->until)
        snprintf(text, sizeof text,
                 "%s after %zu rounds: too few of them were undisturbed and have cpu_us "
                 "to say how well it is known",
                 end, done);
    set_fault(r, text);
}

/* `round_ns`: how long the last one took, and so the next. */
static bool enough(struct kw_rounds *r, int64_t round_ns)
{
    const size_t done = r->results->rounds;
    set_fault(r, done < r->wanted ? unfinished : "");
    if (r->until <= 0)
        return done >= r->wanted;
    const double width = kw_judge_width(r->results);
    if (width > r->until && done < r->wanted &&
        now_ns(r) - r->began_ns + round_ns <= r->for_ns)
        return false;
    say_width(r, width);
    return true;
}
static kw_err ended(struct kw_rounds *r, kw_err e, const struct kw_note *note)
{
    char text[sizeof note->text + 64];
    const bool stopped = e.code == KW_CODE_CANCELLED;
    const char *why = note->text[0] != '\0' ? note->text : kw_code_name(e.code);
    snprintf(text, sizeof text, "round %zu does not count: %s", r->results->rounds + 1,
             stopped ? "interrupted" : why);
    set_fault(r, text);
    keep(r);
    return stopped ? KW_OK : e;
}

static kw_err go_on(struct kw_rounds *r, struct kw_note *note)
{
    for (;;) {
        const int64_t before = now_ns(r);
        kw_err e = one_round(r, note);
        if (!kw_failed(e))
            e = close_round(r);
        if (kw_failed(e))
            return ended(r, e, note);
        r->results->partial = !enough(r, now_ns(r) - before);
        keep(r);
        if (!r->results->partial)
            return KW_OK;
    }
}

kw_err kw_rounds_run(struct kw_rounds *r, struct kw_note *note)
{
    char began[KW_TIME_TEXT];
    struct kw_results *all = r->results;
    kw_time_text(began, kw_wall_ns(r->world->clock));
    snprintf(all->began, sizeof all->began, "%.19sZ", began); /* whole seconds */
    r->began_ns = now_ns(r);
    all->partial = true;
    set_fault(r, unfinished);
    r->kept = true;
    kw_err e = kw_judge(all);
    if (!kw_failed(e) && r->keep != NULL) /* before hours are spent */
        e = kw_results_write(all, r->keep, note);
    if (!kw_failed(e))
        e = go_on(r, note);
    kw_progress_end(&r->progress);
    return e;
}
