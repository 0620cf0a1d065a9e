/* SPDX-License-Identifier: Apache-2.0 */
/* What the records of a log say of a period. */
#include "audit_coverage.h"

#include <keyward/alloc.h>

/* A leap second, and what a clock is corrected by now and then. */
enum { SET_ONWARD_US = 2000000 };

const char *kw_coverage_word(enum kw_coverage_kind kind)
{
    static const char *const words[KW_COVERAGE_KINDS] = {
        [KW_COVERAGE_ABSENT] = "absent",   [KW_COVERAGE_STOPPED] = "stopped",
        [KW_COVERAGE_RUNNING] = "running", [KW_COVERAGE_UNSIGNED] = "unsigned",
        [KW_COVERAGE_SIGNED] = "signed",   [KW_COVERAGE_ANCHORED] = "anchored",
    };
    return words[kind];
}

void kw_coverage_begin(struct kw_coverage *c, const struct kw_coverage_asked *asked)
{
    *c = (struct kw_coverage){.asked = *asked, .range = asked->signatures ? 1 : 0};
}

void kw_coverage_free(struct kw_coverage *c)
{
    kw_pieces_free(&c->pieces);
}

/* ---- what a record tells ---- */

enum coverage_role {
    COVERAGE_RUNS,      /* only keywardd writes it, and not behind a stop */
    COVERAGE_ENDS,      /* the same, and also behind a stop */
    COVERAGE_IS_START,  /* … */
    COVERAGE_IS_STOP,   /* … */
    COVERAGE_IS_MARK,   /* something is missing before it */
    COVERAGE_IS_BEGUN,  /* a log */
    COVERAGE_IS_BESIDE, /* tells nothing of a run, or what comes next tells it */
};

/* A file may begin with a mark: what was before it is known with the next record.  A
 * signature comes when it comes, and says nothing of the time. */
static enum coverage_role coverage_role(enum kw_audit_kind kind)
{
    static const enum coverage_role roles[KW_AUDIT_KINDS] = {
        [KW_AUDIT_GENESIS] = COVERAGE_IS_BEGUN,
        [KW_AUDIT_FILE] = COVERAGE_IS_BESIDE,
        [KW_AUDIT_START] = COVERAGE_IS_START,
        [KW_AUDIT_STOP] = COVERAGE_IS_STOP,
        [KW_AUDIT_CALL] = COVERAGE_RUNS,
        [KW_AUDIT_TAMPERED] = COVERAGE_IS_MARK,
        [KW_AUDIT_TORN] = COVERAGE_IS_MARK,
        [KW_AUDIT_UNSYNCED] = COVERAGE_IS_MARK,
        [KW_AUDIT_WITHHELD] = COVERAGE_RUNS,
        [KW_AUDIT_UNRECORDED] = COVERAGE_IS_MARK,
        [KW_AUDIT_REFUSED] = COVERAGE_RUNS,
        [KW_AUDIT_EVENT] = COVERAGE_ENDS,
        [KW_AUDIT_OPERATOR] = COVERAGE_IS_BESIDE,
        [KW_AUDIT_LOG_LOST] = COVERAGE_IS_MARK,
        [KW_AUDIT_OPERATOR_LOG] = COVERAGE_ENDS,
        [KW_AUDIT_CHECKPOINT] = COVERAGE_ENDS,
        [KW_AUDIT_SIGNATURE] = COVERAGE_IS_BESIDE,
    };
    return roles[kind];
}

static bool coverage_touches(const struct kw_coverage *c, int64_t from, int64_t to)
{
    return from < c->asked.period.to_us && to > c->asked.period.from_us;
}

/* As much of it as lies in the period. */
static kw_err coverage_put(struct kw_coverage *c, struct kw_piece piece)
{
    const struct kw_period *p = &c->asked.period;
    if (piece.from_us >= piece.to_us || !coverage_touches(c, piece.from_us, piece.to_us))
        return KW_OK;
    piece.from_us = piece.from_us > p->from_us ? piece.from_us : p->from_us;
    piece.to_us = piece.to_us < p->to_us ? piece.to_us : p->to_us;
    return kw_pieces_put(&c->pieces, &piece);
}

/* From the last record to this one of the same process.  Both clocks are slewed alike, so they
 * part only when one was set, or stood still with the machine. */
static kw_err coverage_ran(struct kw_coverage *c, const struct kw_audit_record *r,
                           int64_t us)
{
    if (!c->has_last || us <= c->last_us || r->mono_us < c->last_mono_us)
        return KW_OK;
    if ((uint64_t)(us - c->last_us) > r->mono_us - c->last_mono_us + SET_ONWARD_US) {
        c->set_onward += coverage_touches(c, c->last_us, us);
        return KW_OK;
    }
    return coverage_put(c, (struct kw_piece){.from_us = c->last_us,
                                             .to_us = us,
                                             .range = c->range,
                                             .proof = KW_PROOF_NONE,
                                             .runs = true});
}

