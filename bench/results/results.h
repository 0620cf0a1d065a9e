/* SPDX-License-Identifier: Apache-2.0 */
/* results - what one interleaved run of a matrix measured, as a document to keep
 *
 * A run has cells (a name and a command line) and rounds; every round ran every cell once
 * and each cell gave figures: flat, one name, one number.  results-1.schema.json says
 * what results.json looks like; results.csv has the same figures, one a line.
 *
 * A figure that nobody knows is NAN here, null in results.json, and has no line in the
 * CSV.  Rounds count from 0.  A disturbed round stays in the arrays and is left out of
 * medians, ratios, noise and the merged histograms.  Ratios are of the same round.
 *
 * Threads:   plain values; one thread at a time.
 * Blocking:  reading and writing, on the disk.
 */
#ifndef KEYWARD_BENCH_RESULTS_H
#define KEYWARD_BENCH_RESULTS_H

#include <jansson.h>

#include <keyward/bytes.h>
#include <keyward/clock.h>
#include <keyward/err.h>

#include "counts.h"
#include "spread.h"

enum {
    KW_RESULTS_SCHEMA = 1,
    KW_RESULTS_CELLS = 129, /* 128 and the control                    */
    KW_RESULTS_FIGURES = 32,
    KW_RESULTS_NAME = 48, /* a name of letters, digits and ._- with its NUL */
    KW_RESULTS_WORDS = 192,
    KW_RESULTS_NOTES = 16,
};

/* Where the cell stands in the matrix; 0 and "" where it has no such axis. */
struct kw_results_axes {
    char subject[KW_RESULTS_NAME]; /* what is measured: echo, wall-cached … */
    char method[KW_RESULTS_NAME];  /* decrypt, or a mix such as decrypt:90,encrypt:10 */
    double in_flight, rate, token_delay_us;
};

struct kw_results_cell {
    char name[KW_RESULTS_NAME], tool[KW_RESULTS_NAME];
    bool primary, control;
    char *command; /* owned */
    struct kw_results_axes axes;
    uint64_t failures;              /* rounds that gave no figures       */
    char failure[KW_RESULTS_WORDS]; /* why the last of them did not      */
    double figure[KW_RESULTS_FIGURES][KW_ROUNDS_MAX];
    struct kw_counts histogram; /* ns; merged over the undisturbed rounds */
};

struct kw_results_note {
    char key[KW_RESULTS_NAME], value[KW_RESULTS_WORDS];
};

struct kw_environment {
    char cpu[96], kernel[96], governor[32], virtualisation[64], distribution[96];
    char commit[64], build[32]; /* "unknown" where nobody could tell */
    unsigned cpus;
    uint64_t memory_kib;
    double load_1m;
    struct kw_results_note library[KW_RESULTS_NOTES]; /* those that this program has in */
    struct kw_results_note note[KW_RESULTS_NOTES];    /* what the caller added */
    size_t library_count, note_count;
};

/* How the processes were placed; `words` is the sentence for people. */
struct kw_results_layout {
    char name[KW_RESULTS_NAME], client[KW_RESULTS_NAME], server[KW_RESULTS_NAME];
    char words[KW_RESULTS_WORDS];
};

