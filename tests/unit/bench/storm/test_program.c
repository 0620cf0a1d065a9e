/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench storm as an operator runs it, against plugins that behave as told. */
#include "check.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "document.h"
#include "fake_plugin.h"
#include "run.h"

static struct fake_plugin f;
static struct kw_run r;
static char file[96]; /* beside its socket */

static void begin(const struct fake_plugin *plugin)
{
    f = *plugin;
    fake_start(&f);
    snprintf(file, sizeof file, "%s/corpus", f.folder);
}
#define BEGIN(...) begin(&(struct fake_plugin){__VA_ARGS__})

static void end(void)
{
    (void)unlink(file);
    fake_stop(&f);
}

/* On its socket. */
static void storm(int want, const char *words)
{
    kw_run_line(&r, want, KEYWARD_BENCH, "storm %s --json %s", f.path, words);
}
/* All of it: such a plugin, and a storm on it alone. */
#define STORM(want, words, ...)                                                          \
    BEGIN(__VA_ARGS__);                                                                  \
    storm(want, words);                                                                  \
    end()
/* And what its document says. */
#define ROW(name, want, words, says, ...)                                                \
    TEST(name)                                                                           \
    {                                                                                    \
        STORM(want, words, __VA_ARGS__);                                                 \
        kw_says(r.out, says);                                                            \
    }
#define PATIENT "--timeout 600s "
#define ONE "--servers 1 --seeds 20 "

/* The first socket's plugin is good; this is the second one. */
static void second(const struct fake_plugin *plugin, const char *path, const char *said)
{
    struct fake_plugin good = {0};
    fake_start(&good);
    begin(plugin);
    path = path != NULL ? path : f.path;
    kw_run_line(&r, 3, KEYWARD_BENCH, "storm %s %s --seeds 1", good.path, path);
    CHECK_HAS(r.err, path);
    CHECK_HAS(r.err, said);
    end();
    fake_stop(&good);
}
#define SECOND(path, said, ...) second(&(struct fake_plugin){__VA_ARGS__}, path, said)

TEST(second_socket__not_there_or_another_provider__three_and_which)
{
    SECOND("/nonexistent/s", "does a KMS plugin listen there?", 0);
    SECOND(NULL, "UNIMPLEMENTED", .script = FAKE_CODE, .code = 12);
    SECOND(NULL, "INTERNAL", .script = FAKE_CODE, .code = 13, .at = KW_DECRYPT);
    SECOND(NULL, "cannot read what", .script = FAKE_CODE, .code = 13, .at = KW_DECRYPT);
}

TEST(dry_run_or_status_or_corpus_not_there_or_not_kms__three_and_why)
{
    BEGIN(.script = FAKE_CODE, .code = 12);
    storm(0, "--dry-run");
    kw_says(r.out, "dry_run = true");
    storm(3, "--corpus /nonexistent/corpus");
    CHECK_HAS(r.err, "/nonexistent/corpus");
    CHECK(f.seen[KW_STATUS] == 0);
    storm(3, "");
    CHECK_HAS(r.err, "UNIMPLEMENTED");
    end();
    STORM(3, "--seeds 3 --status /nonexistent/status.sock", 0);
    CHECK_HAS(r.err, "--status /nonexistent/status.sock");
}

/* What a script does: prepare, restart the plugin, storm. */
TEST(prepare__then_corpus__no_encrypt_but_the_servers)
{
    BEGIN(0);
    kw_run_line(&r, 0, KEYWARD_BENCH, "storm %s --seeds 30 --prepare %s", f.path, file);
    CHECK(f.seen[KW_ENCRYPT] == 30 && f.seen[KW_DECRYPT] == 0);
    CHECK_HAS(r.out, "30 ciphertexts");
    kw_run_line(&r, 0, KEYWARD_BENCH, "storm %s --servers 2 --corpus %s --json", f.path,
                file);
    CHECK(f.seen[KW_ENCRYPT] == 32 && f.seen[KW_DECRYPT] == 60);
    kw_says(r.out, "cache = unknown");
    end();
}

/* By its name this process is a keywardd, and no worker of it has a SoftHSM. */
TEST(perhaps_a_real_hsm__three_and_no_encrypt)
{
    BEGIN(0);
    CHECK(prctl(PR_SET_NAME, "keywardd") == 0);
    storm(3, ONE);
    CHECK_HAS(r.err, "--yes");
    CHECK(f.seen[KW_STATUS] == 1 && f.seen[KW_ENCRYPT] == 0);
    storm(0, ONE "--yes");
    kw_says(r.out, "good/decrypt = 20");
    end();
}

