/* SPDX-License-Identifier: Apache-2.0 */
/* The program against plugins that behave as their scripts say. */
#include "check.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "document.h"
#include "fake_plugin.h"
#include "run.h"

static struct fake_plugin p;
static struct kw_run r;

static void load(const struct fake_plugin *plugin, int want, const char *words)
{
    p = *plugin;
    fake_start(&p);
    kw_run_line(&r, want, KEYWARD_BENCH, "load %s --warmup 0s %s", p.path, words);
    fake_stop(&p);
}
#define LOAD(want, words, ...) load(&(struct fake_plugin){__VA_ARGS__}, want, words)
/* Such a plugin, and what the document says then. */
#define ROW(name, want, words, says, ...)                                                \
    TEST(name)                                                                           \
    {                                                                                    \
        LOAD(want, words, __VA_ARGS__);                                                  \
        kw_says(r.out, says);                                                            \
    }
#define FEW "--json --in-flight 4 --ciphertexts distinct:10 "

/* Before anything is measured. */
static void no_good(const struct fake_plugin *plugin, const char *why)
{
    load(plugin, 3, "--calls 5");
    CHECK_HAS(r.err, why);
    CHECK_STR(r.out, "");
    CHECK((p.script == FAKE_DIES) == (p.seen[KW_ENCRYPT] > 0) && p.seen[KW_DECRYPT] == 0);
}
#define NO_GOOD(why, ...) no_good(&(struct fake_plugin){__VA_ARGS__}, why)

TEST(no_good_plugin__three_before_anything_is_measured)
{
    NO_GOOD("without a word; may this user (uid ", .script = FAKE_CLOSES);
    NO_GOOD("speaks no HTTP/2", .script = FAKE_HTTP1);
    NO_GOOD("UNIMPLEMENTED", .script = FAKE_CODE, .code = 12);
    NO_GOOD("is this a KMS v2 plugin?", .script = FAKE_ILL);
    NO_GOOD("making ciphertexts with Encrypt", .script = FAKE_DIES, .at = KW_ENCRYPT,
            .from = 5);
}

/* No kernel has so many processes.  Only Status comes before the guard. */
#define UNSEEN FEW "--calls 5 --server-pid 2147483647 "
TEST(keyward_that_nobody_sees__denied_before_any_encrypt)
{
    LOAD(3, UNSEEN, 0);
    CHECK_HAS(r.err, "--yes");
    CHECK(p.seen[KW_STATUS] == 1 && p.seen[KW_ENCRYPT] == 0);
}

ROW(keyward_that_nobody_sees_and_yes__measured, 0, UNSEEN "--yes",
    "good = 5, processes/known = false", 0)

/* Four are under way. */
ROW(dies_while_measured__three_and_what_was_measured, 3, FEW "--calls 1000",
    "partial = true, fault ~ closed, good > 0, good <= 200, failed <= 4",
    .script = FAKE_DIES, .at = KW_DECRYPT, .from = 201)

ROW(dies_with_reconnect__goes_on_and_tells_the_gaps, 1,
    "--json --in-flight 1 --ciphertexts distinct:10 --reconnect --seconds 500ms",
    "partial = false, gaps/# > 1, gaps/0/failed = 1, gaps/0/first_error ~ closed, "
    "gaps/0/at_us >= 0, gaps/0/us > 0, good >= 2, failed >= 2, began_monotonic_ns > 0",
    .script = FAKE_DIES, .at = KW_DECRYPT, .from = 3, .every = 3)

TEST(nobody_there_with_reconnect__three_when_the_time_is_over)
{
    kw_run_line(&r, 3, KEYWARD_BENCH, "load /nonexistent/s --reconnect --seconds 50ms");
    CHECK_HAS(r.err, "/nonexistent/s: ");
}

/* The good ones of its last four may be unread. */
ROW(interrupted__three_and_what_was_measured, 3, FEW "--seconds 3600s",
    "partial = true, fault = interrupted, good >= 90, wrong = 0, failed = 0",
    .script = FAKE_INTERRUPTS, .at = KW_DECRYPT, .from = 100, .times = 1)

/* Each of the four is given up a second behind its time. */
ROW(no_answer__given_up_as_exceeded, 1, FEW "--calls 14 --timeout 500ms",
    "good = 10, wrong = 0, failed = 0, missed = 4, exceeded = 4, "
    "failures/DEADLINE_EXCEEDED/message = no answer in time",
    .script = FAKE_SILENT, .at = KW_DECRYPT, .from = 11)

#define BAD_FROM_THE_ELEVENTH(name, says, ...)                                           \
    ROW(name, 1, FEW "--calls 30", "good = 10, missed = exceeded, " says,                \
        .at = KW_DECRYPT, .from = 11, __VA_ARGS__)
BAD_FROM_THE_ELEVENTH(wrong_replies__one_and_counted,
                      "wrong = 20, failed = 0, exceeded = 0, failures/# = 0",
                      .script = FAKE_WRONG)
BAD_FROM_THE_ELEVENTH(deadline_exceeded__one_and_missed,
                      "wrong = 0, failed = 0, exceeded = 20, "
                      "by_method/decrypt/exceeded = 20, "
                      "failures/DEADLINE_EXCEEDED/count = 20",
                      .script = FAKE_CODE, .code = 4)
