/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_baseline_parse, kw_compare.
 * Input: a baseline; attacker: whoever sent one to be compared with.
 * Useful maximum: 16 KiB.
 * Claim: refuses with a note, or what it parsed is never slower than itself, and each of
 * its intervals holds the ratio 1. */
#include "compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct kw_comparison *c)
{
    KW_INVARIANT(kw_comparison_exit(c) != KW_EXIT_WRONG);
    for (size_t i = 0; i < c->count; i++) {
        const struct kw_ruled *cpu = &c->cell[i].figure[KW_WEIGHED_CPU];
        KW_INVARIANT(!c->cell[i].known[KW_WEIGHED_CPU] ||
                     (cpu->low <= 1 && cpu->high >= 1));
    }
    json_t *document = kw_comparison_document(c);
    KW_INVARIANT(document != NULL);
    json_decref(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct kw_note note = {{0}};
    struct kw_profile *p = NULL;
    struct kw_comparison *c = NULL;
    kw_err e = kw_baseline_parse(kw_span_of(data, len), "input", &p, &note);
    if (kw_failed(e)) {
        KW_INVARIANT(p == NULL && note.text[0] != '\0');
        return 0;
    }
    if (!kw_failed(kw_compare(p, p, 0.05, &c, &note)))
        check(c);
    kw_comparison_free(c);
    kw_profile_free(p);
    return 0;
}