/* At the eighth Decrypt. */
#define CUT_SHORT                                                                        \
    "partial = true, good/decrypt < 20, ready_by_server_ms/0 = null, ready_ms absent, "
ROW(plugin_dies__three_and_what_was_measured, 3, ONE PATIENT,
    CUT_SHORT "good/decrypt >= 7, fault ~ closed the connection", .script = FAKE_DIES,
    .at = KW_DECRYPT, .from = 8)
ROW(interrupted__three_and_what_was_measured, 3, ONE PATIENT,
    CUT_SHORT "good/decrypt >= 7, fault = interrupted", .script = FAKE_INTERRUPTS,
    .at = KW_DECRYPT, .from = 8, .times = 1)
ROW(not_ready_in_time__three_and_what_was_measured, 3, ONE PATIENT "--limit 50ms",
    CUT_SHORT "fault ~ within the limit", .script = FAKE_SILENT, .at = KW_DECRYPT,
    .from = 8)

/* No answer: the call is given up at its timeout, and the plugin is told so. */
ROW(plugin_mute__call_given_up_and_reset, 3, ONE "--timeout 50ms",
    "partial = true, deadline_misses >= 1, failures/DEADLINE_EXCEEDED/count >= 1, "
    "failures/DEADLINE_EXCEEDED/message = no answer in time",
    .script = FAKE_SILENT, .at = KW_DECRYPT, .interrupt_at_reset = true)

ROW(plaintext__wrong__one, 1, ONE PATIENT,
    "wrong = 1, ready_by_server_ms/0 = null, ready_ms absent", .script = FAKE_WRONG,
    .at = KW_DECRYPT, .from = 5, .times = 1)

/* The list begins anew, a second later. */
ROW(decrypt__fails_once__asked_again, 1, ONE PATIENT,
    "calls/decrypt = 21, partial = false, ready_ms > 1000, failures/INTERNAL/count = 1",
    .script = FAKE_CODE, .code = 13, .at = KW_DECRYPT, .from = 3, .times = 1)

/* A check whose Encrypt names another key leaves no state; the next one is good.  In a day
 * of two seconds: else it comes ten seconds later. */
ROW(encrypt__other_key_id_once__checked_again, 0,
    ONE PATIENT "--day --compress 43200 --restarts 0",
    "bad_checks = 1, calls/encrypt = 2, list_retries >= 1, ready_by_server_ms/0 > 0, "
    "rotations = 0",
    .script = FAKE_ODD_ENCRYPT, .at = KW_ENCRYPT, .from = 21, .times = 1)

/* What HSM operations there were nobody can know. */
ROW(storm__json__the_promised_fields, 0, PATIENT "--servers 2 --seeds 300",
    "figures/ready_ms = ready_ms, tool = keyward-bench storm, schema = 1, "
    "partial = false, cache = warm, figures/requests = 600, figures/p50_us > 0, "
    "figures/deadline_misses = 0, figures/calls_per_s > 0, ready_by_server_ms/# = 2, "
    "timeline/# >= 2, histogram/# >= 1, failures/# = 0, hsm_operations absent",
    0)

TEST(two_servers_two_readers__all_unwrapped)
{
    STORM(0, PATIENT "--servers 2 --readers 2 --parallel 3 --seeds 50", 0);
    json_t *all = kw_parsed(r.out);
    CHECK(kw_number(all, "good/decrypt") == f.seen[KW_DECRYPT]);
    CHECK(f.seen[KW_ENCRYPT] == 50 + 2);
    kw_holds(all, "partial = false, ready_ms > 0, calls/status = 2, calls/encrypt = 2, "
                  "failures/# = 0, good/decrypt = calls/decrypt, calls/decrypt >= 100, "
                  "calls/decrypt <= 200, timeline/-1/unwrapped = 100");
}

ROW(day__compressed__calls_by_hour, 0,
    PATIENT "--servers 2 --seeds 5 --day --compress 86400 --restarts 3",
    "restarts >= 0, partial = false, hours/# = 24", 0)

KW_SUITE("bench/storm/program")
