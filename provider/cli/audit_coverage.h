/* SPDX-License-Identifier: Apache-2.0 */
/* audit_coverage - how far an audit log covers a period of time
 *
 * Takes the records of one log, one by one and in its order, and says of each stretch of a
 * period what they tell of it.  docs/FORMATS.md, section 7, has the rules as a reader of a log
 * needs them; in short:
 *
 *   running   between two records of one run of keywardd, however far apart: an idle keywardd
 *             writes none.  A run begins with `start`, or with what only keywardd writes when
 *             the log begins within one; it ends with `stop`, or with the last record before
 *             another `start`: nobody knows how long keywardd lived after that one
 *   stopped   from `stop` to the next `start`, or to the end of the period when none follows
 *   absent    all else: before the first record and the first `start`; behind the last record
 *             that is no `stop`; before a mark (torn, tampered, unsynced, unrecorded,
 *             log-lost), back to the record before it, or to the `stop` before it and up to
 *             the next `start`; between two records of a run when the wall clock went on
 *             by more than 2 s more than the monotonic one: it was set, or the machine slept
 *
 * What runs is anchored when an anchor agrees with a record at or behind its end; else
 * signed when the checkpoint that covers its end has a good signature of its own (what is
 * signed only with what came later is not); else unsigned, when signatures were asked for.
 * What is stopped is proven by the `start` that ends it, or, when none follows, by the `stop`.
 *
 * A gap is what is not proven as was asked: with anchors what is not anchored, else with
 * signatures what is neither signed nor anchored, else what is absent.
 *
 * Where the clock was set back a time is told twice, and the worse counts: a crash or a mark
 * makes it absent, else it is proven as the worse of the two is.
 *
 * Pure.  Blocks on nothing, prints nothing.
 */
#ifndef KEYWARD_CLI_AUDIT_COVERAGE_H
#define KEYWARD_CLI_AUDIT_COVERAGE_H

#include <keyward/audit_checkpoint.h>

#include "audit_period.h"
#include "coverage_pieces.h"

enum kw_coverage_kind {
    KW_COVERAGE_ABSENT,
    KW_COVERAGE_STOPPED,
    KW_COVERAGE_RUNNING,
    KW_COVERAGE_UNSIGNED,
    KW_COVERAGE_SIGNED,
    KW_COVERAGE_ANCHORED,
    KW_COVERAGE_KINDS,
};
/* "absent" … */
const char *kw_coverage_word(enum kw_coverage_kind kind);

struct kw_coverage_asked {
    struct kw_period period;
    bool signatures, anchors;
};

struct kw_coverage {
    struct kw_coverage_asked asked;
    struct kw_pieces pieces;
    uint64_t range; /* that runs; 0: nobody asked for signatures */
    struct {
        uint64_t covered, range;
    } kept[KW_AUDIT_CHECKPOINTS_KEPT]; /* those that can still be signed, oldest first */
    size_t kept_count;
    bool has_last;                 /* a record that a run could go on from */
    int64_t last_us;               /* its times */
    uint64_t last_mono_us;         /* … */
    bool is_stopped, is_marked;    /* `stop` was the last; a mark came behind it */
    struct kw_piece stop;          /* from it on */
    uint64_t set_back, set_onward; /* how often the clock was, within the period */
};

void kw_coverage_begin(struct kw_coverage *c, const struct kw_coverage_asked *asked);
void kw_coverage_free(struct kw_coverage *c);

/* The next record, which follows from the one before.  NO_MEMORY. */
KW_MUST_USE kw_err kw_coverage_meet(struct kw_coverage *c,
                                    const struct kw_audit_record *r);
/* Of the last checkpoints that were met, the one that covers this record has a good
 * signature. */
void kw_coverage_signed(struct kw_coverage *c, uint64_t covered);
/* An anchor agrees with the record that was met last. */
void kw_coverage_anchored(struct kw_coverage *c);

struct kw_coverage_interval {
    int64_t from_us, to_us;
    enum kw_coverage_kind kind;
    bool is_gap;
};

struct kw_covered {
    struct kw_coverage_interval *at; /* the whole period, in its order */
    size_t count;
    bool
        is_more; /* there are more than KW_COVERAGE_MAX; none is given, and not covered */
    bool is_whole; /* no gap */
    uint64_t gaps, gap_us, us[KW_COVERAGE_KINDS];
    uint64_t set_back, set_onward;
    bool
        ends_stopped; /* no record is behind the last `stop`, which lies before the end */
};

/* There are no more records.  NO_MEMORY. */
KW_MUST_USE kw_err kw_coverage_end(struct kw_coverage *c, struct kw_covered *ret);
void kw_covered_free(struct kw_covered *covered);

#endif
