/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "locked_limit.h"

#define HEAD                                                                             \
    "Limit                     Soft Limit           Hard Limit           Units     \n"   \
    "Max processes             31000                31000                processes \n"

static bool locked(const char *text, uint64_t *bytes)
{
    return kw_limits_locked(kw_span_str(text), bytes);
}

TEST(not_there_or_no_number__not_told)
{
    uint64_t bytes = 7;
    CHECK(!locked("", &bytes));
    CHECK(!locked(HEAD, &bytes));
    CHECK(!locked(HEAD "Max locked memory         \n", &bytes));
    CHECK(!locked(HEAD "Max locked memory         many  many  bytes\n", &bytes));
    CHECK(!locked(HEAD "x Max locked memory       1  1  bytes\n", &bytes));
    CHECK(bytes == 7);
}

TEST(locked_memory__the_soft_limit)
{
    uint64_t bytes = 0;
    CHECK(locked(HEAD "Max locked memory         8388608              16777216   bytes\n",
                 &bytes));
    CHECK(bytes == 8388608);
    CHECK(locked(HEAD "Max locked memory         unlimited            unlimited  bytes",
                 &bytes));
    CHECK(bytes == KW_UNLIMITED);
}

TEST(descriptors__the_hard_limit)
{
    uint64_t count = 7;
    CHECK(!kw_limits_descriptors(kw_span_str(HEAD), &count));
    CHECK(!kw_limits_descriptors(kw_span_str("Max open files   1024\n"), &count));
    CHECK(count == 7);
    CHECK(kw_limits_descriptors(
        kw_span_str(HEAD
                    "Max open files            1024                 524288    files"),
        &count));
    CHECK(count == 524288);
}

TEST(capability__bit_14_of_the_effective_ones)
{
    CHECK(kw_limits_may_lock_all(
        kw_span_str("CapPrm:\t0000000000000000\nCapEff:\t0000000000004000\n")));
    CHECK(!kw_limits_may_lock_all(
        kw_span_str("CapPrm:\t0000000000004000\nCapEff:\t0000000000000000\n")));
    CHECK(!kw_limits_may_lock_all(kw_span_str("CapEff:\tx\n")));
    CHECK(!kw_limits_may_lock_all(kw_span_str("")));
}

KW_CASES("provider/cli/limits", CASE(not_there_or_no_number__not_told),
         CASE(locked_memory__the_soft_limit), CASE(descriptors__the_hard_limit),
         CASE(capability__bit_14_of_the_effective_ones))
