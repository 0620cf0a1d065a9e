/* SPDX-License-Identifier: Apache-2.0 */
/* Record by record: the chain, anchors, signatures and coverage. */
#include "audit_verification.h"

#include <stdio.h>

const struct kw_verification_mark kw_verification_marks[KW_VERIFICATION_MARKS] = {
    {KW_AUDIT_TAMPERED, "a file was not as it had been left"},
    {KW_AUDIT_TORN, "bytes behind a last record were cut off"},
    {KW_AUDIT_UNSYNCED,
     "a disk failed: what the file before has at its end is not certain"},
    {KW_AUDIT_UNRECORDED, "calls were answered, or changes made, that are not on record"},
    {KW_AUDIT_LOG_LOST, "the node remembered a later record of a log than was there"},
};

kw_err kw_verification_begin(struct kw_verification *v,
                             const struct kw_verification_asked *asked,
                             struct kw_note *note)
{
    const bool wants_anchors = asked->anchors != NULL || asked->at_hand != NULL;
    *v = (struct kw_verification){.each = asked->each,
                                  .self = asked->self,
                                  .chain = asked->from,
                                  .wants_anchors = wants_anchors,
                                  .wants_period = asked->period != NULL};
    if (asked->period != NULL)
        kw_coverage_begin(&v->coverage,
                          &(struct kw_coverage_asked){.period = *asked->period,
                                                      .signatures = asked->key != NULL,
                                                      .anchors = wants_anchors});
    if (asked->at_hand != NULL) {
        v->anchors = *asked->at_hand;
        *asked->at_hand = (struct kw_anchors){0};
    }
    kw_err e = asked->anchors != NULL ? kw_anchors_read(asked->anchors, &v->anchors, note)
                                      : KW_OK;
    if (!kw_failed(e) && asked->key != NULL)
        e = kw_signatures_key(asked->key, &v->signatures, note);
    return e;
}

void kw_verification_free(struct kw_verification *v)
{
    kw_coverage_free(&v->coverage);
    kw_covered_free(&v->covered);
    kw_anchors_free(&v->anchors);
}

/* ---- reading ---- */

/* A record, and what of it is signed and anchored, as it was found. */
static void verification_cover(struct kw_verification *v, const struct kw_audit_record *r,
                               bool has_signed, bool is_anchored)
{
    if (!v->wants_period || kw_verification_is_broken(v))
        return;
    v->err = kw_coverage_meet(&v->coverage, r);
    if (has_signed)
        kw_coverage_signed(&v->coverage, r->value[KW_AUDIT_SIGNATURE_COVERS].number);
    if (is_anchored)
        kw_coverage_anchored(&v->coverage);
}

/* What else is known of it. */
static void verification_judge(struct kw_verification *v, const struct kw_audit_record *r)
{
    const uint64_t agreed = v->anchors.agreed, good = v->signatures.good;
    kw_anchors_meet(&v->anchors, r, &v->chain, &v->why);
    kw_signatures_meet(&v->signatures, r, &v->why);
    verification_cover(v, r, v->signatures.good > good, v->anchors.agreed > agreed);
}

/* It follows; what it says may still break the log. */
static void verification_count(struct kw_verification *v, const struct kw_audit_record *r,
                               size_t len)
{
    v->first = v->records == 0 ? r->seq : v->first;
    v->records++;
    v->of_kind[r->kind]++;
    verification_judge(v, r);
    if (kw_verification_is_broken(v))
        return;
    v->offset += len;
    v->line++;
    if (v->each != NULL)
        v->each(v->self, r);
}

/* Counts the line when it is the next record; else says why it is not. */
static bool verification_take(void *self, kw_span line)
{
    struct kw_verification *v = self;
    struct kw_audit_record r;
    if (v->is_unended)
        kw_note_set(&v->why, "the file before ends within a line");
    else if (line.len > KW_AUDIT_LINE_MAX)
        kw_note_set(&v->why, "the line is longer than %d bytes", KW_AUDIT_LINE_MAX - 1);
    else if (line.ptr[line.len - 1] != '\n')
        v->is_unended = true;
    else if (!kw_failed(kw_audit_chain_take(&v->chain, kw_span_of(line.ptr, line.len - 1),
                                            &r, &v->why)))
        verification_count(v, &r, line.len);
    return !kw_verification_is_broken(v) && !kw_failed(v->err);
}

static void verification_begins(void *self, const char *path)
{
    struct kw_verification *v = self;
    snprintf(v->file, sizeof v->file, "%s", path);
    v->line = v->offset = 0;
    v->files++;
}

static struct kw_audit_reader verification_reader(struct kw_verification *v)
{
    return (struct kw_audit_reader){verification_begins, verification_take, v};
}

/* What came of reading is `e`. */
static kw_err verification_end(struct kw_verification *v, kw_err e)
{
    kw_signatures_end(&v->signatures);
    e = kw_failed(e) ? e : v->err;
    if (!kw_failed(e) && !kw_verification_is_broken(v) && v->records > 0)
        kw_anchors_end(&v->anchors, &v->chain, &v->why);
    if (!kw_failed(e) && !kw_verification_is_broken(v) && v->wants_period)
        e = kw_coverage_end(&v->coverage, &v->covered);
    return e;
}

kw_err kw_verification_files(struct kw_verification *v, const struct kw_words *files,
                             struct kw_note *note)
{
    const struct kw_audit_reader reader = verification_reader(v);
    return verification_end(v, kw_audit_files(files, &reader, note));
}

kw_err kw_verification_folder(struct kw_verification *v, const char *folder,
                              const char *name, struct kw_note *note)
{
    const struct kw_audit_reader reader = verification_reader(v);
    return verification_end(v, kw_audit_folder(folder, name, &reader, note));
}

/* ---- the verdict ---- */

bool kw_verification_is_broken(const struct kw_verification *v)
{
    return v->why.text[0] != '\0';
}

bool kw_verification_lacks_anchors(const struct kw_verification *v)
{
    return v->wants_anchors && (v->anchors.agreed == 0 || v->anchors.others > 0);
}

bool kw_verification_lacks_signatures(const struct kw_verification *v)
{
    return v->signatures.has_key &&
           (v->signatures.stretches > 0 || !kw_signatures_cover_the_end(&v->signatures));
}

static bool verification_is_marked(const struct kw_verification *v)
{
    if (kw_verification_lacks_anchors(v) || kw_verification_lacks_signatures(v) ||
        (v->wants_period && !v->covered.is_whole))
        return true;
    for (size_t i = 0; i < KW_VERIFICATION_MARKS; i++)
        if (v->of_kind[kw_verification_marks[i].kind] > 0)
            return true;
    return v->is_unended;
}

enum kw_audit_verdict kw_verification_verdict(const struct kw_verification *v)
{
    if (kw_verification_is_broken(v) || v->records == 0)
        return KW_AUDIT_VERDICT_BROKEN;
    return verification_is_marked(v) ? KW_AUDIT_VERDICT_INCOMPLETE
                                     : KW_AUDIT_VERDICT_SOUND;
}

const char *kw_audit_verdict_word(enum kw_audit_verdict verdict)
{
    static const char *const words[] = {[KW_AUDIT_VERDICT_SOUND] = "sound",
                                        [KW_AUDIT_VERDICT_INCOMPLETE] = "incomplete",
                                        [KW_AUDIT_VERDICT_BROKEN] = "broken"};
    return words[verdict];
}
