/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_sample_parse, kw_sample_text, kw_sample_envelope.
 * Input: a sample file; attacker: whoever can write where it was kept.
 * Useful maximum: 4 KiB.
 * Claim: refuses with a printable note, or what it parsed writes back to a text that is
 * read as the same sample; and its ciphertext is an envelope of a seed under the scope
 * that it names, for which there is an AAD. */
#include "sample.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_plain(uint8_t c)
{
    return c >= ' ' && c <= '~';
}

static bool same_text(const char *a, const char *b)
{
    return kw_span_equal(kw_span_str(a), kw_span_str(b));
}

static void check_equal(const struct kw_sample *a, const struct kw_sample *b)
{
    KW_INVARIANT(same_text(a->domain, b->domain) && same_text(a->key_id, b->key_id));
    KW_INVARIANT(same_text(a->class_name, b->class_name) &&
                 same_text(a->scope, b->scope));
    KW_INVARIANT(kw_span_equal(kw_span_of(a->ciphertext, a->ciphertext_len),
                               kw_span_of(b->ciphertext, b->ciphertext_len)));
}

static void check_envelope(const struct kw_sample *s)
{
    struct kw_envelope env;
    uint8_t aad[KW_AAD_MAX];
    size_t aad_len = 0;
    kw_sample_envelope(s, &env, aad, &aad_len);
    KW_INVARIANT(env.purpose == KW_PURPOSE_SEED && aad_len > 0);
    KW_INVARIANT(kw_span_equal_str(env.scope, s->scope));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct kw_note note = {{0}};
    struct kw_sample sample = {{0}}, back = {{0}};
    struct kw_blob text = {0};
    if (kw_failed(kw_sample_parse(kw_span_of(data, len), &sample, &note))) {
        KW_INVARIANT(note.text[0] != '\0');
        KW_INVARIANT(kw_span_all(kw_span_str(note.text), is_plain));
        return 0;
    }
    KW_INVARIANT(!kw_failed(kw_sample_text(&sample, &text, &note)));
    KW_MUST(!kw_failed(kw_sample_parse(kw_blob_peek(&text), &back, &note)));
    check_equal(&sample, &back);
    check_envelope(&sample);
    kw_blob_wipe(&text);
    return 0;
}
