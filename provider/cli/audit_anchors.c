/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints that were kept elsewhere. */
#include "audit_anchors.h"

#include <inttypes.h>
#include <stdlib.h>

#include <keyward/alloc.h>

#include "audit_lines.h"

/* ---- reading ---- */

static bool anchors_grow(struct kw_anchors *a)
{
    const size_t room = a->room == 0 ? 256 : 2 * a->room;
    struct kw_audit_anchor *at = kw_new(room, sizeof *at);
    if (at == NULL)
        return false;
    for (size_t i = 0; i < a->count; i++)
        at[i] = a->at[i];
    kw_free(a->at);
    a->at = at;
    a->room = room;
    return true;
}

kw_err kw_anchors_add(struct kw_anchors *a, const struct kw_audit_anchor *anchor)
{
    if (a->count == a->room && !anchors_grow(a))
        return kw_err_at(KW_CODE_NO_MEMORY, "anchors");
    a->at[a->count++] = *anchor;
    return KW_OK;
}

struct anchors_reading {
    struct kw_anchors *anchors;
    kw_err err;
};

static bool anchors_take(void *self, kw_span line)
{
    struct anchors_reading *reading = self;
    struct kw_anchors *a = reading->anchors;
    a->line++;
    if (line.len > 0 && line.ptr[line.len - 1] == '\n')
        line.len--;
    if (line.len == 0)
        return true;
    struct kw_audit_anchor anchor;
    if (kw_audit_anchor_read(line, &anchor))
        reading->err = kw_anchors_add(a, &anchor);
    else if (!kw_audit_anchor_is_beside(line))
        reading->err = kw_err_at(KW_CODE_BAD_INPUT, "anchors");
    return !kw_failed(reading->err);
}

static int anchors_order(const void *a, const void *b)
{
    const uint64_t x = ((const struct kw_audit_anchor *)a)->seq;
    const uint64_t y = ((const struct kw_audit_anchor *)b)->seq;
    return (x > y) - (x < y);
}

void kw_anchors_sort(struct kw_anchors *a)
{
    if (a->count > 0)
        qsort(a->at, a->count, sizeof *a->at, anchors_order);
}

kw_err kw_anchors_read(const char *path, struct kw_anchors *a, struct kw_note *note)
{
    struct anchors_reading reading = {.anchors = a};
    kw_err e = kw_audit_lines(path, anchors_take, &reading, note);
    if (kw_failed(e))
        return e;
    if (kw_failed(reading.err))
        kw_note_set(
            note, "%s, line %" PRIu64 ": %s", path, a->line,
            reading.err.code == KW_CODE_BAD_INPUT
                ? "it is neither a checkpoint of a log nor a line audit-checkpoint "
                  "nor SEQ:HASH; of a system log give the lines alone that grep -e "
                  "audit-checkpoint -e 'keywardd-audit\\[' finds"
                : "there is no memory for so many");
    else
        kw_anchors_sort(a);
    return reading.err;
}

void kw_anchors_free(struct kw_anchors *a)
{
    kw_free(a->at);
    *a = (struct kw_anchors){0};
}

/* ---- meeting ---- */

static bool anchors_same(const uint8_t a[KW_SHA256], const uint8_t b[KW_SHA256])
{
    return kw_span_equal(kw_span_of(a, KW_SHA256), kw_span_of(b, KW_SHA256));
}

/* A chain that does not know its log yet takes any for it, but none that its own records
 * may have told of another one. */
static bool anchors_is_of(const struct kw_audit_anchor *a,
                          const struct kw_audit_chain *chain)
{
    static const uint8_t none[KW_SHA256];
    return !a->has_log || anchors_same(chain->log, a->log) ||
           (!a->is_operator && anchors_same(chain->log, none));
}

/* Those of this number; false: one has another hash. */
static bool anchors_agree(struct kw_anchors *a, uint64_t seq,
                          const uint8_t hash[KW_SHA256],
                          const struct kw_audit_chain *chain)
{
    for (; a->next < a->count && a->at[a->next].seq <= seq; a->next++) {
        const struct kw_audit_anchor *one = &a->at[a->next];
        const bool is_ours = anchors_is_of(one, chain);
        if (is_ours && one->seq == seq && !anchors_same(one->head, hash))
            return false;
        a->others += !is_ours && !one->is_operator;
        a->earlier += is_ours && one->seq < seq;
        if (is_ours && one->seq == seq) {
            a->agreed++;
            a->anchored_to = seq;
        }
    }
    return true;
}

static void anchors_compare(struct kw_anchors *a, uint64_t seq,
                            const uint8_t hash[KW_SHA256],
                            const struct kw_audit_chain *chain, struct kw_note *note)
{
    if (!anchors_agree(a, seq, hash, chain))
        kw_note_set(note,
                    "record %" PRIu64
                    " has another hash than an anchor of this log says: it "
                    "was written anew, or there are two of it",
                    seq);
}

void kw_anchors_meet(struct kw_anchors *a, const struct kw_audit_record *r,
                     const struct kw_audit_chain *chain, struct kw_note *note)
{
    uint8_t previous[KW_SHA256];
    if (r->kind == KW_AUDIT_FILE &&
        r->seq > 0) { /* of the first one nothing else tells */
        KW_MUST(kw_unhex(previous, KW_SHA256, r->value[KW_AUDIT_FILE_PREVIOUS].text));
        anchors_compare(a, r->seq - 1, previous, chain, note);
    }
    anchors_compare(a, r->seq, chain->head, chain, note);
}

void kw_anchors_end(struct kw_anchors *a, const struct kw_audit_chain *chain,
                    struct kw_note *note)
{
    for (; a->next < a->count; a->next++) {
        const struct kw_audit_anchor *one = &a->at[a->next];
        if (anchors_is_of(one, chain)) {
            kw_note_set(note,
                        "an anchor says that there was record %" PRIu64
                        ": the end of the log is missing",
                        one->seq);
            return;
        }
        a->others += !one->is_operator;
    }
}
