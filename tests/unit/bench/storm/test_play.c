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

static void begin(size_t seeds)
{
    struct kw_progress silent = {0};
    path = f.path;
    fake_start(&f);
    o = (struct kw_play_options){.socket = &path, .limit_ns = 3600 * KW_S_NS};
    o.any_token = true;
    o.storm = kw_storm_defaults();
    o.storm.seeds = seeds;
    o.storm.timeout_ns = 600 * KW_S_NS;
    o.storm.list_retry_ns = KW_MS_NS;
    note = (struct kw_note){{0}};
    r = kw_new(1, sizeof *r);
    CHECK(r != NULL);
    CHECK_OK(kw_corpus_init(&corpus, seeds));
    if (f.script != FAKE_HTTP1 && f.code != 12)
        CHECK_OK(kw_play_make(&o, &corpus, &silent, &note));
}

static kw_err play(void)
{
    struct kw_progress silent = {0};
    return kw_play_run(&o, &corpus, &silent, r, &note);
}

static void end(void)
{
    kw_corpus_wipe(&corpus);
    kw_free(r);
    fake_stop(&f);
}

TEST(run__nobody_listens__named)
{
    f = (struct fake_plugin){0};
    begin(1);
    path = "/nonexistent/kms.sock";
    CHECK_CODE(play(), KW_CODE_IO);
    CHECK_HAS(note.text, "/nonexistent/kms.sock");
    CHECK_HAS(note.text, "does a KMS plugin listen there?");
    end();
}

TEST(run__no_http2__bad_input)
{
    f = (struct fake_plugin){.script = FAKE_HTTP1};
    begin(1);
    CHECK_CODE(play(), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "speaks no HTTP/2");
    end();
}

TEST(run__not_kms__bad_input)
{
    f = (struct fake_plugin){.script = FAKE_CODE, .code = 12, .counts = KW_METHODS};
    begin(1);
    CHECK_CODE(play(), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, path);
    CHECK_HAS(note.text, "UNIMPLEMENTED");
    end();
}

TEST(sockets__of_different_providers__bad_input)
{
    const char *both[2];
    f = (struct fake_plugin){
        .script = FAKE_CODE, .code = 13, .from = 1, .times = 1, .counts = KW_DECRYPT};
    begin(1);
    both[0] = both[1] = f.path;
    o.socket = both;
    o.storm.servers = o.storm.sockets = 2;
    CHECK_CODE(play(), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "cannot read what");
    CHECK_HAS(note.text, "INTERNAL");
    end();
}