/* Since the stop, or the last record, nobody knows. */
static kw_err coverage_lost(struct kw_coverage *c, int64_t us)
{
    if (!c->has_last)
        return KW_OK;
    return coverage_put(
        c, (struct kw_piece){.from_us = c->is_stopped ? c->stop.from_us : c->last_us,
                             .to_us = us,
                             .proof = KW_PROOF_LOST});
}

static kw_err coverage_starts(struct kw_coverage *c, int64_t us)
{
    kw_err e = c->is_stopped && !c->is_marked
                   ? coverage_put(c, (struct kw_piece){.from_us = c->stop.from_us,
                                                       .to_us = us,
                                                       .range = c->range,
                                                       .proof = KW_PROOF_NONE})
                   : coverage_lost(c, us);
    c->is_stopped = false;
    return e;
}

/* Of what is missing behind a stop the next start tells how far that reaches. */
static kw_err coverage_misses(struct kw_coverage *c, int64_t us)
{
    c->is_marked = true;
    return c->is_stopped ? KW_OK : coverage_lost(c, us);
}

/* Behind a stop comes what the end makes; what else keywardd writes shows that a start is
 * missing, and since when it ran nobody knows. */
static kw_err coverage_goes_on(struct kw_coverage *c, const struct kw_audit_record *r,
                               enum coverage_role role, int64_t us)
{
    if (c->is_stopped && role == COVERAGE_ENDS)
        return KW_OK;
    kw_err e = c->is_stopped ? coverage_lost(c, us) : coverage_ran(c, r, us);
    c->is_stopped = role == COVERAGE_IS_STOP;
    c->is_marked = false;
    if (c->is_stopped)
        c->stop =
            (struct kw_piece){.from_us = us, .range = c->range, .proof = KW_PROOF_NONE};
    return e;
}

static kw_err coverage_tells(struct kw_coverage *c, const struct kw_audit_record *r,
                             enum coverage_role role, int64_t us)
{
    switch (role) {
    case COVERAGE_IS_START: return coverage_starts(c, us);
    case COVERAGE_IS_MARK: return coverage_misses(c, us);
    case COVERAGE_RUNS:
    case COVERAGE_ENDS:
    case COVERAGE_IS_STOP: return coverage_goes_on(c, r, role, us);
    case COVERAGE_IS_BEGUN:
    case COVERAGE_IS_BESIDE: break;
    }
    return KW_OK;
}

/* ---- checkpoints ---- */

static void coverage_settle(struct kw_coverage *c, uint64_t range, enum kw_proof proof)
{
    kw_pieces_settle(&c->pieces, range, proof);
    if (c->stop.range == range) {
        c->stop.range = 0;
        c->stop.proof = c->stop.proof > proof ? c->stop.proof : proof;
    }
}

/* The oldest cannot be signed any more. */
static void coverage_leave(struct kw_coverage *c)
{
    coverage_settle(c, c->kept[0].range, KW_PROOF_NONE);
    for (size_t i = 1; i < c->kept_count; i++)
        c->kept[i - 1] = c->kept[i];
    c->kept_count--;
}

/* Its own time is signed with it, so its range ends with it. */
static void coverage_keep(struct kw_coverage *c, const struct kw_audit_record *r)
{
    if (c->range == 0)
        return;
    if (c->kept_count == KW_AUDIT_CHECKPOINTS_KEPT)
        coverage_leave(c);
    c->kept[c->kept_count].covered = r->value[KW_AUDIT_CHECKPOINT_COVERED].number;
    c->kept[c->kept_count++].range = c->range++;
}

void kw_coverage_signed(struct kw_coverage *c, uint64_t covered)
{
    for (size_t i = 0; i < c->kept_count; i++)
        if (c->kept[i].covered == covered)
            coverage_settle(c, c->kept[i].range, KW_PROOF_SIGNED);
}

void kw_coverage_anchored(struct kw_coverage *c)
{
    kw_pieces_anchor(&c->pieces);
    c->stop.range = 0;
    c->stop.proof = KW_PROOF_ANCHORED;
}

kw_err kw_coverage_meet(struct kw_coverage *c, const struct kw_audit_record *r)
{
    const enum coverage_role role = coverage_role(r->kind);
    if (role == COVERAGE_IS_BESIDE)
        return KW_OK;
    const int64_t us = kw_time_us(r->time);
    c->set_back += c->has_last && us < c->last_us && coverage_touches(c, us, c->last_us);
    kw_err e = coverage_tells(c, r, role, us);
    c->has_last = true;
    c->last_us = us;
    c->last_mono_us = r->mono_us;
    if (r->kind == KW_AUDIT_CHECKPOINT)
        coverage_keep(c, r);
    return e;
}

