/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.json: the head, and each table as a list of its rows. */
#include <keyward/evidence.h>

json_t *kw_evidence_json(const struct kw_evidence *e)
{
    const struct kw_evidence_head *head = kw_evidence_head(e);
    json_t *document = json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:I, s:s}", "evidence", "keyward-bundle", "format", 1,
        "at", head->at, "from", head->from, "to", head->to, "cryptoperiod_days",
        (json_int_t)head->cryptoperiod_days, "outcome", kw_evidence_outcome(e));
    for (unsigned i = 0; i < KW_EVIDENCE_TABLES; i++)
        /* A copy: the document outlives the tables. */
        if (json_object_set_new(document, kw_evidence_spec(i)->name,
                                json_deep_copy(kw_evidence_rows(e, i))) != 0) {
            json_decref(document);
            return NULL;
        }
    return document;
}
