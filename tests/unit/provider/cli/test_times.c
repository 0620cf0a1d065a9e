/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "inspect_times.h"

#define NOW "2026-06-01T12:00:00.000000Z"

static struct kw_note note;

static const struct kw_version_times good = {
    "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z",
    "2026-01-03T00:00:00.000000Z", "2026-04-01T00:00:00.000000Z",
    "2026-02-01T00:00:00.000000Z", "2026-05-01T00:00:00.000000Z",
    "2025-12-31T23:59:59.000000Z"};

TEST(all_in_order_or_not_happened__fit)
{
    struct kw_version_times t = good;
    CHECK(kw_times_fit(&t, NOW, &note));
    t = (struct kw_version_times){good.created, "", "", "", "", "", ""};
    CHECK(kw_times_fit(&t, NOW, &note));
    t.destroyed = good.destroyed;
    CHECK(kw_times_fit(&t, NOW, &note));
    t.created = t.destroyed = NOW; /* the very moment */
    CHECK(kw_times_fit(&t, NOW, &note));
}

/* The clock was a year ahead at the ceremony, and right at what came after it. */
TEST(created_after_what_followed__named)
{
    struct kw_version_times t = good;
    t.created = "2026-01-02T00:00:00.000000Z";
    CHECK(!kw_times_fit(&t, NOW, &note));
    CHECK_STR(note.text, "accepted 2026-01-01T00:00:00.000000Z is before created "
                         "2026-01-02T00:00:00.000000Z");
    t = good;
    t.accepted = t.activated = "";
    t.retired = "2025-12-31T00:00:00.000000Z";
    CHECK(!kw_times_fit(&t, NOW, &note));
    CHECK_HAS(note.text, "retired");
    t = good;
    t.disabled = "2025-01-01T00:00:00.000000Z";
    CHECK(!kw_times_fit(&t, NOW, &note));
    CHECK_HAS(note.text, "disabled");
}

/* A year behind: the version before it was made later. */
TEST(created_before_the_version_before_it__named)
{
    struct kw_version_times t = good;
    t.previous = "2026-01-01T00:00:01.000000Z";
    CHECK(!kw_times_fit(&t, NOW, &note));
    CHECK_HAS(note.text, "before the version before it");
}

TEST(in_the_future__named)
{
    struct kw_version_times t = {"2027-01-01T00:00:00.000000Z", "", "", "", "", "", ""};
    CHECK(!kw_times_fit(&t, NOW, &note));
    CHECK_STR(note.text, "created 2027-01-01T00:00:00.000000Z is in the future");
}

TEST(no_time__named)
{
    static const char *const bad[] = {"yesterday", "2026-01-01 00:00:00.000000Z",
                                      "2026-01-01T00:00:00", "2026-1-1T00:00:00.000000Z"};
    struct kw_version_times t = good;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        t.activated = bad[i];
        CHECK(!kw_times_fit(&t, NOW, &note));
        CHECK_STR(note.text, "activated: no time");
    }
}

KW_CASES("provider/cli/times", CASE(all_in_order_or_not_happened__fit),
         CASE(created_after_what_followed__named),
         CASE(created_before_the_version_before_it__named), CASE(in_the_future__named),
         CASE(no_time__named))