/* ---- intervals ---- */

static enum kw_coverage_kind covered_kind(const struct kw_coverage_asked *asked,
                                          const struct kw_piece *piece)
{
    if (piece->proof == KW_PROOF_LOST)
        return KW_COVERAGE_ABSENT;
    if (!piece->runs)
        return KW_COVERAGE_STOPPED;
    if (piece->proof == KW_PROOF_NONE)
        return asked->signatures ? KW_COVERAGE_UNSIGNED : KW_COVERAGE_RUNNING;
    return piece->proof == KW_PROOF_SIGNED ? KW_COVERAGE_SIGNED : KW_COVERAGE_ANCHORED;
}

static enum kw_proof covered_asked(const struct kw_coverage_asked *asked)
{
    if (asked->anchors)
        return KW_PROOF_ANCHORED;
    return asked->signatures ? KW_PROOF_SIGNED : KW_PROOF_NONE;
}

static void covered_add(struct kw_covered *covered, struct kw_coverage_interval next)
{
    struct kw_coverage_interval *last = &covered->at[covered->count];
    if (next.from_us >= next.to_us)
        return;
    if (covered->count > 0 && last[-1].kind == next.kind &&
        last[-1].is_gap == next.is_gap)
        last[-1].to_us = next.to_us;
    else
        covered->at[covered->count++] = next;
}

/* What no piece tells is absent. */
static void covered_fill(struct kw_covered *covered,
                         const struct kw_coverage_asked *asked,
                         const struct kw_piece *piece, size_t count)
{
    int64_t at = asked->period.from_us;
    for (size_t i = 0; i < count; i++) {
        covered_add(covered, (struct kw_coverage_interval){at, piece[i].from_us,
                                                           KW_COVERAGE_ABSENT, true});
        covered_add(covered,
                    (struct kw_coverage_interval){piece[i].from_us, piece[i].to_us,
                                                  covered_kind(asked, &piece[i]),
                                                  piece[i].proof < covered_asked(asked)});
        at = piece[i].to_us;
    }
    covered_add(covered, (struct kw_coverage_interval){at, asked->period.to_us,
                                                       KW_COVERAGE_ABSENT, true});
}

static void covered_sum(struct kw_covered *covered)
{
    if (covered->is_more || covered->count > KW_COVERAGE_MAX) {
        covered->is_more = true;
        covered->count = 0;
    }
    for (size_t i = 0; i < covered->count; i++) {
        const struct kw_coverage_interval *one = &covered->at[i];
        const uint64_t us = (uint64_t)(one->to_us - one->from_us);
        covered->us[one->kind] += us;
        covered->gaps += one->is_gap;
        covered->gap_us += one->is_gap ? us : 0;
    }
    covered->is_whole = !covered->is_more && covered->gaps == 0;
}

static kw_err covered_list(const struct kw_coverage *c, struct kw_covered *covered)
{
    size_t count = 0;
    struct kw_piece *piece = kw_new(2 * c->pieces.count + 1, sizeof *piece);
    covered->at = kw_new(4 * c->pieces.count + 1, sizeof *covered->at);
    kw_err e = piece == NULL || covered->at == NULL
                   ? kw_err_at(KW_CODE_NO_MEMORY, "coverage")
                   : kw_pieces_flatten(&c->pieces, piece, &count);
    if (!kw_failed(e))
        covered_fill(covered, &c->asked, piece, count);
    kw_free(piece);
    return e;
}

kw_err kw_coverage_end(struct kw_coverage *c, struct kw_covered *ret)
{
    struct kw_covered covered = {.set_back = c->set_back, .set_onward = c->set_onward};
    while (c->kept_count > 0)
        coverage_leave(c);
    if (c->range > 0)
        coverage_settle(c, c->range, KW_PROOF_NONE);
    kw_err e = KW_OK;
    if (c->is_stopped && !c->is_marked && c->stop.from_us < c->asked.period.to_us) {
        covered.ends_stopped = true;
        c->stop.to_us = c->asked.period.to_us;
        e = coverage_put(c, c->stop);
    }
    covered.is_more = c->pieces.is_more;
    if (!kw_failed(e))
        e = covered_list(c, &covered);
    if (kw_failed(e)) {
        kw_covered_free(&covered);
        return e;
    }
    covered_sum(&covered);
    *ret = covered;
    return KW_OK;
}

void kw_covered_free(struct kw_covered *covered)
{
    kw_free(covered->at);
    *covered = (struct kw_covered){0};
}
