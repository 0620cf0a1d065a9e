/* SPDX-License-Identifier: Apache-2.0 */
/* Why nothing was measured, and what keywardd's status socket says it did. */
#include "check.h"

#include <sys/prctl.h>

#include "fake_plugin.h"
#include "play.h"

static struct kw_note note;

TEST(nobody_listens_or_not_kms_or_perhaps_a_real_hsm__coded_and_named)
{
    static struct kw_progress silent;
    static struct kw_play_result r;
    struct fake_plugin bad = {.script = FAKE_CODE, .code = 12}, good = {0};
    const char *const paths[] = {"/nonexistent/kms.sock", bad.path, good.path};
    const char *const why[] = {"/nonexistent/kms.sock", "UNIMPLEMENTED", "--yes"};
    const enum kw_code codes[] = {KW_CODE_IO, KW_CODE_BAD_INPUT, KW_CODE_DENIED};
    struct kw_corpus corpus;
    fake_start(&bad);
    fake_start(&good);
    CHECK_OK(kw_corpus_init(&corpus, 1));
    CHECK(prctl(PR_SET_NAME, "keywardd") == 0); /* without a worker that has a SoftHSM */
    for (size_t i = 0; i < 3; i++) {
        const struct kw_play_options o = {
            .storm = kw_storm_defaults(), .socket = &paths[i], .progress = &silent};
        CHECK_CODE(kw_play_make(&o, &corpus, &note), codes[i]);
        CHECK_HAS(note.text, why[i]);
        note.text[0] = '\0';
        CHECK_CODE(kw_play_run(&o, &corpus, &r, &note), codes[i]);
        CHECK_HAS(note.text, why[i]);
        CHECK_HAS(note.text, i < 2 ? paths[i] : "");
    }
    kw_corpus_wipe(&corpus);
    fake_stop(&bad);
    fake_stop(&good);
}

/* ---- what the status socket says ----------------------------------------------------- */

static bool counters(const char *text, struct kw_counters *c)
{
    json_t *all = json_loads(text, 0, NULL);
    bool good = kw_counters_parse(all, c);
    json_decref(all);
    return good;
}

#define CLASS(joined, misses)                                                            \
    "{\"joined\":" joined ",\"cache\":{\"entries\":5,\"hits\":40,\"misses\":" misses "}" \
    "}"
#define STATUS(classes) "{\"jobs\":{\"total\":900},\"classes\":[" classes "]}"

TEST(counters__something_else_or_nobody_there__said)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{\"classes\":[],\"jobs\":{}}",
                                      STATUS("{}"),
                                      STATUS(CLASS("-1", "0")),
                                      STATUS(CLASS("5", "4")),
                                      STATUS(CLASS("\"5\"", "40"))};
    struct kw_counters c = {.unwraps = 7};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!counters(bad[i], &c) && c.unwraps == 7);
    CHECK_CODE(kw_counters_read("/nonexistent/status.sock", &c, &note), KW_CODE_IO);
    CHECK_HAS(note.text, "--status /nonexistent/status.sock");
    CHECK_HAS(note.text, "keywardd's configuration");
}

TEST(counters__classes_added_up_and_the_difference_told)
{
    struct kw_counters before, c;
    CHECK(counters(STATUS(CLASS("20", "100")), &before));
    CHECK(counters(STATUS(CLASS("20", "100") "," CLASS("1", "4")), &c));
    CHECK(c.unwraps == 83 && c.joined == 21 && c.hits == 80);
    CHECK(c.entries == 10 && c.hsm_jobs == 900);
    CHECK(kw_counters_since(&before, &c));
    CHECK(c.unwraps == 3 && c.joined == 1 && c.hits == 40);
    CHECK(c.entries == 10 && c.hsm_jobs == 0);
    CHECK(!kw_counters_since(&before, &c)); /* another daemon by now */
}

KW_SUITE("bench/storm/play")
