/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>

#include "gone.h"

static struct kw_version version(size_t rows, const char *first, const char *second)
{
    struct kw_version v = {.object_count = 1};
    v.objects[0].token_count = rows;
    snprintf(v.objects[0].tokens[0].gone, sizeof v.objects[0].tokens[0].gone, "%s",
             first);
    snprintf(v.objects[0].tokens[1].gone, sizeof v.objects[0].tokens[1].gone, "%s",
             second);
    return v;
}

static void no_token_is_named__nothing_is_known_to_be_gone(void **state)
{
    struct kw_version v = version(0, "", "");
    (void)state;
    CHECK(kw_gone_open(&v) == 0 && !kw_gone_everywhere(&v));
}

static void one_of_two_tokens__not_everywhere(void **state)
{
    struct kw_version v = version(2, "seen 2026-11-26T12:00:00.000000Z", "");
    (void)state;
    CHECK(kw_gone_open(&v) == 1 && !kw_gone_everywhere(&v));
}

static void seen_in_one_and_said_of_the_other__everywhere(void **state)
{
    struct kw_version v = version(2, "seen 2026-11-26T12:00:00.000000Z",
                                  "said Ada 2026-11-26T12:00:00.000000Z: sold");
    (void)state;
    CHECK(kw_gone_open(&v) == 0 && kw_gone_everywhere(&v));
}

KW_CASES("provider/cli/gone", CASE(no_token_is_named__nothing_is_known_to_be_gone),
         CASE(one_of_two_tokens__not_everywhere),
         CASE(seen_in_one_and_said_of_the_other__everywhere))
