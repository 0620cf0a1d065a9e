/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_proc.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "run.h"

char fake_proc[64];
static struct kw_run r;

void fake_proc_begin(void)
{
    snprintf(fake_proc, sizeof fake_proc, "/tmp/kw-proc-XXXXXX");
    CHECK(mkdtemp(fake_proc) != NULL);
}

void fake_proc_end(void)
{
    kw_run_line(&r, 0, "/bin/rm", "-r %s", fake_proc);
}

void fake_proc_file(int32_t pid, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%" PRId32 "/%s", fake_proc, pid, name);
    (void)unlink(path);
    FILE *f = text != NULL ? fopen(path, "w") : NULL;
    CHECK(text == NULL || (f != NULL && fputs(text, f) >= 0 && fclose(f) == 0));
}

void fake_proc_put(int32_t pid, int32_t parent, const char *comm, uint64_t cpu_ns)
{
    char name[64], text[256];
    kw_run_line(&r, 0, "/bin/mkdir", "-p %s/%" PRId32 "/task/%" PRId32, fake_proc, pid,
                pid);
    snprintf(text, sizeof text,
             "%" PRId32 " (%s) S %" PRId32
             " 1 1 0 -1 4194560 1 2 3 4 70 30 0 0 20 0 1 0 5 6 7\n",
             pid, comm, parent);
    fake_proc_file(pid, "stat", text);
    fake_proc_file(pid, "status", "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n");
    snprintf(name, sizeof name, "task/%" PRId32 "/schedstat", pid);
    snprintf(text, sizeof text, "%" PRIu64 " 17 3\n", cpu_ns);
    fake_proc_file(pid, name, text);
    snprintf(name, sizeof name, "task/%" PRId32 "/status", pid);
    fake_proc_file(
        pid, name,
        "Name:\tx\nvoluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n");
}
