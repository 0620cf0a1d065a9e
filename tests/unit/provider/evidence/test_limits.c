/* SPDX-License-Identifier: Apache-2.0 */
/* What no bundle shows stands in each. */
#include "limit_list.h"

#include <string.h>

#include "bundles.h"
#include "check.h"

TEST(design__each_limit__a_row_in_its_order)
{
    struct kw_evidence *e = kw_bundle_empty();
    const json_t *rows = kw_evidence_rows(e, KW_EVIDENCE_LIMITS);
    size_t i = 0;
    kw_evidence_fill_design(e);
    CHECK_OK(kw_evidence_state(e));
    for (; kw_evidence_limit(i) != NULL; i++) {
        const json_t *row = json_array_get(rows, i);
        assert_string_equal(json_string_value(json_object_get(row, "limit")),
                            kw_evidence_limit(i));
    }
    CHECK(i > 0);
    assert_int_equal(json_array_size(rows), i);
    kw_evidence_free(e);
}

TEST(limits__each__a_sentence_and_said_once)
{
    for (size_t i = 0; kw_evidence_limit(i) != NULL; i++) {
        const char *text = kw_evidence_limit(i);
        CHECK(strlen(text) > 20 && text[strlen(text) - 1] == '.');
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(text, kw_evidence_limit(k)) != 0);
    }
}

KW_SUITE("provider/evidence/limits")
