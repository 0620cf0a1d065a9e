/* SPDX-License-Identifier: Apache-2.0 */
/* rounds - several measurements by turns, so that each round's ratios met one machine
 *
 * Every round runs each configuration once, in a process of its own, odd rounds
 * backwards; the first one runs twice, as itself and as the control: what the control
 * differs from it is the machine's noise, and a difference within that is none.
 *
 * Threads:   one.
 * Blocking:  for as long as all the measurements take.
 */
#ifndef KEYWARD_BENCH_ROUNDS_H
#define KEYWARD_BENCH_ROUNDS_H

#include <keyward/err.h>

#include "spread.h"
#include "tool.h"

enum { KW_CONFIGURATIONS_MAX = 24, KW_WORDS_MAX = 40 };

enum kw_figure { /* the names are those of the "figures" that a measurement's JSON has */
                 KW_FIGURE_RATE,
                 KW_FIGURE_P50,
                 KW_FIGURE_P99,
                 KW_FIGURE_CPU,
                 KW_FIGURE_SERVER,
                 KW_FIGURE_WORKERS,
                 KW_FIGURE_SWITCHES,
                 KW_FIGURE_CLIENT,
                 KW_FIGURES
};
extern const char *const kw_figure_names[KW_FIGURES];

struct kw_configuration {
    char name[32];
    char *line;                /* owned; cut into words */
    char *words[KW_WORDS_MAX]; /* of keyward-bench; NULL at the end */
    double figure[KW_FIGURES][KW_ROUNDS_MAX];
};

struct kw_rounds {
    struct kw_configuration
        configuration[KW_CONFIGURATIONS_MAX + 1]; /* [0] is the base */
    size_t configuration_count; /* the control, which comes last, included */
    size_t wanted, done;        /* whole rounds */
    const char *cpu;            /* of every measuring client; NULL: anywhere */
    uint64_t failures;          /* measurements that were not all good */
};

/* "NAME=load SOCKET …" or "NAME=token …".  BAD_INPUT with a note. */
KW_MUST_USE kw_err kw_configuration_parse(const char *text, const char *cpu,
                                          struct kw_configuration *ret_configuration,
                                          struct kw_note *note);

/* child.c: runs this program with those words and reads its figures into place `round`.
 * WRONG_ANSWER when it measured and was not content; its figures are there then. */
KW_MUST_USE kw_err kw_configuration_measure(struct kw_configuration *c, size_t round,
                                            struct kw_note *note);

KW_MUST_USE kw_err kw_rounds_run(struct kw_rounds *r, struct kw_note *note);

void kw_rounds_table(const struct kw_rounds *r);
json_t *kw_rounds_document(const struct kw_rounds *r);

#endif
