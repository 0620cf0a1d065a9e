/* SPDX-License-Identifier: Apache-2.0 */
/* FROM..TO. */
#include "check.h"

#include "audit_period.h"

TEST(period__that_is_none__refused)
{
    static const char *const bad[] = {
        "",
        "2026-01-01",
        "2026-01-01..",
        "..2026-01-01",
        "2026-01-01..2026-01-01",
        "2026-01-02..2026-01-01",
        "2026-01-01...2026-01-02",
        "2026-01-01..2026-02-30",
        "2026-01-01..2027-01-01T00:00:00",
        "2026-01-01..2027-01-01T00:00:00+01:00",
        "2026-01-01..2027-01-01T00:00:00.0000000Z",
        "2026-01-01..2027-01-01T24:00:00Z",
        "1969-01-01..2027-01-01",
        "2026-01-01..2200-01-01",
        "2026-1-01..2027-01-01",
        "2026-01-01 .. 2027-01-01",
    };
    struct kw_period p;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!kw_period_read(bad[i], &p));
}

TEST(period__of_days_and_times)
{
    struct kw_period p;
    CHECK(kw_period_read("1970-01-01..1970-01-02", &p));
    CHECK(p.from_us == 0 && p.to_us == INT64_C(86400000000));
    CHECK(kw_period_read("1970-01-01T00:00:01.5Z..1970-01-01T00:00:01.500001Z", &p));
    CHECK(p.from_us == 1500000 && p.to_us == 1500001);
    CHECK(kw_period_read("2024-02-29..2199-12-31T23:59:59Z", &p));
    CHECK(p.from_us == INT64_C(1709164800000000));
}

KW_SUITE("provider/cli/audit_period")