BAD_FROM_THE_ELEVENTH(unavailable__one_and_failed,
                      "wrong = 0, failed = 20, exceeded = 0, "
                      "failures/UNAVAILABLE/count = 20",
                      .script = FAKE_CODE, .code = 14)
BAD_FROM_THE_ELEVENTH(
    no_status__one_and_unknown,
    "wrong = 0, failed = 20, exceeded = 0, failures/UNKNOWN/count = 20, "
    "failures/UNKNOWN/message = no grpc-status",
    .script = FAKE_NO_STATUS)

ROW(not_one_good_reply__no_figure_of_a_call, 1, FEW "--calls 20",
    "good = 0, figures/calls_per_s = 0, figures/goodput_per_s = 0, "
    "figures/client_us absent, figures/cpu_us absent, figures/p50_us absent",
    .script = FAKE_CODE, .code = 14, .at = KW_DECRYPT)

ROW(ciphertexts_that_do_not_open__one, 1, FEW "--mix encrypt --calls 50",
    "good = 50, not_proven = 10", .script = FAKE_WRONG, .at = KW_DECRYPT)

/* More is written than a socket holds, and read frame by frame. */
TEST(slow_reader__every_reply_good)
{
    LOAD(0, "--in-flight 512 --calls 1500 --ciphertexts distinct:600", 0);
    CHECK(p.seen[KW_ENCRYPT] == 600 && p.seen[KW_DECRYPT] >= 1500);
}

/* `sent` is of the whole run: one Status and ten Encrypts before and the proof, too. */
TEST(mix__counts_agree_with_the_plugins)
{
    LOAD(0,
         "--json --in-flight 3 --ciphertexts distinct:10 --calls 1000 "
         "--mix decrypt:7,encrypt:2,status:1",
         0);
    kw_says(r.out,
            "by_method/status/good = 100, by_method/encrypt/good = 200, "
            "by_method/decrypt/good = 700, good = 1000, replies = 1000, proven = 200");
    json_t *all = kw_parsed(r.out);
    CHECK(kw_number(all, "sent/status") == p.seen[KW_STATUS]);
    CHECK(kw_number(all, "sent/encrypt") == p.seen[KW_ENCRYPT]);
    CHECK(kw_number(all, "sent/decrypt") == p.seen[KW_DECRYPT]);
    kw_holds(all, "sent/status >= 101, sent/encrypt >= 210, sent/decrypt >= 900");
}

TEST(good__histogram_holds_every_good_call)
{
    size_t i;
    json_t *pair;
    double sum = 0, before = -1;
    LOAD(0, FEW "--calls 1200", 0);
    json_t *all = kw_parsed(r.out);
    json_array_foreach(json_object_get(all, "histogram"), i, pair)
    {
        CHECK(kw_number(pair, "0") > before);
        before = kw_number(pair, "0");
        sum += kw_number(pair, "1");
    }
    CHECK(sum == 1200 && kw_number(all, "good") == 1200);
    kw_holds(
        all,
        "figures/p50_us <= figures/p90_us, figures/goodput_per_s = figures/calls_per_s, "
        "figures/late_per_s absent, figures/p99_us absent"); /* 12 samples lie beyond it */
}

/* At most one call more than there are gaps, and a millisecond. */
TEST(rate_with_a_ramp_or_max_rate__late_ones_told_and_never_quicker)
{
    LOAD(0, FEW "--rate 2000 --ramp --calls 100", 0);
    kw_says(r.out, "good = 100, figures/late_per_s >= 0");
    LOAD(0, FEW "--max-rate 2000 --calls 200", 0);
    kw_says(r.out, "good = 200, figures/calls_per_s <= 2100, figures/late_per_s absent");
}

/* keywardd's status socket, which tells one caller this. */
static void status_tell(const char *text, char path[80])
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(path, 80, "%s.status", p.path);
    CHECK(kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path)));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
          listen(fd, 1) == 0);
    if (fork() == 0) {
        int one = accept(fd, NULL, NULL);
        _exit(one < 0 || write(one, text, strlen(text)) < 0);
    }
    close(fd);
}

static void health(int status, const char *text, const char *says)
{
    char path[80];
    p = (struct fake_plugin){0};
    fake_start(&p);
    status_tell(text, path);
    kw_run_line(&r, status, KEYWARD_BENCH, "load %s --status %s --json " FEW "--calls 20",
                p.path, path);
    (void)wait(NULL);
    (void)unlink(path);
    fake_stop(&p);
    kw_says(r.out, says);
}

TEST(status__hsm_not_up_or_not_told__one_and_said)
{
    health(1, "{\"health\": {\"state\": \"suspect\"}}", "good = 20, health = suspect");
    CHECK_HAS(r.err, "the HSM is not up at the end: suspect");
    health(1, "no document", "good = 20, health absent");
    health(0, "{\"health\": {\"state\": \"up\"}}", "good = 20, health = up");
}

TEST(dry_run__nothing_sent)
{
    LOAD(0, "--json --dry-run --ciphertexts repeat:90:100", 0);
    kw_says(r.out, "ciphertexts = 116, dry_run = true");
    CHECK(p.seen[KW_STATUS] + p.seen[KW_ENCRYPT] + p.seen[KW_DECRYPT] == 0);
}

KW_SUITE("bench/load/servers")
