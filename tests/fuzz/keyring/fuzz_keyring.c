/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_keyring_parse, kw_keyring_write, kw_keyring_dup, kw_keyring_judge.
 * Input: a keyring file; attacker: whoever can write to the configuration management that
 * spreads it.  Useful maximum: 64 KiB.
 * Claim: refuses with a note, or what it parsed writes back to an equal ring, whose text
 * is the same again, from a copy too; every version's check blob is a job for a worker,
 * or forged; and a node that took the ring takes it again, wraps with nothing lower than
 * its baseline, and never with a version that is not understood. */
#include <keyward/state.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool same_text(const char *a, const char *b)
{
    return kw_span_equal(kw_span_str(a), kw_span_str(b));
}

static bool same_version(const struct kw_version *a, const struct kw_version *b)
{
    return a->n == b->n && same_text(a->key_id, b->key_id) && a->state == b->state &&
           kw_span_equal(kw_span_of(a->check_blob, a->check_blob_len),
                         kw_span_of(b->check_blob, b->check_blob_len)) &&
           a->object_count == b->object_count && same_text(a->ext, b->ext) &&
           same_text(a->unknown, b->unknown) && same_text(a->operator_, b->operator_) &&
           (a->unknown_json == NULL) == (a->state != KW_KEY_UNKNOWN) &&
           same_text(a->unknown_json, b->unknown_json) &&
           a->same_key_as == b->same_key_as;
}

static void check_equal(const struct kw_keyring *a, const struct kw_keyring *b)
{
    KW_INVARIANT(same_text(a->domain, b->domain) && a->serial == b->serial);
    KW_INVARIANT(a->active == b->active && a->count == b->count);
    KW_INVARIANT(a->ancestor_count == b->ancestor_count && a->next_n == b->next_n);
    KW_INVARIANT(a->history_count == b->history_count && same_text(a->ext, b->ext));
    for (size_t i = 0; i < a->count; i++) {
        struct kw_check_job job;
        KW_INVARIANT(same_version(&a->versions[i], &b->versions[i]));
        KW_INVARIANT(a->versions[i].same_key_as < a->versions[i].n);
        if (a->versions[i].state == KW_KEY_UNKNOWN)
            continue;
        kw_err e = kw_check_blob_job(&a->versions[i], a->domain, &job);
        KW_INVARIANT(!kw_failed(e) || e.code == KW_CODE_FORGED);
    }
}

/* Every member is in the text, so equal texts are equal rings. */
static void check_round_trip(const struct kw_keyring *ring)
{
    struct kw_blob one = {0};
    struct kw_blob two = {0};
    struct kw_keyring *back = NULL;
    KW_MUST(!kw_failed(kw_keyring_write(ring, &one)));
    KW_MUST(!kw_failed(kw_keyring_parse(kw_blob_peek(&one), &back, NULL)));
    check_equal(ring, back);
    KW_MUST(!kw_failed(kw_keyring_write(back, &two)));
    KW_INVARIANT(kw_span_equal(kw_blob_peek(&one), kw_blob_peek(&two)));
    kw_blob_wipe(&two);
    kw_keyring_give(back);
    KW_INVARIANT(!kw_failed(kw_keyring_dup(ring, &back)));
    KW_MUST(!kw_failed(kw_keyring_write(back, &two)));
    KW_INVARIANT(kw_span_equal(kw_blob_peek(&one), kw_blob_peek(&two)));
    kw_keyring_give(back);
    kw_blob_wipe(&one);
    kw_blob_wipe(&two);
}

static void check_judged(const struct kw_keyring *ring)
{
    static struct kw_judgement j;
    static struct kw_marks marks;
    static const struct kw_activation no_act;
    static const struct kw_places places = {"/etc/keyring.json", "/var"};
    const struct kw_memory memory = {&marks, &no_act, ring};
    marks = (struct kw_marks){0};
    (void)kw_marks_raise(&marks, ring, ring->active, (struct kw_moment){"b", 1, 1000});
    KW_INVARIANT(
        !kw_marks_raise(&marks, ring, ring->active, (struct kw_moment){"b", 2, 2000}));
    kw_keyring_judge(ring, ring->domain, &memory, &places, &j);
    KW_INVARIANT(j.refusal == KW_ADMITTED && j.active == ring->active);
    const struct kw_version *v = kw_keyring_by_n(ring, j.active);
    KW_INVARIANT(v == NULL || v->state == KW_KEY_ACTIVE || v->state == KW_KEY_UNKNOWN);
    kw_keyring_judge(NULL, ring->domain, &memory, &places, &j);
    KW_INVARIANT(j.refusal == KW_REFUSED_MISSING && j.why.text[0] != '\0' &&
                 j.cure[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct kw_note note = {{0}};
    struct kw_keyring *ring = NULL;
    kw_err e = kw_keyring_parse(kw_span_of(data, len), &ring, &note);
    if (kw_failed(e)) {
        KW_INVARIANT(ring == NULL && note.text[0] != '\0');
        return 0;
    }
    if (len <= KW_KEYRING_MAX / 4) { /* without spaces a large one may not fit again */
        check_round_trip(ring);
        check_judged(ring);
    }
    kw_keyring_give(ring);
    return 0;
}
