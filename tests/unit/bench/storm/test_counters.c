/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "counters.h"

static const char two_classes[] =
    "{\"jobs\":{\"total\":900},\"classes\":["
    "{\"joined\":20,\"cache\":{\"entries\":5,\"hits\":40,\"misses\":100}},"
    "{\"joined\":1,\"cache\":{\"entries\":2,\"hits\":3,\"misses\":4}}]}";

static bool parse(const char *text, struct kw_counters *c)
{
    json_t *all = json_loads(text, 0, NULL);
    bool good = kw_counters_parse(all, c);
    json_decref(all);
    return good;
}

TEST(parse__something_else__false)
{
    struct kw_counters c = {.unwraps = 7};
    CHECK(!parse("", &c) && !parse("[]", &c) && !parse("{}", &c));
    CHECK(!parse("{\"classes\":[],\"jobs\":{}}", &c));
    CHECK(!parse("{\"classes\":[{}],\"jobs\":{\"total\":1}}", &c));
    CHECK(!parse("{\"jobs\":{\"total\":1},\"classes\":[{\"joined\":-1,\"cache\":{"
                 "\"entries\":0,\"hits\":0,\"misses\":0}}]}",
                 &c));
    CHECK(!parse("{\"jobs\":{\"total\":1},\"classes\":[{\"joined\":5,\"cache\":{"
                 "\"entries\":0,\"hits\":0,\"misses\":4}}]}",
                 &c));
    CHECK(c.unwraps == 7);
}

TEST(read__nobody_there__named_with_the_next_step)
{
    struct kw_counters c;
    struct kw_note note = {{0}};
    CHECK_CODE(kw_counters_read("/nonexistent/status.sock", &c, &note), KW_CODE_IO);
    CHECK_HAS(note.text, "/nonexistent/status.sock");
    CHECK_HAS(note.text, "keywardd's configuration");
}

TEST(between__daemon_restarted__false)
{
    const struct kw_counters before = {.unwraps = 10, .hsm_jobs = 20};
    const struct kw_counters after = {.unwraps = 3, .hsm_jobs = 30};
    struct kw_counters done;
    CHECK(!kw_counters_between(&before, &after, &done));
}

TEST(parse__classes__added_up)
{
    struct kw_counters c;
    CHECK(parse(two_classes, &c));
    CHECK(c.unwraps == 83 && c.joined == 21 && c.hits == 43);
    CHECK(c.entries == 7 && c.hsm_jobs == 900);
}

TEST(between__later__the_difference)
{
    const struct kw_counters before = {
        .unwraps = 10, .hits = 1, .joined = 2, .entries = 9, .hsm_jobs = 20};
    const struct kw_counters after = {
        .unwraps = 15, .hits = 4, .joined = 9, .entries = 3, .hsm_jobs = 40};
    struct kw_counters done;
    CHECK(kw_counters_between(&before, &after, &done));
    CHECK(done.unwraps == 5 && done.hits == 3 && done.joined == 7);
    CHECK(done.entries == 3 && done.hsm_jobs == 20);
}

KW_CASES("bench/storm/counters", CASE(parse__something_else__false),
         CASE(read__nobody_there__named_with_the_next_step),
         CASE(between__daemon_restarted__false), CASE(parse__classes__added_up),
         CASE(between__later__the_difference))
