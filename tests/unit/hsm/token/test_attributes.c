/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "token_internal.h"

static const struct kw_attribute_field *field(const char *name)
{
    for (size_t i = 0; i < kw_attribute_fields_count; i++)
        if (strcmp(kw_attribute_fields[i].name, name) == 0)
            return &kw_attribute_fields[i];
    return NULL;
}

/* What the token is asked and what the keyring records must be the same list. */
TEST(table__against_the_keyrings__same_names_and_places)
{
    CHECK(kw_attribute_cks_count == kw_attribute_fields_count);
    for (size_t i = 0; i < kw_attribute_cks_count; i++) {
        const struct kw_attribute_field *f = field(kw_attribute_cks[i].name);
        CHECK(f != NULL && f->offset == kw_attribute_cks[i].offset);
    }
}

KW_CASES("hsm/token", CASE(table__against_the_keyrings__same_names_and_places))
