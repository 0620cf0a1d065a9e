/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "version.h"

TEST(no_time__a_dash)
{
    char age[16];
    int64_t t = 7;
    kw_age_text(age, "", 0);
    CHECK_STR(age, "-");
    kw_age_text(age, "2026-01-01", 0);
    CHECK_STR(age, "-");
    CHECK(!kw_time_parse("2026-01-01T00:00:00.000000Zx", &t));
    CHECK(!kw_time_parse("2026-01-01T00:00:00.000000", &t));
    CHECK(t == 7);
}

TEST(ages__the_largest_whole_unit)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {{0, "0s"},    {59, "59s"},    {60, "1m"},    {3599, "59m"},
                 {3600, "1h"}, {86399, "23h"}, {86400, "1d"}, {864000, "10d"}};
    char since[KW_TIME_TEXT], age[16];
    const int64_t then = INT64_C(1767225600) * KW_S_NS;
    kw_time_text(since, then);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kw_age_text(age, since, then + cases[i].seconds * KW_S_NS);
        CHECK_STR(age, cases[i].text);
    }
}

TEST(a_time_of_tomorrow__no_negative_age)
{
    char age[16];
    kw_age_text(age, "2026-01-02T00:00:00.000000Z", INT64_C(1767225600) * KW_S_NS);
    CHECK_STR(age, "0s");
}

/* As sha256sum(1) gives it. */
TEST(hash__of_the_key_id_as_an_api_server_labels_it)
{
    char hash[KW_KEY_ID_HASH];
    struct kw_version v = {.key_id = "kw1-1-0123456789abcdef01234567"};
    kw_version_hash(&v, hash);
    CHECK_STR(hash, "sha256:"
                    "158773e9eec1e65eabf98aa3f23964a301c6f1651d578eab787b18ab652ef18b");
}

KW_CASES("provider/cli/version", CASE(no_time__a_dash),
         CASE(ages__the_largest_whole_unit), CASE(a_time_of_tomorrow__no_negative_age),
         CASE(hash__of_the_key_id_as_an_api_server_labels_it))
