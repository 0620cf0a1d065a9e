/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_keyring_parse, kw_keyring_write.
 * Input: a keyring file; attacker: whoever can write to the configuration management that
 * spreads it.  Useful maximum: 16 KiB.
 * Claim: refuses with a note, or what it parsed writes back to an equal ring, whose text
 * is the same again; and every version's check blob is a job for a worker, or forged. */
#include <keyward/keyring.h>

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
    KW_INVARIANT(!kw_failed(kw_keyring_write(ring, &one)));
    KW_INVARIANT(!kw_failed(kw_keyring_parse(kw_blob_peek(&one), &back, NULL)));
    check_equal(ring, back);
    KW_INVARIANT(!kw_failed(kw_keyring_write(back, &two)));
    KW_INVARIANT(kw_span_equal(kw_blob_peek(&one), kw_blob_peek(&two)));
    kw_keyring_give(back);
    kw_blob_wipe(&one);
    kw_blob_wipe(&two);
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
    check_round_trip(ring);
    kw_keyring_give(ring);
    return 0;
}
