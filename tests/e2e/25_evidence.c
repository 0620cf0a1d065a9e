/* SPDX-License-Identifier: Apache-2.0 */
/* 25: evidence of a node that serves.  The logs are copied while the daemon writes them and
 * begins new files, and the copy is a log that verifies. */
#include "audited.h"
#include "load.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char said[1 << 16];

static void collect(struct instance *h, const char *out)
{
    const int status = instance_tool(h, said, sizeof said, "evidence", "collect", "--out",
                                     out, "--name", "cp-1", NULL);
    if (status != 0)
        fail_msg("exit status %d\n%s", status, said);
}

TEST(under_load__the_copied_log_verifies_and_calls_go_on)
{
    enum { TIMES = 4 };
    struct load_counts counts;
    char out[TIMES][120], logs[140];
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct load *load = load_start(h.secrets, 4);
    for (unsigned i = 0; i < TIMES; i++) {
        load_await(load, 40);
        const size_t mark = instance_mark(&h);
        instance_signal(&h, SIGHUP); /* the next file begins about now */
        snprintf(out[i], sizeof out[i], "%s/evidence-%u", h.dir, i);
        collect(&h, out[i]);
        instance_await(&h, mark, NULL, "event=keyring-unchanged", NULL);
    }
    load_stop(load, &counts);
    load_judge(&counts, 0);
    for (unsigned i = 0; i < TIMES; i++) {
        snprintf(logs, sizeof logs, "%s/audit", out[i]);
        CHECK(audited_lines(logs, "\"kind\":\"call\"") > 0);
        audited_verify(&h, logs, 0);
    }
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

KW_SUITE("25-evidence")
