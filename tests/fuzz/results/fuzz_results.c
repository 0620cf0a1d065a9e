/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_results_parse, kw_results_document.
 * Input: a results.json; attacker: whoever sent one to be compared or made a page of.
 * Useful maximum: 64 KiB.
 * Claim: refuses with a note, or what it parsed makes a document that reads back as the
 * same document; and every median and ratio of it can be asked for. */
#include <keyward/alloc.h>

#include "results.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void ask_all(const struct kw_results *r)
{
    for (size_t i = 0; i < r->cell_count && i < 2; i++)
        for (size_t k = 0; k < r->figure_count && k < 2; k++) {
            (void)kw_results_median(r, &r->cell[i], k);
            (void)kw_results_ratio(r, &r->cell[i], &r->cell[0], k);
        }
    KW_INVARIANT(kw_results_calm(r) <= r->rounds);
    KW_INVARIANT(kw_results_cell(r, r->base) != NULL);
}

static void check_round_trip(const struct kw_results *r)
{
    struct kw_results *back = NULL;
    json_t *one = kw_results_document(r);
    KW_INVARIANT(one != NULL);
    char *text = json_dumps(one, JSON_REAL_PRECISION(17));
    KW_INVARIANT(text != NULL);
    KW_MUST(!kw_failed(kw_results_parse(kw_span_str(text), "back", &back, NULL)));
    json_t *two = kw_results_document(back);
    KW_INVARIANT(json_equal(one, two) == 1);
    json_decref(one);
    json_decref(two);
    kw_free(text);
    kw_results_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct kw_note note = {{0}};
    struct kw_results *r = NULL;
    kw_err e = kw_results_parse(kw_span_of(data, len), "input", &r, &note);
    if (kw_failed(e)) {
        KW_INVARIANT(r == NULL && note.text[0] != '\0');
        return 0;
    }
    ask_all(r);
    check_round_trip(r);
    kw_results_free(r);
    return 0;
}
