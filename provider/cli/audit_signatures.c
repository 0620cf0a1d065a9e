/* SPDX-License-Identifier: Apache-2.0 */
/* Which checkpoints are signed. */
#include "audit_signatures.h"

#include <inttypes.h>

#include <keyward/file.h>

kw_err kw_signatures_key(const char *path, struct kw_signatures *s, struct kw_note *note)
{
    struct kw_blob pem = {0};
    kw_err e = kw_file_read(path, 4096, &pem, note);
    if (kw_failed(e))
        return e;
    e = kw_spki_of_pem(kw_blob_peek(&pem), s->spki);
    kw_blob_wipe(&pem);
    if (!kw_failed(e))
        e = kw_sha256(kw_span_of(s->spki, sizeof s->spki), s->sha256);
    if (e.code == KW_CODE_BAD_INPUT)
        kw_note_set(note,
                    "%s is no public key of P-256, as keyward audit key create writes it",
                    path);
    s->has_key = !kw_failed(e);
    return e;
}

/* ---- checkpoints ---- */

/* A signature of it cannot come any more. */
static void signatures_leave(struct kw_signatures *s)
{
    const uint64_t covered = s->kept[0].of.covered;
    const bool was_unsigned = s->has_left && s->is_unsigned;
    s->is_unsigned = !s->kept[0].is_signed;
    if (s->is_unsigned && !was_unsigned)
        s->unsigned_from = s->has_left ? s->left + 1 : 0;
    if (!s->is_unsigned && was_unsigned) {
        s->stretches++;
        s->from = s->unsigned_from;
        s->to = s->left;
    }
    s->has_left = true;
    s->left = covered;
    for (size_t i = 1; i < s->count; i++)
        s->kept[i - 1] = s->kept[i];
    s->count--;
}

static void signatures_keep(struct kw_signatures *s, const struct kw_audit_record *r,
                            struct kw_note *note)
{
    if (s->count == KW_AUDIT_CHECKPOINTS_KEPT)
        signatures_leave(s);
    s->kept[s->count].is_signed = false;
    if (!kw_audit_checkpoint_read(r, &s->kept[s->count++].of))
        kw_note_set(note, "record %" PRIu64 ": its clock is neither synchronised nor not",
                    r->seq);
}

/* ---- signatures ---- */

static bool signatures_by_us(const struct kw_signatures *s,
                             const struct kw_audit_record *r)
{
    uint8_t key[KW_SHA256];
    return kw_unhex(key, sizeof key, r->value[KW_AUDIT_SIGNATURE_KEY].text) &&
           kw_span_equal(kw_span_of(key, sizeof key),
                         kw_span_of(s->sha256, sizeof s->sha256));
}

static kw_err signatures_verify(const struct kw_signatures *s,
                                const struct kw_audit_record *r,
                                const struct kw_checkpoint *of)
{
    uint8_t der[KW_SIGNATURE_DER_MAX];
    kw_dst dst = kw_dst_of(der, sizeof der);
    if (!kw_audit_signature_read(r, &dst))
        return kw_err_at(KW_CODE_BAD_INPUT, "signature");
    return kw_checkpoint_verify(of, kw_span_of(s->spki, sizeof s->spki),
                                kw_dst_span(&dst));
}

static void signatures_check(struct kw_signatures *s, const struct kw_audit_record *r,
                             struct kw_note *note)
{
    const uint64_t covers = r->value[KW_AUDIT_SIGNATURE_COVERS].number;
    size_t i = s->count;
    while (i > 0 && s->kept[i - 1].of.covered != covers)
        i--;
    if (i == 0 && !s->knows_its_beginning && s->count < KW_AUDIT_CHECKPOINTS_KEPT)
        return; /* its checkpoint lies before what is read */
    if (i == 0)
        kw_note_set(note,
                    "record %" PRIu64 ": it is the signature of none of the last %u "
                    "checkpoints",
                    r->seq, KW_AUDIT_CHECKPOINTS_KEPT);
    else if (!signatures_by_us(s, r))
        s->strangers++;
    else if (kw_failed(signatures_verify(s, r, &s->kept[i - 1].of)))
        kw_note_set(note,
                    "record %" PRIu64
                    ": it is no signature of the checkpoint that covers "
                    "record %" PRIu64,
                    r->seq, covers);
    else {
        s->kept[i - 1].is_signed = true;
        s->good++;
        s->signed_to = covers > s->signed_to ? covers : s->signed_to;
    }
}

void kw_signatures_meet(struct kw_signatures *s, const struct kw_audit_record *r,
                        struct kw_note *note)
{
    s->knows_its_beginning |= r->kind == KW_AUDIT_GENESIS;
    if (r->kind == KW_AUDIT_CHECKPOINT) {
        signatures_keep(s, r, note);
    } else if (r->kind != KW_AUDIT_SIGNATURE) {
        s->has_news = true;
        s->news = r->seq;
    } else if (s->has_key) {
        signatures_check(s, r, note);
    }
}

void kw_signatures_end(struct kw_signatures *s)
{
    while (s->count > 0)
        signatures_leave(s);
}

/* keywardd makes none of checkpoints and signatures alone: one that nobody signed behind the
 * last that is signed is somebody else's, or the news before it is not covered either. */
bool kw_signatures_cover_the_end(const struct kw_signatures *s)
{
    return s->good > 0 && !s->is_unsigned && (!s->has_news || s->news <= s->signed_to);
}
