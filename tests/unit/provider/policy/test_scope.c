/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <keyward/policy.h>

static const char *const accepts[] = {"old-name", "bulk"};

static kw_err judge(const char *sealed, bool *foreign)
{
    return kw_policy_scope(kw_span_str(sealed), "secrets", accepts, 2, foreign);
}

TEST(scope__another_class__denied_and_output_untouched)
{
    bool foreign = true;
    CHECK_CODE(judge("configmaps", &foreign), KW_CODE_DENIED);
    CHECK(foreign);
    foreign = false;
    CHECK_CODE(judge("configmaps", &foreign), KW_CODE_DENIED);
    CHECK(!foreign);
}

TEST(scope__part_or_more_of_a_name__denied)
{
    static const char *const near[] = {"",    "secret", "secretss",
                                       "bul", "bulk-",  "Secrets"};
    bool foreign = false;
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++)
        CHECK_CODE(judge(near[i], &foreign), KW_CODE_DENIED);
    CHECK_CODE(
        kw_policy_scope(kw_span_of("secrets\0", 8), "secrets", accepts, 2, &foreign),
        KW_CODE_DENIED);
}

TEST(scope__accepted_but_list_is_empty__denied)
{
    bool foreign = false;
    CHECK_CODE(kw_policy_scope(kw_span_str("bulk"), "secrets", NULL, 0, &foreign),
               KW_CODE_DENIED);
    CHECK_CODE(kw_policy_scope(kw_span_str("bulk"), "secrets", accepts, 1, &foreign),
               KW_CODE_DENIED);
}

TEST(scope__own__ok_and_not_foreign)
{
    bool foreign = true;
    CHECK_OK(judge("secrets", &foreign));
    CHECK(!foreign);
}

TEST(scope__each_accepted__ok_and_foreign)
{
    for (size_t i = 0; i < 2; i++) {
        bool foreign = false;
        CHECK_OK(judge(accepts[i], &foreign));
        CHECK(foreign);
    }
}

KW_CASES("provider/policy/scope", CASE(scope__another_class__denied_and_output_untouched),
         CASE(scope__part_or_more_of_a_name__denied),
         CASE(scope__accepted_but_list_is_empty__denied),
         CASE(scope__own__ok_and_not_foreign), CASE(scope__each_accepted__ok_and_foreign))
