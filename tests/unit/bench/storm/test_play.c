/* SPDX-License-Identifier: Apache-2.0 */
/* Storms on a real socket, against a plugin that behaves as told. */
#include "check.h"

#include <sys/prctl.h>

#include <keyward/alloc.h>

#include "fake_plugin.h"
#include "play.h"
#include "tool.h"

static struct fake_plugin f;
static struct kw_corpus corpus;
static struct kw_play_options o;
static struct kw_play_result *r;
static struct kw_note note;
static const char *path;

static void begin(const struct fake_plugin *plugin, size_t seeds)
{
    static struct kw_progress silent;
    f = *plugin;
    path = f.path;
    fake_start(&f);
    o = (struct kw_play_options){.storm = kw_storm_defaults(),
                                 .socket = &path,
                                 .limit_ns = 3600 * KW_S_NS,
                                 .any_token = true,
                                 .progress = &silent};
    o.storm.seeds = seeds;
    o.storm.timeout_ns = 600 * KW_S_NS;
    o.storm.list_retry_ns = KW_MS_NS;
    note = (struct kw_note){{0}};
    r = kw_new(1, sizeof *r);
    CHECK(r != NULL);
    CHECK_OK(kw_corpus_init(&corpus, seeds));
    if (f.code != 12)
        CHECK_OK(kw_play_make(&o, &corpus, &note));
}
#define BEGIN(seeds, ...) begin(&(struct fake_plugin){__VA_ARGS__}, seeds)

/* The storm happens; the tally of it. */
static const struct kw_storm_tally *play(void)
{
    CHECK_OK(kw_play_run(&o, &corpus, r, &note));
    return &r->storm->tally;
}

static void end(void)
{
    kw_corpus_wipe(&corpus);
    kw_storm_free(r->storm);
    kw_free(r);
    fake_stop(&f);
}

