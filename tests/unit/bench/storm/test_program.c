/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench storm, run as an operator would. */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include "document.h"
#include "fake_plugin.h"
#include "run.h"

static struct fake_plugin f;
static struct kw_run r;
static char file[96]; /* beside its socket */
#define STORM(want, ...) kw_run_line(&r, want, KEYWARD_BENCH, "storm " __VA_ARGS__)

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

TEST(dry_run_or_status_or_corpus_not_there__calls_nobody)
{
    BEGIN(0);
    STORM(0, "%s --dry-run --json", f.path);
    SAYS(r.out, "dry_run = true");
    STORM(3, "%s --corpus %s", f.path, file);
    CHECK_HAS(r.err, file);
    CHECK(f.seen[KW_STATUS] == 0);
    STORM(3, "%s --seeds 3 --status /nonexistent/status.sock", f.path);
    CHECK_HAS(r.err, "--status /nonexistent/status.sock");
    end();
}

TEST(plaintext__wrong__one)
{
    BEGIN(.script = FAKE_WRONG, .at = KW_DECRYPT, .from = 5, .times = 1);
    STORM(1, "%s --servers 1 --seeds 20 --json", f.path);
    SAYS(r.out, "wrong = 1", "ready_ms absent");
    end();
}

TEST(storm__json__the_promised_fields)
{
    BEGIN(0);
    STORM(0, "%s --servers 2 --seeds 300 --json", f.path);
    json_t *all = kw_parsed(r.out);
    CHECK(kw_number(all, "figures/ready_ms") == kw_number(all, "ready_ms"));
    HOLDS(all, "tool = keyward-bench storm", "schema = 1", "partial = false",
          "cache = warm", "figures/requests = 600", "figures/deadline_misses = 0",
          "figures/p50_us > 0", "figures/calls_per_s > 0", "ready_by_server_ms/# = 2",
          "timeline/# >= 2", "histogram/# >= 1", "failures/# = 0",
          "hsm_operations absent"); /* nobody can know */
    end();
}

/* What a script does: prepare, restart the plugin, storm. */
TEST(prepare__then_corpus__no_encrypt_but_the_servers)
{
    BEGIN(0);
    STORM(0, "%s --seeds 30 --prepare %s", f.path, file);
    CHECK(f.seen[KW_ENCRYPT] == 30 && f.seen[KW_DECRYPT] == 0);
    CHECK_HAS(r.out, "30 ciphertexts");
    STORM(0, "%s --servers 2 --corpus %s --json", f.path, file);
    CHECK(f.seen[KW_ENCRYPT] == 32 && f.seen[KW_DECRYPT] == 60);
    SAYS(r.out, "cache = unknown");
    end();
}

TEST(day__compressed__calls_by_hour)
{
    BEGIN(0);
    STORM(0, "%s --servers 2 --seeds 5 --day --compress 86400 --restarts 3 --json",
          f.path);
    SAYS(r.out, "restarts >= 0", "partial = false", "hours/# = 24");
    end();
}

KW_CASES("bench/storm/program", CASE(dry_run_or_status_or_corpus_not_there__calls_nobody),
         CASE(plaintext__wrong__one), CASE(storm__json__the_promised_fields),
         CASE(prepare__then_corpus__no_encrypt_but_the_servers),
         CASE(day__compressed__calls_by_hour))
