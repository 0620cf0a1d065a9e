/* SPDX-License-Identifier: Apache-2.0 */
/* What of the log no checkpoint covers. */
#include "writer_state.h"

static void standing_add(struct kw_audit_writer *w, uint64_t records)
{
    struct kw_audit_standing *s = &w->standing;
    if (s->uncovered == 0 && records > 0)
        s->uncovered_ns = kw_mono_ns(w->o.clock);
    s->uncovered += records;
}

static void standing_cover(struct kw_audit_writer *w,
                           const struct kw_audit_record *record) KW_REQUIRES(w->mutex)
{
    struct kw_audit_standing *s = &w->standing;
    KW_MUST(kw_audit_checkpoint_read(record, &s->last));
    s->uncovered = 0;
    s->has_new_file = false;
    s->checkpoints++;
    w->standing.waits = false;
}

void kw_audit_standing_queued(struct kw_audit_writer *w,
                              const struct kw_audit_record *record)
{
    if (record->kind == KW_AUDIT_CHECKPOINT) {
        w->standing.waits = true;
        w->fresh = 0;
    } else if (record->kind != KW_AUDIT_SIGNATURE) {
        w->fresh++;
    }
}

void kw_audit_standing_committed(struct kw_audit_writer *w,
                                 const struct kw_audit_record *records, size_t count,
                                 uint64_t own)
{
    standing_add(w, own);
    w->standing.has_new_file |= own > 0;
    for (size_t i = 0; i < count; i++)
        if (records[i].kind == KW_AUDIT_CHECKPOINT)
            standing_cover(w, &records[i]);
        else if (records[i].kind != KW_AUDIT_SIGNATURE)
            standing_add(w, 1);
}

void kw_audit_writer_standing(struct kw_audit_writer *w,
                              struct kw_audit_standing *ret_standing)
{
    kw_mutex_lock(&w->mutex);
    *ret_standing = w->standing;
    ret_standing->is_behind = w->fresh > 0 || w->missed.total > 0 || w->rotates ||
                              (w->standing.uncovered > 0 && !w->standing.waits);
    kw_mutex_unlock(&w->mutex);
}
