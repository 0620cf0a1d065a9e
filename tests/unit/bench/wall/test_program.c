/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench wall as it is run: who works, how many at once, and that nobody stays. */
#include "check.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include "document.h"
#include "run.h"

static struct kw_run r;

static void wall(const char *words, const char *says)
{
    kw_run_line(&r, 0, KEYWARD_BENCH, "wall %s --warmup 10ms --json", words);
    kw_says(r.out, says);
}

/* The one session sleeps for each job: no more jobs than fit, however many are asked for. */
TEST(one_session__one_job_at_a_time)
{
    wall("--workers 1 --sessions 1 --in-flight 20 --delay 10ms --seconds 400ms",
         "good >= 1, figures/calls_per_s <= 102.5, partial = false");
}

/* One at a time are a hundred a second. */
TEST(sessions_of_all_workers__as_many_at_once)
{
    wall("--workers 2 --sessions 8 --in-flight 16 --delay 10ms --seconds 1s",
         "figures/calls_per_s > 103, options/workers = 2, options/sessions = 8, "
         "options/in_flight = 16, "
         "options/delay_ns = 1e7, figures/cpu_us > 0, figures/pss_mib > 0");
}

TEST(no_delay__every_answer_looked_at_and_no_worker_stays)
{
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    wall("--workers 3 --sessions 1 --in-flight 64 --seconds 100ms",
         "good > 64, elapsed_ns >= 100000000");
    CHECK(waitpid(-1, NULL, WNOHANG) < 0); /* an orphan would be ours */
}

KW_SUITE("bench/wall/program")