TEST(nobody_listens_or_not_kms__named)
{
    BEGIN(1, .script = FAKE_CODE, .code = 12);
    CHECK_CODE(kw_play_run(&o, &corpus, r, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, path);
    CHECK_HAS(note.text, "UNIMPLEMENTED");
    note.text[0] = '\0';
    CHECK_CODE(kw_play_make(&o, &corpus, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "UNIMPLEMENTED");
    path = "/nonexistent/kms.sock";
    CHECK_CODE(kw_play_run(&o, &corpus, r, &note), KW_CODE_IO);
    CHECK_HAS(note.text, "/nonexistent/kms.sock");
    CHECK_HAS(note.text, "does a KMS plugin listen there?");
    end();
}

TEST(sockets__of_different_providers__bad_input)
{
    const char *both[2];
    BEGIN(1, .script = FAKE_CODE, .code = 13, .at = KW_DECRYPT, .times = 1, .from = 1);
    both[0] = both[1] = f.path;
    o.socket = both;
    o.storm.servers = o.storm.sockets = 2;
    CHECK_CODE(kw_play_run(&o, &corpus, r, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "cannot read what");
    CHECK_HAS(note.text, "INTERNAL");
    end();
}

/* By its name this process is a keywardd, and no worker of it has a SoftHSM. */
TEST(perhaps_a_real_hsm__denied)
{
    BEGIN(1, 0);
    CHECK(prctl(PR_SET_NAME, "keywardd") == 0);
    o.any_token = false;
    CHECK_CODE(kw_play_run(&o, &corpus, r, &note), KW_CODE_DENIED);
    CHECK_HAS(note.text, "--yes");
    CHECK_CODE(kw_play_make(&o, &corpus, &note), KW_CODE_DENIED);
    CHECK(f.seen[KW_ENCRYPT] == 1); /* that of begin */
    o.any_token = true;
    CHECK(play()->good[KW_DECRYPT] == 1);
    end();
}

/* At the eighth Decrypt.  Nothing is ready then. */
static void cut_short(enum fake_script script, unsigned least, const char *why)
{
    BEGIN(20, .script = script, .at = KW_DECRYPT, .from = 8,
          .times = script == FAKE_INTERRUPTS);
    if (script == FAKE_SILENT)
        o.limit_ns = 50 * KW_MS_NS;
    kw_stop_catch();
    const struct kw_storm_tally *t = play();
    CHECK(r->partial && r->storm->ready_ns == -1 && t->ready_ns[0] == -1);
    CHECK_HAS(r->fault, why);
    CHECK(t->good[KW_DECRYPT] >= least && t->good[KW_DECRYPT] < 20);
    end();
}

TEST(cut_short__partial_with_what_was_measured_and_why)
{
    cut_short(FAKE_DIES, 7, "closed the connection");
    cut_short(FAKE_SILENT, 0, "within the limit");
    cut_short(FAKE_INTERRUPTS, 7, "interrupted");
}

/* No answer: the call is given up at its timeout, and the plugin is told so. */
TEST(plugin_mute__call_given_up_and_reset)
{
    BEGIN(20, .script = FAKE_SILENT, .at = KW_DECRYPT, .interrupt_at_reset = true);
    o.storm.timeout_ns = 50 * KW_MS_NS;
    kw_stop_catch();
    const struct kw_storm_tally *t = play();
    CHECK(r->partial && t->deadline_misses >= 1 && t->by_code[4] >= 1);
    CHECK_STR(r->said[4], "no answer in time");
    end();
}

/* The list begins anew. */
TEST(decrypt__fails_once__asked_again)
{
    BEGIN(20, .script = FAKE_CODE, .code = 13, .at = KW_DECRYPT, .from = 3, .times = 1);
    const struct kw_storm_tally *t = play();
    CHECK(t->calls[KW_DECRYPT] == 21 && f.seen[KW_DECRYPT] == 21);
    CHECK(!r->partial && r->storm->ready_ns > 0 && t->by_code[13] == 1);
    end();
}

/* A check whose Encrypt names another key leaves no state; the next one is good. */
TEST(encrypt__other_key_id_once__checked_again)
{
    BEGIN(5, .script = FAKE_ODD_ENCRYPT, .at = KW_ENCRYPT, .from = 6, .times = 1);
    o.storm.check_retry_ns = KW_MS_NS;
    const struct kw_storm_tally *t = play();
    CHECK(r->storm->ready_ns > 0 && t->bad_checks == 1);
    CHECK(t->calls[KW_STATUS] == 2 && t->calls[KW_ENCRYPT] == 2);
    CHECK(t->list_retries >= 1);
    end();
}

TEST(storm__two_servers_two_readers__all_unwrapped)
{
    BEGIN(50, 0);
    o.storm.servers = o.storm.readers = 2;
    o.storm.parallel = 3;
    const struct kw_storm_tally *t = play();
    CHECK(!r->partial && r->storm->ready_ns > 0);
    CHECK(t->calls[KW_STATUS] == 2 && t->calls[KW_ENCRYPT] == 2);
    CHECK(t->good[KW_DECRYPT] == t->calls[KW_DECRYPT]);
    CHECK(t->calls[KW_DECRYPT] >= 100 && t->calls[KW_DECRYPT] <= 200);
    CHECK(f.seen[KW_DECRYPT] == t->calls[KW_DECRYPT] && f.seen[KW_ENCRYPT] == 50 + 2);
    CHECK(r->storm->point[r->storm->points - 1].unwrapped == 100);
    end();
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

KW_CASES("bench/storm/play", CASE(nobody_listens_or_not_kms__named),
         CASE(sockets__of_different_providers__bad_input),
         CASE(perhaps_a_real_hsm__denied),
         CASE(cut_short__partial_with_what_was_measured_and_why),
         CASE(plugin_mute__call_given_up_and_reset),
         CASE(decrypt__fails_once__asked_again),
         CASE(encrypt__other_key_id_once__checked_again),
         CASE(storm__two_servers_two_readers__all_unwrapped),
         CASE(counters__something_else_or_nobody_there__said),
         CASE(counters__classes_added_up_and_the_difference_told))