TEST(make__not_kms__bad_input)
{
    struct kw_progress silent = {0};
    f = (struct fake_plugin){.script = FAKE_CODE, .code = 12, .counts = KW_METHODS};
    begin(1);
    CHECK_CODE(kw_play_make(&o, &corpus, &silent, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "UNIMPLEMENTED");
    end();
}

/* By its name this process is a keywardd, and no worker of it has a SoftHSM. */
TEST(run__perhaps_a_real_hsm__denied)
{
    struct kw_progress silent = {0};
    f = (struct fake_plugin){0};
    begin(1);
    CHECK(prctl(PR_SET_NAME, "keywardd") == 0);
    o.any_token = false;
    CHECK_CODE(play(), KW_CODE_DENIED);
    CHECK_HAS(note.text, "--yes");
    CHECK_CODE(kw_play_make(&o, &corpus, &silent, &note), KW_CODE_DENIED);
    CHECK(f.seen[KW_ENCRYPT] == 1); /* that of begin */
    o.any_token = true;
    CHECK_OK(play());
    end();
}

TEST(plugin_dies__partial_with_what_was_measured)
{
    f = (struct fake_plugin){.script = FAKE_DIES, .from = 8, .counts = KW_DECRYPT};
    begin(20);
    CHECK_OK(play());
    CHECK(r->partial && r->ready_ns == -1 && r->tally.ready_ns[0] == -1);
    CHECK_HAS(r->fault, "closed the connection");
    CHECK(r->tally.good[KW_DECRYPT] == 7);
    end();
}

TEST(plaintext__wrong__counted_and_over)
{
    f = (struct fake_plugin){
        .script = FAKE_WRONG, .from = 3, .times = 1, .counts = KW_DECRYPT};
    begin(20);
    CHECK_OK(play());
    CHECK(r->tally.wrong == 1 && !r->partial && r->ready_ns == -1);
    CHECK(r->tally.good[KW_DECRYPT] == 2);
    end();
}

TEST(decrypt__fails_once__list_begins_anew)
{
    f = (struct fake_plugin){
        .script = FAKE_CODE, .code = 13, .from = 3, .times = 1, .counts = KW_DECRYPT};
    begin(20);
    CHECK_OK(play());
    CHECK(!r->partial && r->ready_ns > 0);
    CHECK(r->tally.by_code[13] == 1 && r->tally.list_retries == 1);
    CHECK(r->tally.calls[KW_DECRYPT] == 21 && f.seen[KW_DECRYPT] == 21);
    end();
}

/* No answer: the call is given up at its timeout, and the plugin is told so. */
TEST(plugin_mute__call_given_up_and_reset)
{
    f = (struct fake_plugin){.script = FAKE_SILENT,
                             .from = 1,
                             .counts = KW_DECRYPT,
                             .interrupt_at_reset = true};
    begin(20);
    o.storm.timeout_ns = 50 * KW_MS_NS;
    kw_stop_catch();
    CHECK_OK(play());
    CHECK(r->partial && r->tally.deadline_misses >= 1 && r->tally.by_code[4] >= 1);
    CHECK_STR(r->said[4], "no answer in time");
    end();
}

TEST(plugin_mute__partial_at_the_limit)
{
    f = (struct fake_plugin){.script = FAKE_SILENT, .from = 5, .counts = KW_DECRYPT};
    begin(20);
    o.limit_ns = 50 * KW_MS_NS;
    CHECK_OK(play());
    CHECK(r->partial && r->ready_ns == -1 && r->tally.good[KW_DECRYPT] <= 4);
    CHECK_HAS(r->fault, "within the limit");
    end();
}

/* A check whose Encrypt names another key leaves no state; the next one is good. */
TEST(encrypt__other_key_id_once__checked_again)
{
    f = (struct fake_plugin){
        .script = FAKE_ODD_ENCRYPT, .from = 6, .times = 1, .counts = KW_ENCRYPT};
    begin(5);
    o.storm.check_retry_ns = KW_MS_NS;
    CHECK_OK(play());
    CHECK(r->ready_ns > 0 && r->tally.bad_checks == 1);
    CHECK(r->tally.calls[KW_STATUS] == 2 && r->tally.calls[KW_ENCRYPT] == 2);
    CHECK(r->tally.list_retries >= 1);
    end();
}

TEST(interrupted__partial_with_what_was_measured)
{
    f = (struct fake_plugin){
        .script = FAKE_INTERRUPTS, .from = 8, .times = 1, .counts = KW_DECRYPT};
    begin(20);
    kw_stop_catch();
    CHECK_OK(play());
    CHECK(r->partial && r->ready_ns == -1);
    CHECK_STR(r->fault, "interrupted");
    CHECK(r->tally.good[KW_DECRYPT] >= 7 && r->tally.good[KW_DECRYPT] < 20);
    end();
}

TEST(storm__two_servers_two_readers__all_unwrapped)
{
    f = (struct fake_plugin){0};
    begin(50);
    o.storm.servers = 2;
    o.storm.readers = 2;
    o.storm.parallel = 3;
    CHECK_OK(play());
    CHECK(!r->partial && r->ready_ns > 0);
    CHECK(r->tally.calls[KW_STATUS] == 2 && r->tally.calls[KW_ENCRYPT] == 2);
    CHECK(r->tally.good[KW_DECRYPT] == r->tally.calls[KW_DECRYPT]);
    CHECK(r->tally.calls[KW_DECRYPT] >= 100 && r->tally.calls[KW_DECRYPT] <= 200);
    CHECK(f.seen[KW_DECRYPT] == r->tally.calls[KW_DECRYPT] &&
          f.seen[KW_ENCRYPT] == 50 + 2);
    CHECK(r->point_count > 0 && r->point[r->point_count - 1].unwrapped == 100);
    end();
}

KW_CASES("bench/storm/play", CASE(run__nobody_listens__named),
         CASE(run__no_http2__bad_input), CASE(run__not_kms__bad_input),
         CASE(sockets__of_different_providers__bad_input), CASE(make__not_kms__bad_input),
         CASE(run__perhaps_a_real_hsm__denied),
         CASE(plugin_dies__partial_with_what_was_measured),
         CASE(plaintext__wrong__counted_and_over),
         CASE(plugin_mute__call_given_up_and_reset),
         CASE(plugin_mute__partial_at_the_limit),
         CASE(decrypt__fails_once__list_begins_anew),
         CASE(encrypt__other_key_id_once__checked_again),
         CASE(interrupted__partial_with_what_was_measured),
         CASE(storm__two_servers_two_readers__all_unwrapped))