struct kw_results {
    char version[32];             /* of the program that measured             */
    char session[17];             /* one interleaved run                      */
    char fingerprint[17];         /* of cpu, cpus, kernel and virtualisation  */
    bool partial;                 /* less than was asked for; `fault` says why*/
    char fault[KW_RESULTS_WORDS]; /* also what failed in a whole run, or ""   */
    char began[KW_TIME_TEXT];     /* RFC 3339                                 */
    double elapsed_s;
    char *command; /* owned */
    struct kw_environment environment;
    struct kw_results_layout layout;
    char base[KW_RESULTS_NAME];    /* the cell that ratios are to              */
    char control[KW_RESULTS_NAME]; /* the cell that the control repeats        */
    size_t rounds;                 /* whole ones, at most KW_ROUNDS_MAX        */
    /* A fixed piece of work before each cell, in the order of `cell`, whatever the order
     * in which the round ran them. */
    double pulse_ns[KW_ROUNDS_MAX][KW_RESULTS_CELLS];
    char pulse_rule[KW_RESULTS_WORDS]; /* by which rounds are disturbed */
    bool disturbed[KW_ROUNDS_MAX];
    char why[KW_ROUNDS_MAX][KW_RESULTS_NAME * 2]; /* it is disturbed */
    char quiet[16];                               /* quiet, restless or unusable */
    char quiet_words[KW_RESULTS_WORDS];
    size_t figure_count;
    char figure[KW_RESULTS_FIGURES][KW_RESULTS_NAME];
    struct kw_ratio noise[KW_RESULTS_FIGURES]; /* control to base; all 0: not known */
    size_t cell_count;                         /* the control included              */
    struct kw_results_cell cell[KW_RESULTS_CELLS];
};

/* Empty: nothing but NANs and zeroes.  NULL when memory is out; some megabytes. */
struct kw_results *kw_results_new(void);
void kw_results_free(struct kw_results *r); /* NULL does nothing */

/* Place of a figure's name; KW_RESULTS_FIGURES when no cell has it. */
size_t kw_results_figure(const struct kw_results *r, const char *name);
/* The same; a name that is new gets a place.  KW_RESULTS_FIGURES: no room, or no name of
 * letters, digits and ._- */
size_t kw_results_figure_add(struct kw_results *r, const char *name);
/* NULL: no such cell. */
const struct kw_results_cell *kw_results_cell(const struct kw_results *r,
                                              const char *name);
bool kw_results_is_name(const char *text);
/* Foreign text into a member: cut between two characters, made printable (bytes.h,
 * kw_copy_printable): JSON takes nothing but UTF-8, and a page shows it. */
void kw_results_text(char *dst, size_t cap, const char *text);
/* The same, owned and not cut; NULL when memory is out. */
char *kw_results_text_dup(const char *text);

/* How many rounds are not disturbed. */
size_t kw_results_calm(const struct kw_results *r);
/* The figure at place `figure` in the undisturbed rounds where it is known; how many. */
size_t kw_results_series(const struct kw_results *r, const struct kw_results_cell *c,
                         size_t figure, double ret_values[KW_ROUNDS_MAX]);
/* Median of those with its interval. */
struct kw_ratio kw_results_median(const struct kw_results *r,
                                  const struct kw_results_cell *c, size_t figure);
/* upper / lower, paired over the undisturbed rounds where both are known. */
struct kw_ratio kw_results_ratio(const struct kw_results *r,
                                 const struct kw_results_cell *upper,
                                 const struct kw_results_cell *lower, size_t figure);

/* document.c: results.json.  NULL: out of memory. */
json_t *kw_results_document(const struct kw_results *r);

/* write.c: FOLDER/results.json and FOLDER/results.csv, each replaced in one step; the
 * folder is there already.  IO (a full disk, no right) with a note that names the file:
 * the one of before is still whole then. */
KW_MUST_USE kw_err kw_results_write(const struct kw_results *r, const char *folder,
                                    struct kw_note *note);

/* read.c: reads and checks a results.json.  The note names the file, and the member that
 * is not as it should be.
 * MISSING    no such file
 * BAD_INPUT  not JSON, no results document, another schema (both versions are named)
 * IO, NO_MEMORY */
KW_MUST_USE kw_err kw_results_read(const char *path, struct kw_results **ret_results,
                                   struct kw_note *note);

/* The same for bytes that were read already; `path` is for the note. */
KW_MUST_USE kw_err kw_results_parse(kw_span text, const char *path,
                                    struct kw_results **ret_results,
                                    struct kw_note *note);

#endif
