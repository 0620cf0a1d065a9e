/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of a size that no machine of ours writes. */
#include <string.h>

#include "check.h"

#include "sample.h"
#include "source.h"

#define SHA_A "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"

static json_t *list_of(size_t count, const char *text)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        CHECK(json_array_append_new(list, json_string(text)) == 0);
    return list;
}

/* Each of a million more was copied with all before it: that took hours. */
TEST(joined__a_million_texts__in_one_go)
{
    json_t *list = list_of(1000000, "ab"), *joined = kw_source_joined(list, "; ");
    CHECK(json_string_length(joined) == 4 * 1000000 - 2);
    CHECK_HAS(json_string_value(joined), "ab; ab");
    json_decref(joined);
    json_decref(list);
    list = json_pack("[s, i]", "a", 5);
    joined = kw_source_joined(list, ", ");
    CHECK_STR(json_string_value(joined), "a, ?");
    json_decref(joined);
    json_decref(list);
}

TEST(node__more_settings_than_any_has__refused)
{
    struct kw_note note = {{0}};
    struct kw_evidence *e = sample_empty();
    json_t *document = json_pack(
        "{s:s, s:i, s:s, s:s, s:b, s:[], s:{s:s, s:s, s:s, s:o}, s:{}}", "collected",
        "keyward-node", "format", 1, "time", "2026-07-01T05:00:00.000000Z", "version",
        "0.1.0", "complete", 1, "not_looked_at", "configuration", "domain", "demo",
        "environment", "test", "sha256", SHA_A, "x", list_of(20000, ""), "keyring");
    const struct kw_evidence_collected collected = {
        .name = "cp-1", .sha256 = SHA_A, .node = document};
    CHECK(kw_evidence_fill_node(e, &collected, NULL, &note).code == KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "more than 16384 settings");
    json_decref(document);
    kw_evidence_free(e);
}

KW_SUITE("provider/evidence/sizes")
