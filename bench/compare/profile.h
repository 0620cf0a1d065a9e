/* SPDX-License-Identifier: Apache-2.0 */
/* profile - what a run says of its cells that another run may be held against
 *
 * Of each cell and figure: the log ratio to a yardstick of the same run, as a centre over
 * the undisturbed rounds, both of one round.  Yardsticks are the base (echo: the same
 * transport without work) and the reference (the same work in software), where there is a
 * cell with that subject, as many calls in flight and the same method.  A ratio survives
 * another day and, with care, another machine; a figure does not.
 *
 * A baseline is the profile of a named run, kept in a small file: CPU per call only.
 *
 * Threads:   plain values; one thread at a time.
 * Blocking:  reading and writing baselines, on the disk.
 */
#ifndef KEYWARD_BENCH_PROFILE_H
#define KEYWARD_BENCH_PROFILE_H

#include "centre.h"
#include "results.h"

enum kw_weighed {
    KW_WEIGHED_CPU,  /* decides; more is worse */
    KW_WEIGHED_RATE, /* the others are shown   */
    KW_WEIGHED_P99,
    KW_WEIGHED_COUNT
};
extern const char *const kw_weighed_names[KW_WEIGHED_COUNT];

enum kw_yardstick { KW_YARDSTICK_BASE, KW_YARDSTICK_REFERENCE, KW_YARDSTICKS };
extern const char *const kw_yardstick_names[KW_YARDSTICKS];

struct kw_profile_cell {
    char name[KW_RESULTS_NAME];
    struct kw_results_axes axes;
    bool primary;
    bool known[KW_WEIGHED_COUNT][KW_YARDSTICKS];
    struct kw_centre to[KW_WEIGHED_COUNT][KW_YARDSTICKS];
    const struct kw_results_cell *cell; /* borrowed; NULL in a baseline */
};

struct kw_profile {
    char name[KW_RESULTS_WORDS]; /* for people: the file, or the baseline's name */
    char machine[KW_RESULTS_WORDS];
    char fingerprint[17], session[17]; /* session is "" in a baseline */
    char commit[64], began[KW_TIME_TEXT];
    char layout[KW_RESULTS_NAME], base[KW_RESULTS_NAME];
    size_t rounds;                    /* undisturbed ones */
    const struct kw_results *results; /* borrowed; NULL in a baseline */
    size_t cell_count;
    struct kw_profile_cell cell[KW_RESULTS_CELLS];
};

/* Of all cells but the control, or of those whose name begins with `prefix`, without it
 * (NULL: all).  Borrows r until kw_profile_free.  NO_MEMORY. */
KW_MUST_USE kw_err kw_profile_new(const struct kw_results *r, const char *name,
                                  const char *prefix, struct kw_profile **ret_profile);
void kw_profile_free(struct kw_profile *p); /* NULL does nothing */
/* NULL: no such cell. */
const struct kw_profile_cell *kw_profile_cell(const struct kw_profile *p,
                                              const char *name);

/* baseline.c: writes p under the name that the file has without its folder and ".json".
 * BAD_INPUT  no cell has a ratio to the base, or the run is partial or was not quiet
 *            enough to be kept
 * IO, NO_MEMORY */
KW_MUST_USE kw_err kw_baseline_write(const struct kw_profile *p, const char *path,
                                     struct kw_note *note);
/* MISSING, BAD_INPUT (not JSON, no baseline, another schema; the note says which), IO,
 * NO_MEMORY */
KW_MUST_USE kw_err kw_baseline_read(const char *path, struct kw_profile **ret_profile,
                                    struct kw_note *note);
/* The same for bytes that were read already; `path` is for the note. */
KW_MUST_USE kw_err kw_baseline_parse(kw_span text, const char *path,
                                     struct kw_profile **ret_profile,
                                     struct kw_note *note);

#endif
